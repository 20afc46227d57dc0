"""What happens before any work is done: options that cannot be parsed, and slips of the pen."""

import typing

import pytest

from apu.cli.options import AgeGroup, AgesType, PairType
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
