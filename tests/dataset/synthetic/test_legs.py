"""Legs on the ground, measured on the body itself."""

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.body.joints import joint_names
from apu.body.protocol import default_parameters
from apu.dataset.synthetic.legs import LOWER, NAMES, UPPER, leg_rotations, on_both_feet, with_level_soles

ORDER = joint_names("body25")


@pytest.fixture
def people(body: AnnyBody) -> tuple[torch.Tensor, torch.Tensor]:
    """Forty people with bent and spread legs of their own who lean a little."""
    random, spec = torch.Generator().manual_seed(0), body.parameter_spec["pose"]
    pose = spec.default.repeat(40, 1)
    for part, most in (("hip_flexion", 0.8), ("knee_flexion", 0.9), ("hip_abduction", 0.15), ("hip_rotation", 0.2)):
        for side in ("left", "right"):
            pose[:, NAMES.index(f"{side}_{part}")] += most * torch.rand(40, generator=random)
    tilt = 0.1 * torch.randn(40, 3, generator=random) * torch.tensor([1.0, 0.0, 0.5])
    return pose, tilt


def joints(body: AnnyBody, pose: torch.Tensor, tilt: torch.Tensor) -> torch.Tensor:
    p = {**default_parameters(body.parameter_spec, (len(pose),)), "pose": pose, "orientation": tilt}
    return body.joints_and_jacobian(p, "body25", shape=False)[0]


def slope(at: torch.Tensor, side: str) -> torch.Tensor:
    """Angle of the line from heel to big toe against the ground, less that of the zero pose."""
    line = at[:, ORDER.index(f"{side}_big_toe")] - at[:, ORDER.index(f"{side}_heel")]
    return torch.asin(line[:, 1] / line.norm(dim=-1))


@pytest.mark.parametrize("side", ["left", "right"])
def test_leg_rotations_turn_the_legs_of_the_zero_pose_into_those_of_the_body(body: AnnyBody, people, side: str):
    pose, tilt = people
    at, rest = joints(body, pose, tilt), joints(body, torch.zeros(1, 47), torch.zeros(1, 3))
    thigh, shin = leg_rotations(pose, tilt, side)
    hip, knee, ankle = (ORDER.index(f"{side}_{n}") for n in ("hip", "knee", "ankle"))
    torch.testing.assert_close(thigh @ (rest[0, knee] - rest[0, hip]), at[:, knee] - at[:, hip], atol=0.015, rtol=0)
    torch.testing.assert_close(shin @ (rest[0, ankle] - rest[0, knee]), at[:, ankle] - at[:, knee], atol=0.015, rtol=0)


def test_soles_are_level(body: AnnyBody, people):
    pose, tilt = people
    level = joints(body, with_level_soles(pose, tilt), tilt)
    rest = joints(body, torch.zeros(1, 47), torch.zeros(1, 3))
    for side in ("left", "right"):
        assert float((slope(level, side) - slope(rest, side)).abs().median()) < 0.01
        assert float(slope(joints(body, pose, tilt), side).abs().median()) > 0.1  # they were not before


def test_both_feet_are_equally_low_afterwards(body: AnnyBody, people):
    pose, tilt = people
    heels = [ORDER.index("left_heel"), ORDER.index("right_heel")]
    before = joints(body, pose, tilt)[:, heels, 1]
    after = joints(body, on_both_feet(pose, tilt), tilt)[:, heels, 1]
    assert float((before[:, 0] - before[:, 1]).abs().median()) > 0.03
    assert float((after[:, 0] - after[:, 1]).abs().quantile(0.9)) < 0.015


def test_the_lower_leg_of_the_two_keeps_its_hip_and_knee(people):
    pose, tilt = people
    changed = (on_both_feet(pose, tilt) - pose).abs()
    moved = torch.stack(
        [
            changed[:, [NAMES.index(f"{s}_hip_flexion"), NAMES.index(f"{s}_knee_flexion")]].amax(1)
            for s in ("left", "right")
        ]
    )
    assert bool((moved.amin(0) == 0).all())


def test_angles_stay_within_their_bounds_and_nothing_but_legs_moves(people):
    pose, tilt = people
    steep = pose.clone()
    steep[:, NAMES.index("left_knee_flexion")] = 2.5
    found = on_both_feet(steep, tilt)
    assert bool(((found >= LOWER) & (found <= UPPER)).all())
    still = [i for i, n in enumerate(NAMES) if not any(part in n for part in ("hip", "knee", "ankle"))]
    assert torch.equal(found[:, still], steep[:, still])
