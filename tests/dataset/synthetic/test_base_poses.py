"""Base poses: every family rests on what it should, is reproducible, and its sources tell the truth."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from apu.body.anny import AnnyBody
from apu.body.anny_pose import mirror_matrix
from apu.body.pose_density import PoseDensity
from apu.body.protocol import Parts, default_parameters
from apu.dataset.synthetic.base_poses import FAMILIES, BasePose, DensityPoses, MocapPoses
from apu.dataset.synthetic.mocap import Mocap
from apu.errors import InputError

COUNT = 40


@pytest.fixture(scope="module")
def poses() -> DensityPoses:
    return DensityPoses(PoseDensity.load())


@pytest.fixture(scope="module")
def drawn(poses: DensityPoses) -> dict[str, BasePose]:
    return {family: poses.sample(family, COUNT, np.random.default_rng(7)) for family in FAMILIES}


def heights(body: AnnyBody, people: BasePose, *regions: str) -> torch.Tensor:
    """(n, r) how far the lowest vertex of each region lies above the lowest of the body, metres."""
    p = {
        **default_parameters(body.parameter_spec, (len(people.pose),)),
        "pose": people.pose,
        "orientation": people.tilt,
    }
    vertices = body.forward(p, Parts(vertices="all")).vertices
    assert vertices is not None
    surface, low = body.surface, vertices[..., 1].amax(1)
    of = [surface.region_of_vertex == surface.region_names.index(r) for r in regions]
    return torch.stack([low - vertices[:, rows, 1].amax(1) for rows in of], 1)


@pytest.mark.parametrize("family", FAMILIES)
def test_angles_lie_within_the_bounds_and_the_tilt_has_no_yaw(body: AnnyBody, drawn, family: str):
    people, spec = drawn[family], body.parameter_spec["pose"]
    assert people.pose.shape == (COUNT, 47)
    assert bool(((people.pose >= spec.lower) & (people.pose <= spec.upper)).all())
    assert float(people.tilt[:, 1].abs().max()) == 0.0
    assert set(people.source) == {"density" if family == "standing" else "analytic"}


@pytest.mark.parametrize("family", FAMILIES)
def test_equal_random_states_give_equal_people_and_others_differ(poses: DensityPoses, drawn, family: str):
    again = poses.sample(family, COUNT, np.random.default_rng(7))
    other = poses.sample(family, COUNT, np.random.default_rng(8))
    assert torch.equal(again.pose, drawn[family].pose)
    assert torch.equal(again.tilt, drawn[family].tilt)
    assert not torch.equal(other.pose, drawn[family].pose)
    assert len({tuple(p.tolist()) for p in drawn[family].pose}) == COUNT  # nobody is there twice


@pytest.mark.parametrize("family", ["standing", "bending", "sitting", "squatting"])
def test_both_soles_are_on_the_ground(body: AnnyBody, drawn, family: str):
    soles = heights(body, drawn[family], "left_foot_sole", "right_foot_sole")
    assert float((soles[:, 0] - soles[:, 1]).abs().quantile(0.9)) < 0.03
    assert float(soles.quantile(0.8)) < 0.03


def test_buttocks_of_sitting_people_are_as_high_as_a_seat_and_their_knees_about_as_high(body: AnnyBody, drawn):
    found = heights(body, drawn["sitting"], "left_buttock", "right_buttock", "left_knee_back", "right_knee_back")
    assert float(found[:, :2].min()) > 0.32
    assert float(found[:, :2].max()) < 0.55
    assert float((found[:, :2].mean(1) - found[:, 2:].mean(1)).abs().max()) < 0.15


def test_both_knees_of_kneeling_people_are_on_the_ground(body: AnnyBody, drawn):
    knees = heights(body, drawn["kneeling"], "left_knee_front", "right_knee_front")
    assert float(knees.quantile(0.9)) < 0.07
    assert float((knees[:, 0] - knees[:, 1]).abs().quantile(0.9)) < 0.03


def test_people_on_one_knee_have_one_knee_and_the_other_sole_on_the_ground(body: AnnyBody, drawn):
    found = heights(body, drawn["one_knee"], "left_knee_front", "right_knee_front", "left_foot_sole", "right_foot_sole")
    left_knee_down = found[:, 0] < found[:, 1]
    knee = torch.where(left_knee_down, found[:, 0], found[:, 1])
    sole = torch.where(left_knee_down, found[:, 3], found[:, 2])
    assert float(knee.quantile(0.9)) < 0.07
    assert float(sole.quantile(0.9)) < 0.07
    assert 0.2 < float(left_knee_down.float().mean()) < 0.8  # mirror images are as frequent


def test_lying_people_are_low_and_lie_on_back_belly_and_either_side(body: AnnyBody, drawn):
    people = drawn["lying"]
    trunk = heights(body, people, "pelvis_front", "left_shoulder_blade", "left_head_back")
    assert float(trunk.max()) < 0.65
    lean, sideways = people.tilt[:, 0], people.tilt[:, 2]
    for amount in (lean, -lean, sideways, -sideways):
        assert bool((amount > 1.4).any())


def test_squatting_is_lower_than_bending_which_is_lower_than_standing(body: AnnyBody, drawn):
    heads = [float(heights(body, drawn[f], "left_head_back").median()) for f in ("squatting", "bending", "standing")]
    assert heads == sorted(heads)
    assert heads[1] < heads[2] - 0.2


def test_calm_brings_arms_nearer_to_the_relaxed_pose(body: AnnyBody):
    density, spec = PoseDensity.load(), body.parameter_spec["pose"]
    arms = [i for i, n in enumerate(spec.names) if "elbow" in n or "forearm" in n]
    away = [
        (DensityPoses(density, calm).sample("standing", 30, np.random.default_rng(1)).pose - spec.default)[:, arms]
        for calm in (1.0, 0.5, 0.0)
    ]
    assert float(away[2].abs().max()) < 1e-6
    torch.testing.assert_close(away[1], 0.5 * away[0], atol=1e-6, rtol=0)


def test_limbs_of_standing_people_are_left_and_right_alike_on_average(drawn, poses: DensityPoses):
    pose = poses.sample("standing", 600, np.random.default_rng(0)).pose
    apart = (pose - pose @ mirror_matrix().T).mean(0) / pose.std(0).clamp_min(1e-3)
    assert float(apart.abs().max()) < 0.3


def test_nobody_is_drawn_when_nobody_is_asked_for(poses: DensityPoses):
    for family in FAMILIES:
        people = poses.sample(family, 0, np.random.default_rng(0))
        assert people.pose.shape == (0, 47)
        assert people.source == ()


def test_an_unknown_family_is_refused_with_the_known_ones(poses: DensityPoses):
    with pytest.raises(InputError, match="no such family") as caught:
        poses.sample("hovering", 1, np.random.default_rng(0))
    assert "one_knee" in str(caught.value)


def test_motion_capture_people_name_a_sequence_of_their_split(body: AnnyBody, cmu: Mocap):
    found = {}
    for split in ("train", "validation", "test"):
        people = MocapPoses(cmu, body, split).sample("standing", 12, np.random.default_rng(2))
        found[split] = {s.removeprefix("mocap:") for s in people.source}
        assert all(s.startswith("test/") == (split == "test") for s in found[split])
        soles = heights(body, people, "left_foot_sole", "right_foot_sole")
        assert float(soles.quantile(0.8)) < 0.03
    assert not found["train"] & found["validation"]


def test_motion_capture_without_people_who_stand_is_refused(body: AnnyBody, cmu: Mocap):
    playing = cmu.action == "soccer"
    only = replace(cmu, rotvec=cmu.rotvec[playing], action=cmu.action[playing], sequence=cmu.sequence[playing])
    with pytest.raises(InputError, match="no standing people"):
        MocapPoses(only, body, "train").sample("standing", 1, np.random.default_rng(0))
