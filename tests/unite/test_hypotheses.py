"""Starts: which there are, and what they say of a body."""

import math

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.unite.hypotheses import AGES, POSTURES, YAWS, beliefs_of, parameters_of, starts_of


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
