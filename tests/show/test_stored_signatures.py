"""Results are written as FlickrCI3D writes contacts, and read back as the contacts that they had."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from apu.contact.contact import Contact, ContactMap
from apu.contact.files import read_contact_file
from apu.contact.measured import measure_contacts
from apu.contact.signature_writer import write_signatures
from apu.errors import InputError
from apu.scene.pair import PairObservation
from apu.show.arrays import write_npz
from apu.show.files import contacts_record, save_run, write_json
from apu.show.stored_signatures import MEASURED, stored_signatures

Save = Callable[..., Path]

TOLD = ContactMap(
    (
        Contact(frozenset({"left_hand_palm"}), frozenset({"right_buttock"}), 0.4, "model"),
        Contact(frozenset({"left_foot_top", "left_foot_sole"}), frozenset({"right_head_front"}), 0.4, "model"),
    ),
    "model",
)
"""Sets of regions that FlickrCI3D has one number for, so that nothing is lost."""


@pytest.fixture
def save(photo, people, camera, fit, surface, run_info) -> Save:
    """A result folder of one pair, or of several; pictures are left out."""

    def write(folder: Path, name: str, *pairs: tuple[int, int], contacts: ContactMap = TOLD, **changed) -> Path:
        results = tuple(changed.pop("results", fit.contact_results))
        one = replace(fit, contacts=contacts, contact_results=results[: len(contacts.contacts)], **changed)
        shots = [PairObservation(name, camera, (people[a], people[b])) for a, b in pairs or [(0, 2)]]
        for shot in shots:
            own = folder / "pair_{}_{}".format(*shot.indices) if len(shots) > 1 else folder
            own.mkdir(parents=True, exist_ok=True)
            write_npz(own / "pair.npz", shot, one, surface)
            write_json(own / "contacts.json", contacts_record(shot, one))
            save_run(own, replace(photo, name=name), people, [(shot, one)], run_info)
        save_run(folder, replace(photo, name=name), people, [(shot, one) for shot in shots], run_info)
        return folder

    return write


def changed(folder: Path, **arrays) -> None:
    """Write the pair again with other arrays; None leaves one out."""
    kept = dict(np.load(folder / "pair.npz")) | arrays
    np.savez(folder / "pair.npz", **{name: value for name, value in kept.items() if value is not None})


def region_sets(contacts: ContactMap) -> list[tuple[frozenset[str], frozenset[str]]]:
    return [(contact.regions_a, contact.regions_b) for contact in contacts.contacts]


def read_back(tmp_path: Path, results: Path, name: str, people, **options) -> dict[tuple[int, int], ContactMap]:
    """Through a file, with the boxes of all people of the photo: numbers in the photo -> contacts."""
    found = stored_signatures([results], **options)
    write_signatures(tmp_path / "s.json", found.photos)
    pairs = read_contact_file(tmp_path / "s.json", name, [person.box for person in people])
    return {pair.people: pair.contacts for pair in pairs if pair.people}


# ---- what is written


@pytest.mark.parametrize("pair", [(0, 2), (2, 0), (1, 2)])
def test_contacts_that_a_fit_was_given_are_read_back_for_the_same_people_and_order(tmp_path, save, people, pair):
    save(tmp_path / "results" / "hug", "hug", pair)
    found = read_back(tmp_path, tmp_path / "results", "hug", people)
    assert list(found) == [pair]
    assert region_sets(found[pair]) == region_sets(TOLD)


def test_pairs_of_one_photo_stand_in_one_entry(tmp_path, save, people):
    save(tmp_path / "results" / "hug", "hug", (2, 0), (1, 2))
    found = read_back(tmp_path, tmp_path / "results", "hug", people)
    assert set(found) == {(2, 0), (1, 2)}
    (entry,) = stored_signatures([tmp_path]).photos.values()
    assert len(entry.boxes) == 3


def test_people_are_numbered_anew_in_the_order_of_their_numbers(tmp_path, save, people):
    save(tmp_path / "hug", "hug", (2, 1))
    signed = stored_signatures([tmp_path / "hug"]).photos["hug"]
    assert list(signed.pairs) == [(1, 0)]
    assert np.allclose(signed.boxes, [people[1].box, people[2].box], atol=1e-3)


def test_joints_that_were_not_seen_do_not_stretch_the_box(tmp_path, save, people):
    save(tmp_path / "hug", "hug")
    keypoints = np.load(tmp_path / "hug" / "pair.npz")["keypoints"].copy()
    keypoints[0, 3] = (np.nan, -1e9, 0.0)
    keypoints[1, 3] = (5000.0, 5000.0, 0.1)
    changed(tmp_path / "hug", keypoints=keypoints)
    boxes = stored_signatures([tmp_path / "hug"]).photos["hug"].boxes
    expected = [replace(people[i].keypoints, confidence=(np.arange(17) != 3) * 0.9).box() for i in (0, 2)]
    assert np.allclose(boxes, expected, atol=1e-3)


def test_a_map_without_contacts_is_a_pair_that_touches_nowhere(tmp_path, save, people):
    save(tmp_path / "hug", "hug", contacts=ContactMap((), "nobody"))
    found = read_back(tmp_path, tmp_path / "hug", "hug", people)
    assert found[0, 2].contacts == ()


@pytest.mark.parametrize("within_m", [0.01, 0.05])
def test_measured_contacts_are_those_of_the_meshes(tmp_path, save, fit, surface, within_m):
    near = fit.vertices.clone()
    near[1] += near[0].mean(0) - near[1].mean(0) + torch.tensor([0.45, 0.0, 0.0])
    save(tmp_path / "hug", "hug", (2, 0), vertices=near)
    signed = stored_signatures([tmp_path / "hug"], within_m).photos["hug"]
    (expected,) = measure_contacts(surface, near[None], within_m)
    found = region_sets(signed.pairs[1, 0])
    assert found == [(frozenset({c.region_a}), frozenset({c.region_b})) for c in expected]
    assert signed.pairs[1, 0].source == MEASURED
    assert len(found) > 1
    assert signed.pairs[1, 0] != TOLD


def test_far_meshes_touch_nowhere_whatever_was_told(tmp_path, save, fit):
    save(tmp_path / "hug", "hug", vertices=fit.vertices + torch.tensor([0.0, 9.0])[:, None, None])
    assert stored_signatures([tmp_path], 0.01).photos["hug"].pairs == {(0, 1): ContactMap((), MEASURED)}


def test_contacts_that_were_edited_to_name_the_pair_the_other_way_round_are_turned(tmp_path, save):
    file = save(tmp_path / "hug", "hug") / "contacts.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"people": [2, 0]}))
    (contacts,) = stored_signatures([tmp_path]).photos["hug"].pairs.values()
    assert region_sets(contacts) == region_sets(TOLD.swapped())


# ---- which results


def test_every_result_below_a_folder_is_found_and_one_that_is_named_twice_counts_once(tmp_path, save):
    save(tmp_path / "a" / "one", "one")
    save(tmp_path / "a" / "deep" / "two", "two", (0, 1), (1, 2))
    found = stored_signatures([tmp_path, tmp_path / "a", tmp_path / "a" / "deep" / "two" / "pair_0_1"])
    assert {name: len(photo.pairs) for name, photo in found.photos.items()} == {"one": 1, "two": 2}
    assert found.left_out == ()


def test_pair_folders_of_one_photo_may_be_named_one_by_one(tmp_path, save):
    folder = save(tmp_path / "two", "two", (0, 1), (1, 2))
    found = stored_signatures([folder / "pair_0_1", folder / "pair_1_2"])
    assert list(found.photos["two"].pairs) == [(0, 1), (1, 2)]


def test_two_photos_of_one_name_are_an_error_that_names_both(tmp_path, save):
    save(tmp_path / "a" / "x", "hug")
    save(tmp_path / "b" / "y", "hug")
    with pytest.raises(InputError, match="same name") as raised:
        stored_signatures([tmp_path])
    assert str(tmp_path / "a" / "x") in str(raised.value)
    assert str(tmp_path / "b" / "y") in str(raised.value)


@pytest.mark.parametrize("place", ["nowhere", "empty", "file"])
def test_a_place_without_results_is_an_error_even_beside_one_that_has_some(tmp_path, save, place):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="no result"):
        stored_signatures([save(tmp_path / "hug", "hug"), tmp_path / place])


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("no pair", "no pair"),
        ("damaged pair", "damaged"),
        ("no contacts", "no file"),
        ("damaged contacts", "not a JSON object"),
        ("linked contacts", "leads out"),
        ("linked to itself", ""),
        ("other contacts", "other people"),
        ("other people", "people 0 and 2"),
        ("three people", "shape (2,)"),
        ("joint set", "joint_set"),
        ("nan", "finite"),
        ("nobody", "none of person 0"),
        ("flat", "none of person 2"),
        ("run", "cannot be read"),
        ("no run", "no run.json"),
        ("failure", "The photo cannot be read."),
    ],
)
def test_a_bad_result_is_left_out_with_its_name_and_reason_and_the_others_go_on(tmp_path, save, case, told):
    save(tmp_path / "good", "good")
    bad = save(tmp_path / "bad", "bad")
    keypoints = np.load(bad / "pair.npz")["keypoints"].copy()
    contacts = bad / "contacts.json"
    if case == "no pair":
        (bad / "pair.npz").unlink()
    elif case == "damaged pair":
        (bad / "pair.npz").write_bytes((bad / "pair.npz").read_bytes()[:500])
    elif case == "no contacts":
        contacts.unlink()
    elif case == "damaged contacts":
        contacts.write_text("{")
    elif case == "linked contacts":
        contacts.rename(tmp_path / "elsewhere")
        contacts.symlink_to(tmp_path / "elsewhere")
    elif case == "linked to itself":
        contacts.unlink()
        contacts.symlink_to(contacts)
    elif case == "other contacts":
        contacts.write_text(json.dumps(json.loads(contacts.read_text()) | {"people": [0, 1]}))
    elif case == "run":
        (bad / "run.json").write_text("[")
    elif case == "no run":
        (bad / "run.json").rename(bad / "panel.png")
    elif case == "failure":
        (bad / "failure.json").write_text(json.dumps({"photo": "bad", "what": "The photo cannot be read."}))
    else:
        keypoints[0, 0] = (np.nan, 0, 1) if case == "nan" else keypoints[0, 0]
        keypoints[0, :, 2] *= case != "nobody"
        keypoints[1, :, 1] *= case != "flat"
        changed(bad, keypoints=keypoints, **{
            "other people": {"people": np.array([2, 0])},
            "three people": {"people": np.array([0, 1, 2])},
            "joint set": {"joint_set": np.array("coco18")},
        }.get(case, {}))  # fmt: skip
    found = stored_signatures([tmp_path / "bad", tmp_path / "good"])
    assert list(found.photos) == ["good"]
    (one,) = found.left_out
    assert one.photo == "bad"
    assert one.reason
    assert told in one.reason


def test_a_pair_that_failed_is_left_out_and_the_photos_other_pair_stays(tmp_path, save):
    folder = save(tmp_path / "hug", "hug", (0, 1), (1, 2))
    run = json.loads((folder / "run.json").read_text())
    run["failures"] = [{"pair": [0, 2], "reason": "Too few joints."}]
    (folder / "run.json").write_text(json.dumps(run))
    (folder / "pair_0_1" / "pair.npz").unlink()
    found = stored_signatures([folder])
    assert list(found.photos["hug"].pairs) == [(0, 1)]
    assert {(one.pair, one.photo) for one in found.left_out} == {((0, 1), "hug"), ((0, 2), "hug")}
    assert [one.reason for one in found.left_out if one.pair == (0, 2)] == ["Too few joints."]
