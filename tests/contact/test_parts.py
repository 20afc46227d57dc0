"""The words for parts, and the regions they stand for."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apu.body.region_names import CENTRAL_REGIONS, REGION_NAMES, SIDED_REGIONS, mirrored
from apu.contact.parts import OTHER_PARTS, PARTS, SIDES, SYNONYMS, part_regions, regions_of
from apu.errors import InputError

ALL_PARTS = [*PARTS, *OTHER_PARTS]
every_part = pytest.mark.parametrize("part", ALL_PARTS)


def test_the_vocabulary_covers_every_region():
    assert frozenset().union(*(part_regions(part, "none") for part in PARTS)) == set(REGION_NAMES)


def test_the_vocabulary_is_short_enough_to_choose_from():
    assert 15 <= len(PARTS) <= 20
    assert not set(PARTS) & set(OTHER_PARTS)
    assert len({part_regions(part, "none") for part in PARTS}) == len(PARTS), "two words for the same regions"


@every_part
def test_a_part_is_made_of_known_surfaces(part: str):
    surfaces = {**PARTS, **OTHER_PARTS}[part].surfaces
    assert len(set(surfaces)) == len(surfaces)
    assert set(surfaces) <= {*SIDED_REGIONS, *CENTRAL_REGIONS}


@every_part
def test_left_and_right_are_mirror_images(part: str):
    assert {mirrored(region) for region in part_regions(part, "left")} == part_regions(part, "right")


@every_part
def test_without_a_side_a_part_is_the_union_of_both(part: str):
    both = part_regions(part, "left") | part_regions(part, "right")
    assert part_regions(part, "both") == part_regions(part, "none") == both


@every_part
def test_a_side_has_nothing_of_the_other_side(part: str):
    assert part_regions(part, "left")
    assert not any(region.startswith("right_") for region in part_regions(part, "left"))


@pytest.mark.parametrize(("part", "side"), [("wing", "left"), ("left hand", "left"), ("Hand", "left"), ("", "none")])
def test_an_unknown_part_is_refused(part: str, side: str):
    with pytest.raises(InputError, match="No part or region"):
        part_regions(part, side)


@pytest.mark.parametrize("side", ["unknown", "Left", "", "l"])
def test_an_unknown_side_is_refused(side: str):
    with pytest.raises(InputError, match="side") as caught:
        part_regions("hand", side)
    assert ", ".join(SIDES) in str(caught.value)


@pytest.mark.parametrize("region", REGION_NAMES)
def test_a_region_name_means_that_region_alone(region: str):
    assert regions_of(region) == (frozenset({region}), region.replace("_", " "))


@pytest.mark.parametrize("surface", SIDED_REGIONS)
def test_a_region_without_side_means_both_of_them(surface: str):
    assert regions_of(surface)[0] == {f"left_{surface}", f"right_{surface}"}


@every_part
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_part_with_a_side_is_understood(part: str, side: str):
    assert regions_of(f"{side} {part}") == (part_regions(part, side), f"{side} {part}")


@every_part
def test_a_part_without_a_side_is_understood(part: str):
    assert regions_of(part) == (part_regions(part, "none"), part)


@pytest.mark.parametrize(("synonym", "meant"), SYNONYMS.items())
def test_a_synonym_means_the_same_and_is_labelled_the_same(synonym: str, meant: str):
    assert regions_of(synonym) == regions_of(meant)
    assert regions_of(f"right {synonym}") == regions_of(f"right {meant}")


@pytest.mark.parametrize(
    ("written", "label"),
    [
        ("left hand", "left hand"),
        ("LEFT HAND", "left hand"),
        ("  left \t hand\n", "left hand"),
        ("left_hand", "left hand"),
        ("left-hand", "left hand"),
        ("hand left", "left hand"),
        ("Hand (left)", "left hand"),
        ("Right_shoulder_back", "right shoulder back"),
        ("right shoulder (back)", "right shoulder back"),
        ("left back", "left back"),
        ("back left", "left back"),
        ("both back", "back"),
        ("lower back", "lower back"),
        ("hands", "both hands"),
        ("both hand", "both hands"),
        ("both hands", "both hands"),
        ("feet", "both feet"),
        ("left feet", "left foot"),
        ("calves", "both calves"),
        ("fingers", "fingers"),
        ("both fingers", "both fingers"),
        ("buttock", "buttock"),
        ("left buttocks", "left buttocks"),
        ("pelvis_front", "pelvis front"),
    ],
)
def test_common_ways_of_writing_are_understood(written: str, label: str):
    regions, got = regions_of(written)
    assert got == label
    assert regions_of(label) == (regions, label), "a label is understood and is its own label"


@pytest.mark.parametrize(
    ("written", "suggestion"),
    [
        ("hnad", '"hand"'),
        ("lefthand", '"left hand"'),
        ("left hadn", '"left hand"'),
        ("left_hand_plam", '"left hand palm"'),
        ("right sholder back", '"right shoulder back"'),
        ("stomache", '"stomach"'),
        ("back of left shoulder", "shoulder"),
    ],
)
def test_a_near_miss_gets_the_close_names(written: str, suggestion: str):
    with pytest.raises(InputError) as caught:
        regions_of(written)
    assert caught.value.remedy is not None
    assert suggestion in caught.value.remedy
    assert written in str(caught.value)


@pytest.mark.parametrize(
    "written",
    ["", " ", "_", "left", "both", "left left hand", "left right hand", "both left hand", "left pelvis front",
     "left_pelvis_front", "none hand", "hand, foot", "hand/foot", "tail", "*", "\x00", "\ud800", "左手",
     "left hand" * 50, "left hand" + " " * 200, "x" * 10**6],
)  # fmt: skip
def test_what_is_no_name_is_refused_with_a_way_out(written: str):
    with pytest.raises(InputError, match="No part or region") as caught:
        regions_of(written)
    assert "`apu regions`" in str(caught.value)
    assert len(str(caught.value)) < 600


@given(st.text(max_size=40))
def test_any_text_is_understood_or_refused(written: str):
    try:
        regions, label = regions_of(written)
    except InputError:
        return
    assert regions
    assert regions <= set(REGION_NAMES)
    assert label


def test_the_words_load_no_heavy_library():
    code = "import sys, apu.contact.parts; print(sorted({'torch', 'numpy', 'pydantic', 'scipy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_page_about_contact_files_lists_the_parts_as_they_are():
    page = (Path(__file__).resolve().parents[2] / "docs" / "contact_files.md").read_text(encoding="utf-8")
    table = page.split("<!-- parts -->")[1].split("<!-- end of parts -->")[0].strip().splitlines()[2:]
    assert table == [f"| {part.name} | {', '.join(part.surfaces)} |" for part in PARTS.values()]
    assert f"These {len(PARTS)} are" in page
    assert all(f"`{word}`" in page for word in (*OTHER_PARTS, *SYNONYMS))
