"""Stage 0: its derivatives, its steps, and that it finds what projects onto the keypoints."""

import itertools

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.body.anny_asset import load_asset
from apu.unite.hypotheses import Beliefs, beliefs_of, parameters_of, starts_of
from apu.unite.joint_stage import _linearise, _moved, cost_terms, fit_joints, place
from apu.unite.problem import JOINT_SET, Evidence, gather_evidence
from apu.unite.weights import KeypointWeights, PriorWeights

KW, PW = KeypointWeights(), PriorWeights()


@pytest.fixture(scope="module")
def body64() -> AnnyBody:
    return AnnyBody(load_asset(), torch.float64)


def _start(body: AnnyBody, pair, dtype: torch.dtype) -> tuple[dict[str, torch.Tensor], Evidence, Beliefs]:
    """Both people's standing starts, facing the camera."""
    start = [starts_of("adult")[0]] * 2
    beliefs = beliefs_of(start, body.parameter_spec)
    evidence = gather_evidence([pair.observation], KW, dtype, torch.device("cpu")).map(lambda x: x.flatten(0, 1))
    return place(body, parameters_of(start, beliefs, body.parameter_spec), evidence), evidence, beliefs


def test_the_gradient_is_that_of_finite_differences(body64: AnnyBody, pair):
    p, evidence, beliefs = _start(body64, pair, torch.float64)
    generator = torch.Generator().manual_seed(1)
    p["pose"] = p["pose"] + 0.4 * torch.randn(p["pose"].shape, generator=generator, dtype=torch.float64)
    p["shape"] = p["shape"] + 0.3  # the defaults stand on kinks of the piecewise linear body
    _, _, gradient = _linearise(body64, p, evidence, beliefs, KW, PW, True)
    shape_columns = gradient.shape[1] - p["shape"].shape[1]

    def cost(step: torch.Tensor) -> torch.Tensor:
        moved = _moved(p, step)
        joints, _ = body64.joints_and_jacobian(moved, JOINT_SET)
        return torch.stack(list(cost_terms(body64, moved, joints, evidence, beliefs, KW, PW).values())).sum(0)

    for column in range(gradient.shape[1]):
        step = torch.zeros_like(gradient)
        step[:, column] = 1e-5
        numeric = (cost(step) - cost(-step)) / 2e-5
        loose = column >= shape_columns  # those of the Jacobian are one-sided differences
        torch.testing.assert_close(
            gradient[:, column], numeric, rtol=2e-2 if loose else 1e-4, atol=5e-2 if loose else 1e-3
        )


def test_no_body_ever_gets_worse(body: AnnyBody, pair):
    p, evidence, beliefs = _start(body, pair, torch.float32)
    costs = [fit_joints(body, p, evidence, beliefs, KW, PW, steps=steps).cost for steps in (1, 3, 6, 12)]
    for before, after in itertools.pairwise(costs):
        assert bool((after <= before + 1e-4).all())


def test_joints_that_a_body_of_the_model_has_are_found(body: AnnyBody, pair):
    p, evidence, beliefs = _start(body, pair, torch.float32)
    fitted = fit_joints(body, p, evidence, beliefs, KW, PW, steps=30)
    joints, _ = body.joints_and_jacobian(fitted.parameters, JOINT_SET)
    error = (joints - pair.joints - (joints - pair.joints).mean(1, keepdim=True)).norm(dim=-1)
    assert float(error.mean()) < 0.06, "metres, after the shift that one view leaves open"
    assert float(fitted.terms["keypoints"].max()) < 2.0


def test_a_body_in_a_batch_is_fitted_as_alone(body: AnnyBody, pair):
    p, evidence, beliefs = _start(body, pair, torch.float32)
    together = fit_joints(body, p, evidence, beliefs, KW, PW, steps=5)
    one = torch.tensor([1])
    alone = fit_joints(
        body, {k: v[one] for k, v in p.items()}, evidence.select(one), beliefs.select(one), KW, PW, steps=5
    )
    torch.testing.assert_close(together.cost[one], alone.cost, rtol=1e-3, atol=1e-3)


def test_placing_puts_the_body_onto_its_keypoints(body: AnnyBody, pair):
    p, evidence, _ = _start(body, pair, torch.float32)
    true = pair.parameters["translation"]
    assert float((p["translation"] - true).norm(dim=-1).max()) < 0.3
    assert evidence.trust.shape == (2, 25)


def test_the_shape_stays_when_it_is_not_asked_for(body: AnnyBody, pair):
    p, evidence, beliefs = _start(body, pair, torch.float32)
    fitted = fit_joints(body, p, evidence, beliefs, KW, PW, steps=3, shape=False)
    assert torch.equal(fitted.parameters["shape"], p["shape"])
