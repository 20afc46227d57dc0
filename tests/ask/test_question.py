"""A question's key is what it is made of: equal in every process, and different when anything that is sent differs."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from asked import PIXEL, SCHEMA, question

from apu.ask.question import EncodedImage, Example

OTHER = EncodedImage(PIXEL + b"x", "image/png")
SAID = Example(EncodedImage(PIXEL, "image/png"), "What touches here?", "{}")


def test_the_key_is_the_sha256_of_the_request_as_json():
    request = question().request
    written = json.dumps(request, separators=(",", ":"))
    assert question().key == hashlib.sha256(written.encode()).hexdigest()
    assert json.loads(written) == request


@pytest.mark.parametrize(
    "change",
    [
        {"image": OTHER},
        {"image": EncodedImage(PIXEL, "image/jpeg")},
        {"system": "You measure!"},
        {"text": "What touches? [id:b]"},
        {"examples": ()},
        {"examples": (SAID,)},
        {"examples": (question().examples[0], SAID)},
        {"examples": (Example(OTHER, "What touches here?", question().examples[0].reply),)},
        {"schema": {**SCHEMA, "title": "x"}},
        {"schema": dict(reversed(SCHEMA.items()))},
        {"model": "openai:m"},
        {"parameters": {"max_tokens": 201}},
        {"parameters": {"max_tokens": 200, "temperature": 0.0}},
        {"sample": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_is_sent_is_in_the_key(change: dict[str, object]):
    assert question(**change).key != question().key


@pytest.mark.parametrize("change", [{"perturbation": "mirrored"}, {"prompt_version": "v9"}])
def test_labels_are_not_in_the_key(change: dict[str, object]):
    assert question(**change).key == question().key


def test_the_order_of_parameters_is_no_difference():
    one, two = {"max_tokens": 1, "seed": 2}, {"seed": 2, "max_tokens": 1}
    assert question(parameters=one).key == question(parameters=two).key


def test_texts_cannot_be_moved_between_fields_under_one_key():
    assert question(system="ab", text="c").key != question(system="a", text="bc").key


def test_a_question_can_hold_lone_surrogates():
    assert question(text="\ud800").key != question(text="\ud801").key


def test_numbers_that_json_cannot_write_are_refused():
    with pytest.raises(ValueError, match="JSON"):
        _ = question(parameters={"temperature": float("nan")}).key


def test_the_key_is_the_same_in_another_process():
    code = "import sys; sys.path.insert(0, sys.argv[1]); from asked import question; print(question('z').key)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == question("z").key


def test_examples_come_first_with_their_replies_and_the_question_comes_last():
    shown, asked = question().messages
    assert shown.reply == question().examples[0].reply
    assert (asked.text, asked.reply, asked.images) == (question().text, None, (question().image,))
