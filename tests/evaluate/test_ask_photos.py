"""Annotators of the shared photos, with a stand-in for the detector: what is truth, what is said, what is lost."""

import json
from pathlib import Path

import numpy as np
import pytest

from apu.body.anny import AnnyBody
from apu.contact.contact import Contact, ContactMap
from apu.contact.end import End
from apu.contact.named_contact import NamedContact, contact_map
from apu.contact.parts import PARTS
from apu.errors import InputError
from apu.evaluate import ask_photos
from apu.evaluate.annotated_photos import AnnotatedPhoto, annotated_photos
from apu.evaluate.ask_agreement import judge
from apu.evaluate.ask_findings import find_annotators
from apu.evaluate.ask_photos import annotated_in_words, annotated_truth, measure_on_photos, read_negatives
from apu.evaluate.named_of_map import denoised_map, named_of
from apu.evaluate.recovery import Lost
from apu.scene.camera import Camera
from apu.scene.pair import PairObservation
from apu.scene.person import Keypoints, Person


@pytest.fixture(scope="module")
def annotated(photos: Path) -> list[AnnotatedPhoto]:
    return annotated_photos(photos)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pairs whose people have numbers twice those of the annotation; the last pair of a photo is not found."""

    def person(index: int) -> Person:
        return Person(2 * index, Keypoints("body25", np.zeros((25, 2)), np.zeros(25)), 0.9, "stub")

    def observed(body, photo, one, source, use_bev):
        found = [
            PairObservation(photo.name, Camera.of_image(10, 10), (person(a), person(b)))
            for a, b in (pair.people for pair in one.pairs)
        ]
        return found if len(found) == 1 else [*found[:-1], Lost("nobody is there")]

    def guess(body, photo, pair) -> ContactMap:
        return ContactMap(
            (Contact(frozenset({"left_hand_palm"}), frozenset({"left_hand_palm"}), 0.3, "proximity"),), "x"
        )

    monkeypatch.setattr(ask_photos, "observed_pairs", observed)
    monkeypatch.setattr(ask_photos, "_proximity", guess)


def contact_file(folder: Path, photo: str, *pairs: tuple[tuple[int, int], list]) -> None:
    folder.mkdir(exist_ok=True)
    entries = [{"people": list(people), "source": "m", "contacts": contacts} for people, contacts in pairs]
    (folder / f"{photo}_contacts.json").write_text(json.dumps({"version": 1, "pairs": entries}))


def test_annotators_stand_side_by_side_and_the_annotation_is_perfect(seen, annotated, body: AnnyBody, tmp_path):
    # the one pair of the first photo is (1, 0) in the annotation: people 2 and 0 of the photo; here the other way round
    contact_file(tmp_path / "mine", "college_232334", ((0, 2), [{"a": "left hand", "b": "back"}]))
    rows = measure_on_photos(body, annotated, "embedded", {"mine": tmp_path / "mine"})
    found = {one.annotator: one for one in find_annotators(rows, lambda one: one.row.interaction)}
    assert list(found) == ["annotation", "proximity", "simulated, 1 answer", "simulated, 5 answers", "mine"]
    truth = found["annotation"]
    assert (truth.pairs, truth.lost, truth.f1["side-aware"].value, truth.iou.value) == (4, 0, 1.0, 1.0)
    assert (found["proximity"].pairs, found["proximity"].lost) == (3, 1)
    assert (found["simulated, 1 answer"].pairs, found["simulated, 1 answer"].lost) == (4, 0)
    assert 0 < found["simulated, 5 answers"].f1["side-blind"].value < 1
    assert (found["mine"].pairs, found["mine"].lost) == (1, 3)
    (told,) = [one for one in rows if one.row.method == "mine" and not one.row.lost]
    assert [(c.a, c.b) for c in told.said if c.step == "as said"] == [("back", "left hand")]
    reasons = {one.row.lost for one in rows if one.row.method == "mine" and one.row.lost}
    assert any("has not answered" in reason for reason in reasons)
    assert any("were not found" in reason for reason in reasons)


def test_a_broken_contact_file_is_lost_with_its_reason(seen, annotated, body: AnnyBody, tmp_path):
    (tmp_path / "college_232334_contacts.json").write_text('{"version": 1, "contacts": [{"a": "wing", "b": "back"}]}')
    contact_file(tmp_path, "girls_250416", ((0, 1), []))
    rows = [r for r in measure_on_photos(body, annotated, "embedded", {"m": tmp_path}) if r.row.method == "m"]
    assert all(row.row.lost for row in rows)
    assert any("unknown part" in row.row.lost for row in rows)
    assert any("says nothing of people" in row.row.lost for row in rows)


def test_the_annotation_in_words_is_right_and_complete(annotated, body: AnnyBody):
    for photo in annotated:
        for pair in photo.pairs:
            truth = annotated_truth(pair.contacts)
            words = [NamedContact(c.a, c.b) for c in annotated_in_words(pair.contacts, body.surface)]
            judged = judge(contact_map(words, "words"), truth)
            assert set(judged.right) == {True}
            assert judged.found == judged.wanted == len(truth) <= len(pair.contacts.contacts)


def test_annotated_contacts_between_the_same_parts_are_one():
    palm, fingers, chest = (frozenset({name}) for name in ("left_hand_palm", "left_fingers_palm", "left_upper_chest"))
    (one,) = annotated_truth(ContactMap((Contact(palm, chest), Contact(fingers, chest), Contact(palm, chest)), "x"))
    assert one.pairs == {("left_hand_palm", "left_upper_chest"), ("left_fingers_palm", "left_upper_chest")}
    assert one.wanted


def test_what_is_not_touching_is_read_and_the_rest_left(tmp_path: Path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").touch()
    pairs = [{"person_ids": [0, 1], "contact_type": kind} for kind in (0, 1, 2)]
    entry = {"bbxes": [[0, 0, 9, 9], [5, 0, 15, 9]], "ci_classif": pairs}
    file = tmp_path / "negatives.json"
    file.write_text(json.dumps({"a": entry, "not there": entry}))
    (one,) = read_negatives(file, tmp_path / "images")
    assert (one.image.name, one.people, one.boxes[1]) == ("a.png", (0, 1), (5.0, 0.0, 15.0, 9.0))
    for text in ('{"a": {}}', "[1]", '{"a": {"bbxes": [], "ci_classif": [{"person_ids": [0, 1], "contact_type": 0}]}}'):
        file.write_text(text)
        with pytest.raises(InputError, match="pairs without contact"):
            read_negatives(file, tmp_path / "images")


@pytest.mark.parametrize("side", ["left", "right", "both", "unknown"])
@pytest.mark.parametrize("part", [name for name, part in PARTS.items() if part.paired])
def test_a_contact_map_finds_its_words_again(part: str, side: str):
    named = NamedContact(End(part, side), End("back"))
    found = [named_of(contact) for contact in named.contacts()]
    assert found == list(named.single())


def test_regions_without_words_stay_as_they_are():
    fine = Contact(frozenset({"left_hand_palm"}), frozenset({"right_hand_palm"}), 0.4, "proximity")
    assert named_of(fine) is None
    person = Person(0, Keypoints("body25", np.zeros((25, 2)), np.zeros(25)), 0.9, "stub")
    pair = PairObservation("p", Camera.of_image(10, 10), (person, person))
    assert denoised_map(ContactMap((fine,), "proximity"), pair) == ContactMap((fine,), "proximity")
