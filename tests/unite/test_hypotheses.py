"""Starts: which there are, and what they say of a body."""

import math
from typing import get_args

import numpy as np
import pytest
import torch

from apu.body.anny import AnnyBody
from apu.scene.camera import Camera
from apu.scene.pair import PairObservation, PairWords, Posture
from apu.scene.person import Keypoints, Person
from apu.unite.hypotheses import (
    AGE_WORD_COST,
    AGES,
    INITIAL,
    POSTURE_COST,
    POSTURE_OF_WORD,
    POSTURE_WORD_COST,
    POSTURES,
    YAWS,
    Start,
    beliefs_of,
    parameters_of,
    starts_of,
    word_costs,
)


def test_every_posture_facing_and_age_is_tried_once():
    starts = starts_of("unknown")
    assert len(set(starts)) == len(starts) == len(POSTURES) * len(YAWS) * len(AGES)


@pytest.mark.parametrize("age", ["adult", "child"])
def test_a_known_age_leaves_only_its_starts(age):
    assert {start.age for start in starts_of(age)} == {age}


def test_a_start_stands_at_its_own_belief(body: AnnyBody):
    starts = starts_of("unknown")
    beliefs = beliefs_of(starts, body.parameter_spec)
    parameters = parameters_of(starts, beliefs, body.parameter_spec)
    assert torch.equal(parameters["pose"], beliefs.pose)
    assert torch.equal(parameters["shape"], beliefs.shape)
    assert parameters["orientation"][:, 1].tolist() == pytest.approx([s.yaw for s in starts])


def test_children_are_believed_smaller_and_younger(body: AnnyBody):
    starts = starts_of("unknown")
    beliefs = beliefs_of(starts, body.parameter_spec)
    age = beliefs.shape[:, body.parameter_spec["shape"].names.index("age")]
    child = torch.tensor([s.age == "child" for s in starts])
    assert float(beliefs.height_m[child].max()) < float(beliefs.height_m[~child].min())
    assert float(age[child].max()) < float(age[~child].min())


def test_postures_keep_within_anatomical_bounds(body: AnnyBody):
    spec = body.parameter_spec["pose"]
    beliefs = beliefs_of(starts_of("unknown"), body.parameter_spec)
    assert bool(((beliefs.pose >= spec.lower) & (beliefs.pose <= spec.upper)).all())


def test_a_kneeling_body_has_bent_knees(body: AnnyBody):
    knee = body.parameter_spec["pose"].names.index("left_knee_flexion")
    starts = starts_of("adult")
    beliefs = beliefs_of(starts, body.parameter_spec)
    kneels = torch.tensor([s.posture == "kneel" for s in starts])
    assert float(beliefs.pose[kneels, knee].min()) > math.radians(90)


# ---- words of an annotator


def observed(words: PairWords, ages=("unknown", "unknown")) -> PairObservation:
    nobody = Person(0, Keypoints("body25", np.zeros((25, 2)), np.zeros(25)), 0.0, "nobody")
    return PairObservation("p", Camera.of_image(100, 100), (nobody, nobody), ages, words=words)


def test_a_posture_word_costs_every_other_posture_the_same_and_rules_none_out():
    starts = [Start(posture, 0.0, "adult") for posture in (*POSTURES, INITIAL)]
    costs = word_costs(observed(PairWords(postures=("unknown", "sitting"))), 1, starts)
    assert dict(zip([s.posture for s in starts], costs, strict=True)) == {
        "stand": POSTURE_WORD_COST,
        "sit": 0.0,
        "kneel": POSTURE_WORD_COST,
        INITIAL: 0.0,
    }
    assert word_costs(observed(PairWords(postures=("unknown", "sitting"))), 0, starts) == [0.0] * 4


@pytest.mark.parametrize("word", [w for w in get_args(Posture) if w not in POSTURE_OF_WORD])
def test_a_word_for_none_of_our_postures_changes_nothing(word):
    assert set(word_costs(observed(PairWords(postures=(word, word))), 0, starts_of("unknown"))) == {0.0}


def test_every_posture_that_is_tried_has_a_word():
    assert set(POSTURE_OF_WORD.values()) == set(POSTURES)


def test_the_words_outweigh_what_postures_and_ages_cost_by_themselves():
    assert max(POSTURE_COST.values()) < POSTURE_WORD_COST
    assert max(start.cost for start in AGES.values()) < AGE_WORD_COST


def test_the_users_word_on_an_age_silences_the_annotators():
    child = PairWords(ages=("child", "child"))
    starts = [Start("stand", 0.0, "adult"), Start("stand", 0.0, "child")]
    assert word_costs(observed(child), 0, starts) == [AGE_WORD_COST, 0.0]
    assert word_costs(observed(child, ("adult", "unknown")), 0, starts) == [0.0, 0.0]
    assert word_costs(observed(child, ("adult", "unknown")), 1, starts) == [AGE_WORD_COST, 0.0]
