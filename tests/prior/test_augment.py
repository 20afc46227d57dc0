"""A pair seen the other way round, and in a mirror, is the same pair."""

from dataclasses import replace

import pytest
import roma
import torch

from apu.body.joints import joint_names
from apu.body.protocol import Parts
from apu.body.region_names import REGION_NAMES
from apu.contact.contact import Contact, ContactMap
from apu.errors import InputError
from apu.prior.augment import mirrored, mirrored_bodies, swapped, varied
from apu.prior.contact_tokens import contact_tokens

ACROSS = torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)
HEAD = {"nose", "left_eye", "right_eye", "left_ear", "right_ear"}
ASYMMETRY_M, HEAD_ASYMMETRY_M = 5e-4, 5e-3
"""Of Anny itself, see tests/body/test_anny_mirror.py."""


def partners() -> list[int]:
    names = joint_names("body25")
    swap = {"left": "right", "right": "left"}
    return [names.index("_".join(swap.get(word, word) for word in name.split("_"))) for name in names]


def test_a_mirrored_pair_has_the_mirrored_joints(body64, random_pairs):
    pairs = random_pairs(16, seed=4)
    found = body64.forward(mirrored_bodies(pairs, body64.parameter_spec), Parts("body25")).joints
    expected = body64.forward(pairs, Parts("body25")).joints[:, :, partners()] * ACROSS
    error = (found - expected).norm(dim=-1).amax((0, 1))
    for name, value in zip(joint_names("body25"), error.tolist(), strict=True):
        assert value < (HEAD_ASYMMETRY_M if name in HEAD else ASYMMETRY_M), name


def test_a_mirrored_pair_has_the_mirrored_row(body64, representation, random_pairs):
    pairs = random_pairs(8)
    rows, image = (representation.encode(one) for one in (pairs, mirrored_bodies(pairs, body64.parameter_spec)))
    (turn, offset), (turn_image, offset_image) = representation.relative(rows), representation.relative(image)
    flip = torch.diag(ACROSS)
    assert torch.allclose(turn_image, flip @ turn @ flip, atol=1e-12)
    assert torch.allclose(offset_image, offset * ACROSS, atol=1e-12)


def test_a_swapped_pair_is_seen_from_b(representation, known_pairs):
    rows, other = (representation.encode(one.parameters).double() for one in (known_pairs, swapped(known_pairs)))
    (turn, offset), (turn_back, offset_back) = representation.relative(rows), representation.relative(other)
    assert torch.allclose(turn_back, turn.mT, atol=1e-6)
    assert torch.allclose(offset_back, -(turn.mT @ offset[..., None])[..., 0], atol=1e-5)
    own = sum(t.size for t in representation.tokens if t.kind == "own" and t.person == 0)
    assert torch.equal(other[:, :own], rows[:, own : 2 * own])


@pytest.mark.parametrize("change", ["swap", "mirror"])
def test_twice_is_not_at_all_to_the_bit(body, known_pairs, change):
    def changed(pairs):
        return swapped(pairs) if change == "swap" else mirrored(pairs, body.parameter_spec)

    assert changed(known_pairs).digest != known_pairs.digest
    assert changed(changed(known_pairs)).digest == known_pairs.digest


def test_contacts_and_estimates_go_along(body, known_pairs):
    one = ContactMap((Contact(frozenset({"left_hand_palm"}), frozenset({"right_knee_front", "pelvis_front"})),), "test")
    pairs = replace(known_pairs.rows(torch.tensor([0])), contacts=contact_tokens([one]))
    both = varied(pairs, body.parameter_spec, torch.tensor([True]), torch.tensor([True]))
    assert [REGION_NAMES[i] for i in torch.nonzero(both.contacts.on_a[0, 0]).flatten()] == [
        "left_knee_front",
        "pelvis_front",
    ]
    assert [REGION_NAMES[i] for i in torch.nonzero(both.contacts.on_b[0, 0]).flatten()] == ["right_hand_palm"]
    assert pairs.initial_known.tolist() == [[True, False]]
    assert both.initial_known.tolist() == [[False, True]]
    assert torch.equal(both.initial["shape"][0, 1], pairs.initial["shape"][0, 0])


def test_only_the_chosen_pairs_are_varied(body, known_pairs):
    first = torch.arange(len(known_pairs)) < 10
    some = varied(known_pairs, body.parameter_spec, first, ~first)
    index = torch.arange(len(known_pairs))
    assert some.rows(index[:10]).digest == swapped(known_pairs.rows(index[:10])).digest
    assert some.rows(index[10:]).digest == mirrored(known_pairs.rows(index[10:]), body.parameter_spec).digest


def test_what_relates_two_people_does_not_depend_on_which_comes_first(representation, known_pairs):
    """The angle between the two orientations, and the distance of their roots."""
    for pairs in (known_pairs, swapped(known_pairs)):
        turn, offset = representation.relative(representation.encode(pairs.parameters))
        angle = roma.rotmat_to_rotvec(turn).norm(dim=-1)
        distance = (known_pairs.parameters["translation"].diff(dim=1)[:, 0]).norm(dim=-1)
        assert torch.allclose(offset.norm(dim=-1), distance, atol=1e-5)
        a, b = roma.rotvec_to_rotmat(known_pairs.parameters["orientation"]).unbind(1)
        assert torch.allclose(angle, roma.rotmat_geodesic_distance(a, b), atol=1e-3)


def test_a_body_whose_mirror_nobody_knows_is_refused(body, random_pairs):
    spec = dict(body.parameter_spec)
    spec["pose"] = replace(spec["pose"], names=tuple(f"angle_{i}" for i in range(47)))
    with pytest.raises(InputError, match="mirror"):
        mirrored_bodies(random_pairs(1), spec)
