"""The density of motion capture as a term."""

from dataclasses import replace

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.body.pose_density import PoseDensity
from apu.unite.hypotheses import Start, beliefs_of
from apu.unite.usual_pose import density_for, unusual_pose


@pytest.fixture(scope="module")
def density() -> PoseDensity:
    return PoseDensity.load(dtype=torch.float64)


def people(body: AnnyBody, count: int):
    spec = {name: replace(one, default=one.default.double()) for name, one in body.parameter_spec.items()}
    return beliefs_of([Start("stand", 0.0, "adult")] * count, spec)


def test_it_is_the_log_density_below_that_of_the_most_usual_poses_of_people_without_an_estimate(
    body: AnnyBody, density: PoseDensity
):
    pose = density.sample(3, torch.Generator().manual_seed(0))[0]
    beliefs = people(body, 3)
    estimated = replace(beliefs, turn_precision=torch.tensor([0.0, 16.0, 0.0], dtype=torch.float64))
    found = unusual_pose(pose, density, estimated)
    assert found[1] == 0
    for row in (0, 2):
        assert found[row] == pytest.approx(density.typical["99"] - float(density.log_prob(pose[row])), rel=1e-9)


def test_people_of_motion_capture_are_more_usual_than_knots_and_nobody_is_impossible(
    body: AnnyBody, density: PoseDensity
):
    generator = torch.Generator().manual_seed(1)
    usual = density.sample(64, generator)[0]
    knots = density.lower + (density.upper - density.lower) * torch.rand(64, 47, generator=generator).double()
    beliefs = people(body, 64)
    assert unusual_pose(usual, density, beliefs).median() < 0.2 * unusual_pose(knots, density, beliefs).median()
    sitting = beliefs_of([Start("sit", 0.0, "adult"), Start("kneel", 0.0, "adult")], body.parameter_spec)
    cost = unusual_pose(sitting.pose.double(), density, people(body, 2))
    assert (0.05 * cost < 15).all()  # a sitting or kneeling person pays less than two badly placed keypoints


def test_gradient_is_that_of_finite_differences(body: AnnyBody, density: PoseDensity):
    pose = density.sample(2, torch.Generator().manual_seed(2))[0].requires_grad_(True)
    assert torch.autograd.gradcheck(lambda x: unusual_pose(x, density, people(body, 2)), (pose,))


def test_a_body_with_other_angles_has_no_density(body: AnnyBody, monkeypatch: pytest.MonkeyPatch):
    spec = body.parameter_spec["pose"]
    found = density_for(body)
    assert found is not None
    assert found.mean.dtype == body.surface.rest_vertices.dtype
    monkeypatch.setattr(AnnyBody, "parameter_spec", {"pose": replace(spec, names=(*spec.names[:-1], "tail"))})
    assert density_for(body) is None
