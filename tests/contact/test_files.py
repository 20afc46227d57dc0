"""Our contact file: what it means, what it refuses, and that what we write is read back."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apu.body.region_names import REGION_NAMES
from apu.contact import files
from apu.contact.contact import Contact, ContactMap
from apu.contact.files import AnnotatedPair, read_contact_file
from apu.contact.parts import part_regions
from apu.errors import ContactFileError
from apu.scene.camera import Camera
from apu.scene.pair import Fit, PairObservation
from apu.scene.person import Keypoints, Person
from apu.show.files import contacts_record

from .conftest import THREE_BOXES, Write

# beartype picks the elements that it checks at random, also while hypothesis builds a contact
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")


def read(path: Path) -> list[AnnotatedPair]:
    return read_contact_file(path, "photo", THREE_BOXES)


def one(**fields: object) -> dict[str, object]:
    """A file with one contact, changed."""
    contact = {"a": "left hand", "b": "back", **fields}
    return {"version": 1, "contacts": [without_dots(contact)]}


def two(**fields: object) -> dict[str, object]:
    """A file with two pairs, the second of which is changed."""
    second = {"people": [1, 2], "contacts": [], **fields}
    return {"version": 1, "pairs": [{"people": [0, 1], "contacts": []}, without_dots(second)]}


def without_dots(fields: dict[str, object]) -> dict[str, object]:
    """`...` stands for a field that is missing."""
    return {key: value for key, value in fields.items() if value is not ...}


# What it means


def test_a_file_with_parts_is_read(write: Write):
    path = write(
        {
            "version": 1,
            "people": [2, 0],
            "source": "a friend",
            "contacts": [
                {"a": "left hand", "b": "upper_back", "weight": 0.5},
                {"a": ["left_hand_palm", "left_fingers_palm"], "b": "hands", "source": "me", "label_a": "inner hand"},
            ],
        }
    )
    upper_back = frozenset({"left_upper_back", "right_upper_back"})
    palm = frozenset({"left_hand_palm", "left_fingers_palm"})
    first = Contact(part_regions("hand", "left"), upper_back, 0.5, "a friend", "left hand", "upper back")
    second = Contact(palm, part_regions("hand", "both"), 1.0, "me", "inner hand", "both hands")
    assert read(path) == [AnnotatedPair((2, 0), ContactMap((first, second), "a friend"))]


def test_only_version_and_contacts_are_needed(write: Write):
    (pair,) = read(write(one()))
    assert pair.people is None
    assert (pair.contacts.source, pair.contacts.contacts[0].source) == ("annotation", "annotation")
    assert pair.contacts.contacts[0].weight == 1.0


def test_an_empty_list_says_that_no_contact_is_known(write: Write):
    assert read(write({"version": 1, "contacts": []})) == [AnnotatedPair(None, ContactMap((), "annotation"))]


def test_several_pairs_are_read_in_order(write: Write):
    record = two(contacts=[{"a": "head", "b": "chest"}], source="me")
    first, second = read(write(record))
    assert (first.people, second.people) == ((0, 1), (1, 2))
    assert (first.contacts.contacts, second.contacts.contacts[0].name) == ((), "head - chest")
    assert second.contacts.contacts[0].source == "me"


def test_a_list_of_names_is_their_union_with_one_label(write: Write):
    (pair,) = read(write(one(a=["left hand", "Left forearm", "left hand"])))
    (contact,) = pair.contacts.contacts
    assert contact.regions_a == part_regions("hand", "left") | part_regions("forearm", "left")
    assert contact.label_a == "left hand / left forearm"


def test_region_names_need_no_label(write: Write):
    (pair,) = read(write(one(a=["left_hand_palm", "left_hand_back"], b="right_buttock")))
    (contact,) = pair.contacts.contacts
    assert (contact.label_a, contact.label_b) == ("", "")
    assert contact.name == "left hand back / left hand palm - right buttock"


def test_a_byte_order_mark_is_no_obstacle(write: Write):
    assert read(write(b"\xef\xbb\xbf" + json.dumps(one()).encode())) == read(write(one()))


# What we write is read back

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
region_sets = st.frozensets(st.sampled_from(REGION_NAMES), min_size=1, max_size=6)
contacts = st.builds(
    Contact, region_sets, region_sets, st.floats(0.0, 1.0, exclude_min=True), texts, label_a=texts, label_b=texts
)
maps = st.builds(ContactMap, st.lists(contacts, max_size=4).map(tuple), texts)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contact_map=maps, people=st.permutations([0, 1, 2]))
def test_a_contacts_json_that_we_wrote_is_read_back_as_it_was(write: Write, contact_map: ContactMap, people: list[int]):
    a, b, _ = people
    path = write(contacts_record(observation(a, b), fit_with(contact_map)))
    assert read(path) == [AnnotatedPair((a, b), contact_map)]


def observation(a: int, b: int) -> PairObservation:
    keypoints = Keypoints("coco17", np.zeros((17, 2)), np.zeros(17))
    first, second = (Person(i, keypoints, 1.0, "test") for i in (a, b))
    return PairObservation("photo", Camera.of_image(640, 480), (first, second))


def fit_with(contact_map: ContactMap) -> Fit:
    return Fit(
        body_model="stub",
        parameters={},
        vertices=torch.zeros(2, 4, 3),
        joints=torch.zeros(2, 25, 3),
        first_vertices=torch.zeros(2, 4, 3),
        contacts=contact_map,
        contact_results=(),
        reprojection_percent=(0.0, 0.0),
        penetration_max_m=0.0,
        penetration_volume_cm3=3.0,
        heights_m=(1.7, 1.7),
        attributes={},
        hypothesis={},
        stages=(),
    )


# What it refuses


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (one(a=...), "contacts[0].a"),
        (one(a=""), "contacts[0].a"),
        (one(a="left hnad"), "contacts[0].a"),
        (one(a=[]), "contacts[0].a"),
        (one(a=None), "contacts[0].a"),
        (one(a=7), "contacts[0].a"),
        (one(a={"left_hand_palm": 1}), "contacts[0].a"),
        (one(a=["left hand", 7]), "contacts[0].a[1]"),
        (one(a=["left hand", "tail"]), "contacts[0].a[1]"),
        (one(a=["tail"]), "contacts[0].a"),
        (one(b=["left hand", ["foot"]]), "contacts[0].b[1]"),
        (one(label_a=1), "contacts[0].label_a"),
        (one(label_a="\ud800"), "contacts[0].label_a"),
        (one(label_b=None), "contacts[0].label_b"),
        (one(source=1), "contacts[0].source"),
        (one(weight=0), "contacts[0].weight"),
        (one(weight=-1), "contacts[0].weight"),
        (one(weight=1.01), "contacts[0].weight"),
        (one(weight="1"), "contacts[0].weight"),
        (one(weight=True), "contacts[0].weight"),
        (one(weight=None), "contacts[0].weight"),
        (one(weight=float("nan")), "contacts[0].weight"),
        (one(weight=float("inf")), "contacts[0].weight"),
        (one(weight=10**400), "contacts[0].weight"),
        (one(wieght=0.5), "contacts[0].wieght"),
        ({"contacts": []}, "version"),
        ({"version": 2, "contacts": []}, "version"),
        ({"version": "1", "contacts": []}, "version"),
        ({"version": True, "contacts": []}, "version"),
        ({"version": 1.0, "contacts": []}, "version"),
        ({"version": None, "contacts": []}, "version"),
        ({"version": 1}, "contacts"),
        ({"version": 1, "contacts": None}, "contacts"),
        ({"version": 1, "contacts": {}}, "contacts"),
        ({"version": 1, "contacts": "left hand"}, "contacts"),
        ({"version": 1, "contacts": [None]}, "contacts[0]"),
        ({"version": 1, "contacts": [["left hand", "back"]]}, "contacts[0]"),
        ({"version": 1, "contacts": [], "source": None}, "source"),
        ({"version": 1, "contacts": [], "people": []}, "people"),
        ({"version": 1, "contacts": [], "people": [0]}, "people"),
        ({"version": 1, "contacts": [], "people": [0, 1, 2]}, "people"),
        ({"version": 1, "contacts": [], "people": [0, 3]}, "people"),
        ({"version": 1, "contacts": [], "people": [1, 1]}, "people"),
        ({"version": 1, "contacts": [], "people": [0, -1]}, "people[1]"),
        ({"version": 1, "contacts": [], "people": [0, 1.0]}, "people[1]"),
        ({"version": 1, "contacts": [], "people": [False, True]}, "people[0]"),
        ({"version": 1, "contacts": [], "people": ["0", "1"]}, "people[0]"),
        ({"version": 1, "contacts": [], "people": [0, 10**400]}, "people[1]"),
        ({"version": 1, "contacts": [], "people": "01"}, "people"),
        ({"version": 1, "pairs": []}, "pairs"),
        ({"version": 1, "pairs": None}, "pairs"),
        ({"version": 1, "pairs": [[]]}, "pairs[0]"),
        ({"version": 1, "pairs": [{}]}, "pairs[0].contacts"),
        ({"version": 1, "pairs": [{"contacts": []}], "contacts": []}, "contacts"),
        (two(people=...), "pairs[1].people"),
        (two(people=None), "pairs[1].people"),
        (two(people=[0, 3]), "pairs[1].people"),
        (two(people=[0, 1]), "pairs[1].people"),
        (two(people=[1, 0]), "pairs[1].people"),
        (two(contacts=[{"a": "hand", "b": "foot"}] * 3 + [{"a": "fin", "b": "foot"}]), "pairs[1].contacts[3].a"),
        (two(contacts=[{"a": "hand", "b": "foot", "weight": float("nan")}]), "pairs[1].contacts[0].weight"),
    ],
    ids=str,
)
def test_a_wrong_field_is_named(write: Write, record: dict[str, object], field: str):
    path = write(record)
    with pytest.raises(ContactFileError) as caught:
        read(path)
    assert caught.value.where == f"{path}: {field}"
    assert caught.value.expected
    assert caught.value.remedy
    assert len(str(caught.value)) < 1500


def test_an_unknown_name_gets_a_suggestion(write: Write):
    with pytest.raises(ContactFileError) as caught:
        read(write(one(a="left hnad")))
    assert '"left hand"' in str(caught.value)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "line 1, column 1"),
        (b"{", "line 1, column 2"),
        (b'{\n  "version": 1,\n}', "line 3, column 1"),
        (b'{"version": 1, "contacts": []} {}', "Extra data"),
        (b"[]", "a list"),
        (b"null", "a NoneType"),
        (b'"version"', "a str"),
        (b"\xff\xfe{}", "no UTF-8"),
        (b"\x89PNG\r\n\x1a\n", "no UTF-8"),
        (b"[" * 100_000, "too many brackets"),
        (b'{"version": ' + b"1" * 5000 + b"}", "digits"),
        (b'{"version": 1, "contacts": [], "contacts": []}', "'contacts' twice"),
        (b'{"version": 1, "contacts": [{"a": "hand", "a": "foot", "b": "back"}]}', "'a' twice"),
    ],
)
def test_what_is_no_json_object_is_refused(write: Write, content: bytes, complaint: str):
    path = write(content)
    with pytest.raises(ContactFileError, match="not a JSON object") as caught:
        read(path)
    assert complaint in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("record", [{}, {"people": [0, 1]}, {"photo": {}}, {"photo2": {"boxes": []}}, {"version": {}}])
def test_another_kind_of_json_is_refused(write: Write, record: dict[str, object]):
    record = {key if key != "photo" else "other": value for key, value in record.items()}
    with pytest.raises(ContactFileError, match="no contact file that we know"):
        read(write(record))


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    for name, got in {
        "none.json": "no file",
        ".": "a folder",
        "pipe": "something else",
        "a\0b": "",
        "x" * 999: "",
    }.items():
        with pytest.raises(ContactFileError, match="cannot be read") as caught:
            read(tmp_path / name)
        assert got in str(caught.value)


def test_a_file_that_is_too_large_is_refused_before_it_is_parsed(write: Write, monkeypatch: pytest.MonkeyPatch):
    assert files.LARGEST_FILE == 64 * 2**20
    content = json.dumps(one()).encode()
    monkeypatch.setattr(files, "LARGEST_FILE", len(content))
    assert read(write(content))
    with pytest.raises(ContactFileError, match="cannot be read") as caught:
        read(write(content + b" "))
    assert "a larger one" in str(caught.value)


def test_the_examples_of_the_page_about_contact_files_are_read(write: Write):
    page = (Path(__file__).resolve().parents[2] / "docs" / "contact_files.md").read_text(encoding="utf-8")
    first, second = (block.split("```")[0] for block in page.split("```json")[1:])
    (pair,) = read(write(first.encode()))
    assert pair.people == (2, 0)
    assert [contact.name for contact in pair.contacts.contacts] == [
        "left hand - upper back",
        "right fingers palm / right hand palm - right shoulder back",
    ]
    assert [pair.people for pair in read(write(second.encode()))] == [(0, 1), (1, 2)]
