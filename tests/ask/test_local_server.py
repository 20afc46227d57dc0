"""A real server of a model with random weights: images arrive, answers keep the schema, and a fit is carried through.

The answers are noise, so no test looks at what they say.
"""

import asyncio
import base64
import json
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from apu.ask.answer import PairAnswer
from apu.ask.lvlm import lvlm_annotator, provider_of
from apu.ask.model_name import parse_model_name
from apu.ask.pair_question import AskOptions, pair_question
from apu.ask.provider import Reply
from apu.ask.question import Question
from apu.ask.store import Store
from apu.pipeline import FitOptions, fit, save
from apu.scene.person import Keypoints, Person
from apu.scene.photo import Photo

COLLEGE = "college_232334"


def person(index: int, left: float) -> Person:
    xy = np.array([[left + 12 * (i % 5), 60 + 8 * i] for i in range(25)], float)
    return Person(index, Keypoints("body25", xy, np.full(25, 0.9)), 0.9, "made up")


PEOPLE = (person(0, 100), person(1, 140))


def question(model: str, shade: int = 90, size: tuple[int, int] = (300, 400), **options) -> Question:
    photo = Photo(np.full((*size, 3), shade, np.uint8), "hug", "0" * 64)
    return pair_question(photo, PEOPLE, (0, 1), model, AskOptions(**options))[0]


def ask(model: str, *questions: Question) -> list[Reply]:
    async def work() -> list[Reply]:
        provider = provider_of(parse_model_name(model))
        replies = [await provider.ask(one, timeout_s=60.0) for one in questions]
        await provider.close()
        return replies

    return asyncio.run(work())


def test_the_server_says_that_it_sees_images(local_lvlm: str):
    with urllib.request.urlopen(f"{local_lvlm.partition('#')[0]}/models") as response:
        (model,) = json.load(response)["data"]
    assert model["id"] == "tiny"
    assert "image" in model["architecture"]["input_modalities"]


@pytest.mark.parametrize("examples", [0, 2, 4])
def test_the_schema_makes_noise_a_whole_answer(local_lvlm: str, examples: int):
    (reply,) = ask(local_lvlm, question(local_lvlm, examples=examples, temperature=0.0))
    assert reply.finish == "stop"
    assert reply.model == "tiny"
    said = PairAnswer.model_validate_json(reply.text, strict=False)
    assert said.decision in ("contact", "no contact", "cannot tell")


def test_an_image_in_a_data_url_reaches_the_model(local_lvlm: str):
    """What the model finds likely next depends on the picture, and on nothing else that differs."""

    def likely(one: Question) -> list[float]:
        data = base64.b64encode(one.image.data).decode()
        parts = [
            {"type": "text", "text": "What touches?"},
            {"type": "image_url", "image_url": {"url": f"data:{one.image.media_type};base64,{data}"}},
        ]
        body = {"messages": [{"role": "user", "content": parts}], "max_tokens": 1, "logprobs": True, "top_logprobs": 5}
        request = urllib.request.Request(
            f"{local_lvlm.partition('#')[0]}/chat/completions",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as response:
            (first,) = json.load(response)["choices"][0]["logprobs"]["content"]
        return sorted(one["logprob"] for one in first["top_logprobs"])

    dark, bright = (likely(question(local_lvlm, shade)) for shade in (10, 250))
    assert likely(question(local_lvlm, 10)) == pytest.approx(dark, abs=1e-4)
    assert max(abs(a - b) for a, b in zip(dark, bright, strict=True)) > 1e-2


def test_the_images_of_the_examples_are_seen_too(local_lvlm: str):
    few, many = (ask(local_lvlm, question(local_lvlm, examples=count))[0].usage.input_tokens for count in (0, 2))
    assert few is not None
    assert many is not None
    assert many > few + 2 * 256  # two images and two answers


@pytest.fixture(scope="module")
def fitted(photos: Path, local_lvlm: str, tmp_path_factory: pytest.TempPathFactory):
    store = tmp_path_factory.mktemp("store") / "answers.sqlite"
    options = FitOptions(keypoints=(photos / "vitpose" / f"{COLLEGE}_keypoints.json",), annotator=local_lvlm)
    annotator = lvlm_annotator(local_lvlm, store=store)
    result = fit(photos / "images" / f"{COLLEGE}.png", options, annotator=annotator)
    folder = tmp_path_factory.mktemp("results") / "college"
    save(result, folder, options=options)
    return result, json.loads((folder / "run.json").read_text()), store


def test_a_fit_asks_the_model_and_records_what_was_asked_and_answered(fitted, local_lvlm: str):
    result, run, store = fitted
    (pair,) = run["pairs"]
    assert run["options"]["annotator"] == local_lvlm
    assert pair["answer"]["model"] == local_lvlm
    assert pair["answer"]["status"] == "answered"
    with Store(store) as opened:
        known = opened.answer(pair["answer"]["key"])
        image = opened.image(pair["answer"]["image_sha256"])
    assert known is not None
    assert known.reply == pair["answer"]["reply"]
    assert image is not None
    assert image.data[:2] == b"\xff\xd8"
    assert pair["words"] is not None or result.pairs[0].observation.words.ages == ("unknown", "unknown")


def test_the_fit_uses_the_models_contacts_or_says_that_they_are_guessed(fitted, local_lvlm: str):
    result, run, _ = fitted
    source = run["pairs"][0]["fit"]["contact_source"]
    said = PairAnswer.model_validate_json(run["pairs"][0]["answer"]["reply"], strict=False)
    assert source == (local_lvlm if said.contacts or said.decision == "no contact" else "proximity")
    of_contacts = [note for note in result.notes if not note.startswith("guided by the prior")]
    assert bool(of_contacts) == (source == "proximity")
