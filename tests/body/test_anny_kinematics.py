"""The fast chain, its index tricks and the interpolation weights against naive twins."""

import pytest
import roma
import torch
from hypothesis import given
from hypothesis import strategies as st

from apu.body.anny_jacobian import _left_jacobian
from apu.body.anny_kinematics import chain, doublings, hat_weights


@st.composite
def trees(draw) -> torch.Tensor:
    """Parents before children; the root is its own parent, as in the tables."""
    count = draw(st.integers(1, 12))
    return torch.tensor([0] + [draw(st.integers(0, i - 1)) for i in range(1, count)])


@given(trees(), st.integers(0, 1000))
def test_pointer_doubling_equals_walking_to_the_root(parent, seed):
    random = torch.Generator().manual_seed(seed)
    count = len(parent)
    rotation = roma.rotvec_to_rotmat(torch.randn(2, count, 3, generator=random, dtype=torch.float64))
    offset = torch.randn(2, count, 3, generator=random, dtype=torch.float64)
    fast_rotation, fast_position = chain(rotation, offset, tuple(doublings(parent)))
    world, place = [rotation[:, 0]], [offset[:, 0]]
    for bone in range(1, count):
        above = int(parent[bone])
        world.append(world[above] @ rotation[:, bone])
        place.append(place[above] + (world[above] @ offset[:, bone, :, None])[..., 0])
    assert torch.allclose(fast_rotation, torch.stack(world, 1), atol=1e-12)
    assert torch.allclose(fast_position, torch.stack(place, 1), atol=1e-12)


@given(st.floats(-1 / 3, 1.0))
def test_interpolation_weights_reproduce_the_value_and_sum_to_one(x):
    anchors = torch.tensor([-1 / 3, 0.0, 1 / 3, 2 / 3, 1.0], dtype=torch.float64)
    weights = hat_weights(torch.tensor([x], dtype=torch.float64), anchors)[0]
    assert float(weights.sum()) == pytest.approx(1.0)
    assert float(weights @ anchors) == pytest.approx(x, abs=1e-12)
    assert int((weights.abs() > 1e-12).sum()) <= 2


@given(st.lists(st.floats(-3.0, 3.0), min_size=3, max_size=3))
def test_the_left_jacobian_is_the_derivative_of_the_exponential(r):
    turn = torch.tensor([r], dtype=torch.float64)
    found = _left_jacobian(turn)[0]
    step = 1e-6
    for i in range(3):
        d = torch.zeros(1, 3, dtype=torch.float64)
        d[0, i] = step
        there, back = roma.rotvec_to_rotmat(turn + d), roma.rotvec_to_rotmat(turn - d)
        expected = roma.rotmat_to_rotvec(there @ back.mT)[0] / (2 * step)
        assert torch.allclose(found[:, i], expected, atol=1e-6)
