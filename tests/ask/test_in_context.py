import io
import json
from importlib import resources

import numpy as np
import pytest
from PIL import Image

from apu.ask.answer import OFFERED_PARTS, PairAnswer
from apu.ask.answer_contacts import answer_contacts
from apu.ask.in_context import COUNTS, EXAMPLE_NAMES, in_context_examples
from apu.ask.pair_image import COLORS
from apu.errors import InputError

FOUR = in_context_examples(4)


def test_there_are_none_two_or_four_always_the_first_ones_in_one_order():
    assert [len(in_context_examples(count)) for count in COUNTS] == [0, 2, 4]
    assert in_context_examples(2) == FOUR[:2]
    assert tuple(one.name for one in FOUR) == EXAMPLE_NAMES


@pytest.mark.parametrize("count", [-1, 1, 3, 5])
def test_another_count_is_an_error(count: int):
    with pytest.raises(InputError, match="in-context"):
        in_context_examples(count)


def test_either_count_shows_contact_and_a_near_miss():
    for count in (2, 4):
        decisions = {one.answer.decision for one in in_context_examples(count)}
        assert {"contact", "no contact"} <= decisions


def test_some_contact_is_hidden_and_called_inferred():
    hidden = {one.name: [c.visibility for c in one.answer.contacts] for one in FOUR}["hidden_hand"]
    assert {"visible", "inferred"} == set(hidden)


def test_their_answers_keep_to_the_schema_and_to_the_words_that_are_offered():
    for one in FOUR:
        assert PairAnswer.model_validate(json.loads(one.reply), strict=False) == one.answer
        assert (one.answer.decision == "contact") == bool(one.answer.contacts)
        for contact in one.answer.contacts:
            assert {contact.part_a, contact.part_b} <= set(OFFERED_PARTS)
            assert contact.evidence
            assert "unknown" not in (contact.side_a, contact.side_b)
        assert len(answer_contacts(one.answer, "m").contacts) == len(one.answer.contacts)


def test_their_pictures_are_small_marked_and_carry_no_metadata():
    for one in FOUR:
        assert len(one.image.data) < 60_000
        picture = Image.open(io.BytesIO(one.image.data))
        assert picture.format == "JPEG"
        assert max(picture.size) == 768
        assert dict(picture.getexif()) == {}
        pixels = np.asarray(picture).astype(int)
        for color in COLORS:
            assert (np.abs(pixels - np.array(color)) < 40).all(-1).sum() > 500


def test_the_package_holds_these_files_and_no_others():
    folder = resources.files("apu.ask") / "examples"
    expected = {f"{name}.{ending}" for name in EXAMPLE_NAMES for ending in ("jpg", "json")}
    assert {file.name for file in folder.iterdir()} == expected
