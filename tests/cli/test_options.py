"""What happens before any work is done: options that cannot be parsed, and slips of the pen."""

import typing
from pathlib import Path

import pytest

from apu.cli.options import AgeGroup, AgesType, BoxType, PairType, PersonFileType
from apu.scene import pair


@pytest.mark.parametrize(
    "arguments",
    [
        ("fit",),
        ("fit", "x.jpg", "--pair", "1"),
        ("fit", "x.jpg", "--pair", "a,b"),
        ("fit", "x.jpg", "--pair", "1,1"),
        ("fit", "x.jpg", "--pair", "0,-1"),
        ("fit", "x.jpg", "--pair", "0,1", "--all-pairs"),
        ("fit", "x.jpg", "--age", "A=old"),
        ("fit", "x.jpg", "--age", "adult"),
        ("fit", "x.jpg", "--age", "C=adult"),
        ("fit", "x.jpg", "--seed", "one"),
        ("fit", "x.jpg", "--contact", "x.json"),
        ("fit", "x.jpg", "--overwite"),
        ("fit", "x.jpg", "--resum"),
        ("fit", "x.jpg", "--force"),
        ("fit", "x.jpg", "--person-bbox", "0,0,1,1"),
        ("fit", "x.jpg", "--nothing-like-it"),
        ("fit", "x.jpg", "-out", "there"),
        ("fit", "x.jpg", "-z"),
        ("fit", "x.jpg", "--debug"),
        ("fit", "x.jpg", "--age", "A=adlt"),
        ("fit", "x.jpg", "--person-box", "0,0,1"),
        ("fit", "x.jpg", "--person-box", "0,0,nan,1"),
        ("fit", "x.jpg", "--person-box", "9,9,1,1"),
        ("fit", "x.jpg", "--person-keypoints", "k.json"),
        ("fit", "nothing/*.jpg"),
        ("doctor", "--jsn"),
        ("photo.jpg",),
        ("fti", "x.jpg"),
        ("nothing-like-it",),
        ("models", "fetsh"),
    ],
    ids=" ".join,
)
def test_wrong_words_are_answered_as_stored(run, snapshot, arguments: tuple[str, ...]):
    result = run(*arguments)
    assert result.exit_code == 2
    snapshot(f"wrong {' '.join(arguments)}", result.stderr)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("fti", "fit"), ("dmeo", "demo"), ("model", "models"), ("region", "regions")],
)
def test_a_misspelt_command_is_guessed(run, typed: str, meant: str):
    assert f"Did you mean '{meant}'?" in run(typed).stderr


@pytest.mark.parametrize(("text", "people"), [("0,1", (0, 1)), ("12,3", (12, 3)), (" 1 , 0 ", (1, 0))])
def test_a_pair_is_two_numbers_in_the_order_given(text: str, people: tuple[int, int]):
    assert PairType().convert(text, None, None) == people


@pytest.mark.parametrize(
    ("text", "ages"),
    [
        ("A=adult,B=child", ("adult", "child")),
        ("b=Child, a=ADULT", ("adult", "child")),
        ("B=child", ("unknown", "child")),
        ("A=unknown", ("unknown", "unknown")),
    ],
)
def test_ages_are_those_of_a_and_b(text: str, ages: tuple[str, str]):
    assert AgesType().convert(text, None, None) == ages


def test_the_age_groups_are_those_of_the_scene():
    assert typing.get_args(AgeGroup) == typing.get_args(pair.AgeGroup)


@pytest.mark.parametrize(
    ("text", "box"), [("0,1,2,3", (0.0, 1.0, 2.0, 3.0)), (" -5, 0.5 ,20,1e2", (-5.0, 0.5, 20.0, 100.0))]
)
def test_a_box_is_four_numbers_and_may_reach_beyond_the_photo(text: str, box: tuple[float, ...]):
    assert BoxType().convert(text, None, None) == box


def test_a_persons_file_is_a_number_and_a_path_that_may_hold_any_sign():
    assert PersonFileType().convert("2=a=b.json", None, None) == (2, Path("a=b.json"))
