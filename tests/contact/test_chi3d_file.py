"""CHI3D's signatures: found by the action in the photo's name, read with the numbers of FlickrCI3D, written back."""

import json
from pathlib import Path

import pytest

from apu.contact.chi3d_file import write_actions
from apu.contact.ci3d import ci3d_regions
from apu.contact.contact import Contact, ContactMap
from apu.contact.files import read_contact_file
from apu.contact.signature_writer import SignedPhoto
from apu.errors import ContactFileError, InputError

BOXES = [(0.0, 0.0, 100.0, 200.0), (90.0, 0.0, 200.0, 200.0)]
BODY = {"face_id": [[1, 2]], "vertex_id": [[3, 4]], "region_id": [[23, 41], [5, 7]]}
ENTRY = {"fr_id": 120, "start_fr": 100, "end_fr": 140, "smplx_signature": BODY, "ghum_signature": BODY}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    other = {**ENTRY, "smplx_signature": {**BODY, "region_id": [[0, 0]]}}
    path = tmp_path / "interaction_contact_signature.json"
    path.write_text(json.dumps({"Hug 3": ENTRY, "Hug 31": other, "Kick 1_2": other}))
    return path


@pytest.mark.parametrize("name", ["Hug 3", "Hug 3_000120", "Hug 3_100", "Hug 3_140.png"])
def test_the_action_and_its_frames_find_the_contacts_of_whichever_pair_is_fitted(file: Path, name: str):
    (pair,) = read_contact_file(file, name, BOXES)
    assert pair.people is None
    assert [(c.regions_a, c.regions_b) for c in pair.contacts.contacts] == [
        (ci3d_regions(23), ci3d_regions(41)),
        (ci3d_regions(5), ci3d_regions(7)),
    ]
    assert pair.contacts.source == "annotation"
    assert pair.contacts.contacts[0].label_a.startswith("CI3D 23 ")


def test_an_action_whose_own_name_ends_like_a_frame_is_found_whole(file: Path):
    (pair,) = read_contact_file(file, "Kick 1_2", BOXES)
    assert [c.regions_a for c in pair.contacts.contacts] == [ci3d_regions(0)]


def test_a_frame_without_contact_is_refused_with_those_that_have_it(file: Path):
    with pytest.raises(ContactFileError, match="none in which the two touch") as error:
        read_contact_file(file, "Hug 3_99", BOXES)
    assert "100 to 140" in str(error.value)


@pytest.mark.parametrize("name", ["Hug", "Hug_3", "hug 3", "Hug 3_12a", "Hug 3 120"])
def test_another_name_is_refused_with_the_names_that_there_are(file: Path, name: str):
    with pytest.raises(ContactFileError, match="not in the contact file") as error:
        read_contact_file(file, name, BOXES)
    assert "'Hug 31'" in str(error.value)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"fr_id": "120"}, "fr_id"),
        ({"smplx_signature": {"region_id": [[23, 75]]}}, "region_id"),
        ({"smplx_signature": {"region_id": [[23]]}}, "region_id"),
        ({"start_fr": None, "smplx_signature": 3}, "smplx_signature"),
    ],
)
def test_a_damaged_entry_is_refused_with_its_field(tmp_path: Path, change, field):
    path = tmp_path / "signature.json"
    path.write_text(json.dumps({"Hug 3": {**ENTRY, **change}}))
    with pytest.raises(ContactFileError) as error:
        read_contact_file(path, "Hug 3", BOXES)
    assert field in str(error.value)


def contact_map(*pairs: tuple[int, int]) -> ContactMap:
    return ContactMap(
        tuple(Contact(ci3d_regions(a), ci3d_regions(b), 1.0, "annotation") for a, b in pairs), "annotation"
    )


def test_what_is_written_is_read_back(tmp_path: Path):
    path = tmp_path / "out.json"
    contacts = contact_map((41, 23), (7, 5))
    write_actions(path, {"Hug 3_000120": SignedPhoto(BOXES, {(1, 0): contacts})})
    record = json.loads(path.read_text())
    assert {key: record["Hug 3"][key] for key in ("fr_id", "start_fr", "end_fr")} == dict.fromkeys(
        ("fr_id", "start_fr", "end_fr"), 120
    )
    (pair,) = read_contact_file(path, "Hug 3_120", BOXES)
    found = {(c.regions_a, c.regions_b) for c in pair.contacts.contacts}
    assert found == {(c.regions_a, c.regions_b) for c in contacts.contacts}


@pytest.mark.parametrize(
    ("photos", "got"),
    [
        ({"Hug 3": {(0, 1): contact_map((1, 2))}}, "another name"),
        ({"Hug 3_1": {}}, "0 pairs"),
        ({"Hug 3_1": {(0, 1): contact_map((1, 2))}, "Hug 3_2": {(0, 1): contact_map((1, 2))}}, "a second photo of"),
    ],
)
def test_photos_that_are_no_actions_are_not_written(tmp_path: Path, photos, got: str):
    path = tmp_path / "out.json"
    with pytest.raises(InputError, match="action of CHI3D") as error:
        write_actions(path, {name: SignedPhoto(BOXES, pairs) for name, pairs in photos.items()})
    assert got in str(error.value)
    assert not path.exists()
