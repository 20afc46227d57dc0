import json
from pathlib import Path

import pytest

from apu.errors import InputError
from apu.evaluate.annotated_photos import ANNOTATION, annotated_photos, check_files

ENTRY = {
    "bbxes": [[0, 0, 100, 300], [400, 0, 500, 300], [50, 0, 150, 300]],
    "ci_sign": [{"person_ids": [2, 0], "smplx": {"region_id": [[23, 10], [5, 5]]}}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photos that are never decoded, and their annotation."""
    (tmp_path / "images").mkdir()
    for name in ("b.jpg", "a.png", "notes.txt"):
        (tmp_path / "images" / name).write_text(name)
    entry = {**ENTRY, "bbxes": [[float(x) for x in box] for box in ENTRY["bbxes"]]}
    (tmp_path / ANNOTATION).write_text(json.dumps({"a": entry, "b": entry, "elsewhere": entry}))
    return tmp_path


def test_every_image_has_its_annotated_pairs_by_the_numbers_of_their_boxes(folder: Path):
    photos = annotated_photos(folder)
    assert [photo.image.name for photo in photos] == ["a.png", "b.jpg"]
    (pair,) = photos[0].pairs
    assert pair.people == (2, 0)
    assert pair.contacts.contacts[0].regions_a == {"right_hand_palm"}
    assert len(photos[0].boxes) == 3


def test_the_shared_photos_have_four_pairs(photos: Path):
    found = annotated_photos(photos)
    assert {p.image.stem: [pair.people for pair in p.pairs] for p in found} == {
        "college_232334": [(1, 0)],
        "girls_250416": [(5, 6), (2, 3), (5, 7)],
    }
    check_files(found, ["embedded", "vitpose"], use_bev=True)


@pytest.mark.parametrize("missing", ["the folder", "images", ANNOTATION])
def test_what_is_missing_is_named(folder: Path, missing: str):
    if missing == "images":
        for file in (folder / "images").iterdir():
            file.unlink()
    if missing == ANNOTATION:
        (folder / ANNOTATION).unlink()
    where = folder / "nowhere" if missing == "the folder" else folder
    with pytest.raises(InputError, match="annotated photos are not there") as caught:
        annotated_photos(where)
    assert (where if missing == "the folder" else where / missing) == Path(str(caught.value.where))


def test_a_photo_without_annotation_is_named(folder: Path):
    (folder / "images" / "c.png").write_text("c")
    with pytest.raises(InputError, match="not in the contact file") as caught:
        annotated_photos(folder)
    assert caught.value.got == "'c'"


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"a": {"bbxes": 1}}', '{"version": 1, "contacts": [{"a": "left hand", "b": "back"}]}']
)
def test_other_files_are_refused(folder: Path, text: str):
    (folder / ANNOTATION).write_text(text)
    with pytest.raises(InputError):
        annotated_photos(folder)


def test_missing_keypoints_and_estimates_are_told_before_the_work(folder: Path):
    found = annotated_photos(folder)
    check_files(found, ["embedded"], use_bev=False)
    with pytest.raises(InputError, match="missing") as caught:
        check_files(found, ["embedded", "vitpose"], use_bev=False)
    assert caught.value.where == str(folder / "vitpose" / "a_keypoints.json")
    with pytest.raises(InputError, match="missing") as caught:
        check_files(found, ["embedded"], use_bev=True)
    assert "leave --bev out" in str(caught.value.remedy)
