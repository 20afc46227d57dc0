"""What is written as FlickrCI3D writes it is read as it was."""

import json
from pathlib import Path

import pytest

from apu.body.region_names import REGION_NAMES
from apu.contact.ci3d import CI3D_NAMES, ci3d_label, ci3d_regions
from apu.contact.contact import Contact, ContactMap
from apu.contact.files import read_contact_file
from apu.contact.signature_writer import SignedPhoto, region_pairs, write_signatures
from apu.errors import InputError, OutputError

BOXES = [(0.0, 0.0, 100.0, 300.0), (90.0, 10.0, 220.0, 310.0), (400.0, 0.0, 500.0, 290.0)]


def annotated(*numbers: tuple[int, int]) -> ContactMap:
    return ContactMap(
        tuple(
            Contact(ci3d_regions(a), ci3d_regions(b), 1.0, "annotation", ci3d_label(a), ci3d_label(b))
            for a, b in numbers
        ),
        "annotation",
    )


def named(*pairs: tuple[set[str], set[str]]) -> ContactMap:
    return ContactMap(tuple(Contact(frozenset(a), frozenset(b), 0.5, "model") for a, b in pairs), "model")


def test_every_number_goes_there_and_back(tmp_path):
    maps = {(0, 1): annotated(*((n, 74 - n) for n in range(75))), (2, 1): annotated((13, 4), (13, 5))}
    write_signatures(tmp_path / "s.json", {"hug": SignedPhoto(BOXES, maps)})
    found = {pair.people: pair.contacts for pair in read_contact_file(tmp_path / "s.json", "hug", BOXES)}
    assert found == maps


def test_the_file_has_the_datasets_own_fields(tmp_path):
    write_signatures(tmp_path / "s.json", {"hug": SignedPhoto(BOXES, {(1, 0): annotated((23, 74))})})
    body = {"face_id": [], "vertex_id": [], "region_id": [[23, 74]]}
    assert json.loads((tmp_path / "s.json").read_text()) == {
        "hug": {
            "bbxes": [list(box) for box in BOXES],
            "ci_sign": [{"person_ids": [1, 0], "smplx": body, "ghum": body}],
        }
    }


@pytest.mark.parametrize("region", REGION_NAMES)
def test_a_number_holds_the_region_that_it_was_chosen_for(region):
    [(number, other)] = region_pairs(named(({region}, {"pelvis_front"})))
    assert region in ci3d_regions(number)
    assert CI3D_NAMES[other] == "pelvis front"
    side = region.partition("_")[0]
    assert CI3D_NAMES[number].startswith(side if side in ("left", "right") else "pelvis")
    fewest = min(len(ci3d_regions(n)) for n in range(75) if region in ci3d_regions(n))
    assert len(ci3d_regions(number)) == fewest


def test_regions_that_are_one_number_together_stay_one():
    assert region_pairs(named(({"left_foot_top", "left_foot_sole"}, {"right_hand_palm"}))) == [(1, 23)]


def test_some_of_several_regions_becomes_a_pair_for_each():
    found = region_pairs(named(({"left_knee_front", "left_knee_back"}, {"right_hand_palm"})))
    assert {(CI3D_NAMES[a], CI3D_NAMES[b]) for a, b in found} == {
        ("left knee front", "right palm"), ("left knee back", "right palm")}  # fmt: skip


def test_a_pair_of_numbers_is_written_once():
    twice = ({"left_foot_top"}, {"right_hand_palm"})
    assert len(region_pairs(named(twice, twice, ({"left_foot_sole"}, {"right_hand_palm"})))) == 1


def test_a_label_that_its_regions_deny_is_not_believed():
    contact = Contact(frozenset({"left_knee_front"}), frozenset({"right_hand_palm"}), label_a=ci3d_label(9))
    assert CI3D_NAMES[region_pairs(ContactMap((contact,), "x"))[0][0]] == "left knee front"


def test_an_empty_map_is_a_pair_that_touches_nowhere(tmp_path):
    write_signatures(tmp_path / "s.json", {"a": SignedPhoto(BOXES, {(0, 1): ContactMap((), "nobody")})})
    [found] = read_contact_file(tmp_path / "s.json", "a", BOXES)
    assert found.people == (0, 1)
    assert found.contacts.contacts == ()


@pytest.mark.parametrize("people", [(0, 0), (0, 3), (-1, 1)])
def test_people_without_boxes_are_refused_and_nothing_is_written(tmp_path, people):
    path = tmp_path / "s.json"
    path.write_text("old")
    with pytest.raises(InputError, match="no boxes"):
        write_signatures(path, {"hug": SignedPhoto(BOXES, {people: annotated((1, 2))})})
    assert path.read_text() == "old"


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path):
    (tmp_path / "target").write_text("precious")
    (tmp_path / "s.json").symlink_to(tmp_path / "target")
    write_signatures(tmp_path / "s.json", {"a": SignedPhoto(BOXES, {})})
    assert (tmp_path / "target").read_text() == "precious"
    assert not (tmp_path / "s.json").is_symlink()


def test_a_folder_that_cannot_be_made_is_our_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_signatures(Path(tmp_path / "file" / "s.json"), {})
