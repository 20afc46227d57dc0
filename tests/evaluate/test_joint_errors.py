"""Joint and vertex errors by hand, their invariances, and what each of them is blind to."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from apu.body.joints import joint_names
from apu.evaluate.joint_errors import (
    better_order,
    joint_rows,
    mid_hip,
    mpjpe_mm,
    pa_mpjpe_mm,
    pa_vertex_error_mm,
    pair_mpjpe_mm,
    pair_pa_mpjpe_better_order_mm,
    pair_pa_mpjpe_mm,
    relative_depth_error_mm,
    relative_translation_error_mm,
    vertex_error_mm,
    vertex_rows,
)

from .conftest import Pairs

ZERO = {"atol": 1e-3, "rtol": 0.0}  # mm; the bodies are float32


def zeros(*shape: int) -> torch.Tensor:
    return torch.zeros(*shape, dtype=torch.float64)


def test_the_truth_has_no_error(true: Pairs):
    for values in joint_rows(true.joints, true.joints).values():
        torch.testing.assert_close(values, zeros(3), **ZERO)
    for values in vertex_rows(true.vertices, true.vertices, true.joints, true.joints).values():
        torch.testing.assert_close(values, zeros(3), **ZERO)


def test_the_root_is_the_middle_of_both_hips(true: Pairs):
    left, right = (true.joints[:, :, joint_names("j14").index(f"{side}_hip")] for side in ("left", "right"))
    torch.testing.assert_close(mid_hip(true.joints), (left + right) / 2)


def test_a_shift_of_the_pair_is_an_error_in_the_camera_frame_alone(true: Pairs):
    rows = joint_rows(true.joints + torch.tensor([0.3, 0.0, 0.4]), true.joints)
    torch.testing.assert_close(rows.pop("pair_mpjpe_mm"), zeros(3) + 500, **ZERO)
    for values in rows.values():
        torch.testing.assert_close(values, zeros(3), **ZERO)


def test_a_shift_of_b_is_an_error_of_the_pair_but_not_of_a_person(true: Pairs):
    moved = true.joints.clone()
    moved[:, 1] += torch.tensor([0.06, 0.0, -0.08])
    torch.testing.assert_close(pa_mpjpe_mm(moved, true.joints), zeros(3, 2), **ZERO)
    torch.testing.assert_close(mpjpe_mm(moved, true.joints), zeros(3, 2), **ZERO)
    torch.testing.assert_close(pair_mpjpe_mm(moved, true.joints), zeros(3) + 50, **ZERO)
    torch.testing.assert_close(relative_translation_error_mm(moved, true.joints), zeros(3) + 100, **ZERO)
    torch.testing.assert_close(relative_depth_error_mm(moved, true.joints), zeros(3) + 80, **ZERO)
    assert float(pair_pa_mpjpe_mm(moved, true.joints).min()) > 10


def test_one_joint_that_is_off_counts_a_fourteenth(true: Pairs):
    moved = true.joints.clone()
    moved[:, 0, joint_names("j14").index("left_wrist"), 1] += 0.14
    expected = torch.tensor([10.0, 0.0], dtype=torch.float64).expand(3, 2)
    torch.testing.assert_close(mpjpe_mm(moved, true.joints), expected, **ZERO)
    torch.testing.assert_close(pair_mpjpe_mm(moved, true.joints), zeros(3) + 5, **ZERO)


def test_root_alignment_uses_the_hips_not_the_first_joint(true: Pairs):
    moved = true.joints.clone()
    moved[..., 0, :] += torch.tensor([0.0, 0.14, 0.0])  # the right ankle
    torch.testing.assert_close(mpjpe_mm(moved, true.joints), zeros(3, 2) + 10, **ZERO)


def test_a_person_who_is_too_large_by_a_tenth_has_no_aligned_error(true: Pairs):
    root = mid_hip(true.joints)[..., None, :]
    large = root + 1.1 * (true.joints - root)
    torch.testing.assert_close(pa_mpjpe_mm(large, true.joints), zeros(3, 2), **ZERO)
    expected = 100 * (true.joints - root).double().norm(dim=-1).mean(-1)
    torch.testing.assert_close(mpjpe_mm(large, true.joints), expected, **ZERO)
    assert float(pair_pa_mpjpe_mm(large, true.joints).min()) > 1  # they stand where they stood


def test_a_mirrored_body_does_not_score_zero(true: Pairs):
    mirrored = true.joints * torch.tensor([-1.0, 1, 1])
    assert float(pa_mpjpe_mm(mirrored, true.joints).min()) > 20
    assert float(pair_pa_mpjpe_mm(mirrored, true.joints).min()) > 20
    assert float(pa_vertex_error_mm(true.vertices * torch.tensor([-1.0, 1, 1]), true.vertices).min()) > 20


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**31))
def test_aligned_errors_are_blind_to_any_similarity(true: Pairs, predicted: Pairs, seed: int):
    generator = torch.Generator().manual_seed(seed)
    turns = torch.tensor(Rotation.random(2, rng=seed).as_matrix())
    scale = 0.5 + torch.rand(2, generator=generator, dtype=torch.float64)
    shift = torch.randn(2, 3, generator=generator, dtype=torch.float64)
    joints, truth = predicted.joints.double(), true.joints.double()
    apart = torch.stack([scale[i] * joints[:, i] @ turns[i].mT + shift[i] for i in (0, 1)], 1)
    torch.testing.assert_close(pa_mpjpe_mm(apart, truth), pa_mpjpe_mm(joints, truth))
    together = scale[0] * joints @ turns[0].mT + shift[0]
    torch.testing.assert_close(pair_pa_mpjpe_mm(together, truth), pair_pa_mpjpe_mm(joints, truth))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**31))
def test_a_rigid_motion_of_truth_and_prediction_changes_nothing(true: Pairs, predicted: Pairs, seed: int):
    turn = torch.tensor(Rotation.random(rng=seed).as_matrix())
    here = joint_rows(predicted.joints.double(), true.joints.double())
    there = joint_rows(predicted.joints.double() @ turn.mT + 7, true.joints.double() @ turn.mT + 7)
    for name in here.keys() - {"relative_depth_error_mm"}:
        torch.testing.assert_close(here[name], there[name])


def test_exchanging_a_and_b_in_both_changes_nothing_but_their_names(true: Pairs, predicted: Pairs):
    straight = joint_rows(predicted.joints, true.joints)
    swapped = joint_rows(predicted.joints.flip(1), true.joints.flip(1))
    for name, values in straight.items():
        exchanged = name.replace("_a_mm", "_x_mm").replace("_b_mm", "_a_mm").replace("_x_mm", "_b_mm")
        torch.testing.assert_close(values, swapped[exchanged])


def test_exchanged_people_are_an_error_of_identity_unless_the_better_order_is_asked_for(true: Pairs):
    exchanged = true.joints.flip(1)
    assert float(pair_pa_mpjpe_mm(exchanged, true.joints).min()) > 50
    assert float(pa_mpjpe_mm(exchanged, true.joints).min()) > 10
    assert better_order(exchanged, true.joints).all()
    torch.testing.assert_close(pair_pa_mpjpe_better_order_mm(exchanged, true.joints), zeros(3), **ZERO)
    assert not better_order(true.joints, true.joints).any()
    assert "pair_pa_mpjpe_better_order_mm" in joint_rows(exchanged, true.joints)


def test_the_better_order_is_never_worse(true: Pairs, predicted: Pairs):
    either = pair_pa_mpjpe_better_order_mm(predicted.joints, true.joints)
    orders = [pair_pa_mpjpe_mm(p, true.joints) for p in (predicted.joints, predicted.joints.flip(1))]
    torch.testing.assert_close(either, torch.minimum(*orders))


def test_vertices_are_compared_about_the_root(true: Pairs):
    moved = true.vertices + torch.tensor([0.5, 0, 0])
    at_home = vertex_error_mm(moved, true.vertices, true.joints + torch.tensor([0.5, 0, 0]), true.joints)
    torch.testing.assert_close(at_home, zeros(3, 2), **ZERO)
    not_at_home = vertex_error_mm(moved, true.vertices, true.joints, true.joints)
    torch.testing.assert_close(not_at_home, zeros(3, 2) + 500, **ZERO)
    torch.testing.assert_close(pa_vertex_error_mm(1.2 * moved, true.vertices), zeros(3, 2), **ZERO)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_a_broken_joint_is_nan_for_its_person_and_pair_alone(true: Pairs, predicted: Pairs, bad: float):
    broken = predicted.joints.clone()
    broken[1, 0, 4, 1] = bad
    sound, found = joint_rows(predicted.joints, true.joints), joint_rows(broken, true.joints)
    untouched_by_a_shin = {"pa_mpjpe_b_mm", "mpjpe_b_mm", "relative_translation_error_mm", "relative_depth_error_mm"}
    for name, values in found.items():
        torch.testing.assert_close(values[[0, 2]], sound[name][[0, 2]])
        assert bool(values[1].isnan()) == (name not in untouched_by_a_shin), name


def test_a_person_in_one_point_is_finite(true: Pairs):
    point = true.joints.clone()
    point[:, 0] = torch.tensor([0.1, 0.2, 3.0])
    for values in joint_rows(point, true.joints).values():
        assert bool(values.isfinite().all())


def test_no_pairs_give_no_rows(true: Pairs):
    none = true.joints[:0]
    assert all(values.shape == (0,) for values in joint_rows(none, none).values())
