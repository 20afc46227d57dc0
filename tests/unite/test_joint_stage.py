"""Stage 0: its derivatives, its steps, and that it finds what projects onto the keypoints."""

import itertools
from dataclasses import replace

import pytest
import roma
import torch

from apu.body.anny import AnnyBody
from apu.body.anny_asset import load_asset
from apu.body.protocol import Parts
from apu.unite import joint_stage
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


def _estimated(b: Beliefs) -> Beliefs:
    """With estimates of orientation and depth that are somewhat off for the first person, and far off for the other."""
    like = b.pose
    return replace(
        b,
        turn=torch.tensor([[0.2, -0.4, 0.1], [0.1, 3.0, 0.3]]).to(like),
        turn_precision=torch.tensor([16.0, 4.0]).to(like),
        depth_m=torch.tensor([3.3, 5.5]).to(like),
        depth_precision=torch.tensor([25.0, 16.0]).to(like),
        pose_scale=b.pose_scale * torch.tensor([[0.45], [1.0]]).to(like),
    )


def _hinted(e: Evidence) -> Evidence:
    generator = torch.Generator().manual_seed(2)
    depth, trust = (torch.rand(2, 25, generator=generator, dtype=torch.float64) for _ in range(2))
    return replace(e, hint_depth_m=0.4 * depth - 0.2, hint_trust=trust, hint_size_m=torch.full_like(e.focal_px, 0.4))


def _somewhere(body: AnnyBody, pair) -> tuple[dict[str, torch.Tensor], Evidence, Beliefs]:
    """In float64, off every mean, and off the defaults, which stand on kinks of the piecewise linear body."""
    p, evidence, beliefs = _start(body, pair, torch.float64)
    generator = torch.Generator().manual_seed(1)
    p["pose"] = p["pose"] + 0.4 * torch.randn(p["pose"].shape, generator=generator, dtype=torch.float64)
    p["shape"] = p["shape"] + 0.3
    return p, evidence, beliefs


@pytest.mark.parametrize("estimated", [False, True])
def test_the_gradient_is_that_of_finite_differences(body64: AnnyBody, pair, estimated: bool):
    p, evidence, beliefs = _somewhere(body64, pair)
    beliefs = _estimated(beliefs) if estimated else beliefs
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


def test_the_gradient_is_that_of_autograd_through_all_terms(body64: AnnyBody, pair):
    p, evidence, beliefs = _somewhere(body64, pair)
    evidence, beliefs = _hinted(evidence), _estimated(beliefs)
    p["orientation"] = torch.tensor([[0.1, 0.3, -0.2], [0.2, -0.5, 0.1]], dtype=torch.float64)
    _, _, gradient = _linearise(body64, p, evidence, beliefs, KW, PW, True)
    step = torch.zeros_like(gradient, requires_grad=True)
    turn = roma.rotvec_to_rotmat(step[:, :3]) @ roma.rotvec_to_rotmat(p["orientation"])
    d = p["pose"].shape[1]
    moved = {
        "orientation": roma.rotmat_to_rotvec(turn),
        "translation": p["translation"] + step[:, 3:6],
        "pose": p["pose"] + step[:, 6 : 6 + d],
        "shape": p["shape"] + step[:, 6 + d :],
    }
    joints = body64.forward(moved, Parts(JOINT_SET)).joints
    assert joints is not None
    terms = cost_terms(body64, moved, joints, evidence, beliefs, KW, PW)
    assert all(float(terms[name].detach().min()) > 0.01 for name in ("estimate", "hint"))
    (expected,) = torch.autograd.grad(torch.stack(list(terms.values())).sum(), step)
    sure = slice(0, 6 + d)
    torch.testing.assert_close(gradient[:, sure], expected[:, sure], rtol=1e-5, atol=1e-5)
    loose = slice(6 + d, None)  # those of the Jacobian are one-sided differences
    torch.testing.assert_close(gradient[:, loose], expected[:, loose], rtol=2e-2, atol=5e-2)


def test_a_body_is_drawn_towards_its_estimate_and_no_further_than_the_keypoints_allow(body: AnnyBody, pair):
    p, evidence, beliefs = _start(body, pair, torch.float32)
    sure, none = (
        replace(
            beliefs,
            turn=pair.parameters["orientation"] + torch.tensor([0.0, 0.6, 0.0]),
            turn_precision=torch.full((2,), precision),
            depth_m=pair.parameters["translation"][:, 2] + 0.4,
            depth_precision=torch.full((2,), precision),
        )
        for precision in (25.0, 0.0)
    )
    held, free = (fit_joints(body, p, evidence, b, KW, PW, steps=20) for b in (sure, none))
    for name, target in (("orientation", sure.turn[:, 1]), ("translation", sure.depth_m)):
        column = 1 if name == "orientation" else 2
        off = [(fit.parameters[name][:, column] - target).abs() for fit in (held, free)]
        assert bool((off[0] < off[1]).all()), name
    assert float(free.terms["estimate"].abs().max()) == 0.0


@pytest.mark.parametrize("estimated", [False, True])
def test_no_body_ever_gets_worse(body: AnnyBody, pair, estimated: bool):
    p, evidence, beliefs = _start(body, pair, torch.float32)
    beliefs = _estimated(beliefs) if estimated else beliefs
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


def test_bodies_that_settle_at_different_steps_are_fitted_as_alone(body64: AnnyBody, pair):
    starts = starts_of("adult")
    beliefs = beliefs_of(starts, body64.parameter_spec)
    rows = torch.tensor([0] * len(starts))
    _, both, _ = _start(body64, pair, torch.float64)
    evidence = both.select(rows)
    p = place(body64, parameters_of(starts, beliefs, body64.parameter_spec), evidence)
    together = fit_joints(body64, p, evidence, beliefs, KW, PW, steps=15, tolerance=0.1)
    for i in range(len(starts)):
        one = torch.tensor([i])
        alone = fit_joints(
            body64, {k: v[one] for k, v in p.items()}, evidence.select(one), beliefs.select(one), KW, PW,
            steps=15, tolerance=0.1,
        )  # fmt: skip
        torch.testing.assert_close(together.cost[one], alone.cost, rtol=1e-6, atol=1e-6)
        for name, value in alone.parameters.items():
            torch.testing.assert_close(together.parameters[name][one], value, rtol=1e-5, atol=1e-5)


def test_terms_that_nobody_has_are_left_out_without_a_difference(body64: AnnyBody, pair):
    p, evidence, beliefs = _somewhere(body64, pair)
    evidence = replace(evidence, hint_trust=torch.zeros_like(evidence.hint_trust))
    assert joint_stage._absent(evidence, beliefs) == {"hint", "estimate"}
    assert joint_stage._absent(_hinted(evidence), _estimated(beliefs)) == set()
    whole = _linearise(body64, p, evidence, beliefs, KW, PW, True)
    short = _linearise(body64, p, evidence, beliefs, KW, PW, True, {"hint", "estimate"})
    assert whole[0].keys() == short[0].keys()
    for name, cost in whole[0].items():
        assert torch.equal(cost, short[0][name]), name
    assert torch.equal(whole[1], short[1])
    assert torch.equal(whole[2], short[2])


def test_placing_puts_the_body_onto_its_keypoints(body: AnnyBody, pair):
    p, evidence, _ = _start(body, pair, torch.float32)
    true = pair.parameters["translation"]
    assert float((p["translation"] - true).norm(dim=-1).max()) < 0.3
    assert evidence.trust.shape == (2, 25)


def test_the_shape_stays_when_it_is_not_asked_for(body: AnnyBody, pair):
    p, evidence, beliefs = _start(body, pair, torch.float32)
    fitted = fit_joints(body, p, evidence, beliefs, KW, PW, steps=3, shape=False)
    assert torch.equal(fitted.parameters["shape"], p["shape"])
