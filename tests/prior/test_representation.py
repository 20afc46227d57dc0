"""A row holds everything about a pair but where it is, and comes back as the pair that it was."""

import math

import pytest
import roma
import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts
from apu.body.rigid import moved
from apu.errors import InputError
from apu.prior.representation import Representation, RootFrame


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_a_pair_comes_back_as_it_was(representation, random_pairs, dtype, tolerance):
    pairs = random_pairs(200, dtype=dtype)
    pairs["orientation"] *= 0.9 * math.pi / pairs["orientation"].norm(dim=-1, keepdim=True).clamp(min=0.9 * math.pi)
    back = representation.decode(representation.encode(pairs), representation.frame(pairs))
    assert list(back) == list(pairs)
    for name, value in pairs.items():
        assert back[name].dtype == dtype
        assert (back[name] - value).abs().max() < tolerance, name


def test_orientations_near_half_a_turn_come_back_as_the_same_rotation(representation, random_pairs):
    pairs = random_pairs(200)
    length = pairs["orientation"].norm(dim=-1, keepdim=True)
    pairs["orientation"] *= (math.pi + 1e-3 * torch.linspace(-1, 1, 200)[:, None, None].double()) / length
    back = representation.decode(representation.encode(pairs), representation.frame(pairs))
    found, true = (roma.rotvec_to_rotmat(one["orientation"]) for one in (back, pairs))
    assert (found - true).abs().max() < 1e-10


def test_moving_both_together_changes_no_row(representation, random_pairs):
    pairs = random_pairs(20)
    turn = roma.rotvec_to_rotmat(torch.tensor([0.4, -1.0, 2.0], dtype=torch.float64))
    elsewhere = moved(pairs, turn, torch.tensor([3.0, -1.0, 2.0], dtype=torch.float64))
    assert torch.allclose(representation.encode(elsewhere), representation.encode(pairs), atol=1e-12)


def test_a_row_holds_b_as_a_sees_it(body64, representation, random_pairs):
    """The joints of both, posed in A's root frame, are the joints of the pair moved there (rows of Anny's joint matrix
    sum to 1 to seven digits)."""
    pairs = random_pairs(6)
    rows = representation.encode(pairs)
    at_a = representation.decode(rows, RootFrame.origin(rows))
    joints = body64.forward(pairs, Parts("body25")).joints
    turn = roma.rotvec_to_rotmat(pairs["orientation"][:, 0])
    expected = torch.einsum("nji,npkj->npki", turn, joints - pairs["translation"][:, :1, None])
    assert torch.allclose(body64.forward(at_a, Parts("body25")).joints, expected, atol=1e-6)


def test_tokens_cover_a_row_once_and_name_person_and_quantity(representation):
    names = [(t.person, t.parameter, t.size) for t in representation.tokens]
    assert names == [
        (0, "pose", 47), (0, "shape", 6), (1, "pose", 47), (1, "shape", 6), (1, "orientation", 6),
        (1, "translation", 3),
    ]  # fmt: skip
    columns = [column for t in representation.tokens for column in range(t.start, t.stop)]
    assert columns == list(range(representation.size))


def test_up_is_up_for_an_upright_a_and_ahead_for_one_who_lies_on_the_back(representation, random_pairs):
    pairs = random_pairs(2)
    # the zero orientation stands and faces the camera; a quarter turn about x turns the face up
    pairs["orientation"][:, 0] = torch.tensor([[0.0, 1.0, 0.0], [-math.pi / 2, 0.0, 0.0]], dtype=torch.float64)
    up = representation.up(pairs)
    assert torch.allclose(up[0], torch.tensor([0.0, -1.0, 0.0], dtype=torch.float64), atol=1e-12)
    assert torch.allclose(up[1], torch.tensor([0.0, 0.0, -1.0], dtype=torch.float64), atol=1e-12)
    spun = moved(
        pairs, roma.rotvec_to_rotmat(torch.tensor([0.0, 0.7, 0.0]).double()), torch.zeros(3, dtype=torch.float64)
    )
    assert torch.allclose(representation.up(spun), up, atol=1e-12)


def test_the_line_of_sight_is_ahead_of_the_camera_and_behind_one_who_faces_it(representation, random_pairs):
    pairs = random_pairs(3)
    turned = [[0.0, 0.0, 0.0], [0.0, math.pi, 0.0], [0.0, 0.0, 0.0]]
    pairs["orientation"][:, 0] = torch.tensor(turned, dtype=torch.float64)
    pairs["translation"][:, 0] = torch.tensor([[0.0, 0.0, 3.0], [0.0, 0.0, 3.0], [4.0, 0.0, 4.0]])
    slanted = math.sqrt(0.5)
    expected = [[0.0, 0.0, 1.0], [0.0, 0.0, -1.0], [slanted, 0.0, slanted]]
    assert torch.allclose(representation.view(pairs), torch.tensor(expected, dtype=torch.float64), atol=1e-12)
    turn = roma.rotvec_to_rotmat(torch.tensor([0.4, 0.7, -0.2]).double())
    spun = moved(pairs, turn, torch.zeros(3, dtype=torch.float64))
    assert torch.allclose(representation.view(spun), representation.view(pairs), atol=1e-12)


def test_encoding_has_the_gradient_of_finite_differences(representation, random_pairs):
    pairs = random_pairs(1)
    names = list(pairs)

    def encode(*values: torch.Tensor) -> torch.Tensor:
        return representation.encode(dict(zip(names, values, strict=True)))

    assert torch.autograd.gradcheck(encode, [pairs[name].requires_grad_() for name in names])


def test_any_six_numbers_give_a_rotation(representation):
    rows = torch.randn(50, representation.size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    turn, _ = representation.relative(rows)
    assert torch.allclose(turn @ turn.mT, torch.eye(3, dtype=torch.float64).expand(50, 3, 3), atol=1e-12)
    assert torch.allclose(torch.linalg.det(turn), torch.ones(50, dtype=torch.float64), atol=1e-12)


def test_the_digest_depends_on_body_and_meaning_but_not_on_the_dtype(body, body64, representation):
    assert Representation(body64.name, body64.parameter_spec).digest == representation.digest
    assert Representation("other-1", body.parameter_spec).digest != representation.digest
    swapped = {name: body.parameter_spec[name] for name in ("orientation", "translation", "shape", "pose")}
    assert Representation(body.name, swapped).digest != representation.digest


def test_bounds_hold_every_angle(body: AnnyBody, representation, random_pairs):
    pairs = random_pairs(3, dtype=torch.float32)
    wild = {**pairs, "pose": pairs["pose"] * 100}
    held = representation.within_bounds(wild)
    spec = body.parameter_spec["pose"]
    assert bool(((held["pose"] >= spec.lower) & (held["pose"] <= spec.upper)).all())
    assert torch.equal(held["shape"], wild["shape"])


def test_a_body_without_a_place_is_refused(body):
    spec = {name: one for name, one in body.parameter_spec.items() if name != "translation"}
    with pytest.raises(InputError, match="one place in the world") as error:
        Representation(body.name, spec)
    assert "translation" in str(error.value)
