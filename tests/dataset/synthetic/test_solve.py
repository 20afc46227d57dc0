"""Two standing people are brought together by what is to touch, keep their shape, and stay on their feet."""

import math
from dataclasses import replace

import pytest
import torch
from oracles import deepest_m, region_distance_m

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts, default_parameters
from apu.contact.contact import Contact
from apu.dataset.synthetic import solve
from apu.dataset.synthetic.solve import Scene, bring_together

LEFT, RIGHT = (
    frozenset({f"{side}_hand_palm", f"{side}_hand_back", f"{side}_fingers_palm", f"{side}_fingers_back"})
    for side in ("left", "right")
)
HANDS = (Contact(LEFT, RIGHT),)
SHOULDERS = (Contact(frozenset({"left_shoulder_front"}), frozenset({"right_shoulder_front"})),)


def side_by_side(body: AnnyBody, *apart_m: float) -> dict[str, torch.Tensor]:
    """Default bodies on the floor; A's left hand is beside B's right one."""
    start = default_parameters(body.parameter_spec, (len(apart_m), 2))
    start["translation"] = torch.tensor([[[0.0, 0.0, 0.0], [apart, 0.0, 0.1]] for apart in apart_m])
    vertices = body.forward(start, Parts(vertices="all")).vertices
    assert vertices is not None
    start["translation"][..., 1] -= vertices[..., 1].amax(-1)
    return start


@pytest.fixture
def hurry(monkeypatch) -> None:
    """Few steps: enough to see the direction."""
    monkeypatch.setattr(solve, "COARSE", replace(solve.COARSE, steps=30))
    monkeypatch.setattr(solve, "FINE", replace(solve.FINE, steps=12))


@pytest.fixture(scope="module")
def solved(body: AnnyBody) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor], torch.Tensor]:
    """One pair in full: start, end, and its vertices."""
    start = side_by_side(body, 0.95)
    end = bring_together(body, start, Scene([HANDS], (True, True), "each"))
    vertices = body.forward(end, Parts(vertices="all")).vertices
    assert vertices is not None
    return start, end, vertices


def test_hands_apart_come_to_touch_without_passing_through(body: AnnyBody, solved):
    start, _, vertices = solved
    before = body.forward(start, Parts(vertices="all")).vertices
    assert region_distance_m(body.surface, before[0], LEFT, RIGHT) > 0.1
    assert region_distance_m(body.surface, vertices[0], LEFT, RIGHT) < 0.005
    assert deepest_m(body.surface, vertices[0]) < 0.01


def test_shapes_stay_to_the_last_bit_and_poses_within_their_bounds(body: AnnyBody, solved):
    start, end, _ = solved
    spec = body.parameter_spec["pose"]
    assert torch.equal(end["shape"], start["shape"])
    assert bool((end["pose"] < spec.upper + 0.02).all())
    assert bool((end["pose"] > spec.lower - 0.02).all())
    assert not any(value.requires_grad for value in end.values())


def test_feet_stay_on_the_floor_and_legs_keep_their_pose_better_than_arms(body: AnnyBody, solved):
    start, end, vertices = solved
    assert float(vertices[..., 1].amax(-1).abs().max()) < 0.01
    names = body.parameter_spec["pose"].names
    change = (end["pose"] - start["pose"])[0].abs().amax(0)
    legs = [i for i, name in enumerate(names) if any(word in name for word in solve.LEGS)]
    arms = [i for i, name in enumerate(names) if "shoulder" in name or "elbow" in name]
    assert change[legs].max() < change[arms].max()


def test_bodies_that_stand_in_each_other_part(body: AnnyBody, hurry):
    start = side_by_side(body, 0.25)
    end = bring_together(body, start, Scene([SHOULDERS], (True, True), "each"))
    depth = [deepest_m(body.surface, body.forward(p, Parts(vertices="all")).vertices[0]) for p in (start, end)]
    assert depth[0] > 0.03
    assert depth[1] < 0.5 * depth[0]
    between = [float((p["translation"][0, 1] - p["translation"][0, 0]).norm()) for p in (start, end)]
    assert between[1] > between[0]


def test_a_pair_is_solved_alike_beside_others(body: AnnyBody, hurry):
    scene = [HANDS, (*HANDS, *SHOULDERS)]
    together = bring_together(body, side_by_side(body, 0.95, 0.5), Scene(scene, (True, True), "each"))
    alone = bring_together(body, side_by_side(body, 0.95), Scene(scene[:1], (True, True), "each"))
    for name, value in alone.items():
        torch.testing.assert_close(together[name][:1], value, atol=2e-3, rtol=0)


def test_whoever_is_carried_may_leave_the_floor(body: AnnyBody, hurry):
    start = side_by_side(body, 0.5)
    start["translation"][:, 1, 1] -= 0.3
    held = bring_together(body, start, Scene([HANDS], (True, False), "exempt"))
    standing = bring_together(body, start, Scene([HANDS], (True, True), "exempt"))
    low = [float(body.forward(p, Parts(vertices="all")).vertices[0, 1, :, 1].amax()) for p in (held, standing)]
    assert low[0] < -0.2 < -0.1 < low[1]


def test_strengths_go_geometrically_from_first_to_last():
    assert [solve._between((0.02, 0.5), share) for share in (0.0, 0.5, 1.0)] == pytest.approx(
        [0.02, math.sqrt(0.02 * 0.5), 0.5]
    )
