"""The fused body equals the torch path, which is the reference: values, gradients, Jacobians, and what it keeps."""

import gc
import subprocess
import sys

import pytest
import torch

from apu.body import anny_fused
from apu.body.anny import AnnyBody
from apu.body.anny_fused import FusedBody, Recent, Rest
from apu.body.anny_kinematics import nearest_rotation
from apu.body.protocol import Parts, default_parameters
from apu.errors import ModelFileError

SOME = torch.tensor([13000, 5, 5, 700, 0, 13717, 700])  # not sorted, some twice
PARTS = {
    "all": Parts("body25", "all"),
    "some": Parts("body25", SOME),
    "some without joints": Parts(None, torch.arange(3, 13000, 97)),
    "joints": Parts("coco17"),
}
CLOSE = 1e-6
"""Metres, and a share of a gradient's norm."""


@pytest.fixture(scope="module")
def torch64(body64: AnnyBody) -> AnnyBody:
    return AnnyBody(body64.asset, torch.float64, fused=False)


@pytest.fixture(scope="module")
def fused64(body64: AnnyBody) -> AnnyBody:
    return AnnyBody(body64.asset, torch.float64, fused=True)


@pytest.fixture(scope="module")
def fused32(body64: AnnyBody) -> AnnyBody:
    return AnnyBody(body64.asset, torch.float32, fused=True)


def points_and_gradients(body: AnnyBody, people: dict[str, torch.Tensor], parts: Parts, only: str = ""):
    """Points and, for a random linear function of them, the gradients; in float64."""
    leaves = {k: v.detach().to(body.dtype).clone().requires_grad_() for k, v in people.items()}
    posed = body.forward(leaves, parts)
    given = {"vertices": posed.vertices, "joints": posed.joints}
    points = torch.cat([x for k, x in given.items() if x is not None and only in ("", k)], -2).double()
    weights = torch.randn(points.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    (points * weights).sum().backward()
    return points.detach(), {k: v.grad.double() for k, v in leaves.items()}


def rounded(people: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """To numbers that single precision has, so that both precisions pose the same people."""
    return {k: v.float().double() for k, v in people.items()}


def relative(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_points_and_gradients_equal_the_torch_paths(torch64, fused64, fused32, random_people, parts, dtype):
    people = rounded(random_people(4, seed=11))
    fused, close = (fused64, 1e-9) if dtype is torch.float64 else (fused32, CLOSE)
    expected, slopes = points_and_gradients(torch64, people, parts)
    found, gradients = points_and_gradients(fused, people, parts)
    assert float((found - expected).abs().max()) < close
    for name, slope in slopes.items():
        assert relative(gradients[name], slope) < close, name


@pytest.mark.parametrize("only", ["vertices", "joints"])
def test_gradients_are_right_when_a_part_of_the_points_is_not_used(torch64, fused64, random_people, only):
    people = random_people(2)
    _, slopes = points_and_gradients(torch64, people, PARTS["some"], only)
    _, gradients = points_and_gradients(fused64, people, PARTS["some"], only)
    for name, slope in slopes.items():
        assert relative(gradients[name], slope) < 1e-9, name


def test_poses_far_outside_the_bounds_and_orientations_beyond_half_a_turn(torch64, fused64, random_people):
    people = random_people(3)
    people["pose"] = 3 * people["pose"]
    people["orientation"] = 5 * people["orientation"]
    expected, slopes = points_and_gradients(torch64, people, PARTS["some"])
    found, gradients = points_and_gradients(fused64, people, PARTS["some"])
    assert float((found - expected).abs().max()) < 1e-9
    assert all(relative(gradients[name], slope) < 1e-9 for name, slope in slopes.items())


def test_the_adjoints_equal_finite_differences_by_every_input(fused64, random_people):
    """Also by the rest body itself, whose parts the kernels take for free numbers."""
    people = random_people(1, seed=3)
    body = fused64._fused(Parts("j14", torch.tensor([11, 8000])))
    with torch.no_grad():
        rest = [x.clone() for x in vars(body.rest(people["shape"])).values()]
    inputs = [people[k] for k in ("orientation", "translation", "pose")] + rest
    inputs = [x.requires_grad_() for x in inputs]
    assert torch.autograd.gradcheck(lambda a, b, c, *r: body.pose(a, b, c, Rest(*r)), inputs, fast_mode=True)
    shape = random_people(2, seed=4)["shape"].requires_grad_()
    assert torch.autograd.gradcheck(lambda s: tuple(vars(body.rest(s)).values()), (shape,), atol=1e-6)


def test_rotations_near_none_have_the_right_gradient(fused64):
    """Both sides of the place where the closed form gives way to its series, and zero itself."""
    body = fused64._fused(Parts("j14"))
    people = {
        k: torch.zeros_like(v) for k, v in default_parameters(fused64.parameter_spec, (1,), torch.float64).items()
    }
    for angle in (0.0, 1e-9, 1e-4, 0.0499, 0.0501):
        leaves = [torch.full_like(people[k], angle).requires_grad_() for k in ("orientation", "translation", "pose")]
        rest = body.rest(people["shape"])
        assert torch.autograd.gradcheck(lambda a, b, c, r=rest: body.pose(a, b, c, r)[1], leaves)


def test_height_equals_the_torch_paths(torch64, fused64, random_people):
    heights = []
    for body in (torch64, fused64):
        shape = random_people(3, 2)["shape"].requires_grad_()
        height = body.height({"shape": shape})
        (slope,) = torch.autograd.grad(height.sum(), shape)
        heights.append((height, slope))
    for expected, found in zip(*heights, strict=True):
        assert found.shape == expected.shape
        assert torch.allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("joint_set", ["body25", "j14"])
def test_the_jacobian_equals_the_torch_paths_and_is_exact_by_the_shape(torch64, fused64, random_people, joint_set):
    people = random_people(3, seed=6)
    expected, slopes = torch64.joints_and_jacobian(people, joint_set)
    joints, jacobian = fused64.joints_and_jacobian(people, joint_set)
    assert torch.allclose(joints, expected, atol=1e-12)
    assert torch.allclose(jacobian[..., :-6], slopes[..., :-6], atol=1e-12)

    def joints_of(shape: torch.Tensor) -> torch.Tensor:
        found = torch64.forward({**people, "shape": shape}, Parts(joint_set)).joints
        assert found is not None
        return found.sum(0)

    by_shape = torch.autograd.functional.jacobian(joints_of, people["shape"])
    assert torch.allclose(jacobian[..., -6:], by_shape.permute(2, 0, 1, 3), atol=1e-9)


def test_the_jacobian_in_single_precision(fused32, fused64, random_people):
    people = rounded(random_people(4, seed=7))
    expected = fused64.joints_and_jacobian(people, "body25")
    found = fused32.joints_and_jacobian({k: v.float() for k, v in people.items()}, "body25")
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == torch.float32
        assert torch.allclose(one.double(), other, atol=CLOSE)


def test_a_body_does_not_depend_on_its_batch(fused32, random_people):
    people = random_people(3, 2, dtype=torch.float32)
    together, slopes = points_and_gradients(fused32, people, PARTS["some"])
    joints, jacobian = fused32.joints_and_jacobian(people, "body25")
    for pair in range(3):
        one = {k: v[pair : pair + 1, 1:] for k, v in people.items()}
        alone = fused32.forward(one, PARTS["some"])
        both = torch.cat([alone.vertices, alone.joints], -2)
        assert torch.allclose(both[0, 0].double(), together[pair, 1], atol=CLOSE)
        assert torch.allclose(fused32.joints_and_jacobian(one, "body25")[1][0, 0], jacobian[pair, 1], atol=CLOSE)
    assert slopes["pose"].shape == people["pose"].shape
    assert joints.shape == (3, 2, 25, 3)


def test_nobody_is_posed_to_nothing(fused32, random_people):
    people = {k: v.requires_grad_() for k, v in random_people(0, 2, dtype=torch.float32).items()}
    posed = fused32.forward(people, PARTS["all"])
    assert posed.vertices.shape == (0, 2, fused32.vertex_count, 3)
    assert posed.joints.shape == (0, 2, 25, 3)
    posed.joints.sum().backward()
    assert people["shape"].grad.shape == (0, 2, 6)
    assert fused32.joints_and_jacobian(people, "body25")[1].shape == (0, 2, 25, 3, 59)


def test_a_body_that_is_not_a_number_spoils_no_other(fused64, random_people):
    people = random_people(3)
    expected = fused64.forward(people, PARTS["some"]).vertices
    for name in people:
        broken = {k: v.clone() for k, v in people.items()}
        broken[name][1] = torch.nan
        found = fused64.forward(broken, PARTS["some"]).vertices
        assert bool(found[1].isnan().any()), name
        assert torch.allclose(found[0::2], expected[0::2], atol=1e-9), name


def test_the_rest_body_of_a_fixed_shape_is_computed_once(body64, random_people, monkeypatch):
    body = AnnyBody(body64.asset, torch.float64, fused=True)
    computed = []
    plain = FusedBody.skeleton
    monkeypatch.setattr(FusedBody, "skeleton", lambda self, c: computed.append(len(c)) or plain(self, c))
    people = random_people(2)
    first = body.forward(people, PARTS["some"]).vertices
    free = {k: v.clone().requires_grad_(k == "pose") for k, v in people.items()}
    posed = body.forward(free, PARTS["some"]).vertices
    assert computed == [2]
    assert torch.equal(posed, first)
    people["shape"][1, 1] += 0.5  # in place
    changed = body.forward(people, PARTS["some"]).vertices
    assert computed == [2, 2]
    fresh = AnnyBody(body64.asset, torch.float64, fused=True).forward(people, PARTS["some"]).vertices
    assert torch.equal(changed, fresh)
    assert float((changed - first)[1].abs().max()) > 1e-3


def test_results_are_kept_for_the_last_two_different_inputs():
    kept, made = Recent[int](), []

    def ask(value: float) -> int:
        return kept.get(torch.tensor([value]), lambda: made.append(value) or len(made))

    assert [ask(v) for v in (1.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0)] == [1, 2, 1, 2, 3, 2, 4]
    assert kept.get(torch.tensor([[1.0]]), lambda: 9) == 9, "another shape"


def test_a_fixed_shape_is_no_part_of_the_recorded_graph(fused64, random_people):
    people = random_people(2)
    for free, count in ((("pose",), 1), (("pose", "shape"), 5)):
        leaves = {k: v.clone().requires_grad_(k in free) for k, v in people.items()}
        posed = fused64._fused(PARTS["some"])
        mesh, _ = posed.pose(leaves["orientation"], leaves["translation"], leaves["pose"], posed.rest(leaves["shape"]))
        recorded = [f for f, _ in mesh.grad_fn.next_functions if f is not None]
        assert len(recorded) == count


def test_second_derivatives_are_refused(fused64, random_people):
    people = {k: v.requires_grad_() for k, v in random_people(1).items()}
    joints = fused64.forward(people, PARTS["joints"]).joints
    (slope,) = torch.autograd.grad(joints.square().sum(), people["pose"], create_graph=True)
    with pytest.raises(RuntimeError, match="differentiate twice"):
        slope.sum().backward()


def test_mirrored_bone_frames_are_turned_as_the_reference_turns_them(fused64):
    """No person has them; wild coefficients do."""
    body = fused64._fused(Parts("body25"))
    table = fused64.asset.coefficient_table
    wild = 3 * torch.randn(2, table.shape[1], generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    made = body.skeleton(wild)
    assert float(torch.linalg.det(made.cross).min()) < 0
    assert torch.allclose(made.rotation, nearest_rotation(made.cross), atol=1e-9)


def test_the_choice_of_the_path(body64, random_people, monkeypatch):
    assert AnnyBody(body64.asset).fused
    assert not AnnyBody(body64.asset, fused=False).fused
    assert not AnnyBody(body64.asset, device=torch.device("meta")).fused
    monkeypatch.setattr(anny_fused, "available", lambda: False)
    without = AnnyBody(body64.asset, torch.float64)
    assert not without.fused
    assert without.forward(random_people(1), PARTS["some"]).vertices.shape == (1, len(SOME), 3)
    with pytest.raises(ModelFileError, match="fused body cannot run"):
        AnnyBody(body64.asset, fused=True)


def test_without_numba_the_kernels_are_not_available(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    for name in [n for n in sys.modules if n.startswith("apu.body.") and n.endswith("_kernels")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("apu.body.anny_fused_kernels", raising=False)
    assert anny_fused.available.__wrapped__() is False


def test_numba_is_loaded_when_a_body_is_evaluated_and_not_before():
    code = """
import sys
from apu.body.anny import AnnyBody
from apu.body.protocol import Parts, default_parameters
body = AnnyBody.load()
people = default_parameters(body.parameter_spec, (1,))
print("numba" in sys.modules)
body.forward(people, Parts("body25"))
print("numba" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_nothing_of_an_evaluation_outlives_it(fused32: AnnyBody):
    """Tensors that a graph node holds of its own outputs are never freed: not by counting, not by the collector."""
    body = fused32
    parts = Parts("body25", torch.arange(50))

    def evaluated() -> int:
        shape = body.parameter_spec["shape"].default.expand(3, -1).clone().requires_grad_(True)
        parameters = {**default_parameters(body.parameter_spec, (3,)), "shape": shape}
        vertices = body.forward(parameters, parts).vertices
        assert vertices is not None
        vertices.sum().backward()
        del parameters, shape, vertices
        gc.collect()
        return sum(isinstance(one, torch.Tensor) for one in gc.get_objects())

    evaluated()
    assert evaluated() == evaluated()
