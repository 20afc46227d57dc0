"""A question may be asked in another form; what comes back is told for the photo's A, B, left and right."""

import asyncio
import io
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from figures import person
from PIL import Image
from stick_people import stick

from apu.ask.answer import OFFERED_PARTS
from apu.ask.heard import heard
from apu.ask.lvlm import runner_of
from apu.ask.model_name import parse_model_name
from apu.ask.pair_image import COLORS, PairImageOptions
from apu.ask.pair_question import AskOptions, Label, pair_question, pair_questions
from apu.ask.perturbation import Perturbation, labelled, perturbation
from apu.ask.provider import EarlierReply, Reply, Usage
from apu.ask.question import Question
from apu.ask.run_limits import RunLimits
from apu.ask.store import Store
from apu.errors import InputError
from apu.scene.photo import Photo

MODEL = "http://127.0.0.1:9/v1#fake"
GREEN, YELLOW = (0, 160, 60), (230, 210, 0)


def painted() -> Photo:
    """Person 0 is green and on the left, person 1 is yellow and on the right."""
    pixels = np.full((420, 420, 3), 120, np.uint8)
    pixels[150:300, 125:155] = GREEN
    pixels[150:300, 265:295] = YELLOW
    return Photo(pixels, "hug", "0" * 64)


def bodies():
    """Both face the camera; the left hand of person 0 lies on person 1."""
    bodies = [stick(140.0, left_wrist=(280.0, -50.0)), stick(280.0)]
    moved = [type(body)(body.places + np.array([0.0, 230.0]), body.confidence) for body in bodies]
    return tuple(person(index, body) for index, body in enumerate(moved))


class Onlooker:
    """Answers by the pixels alone: green's left hand, which is the right one in a mirror, touches yellow's back."""

    name = "onlooker"

    def __init__(self) -> None:
        self.seen: list[tuple[bool, bool]] = []

    async def ask(self, question: Question, *, timeout_s: float, earlier: EarlierReply | None = None) -> Reply:
        await asyncio.sleep(0)
        pixels = np.asarray(Image.open(io.BytesIO(question.image.data)).convert("RGB")).astype(int)
        red, blue, green, yellow = (column_of(pixels, color) for color in (*COLORS, GREEN, YELLOW))
        mirrored = green > yellow
        green_is_a = (red < blue) == (green < yellow)
        self.seen.append((not green_is_a, mirrored))
        hand = {"part": "hand", "side": "right" if mirrored else "left"}
        back = {"part": "back", "side": "none"}
        a, b = (hand, back) if green_is_a else (back, hand)
        ages = ("child", "adult") if green_is_a else ("adult", "child")
        said = {
            "scene": "two people",
            "person_a": {"age_group": ages[0], "posture": "standing"},
            "person_b": {"age_group": ages[1], "posture": "sitting"},
            "contacts": [
                {
                    "evidence": "the hand lies there",
                    "part_a": a["part"],
                    "side_a": a["side"],
                    "part_b": b["part"],
                    "side_b": b["side"],
                    "visibility": "visible",
                    "confidence": "high",
                }
            ],
            "decision": "contact",
        }
        return Reply(json.dumps(said), "fake", Usage(1, 1))

    async def close(self) -> None:
        pass


def column_of(pixels: np.ndarray, color: tuple[int, int, int]) -> float:
    """Mean column of the pixels of a colour."""
    near = np.abs(pixels - np.array(color)).max(2) < 40
    assert near.sum() > 50
    return float(np.nonzero(near)[1].mean())


def test_one_who_answers_by_the_picture_alone_says_the_same_of_the_photo_however_it_is_asked(tmp_path: Path):
    questions = list(pair_questions(painted(), bodies(), (0, 1), MODEL, AskOptions(), 8))
    onlooker = Onlooker()
    with Store(tmp_path / "answers.sqlite") as store:
        run = runner_of(parse_model_name(MODEL), onlooker, store, RunLimits(concurrency=1)).run(questions)
    assert onlooker.seen == [(False, False), (True, False), (False, True), (False, False)] * 2
    for question, answer in zip(questions, run.answers, strict=True):
        one = heard(Label.of(question), (0, 1), answer)
        assert one.said is not None
        assert one.contacts is not None
        assert [contact.name for contact in one.contacts] == ["left hand - back"], question.perturbation
        assert (one.said.person_a.age_group, one.said.person_b.age_group) == ("child", "adult")
        assert one.record.perturbation == question.perturbation


def test_no_two_questions_about_a_pair_are_alike():
    questions = list(pair_questions(painted(), bodies(), (0, 1), MODEL, AskOptions(), 12))
    assert len({(question.image.sha256, question.system) for question in questions}) == 12
    assert len({question.key for question in questions}) == 12
    assert questions[0].perturbation == "plain"


@pytest.mark.parametrize("sample", [0, 1, 2, 3, 7])
def test_the_questions_are_those_that_are_made_one_by_one(sample: int):
    together = list(pair_questions(painted(), bodies(), (0, 1), MODEL, AskOptions(), 8))
    alone, _ = pair_question(painted(), bodies(), (0, 1), MODEL, AskOptions(), sample)
    assert together[sample] == alone


def test_a_shuffled_vocabulary_has_the_same_words_in_another_order():
    questions = list(pair_questions(painted(), bodies(), (0, 1), MODEL, AskOptions(), 5))

    def listed(question: Question) -> list[str]:
        return [line[2:] for line in question.system.splitlines() if line[2:] in OFFERED_PARTS]

    assert listed(questions[0]) == listed(questions[1]) == list(OFFERED_PARTS)
    for one, other in pairwise([questions[0], *questions[3:]]):
        assert listed(one) != listed(other)
        assert sorted(listed(one)) == sorted(listed(other))


def test_a_picture_that_is_swapped_for_all_questions_is_undone_too():
    options = AskOptions(picture=PairImageOptions(swapped=True))
    labels = [q.perturbation for q in pair_questions(painted(), bodies(), (0, 1), MODEL, options, 3)]
    assert labels == ["swapped", "plain", "swapped+mirrored"]


@pytest.mark.parametrize("sample", range(9))
def test_a_label_tells_what_was_done(sample: int):
    assert labelled(perturbation(sample).label) == perturbation(sample)


def test_labels_of_all_kinds_are_read_and_others_are_refused():
    for found in (Perturbation(), Perturbation(True, True, 5), Perturbation(mirrored=True), Perturbation(shuffled=0)):
        assert labelled(found.label) == found
    for wrong in ("", "turned", "mirrored+swapped", "plain+swapped", "shuffled:", "shuffled:-1"):
        with pytest.raises(InputError):
            labelled(wrong)
    with pytest.raises(InputError):
        perturbation(-1)
