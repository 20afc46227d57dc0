"""Contact files that name what does not exist, and estimates of another photo."""

import json
from pathlib import Path

import numpy as np
import pytest

SOUND = {"a": "left hand", "b": "back"}


def ours(**fields) -> str:
    return json.dumps({"version": 1, "contacts": [SOUND], **fields})


def contact(**fields) -> str:
    return ours(contacts=[SOUND, SOUND | fields])


SPOILT = {
    "empty": ("", "line 1, column 1"),
    "no contact file": ('{"people": []}', "no contact file that we know"),
    "an unknown region": (contact(b="left tentacle"), "contacts[1].b"),
    "a misspelt region": (contact(a="left hnad"), "left hand"),
    "no weight": (contact(weight=0), "contacts[1].weight"),
    "a weight above 1": (contact(weight=1.5), "contacts[1].weight"),
    "a weight of NaN": (contact(weight=float("nan")), "contacts[1].weight"),
    "a weight as text": (contact(weight="1"), "contacts[1].weight"),
    "a field twice": ('{"version": 1, "contacts": [], "contacts": []}', "twice"),
    "an unknown field": (contact(wieght=1), "wieght"),
    "one person with themselves": (ours(people=[1, 1]), "1 and 1"),
    "a person who is not there": (ours(people=[0, 5]), "0 and 5"),
    "another version": (ours(version=2), "version"),
    "another photo": ('{"kiss": {"bbxes": [], "ci_sign": []}}', "'kiss'"),
    "a damaged entry of FlickrCI3D": ('{"hug": {"bbxes": [[0, 0, 1]], "ci_sign": []}}', "hug.bbxes"),
    "a region number beyond 74": (
        json.dumps({"hug": {"bbxes": [[0, 0, 1, 1]] * 2, "ci_sign": [
            {"person_ids": [0, 1], "smplx": {"region_id": [[75, 0]]}}]}}),
        "region_id[0][0]",
    ),
    "boxes of a photo of another size": (
        json.dumps({"hug": {"bbxes": [[900, 900, 990, 990], [800, 800, 990, 990]], "ci_sign": [
            {"person_ids": [0, 1], "smplx": {"region_id": [[1, 0]]}}]}}),
        "No annotated pair",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_contact_file_is_refused_at_its_field(refused, hug: Path, name: str):
    content, words = SPOILT[name]
    (hug / "spoilt.json").write_text(content)
    assert words in refused("hug.jpg", "--keypoints", "two.json", "--contacts", "spoilt.json")


def test_the_contacts_of_another_pair_are_refused(refused, hug: Path):
    (hug / "two_three.json").write_text(ours(people=[0, 1]))
    said = refused("hug.jpg", "--keypoints", "two.json", "--contacts", "two_three.json", "--pair", "1,2")
    assert "2" in said


def test_estimates_of_another_photo_are_refused(refused, photos: Path):
    said = refused("hug.jpg", "--keypoints", "two.json", "--init", str(photos / "bev" / "college_232334_0.08.npz"))
    assert "college_232334_0.08.npz" in said


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"\x80\x04\x95cposix\nsystem\n."])
def test_estimates_that_are_no_npz_are_refused(refused, hug: Path, content: bytes):
    (hug / "spoilt.npz").write_bytes(content)
    assert "spoilt.npz" in refused("hug.jpg", "--keypoints", "two.json", "--init", "spoilt.npz")


def test_a_pickle_inside_an_npz_is_never_run(refused, hug: Path):
    class Hostile:
        def __reduce__(self):
            return (Path.touch, (hug / "owned",))

    np.savez(hug / "hostile.npz", results=np.array(Hostile(), dtype=object))
    refused("hug.jpg", "--keypoints", "two.json", "--init", "hostile.npz")
    assert not (hug / "owned").exists()
