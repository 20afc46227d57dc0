"""Arms and their own trunk: true bodies are let be, an arm through the chest is not."""

from pathlib import Path

import igl
import numpy as np
import pytest
import torch

from apu.body.anny import AnnyBody
from apu.body.joints import joint_names
from apu.body.protocol import Parts, Posed, default_parameters
from apu.dataset.store import PairStore
from apu.unite.problem import limb_size
from apu.unite.self_overlap import ARM_RADIUS, ARM_SPAN, TRUNK, self_overlap

FIXTURES = Path(__file__).parents[1] / "dataset" / "fixture_pairs"
NAMES = joint_names("body25")


@pytest.fixture(scope="module")
def true_bodies(body: AnnyBody) -> Posed:
    pairs = [record.to_true_pair().parameters for record in PairStore(FIXTURES).records()]
    return body.forward({k: torch.cat([p[k] for p in pairs]) for k in pairs[0]}, Parts("body25", "all"))


@pytest.fixture(scope="module")
def standing(body: AnnyBody) -> torch.Tensor:
    joints = body.forward(default_parameters(body.parameter_spec, (1,)), Parts("body25")).joints
    assert joints is not None
    return joints[0].double()


def with_arm(joints: torch.Tensor, elbow: torch.Tensor, wrist: torch.Tensor) -> torch.Tensor:
    moved = joints.clone()
    moved[NAMES.index("left_elbow")], moved[NAMES.index("left_wrist")] = elbow, wrist
    return moved


def through_the_chest(joints: torch.Tensor) -> torch.Tensor:
    neck, hips = joints[NAMES.index("neck")], joints[NAMES.index("mid_hip")]
    chest = neck + 0.4 * (hips - neck)
    across = torch.nn.functional.normalize(joints[NAMES.index("left_shoulder")] - neck, dim=0)
    return with_arm(joints, chest + 0.15 * across, chest - 0.05 * across)


def share_inside(body: AnnyBody, vertices: torch.Tensor, side: str) -> float:
    """Share of the forearm's and hand's skin that lies in the rest of the body, by libigl's winding number."""
    surface = body.surface
    arm = [i for i, n in enumerate(surface.region_names) if n.startswith((f"{side}_forearm", f"{side}_hand"))]
    faces = surface.collision_faces.numpy()
    skin = torch.nonzero(torch.isin(surface.region_of_vertex, torch.tensor(arm))).flatten().numpy()
    skin = np.intersect1d(skin, faces)
    rest = faces[~np.isin(faces, skin).any(1)]  # open at the elbow only
    points = vertices.double().numpy()
    return float((igl.winding_number(points, rest, points[skin]) > 0.5).mean())


def test_no_true_arm_is_touched_but_those_that_run_through_their_own_body(body: AnnyBody, true_bodies: Posed):
    assert true_bodies.joints is not None
    assert true_bodies.vertices is not None
    deepest = self_overlap(true_bodies.joints).amax(-1)
    fired = torch.nonzero(deepest > 0).tolist()
    assert 1 <= len(fired) <= 5, "of 96 arms"
    for number, side in fired:
        assert share_inside(body, true_bodies.vertices[number], ("left", "right")[side]) > 0.2


def test_the_standing_body_has_no_overlap(standing: torch.Tensor):
    assert float(self_overlap(standing).max()) == 0.0


def test_an_arm_through_the_chest_overlaps_and_only_that_arm(standing: torch.Tensor):
    left, right = self_overlap(through_the_chest(standing))
    assert float(left[0]) > 0.05
    assert float(right.max()) == 0.0


def test_the_overlap_is_that_of_the_nearest_points_by_brute_force(true_bodies: Posed):
    assert true_bodies.joints is not None
    joints = true_bodies.joints.double() * torch.tensor([0.4, 1.0, 1.0])  # narrow people, so that something overlaps
    share = torch.linspace(0, 1, 101, dtype=torch.float64)[:, None]

    def points(first: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
        return first + share * (last - first)

    limbs = [
        *((f"{s}_{a}", f"{s}_{b}") for s in ("left", "right") for a, b in (("shoulder", "elbow"), ("elbow", "wrist"))),
        *((f"{s}_{a}", f"{s}_{b}") for s in ("left", "right") for a, b in (("hip", "knee"), ("knee", "ankle"))),
        ("neck", "mid_hip"),
    ]
    found = self_overlap(joints)
    for number in range(0, len(joints), 12):
        at = dict(zip(NAMES, joints[number], strict=True))
        size = sum(float((at[a] - at[b]).norm()) for a, b in limbs) / len(limbs)
        for arm, side in enumerate(("left", "right")):
            elbow, wrist = at[f"{side}_elbow"], at[f"{side}_wrist"]
            mine = points(*(elbow + x * (wrist - elbow) for x in ARM_SPAN))
            for k, ((a, b), radius) in enumerate(TRUNK.items()):
                gap = float(torch.cdist(mine, points(at[a], at[b])).min())
                expected = max(0.0, size * (ARM_RADIUS + radius) - gap)
                assert float(found[number, arm, k]) == pytest.approx(expected, abs=5e-3)
    assert float(found.max()) > 0.05


def test_a_mirrored_body_has_the_mirrored_overlap_and_a_moved_one_the_same(standing: torch.Tensor):
    crossed = through_the_chest(standing)
    swap = [NAMES.index(n.replace("left", "?").replace("right", "left").replace("?", "right")) for n in NAMES]
    mirrored = crossed[swap] * torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)
    axes = [0, 2, 1, 3, 5, 4]
    torch.testing.assert_close(self_overlap(mirrored), self_overlap(crossed).flip(0)[:, axes])
    torch.testing.assert_close(self_overlap(crossed + torch.tensor([1.0, -2.0, 3.0])), self_overlap(crossed))


def test_the_gradient_is_that_of_finite_differences_with_the_size_held(standing: torch.Tensor):
    joints = through_the_chest(standing)
    arm = joints[[NAMES.index("left_elbow"), NAMES.index("left_wrist")]].requires_grad_()
    still = standing.clone()
    step, slope = 1e-6, torch.zeros_like(arm)
    value = self_overlap(with_arm(still, arm[0], arm[1])).square().sum()
    (found,) = torch.autograd.grad(value, arm)
    with torch.no_grad():
        for i in range(2):
            for axis in range(3):
                ends = []
                for sign in (1, -1):
                    moved = arm.detach().clone()
                    moved[i, axis] += sign * step
                    moved_body = with_arm(still, moved[0], moved[1])
                    grown = _size(moved_body) / _size(joints.detach())
                    ends.append(_overlap_at_size(moved_body, grown))
                slope[i, axis] = (ends[0] - ends[1]) / (2 * step)
    torch.testing.assert_close(found, slope, rtol=1e-3, atol=1e-6)
    assert float(found.abs().max()) > 0


def _size(joints: torch.Tensor) -> float:
    return float(limb_size(joints))


def _overlap_at_size(joints: torch.Tensor, grown: float) -> float:
    """Sum of squared overlaps of these joints with the radii of a body that is smaller by `grown`."""
    raw = self_overlap(joints)
    reach = _size(joints) * torch.tensor([ARM_RADIUS + r for r in TRUNK.values()], dtype=torch.float64)
    held = torch.where(raw > 0, raw - reach + reach / grown, torch.zeros_like(raw))
    return float(held.square().sum())


def test_steps_down_the_gradient_bring_the_arm_out(standing: torch.Tensor):
    joints = through_the_chest(standing)
    joints = with_arm(joints, *(joints[NAMES.index(f"left_{n}")] + torch.tensor([0.0, 0.0, -0.04])
                                for n in ("elbow", "wrist")))  # fmt: skip
    for _ in range(100):
        joints.requires_grad_()
        (slope,) = torch.autograd.grad(self_overlap(joints).square().sum(), joints)
        joints = (joints - 0.1 * slope).detach()
    assert float(self_overlap(joints).max()) < 0.01
    assert float(joints[NAMES.index("left_wrist"), 2]) < float(standing[NAMES.index("neck"), 2]), "to its own side"
