"""SMPL-X's skeleton is fitted as Anny's is: one synthetic observation, two bodies, the same people."""

import math
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "body"))
from synthetic_smplx import anny_asset

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts
from apu.body.retarget import retarget
from apu.body.smplx import SmplxBody
from apu.contact.contact import Contact, ContactMap
from apu.evaluate.procrustes import similarity
from apu.unite.solve import look, unite

CONTACTS = ContactMap((Contact(frozenset({"left_upper_arm_front"}), frozenset({"right_upper_arm_front"})),), "test")


@pytest.fixture(scope="module")
def other(body: AnnyBody) -> SmplxBody:
    """Anny's skin on SMPL-X's 55 joints."""
    return SmplxBody(anny_asset(AnnyBody(body.asset, torch.float64)))


@pytest.fixture(scope="module")
def fits(body: AnnyBody, other: SmplxBody, pair):
    """Both bodies' fits of one pair."""
    return {one.name: (one, unite(one, look(one, [pair.observation]), [CONTACTS])[0]) for one in (body, other)}


def apart(found: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """(2,) PA-MPJPE of the people, metres."""
    return (similarity(found, wanted).apply(found) - wanted.double()).norm(dim=-1).mean(-1)


def test_both_bodies_take_the_same_pose_from_the_same_joints_in_space(body, other, pair):
    joints = []
    for one in (body, other):
        found = retarget(one, pair.joints, torch.ones(2, 25))
        joints.append(one.forward(found.parameters, Parts("j14")).joints)
    assert float(apart(joints[1], joints[0]).max()) < 0.025


def test_one_photo_tells_both_bodies_as_much(fits, body, pair):
    """In depth a photo leaves room, and each body uses its own: so each is compared with the truth."""
    truth = body.forward(pair.parameters, Parts("j14")).joints
    errors = {
        name: float(apart(one.forward(fit.parameters, Parts("j14")).joints, truth).mean())
        for name, (one, fit) in fits.items()
    }
    assert max(errors.values()) < 0.045
    assert errors["smplxa-anny"] < errors[body.name] + 0.015


def test_the_fit_is_as_good_in_the_picture_and_touches(fits):
    for _, fit in fits.values():
        assert max(fit.reprojection_percent) < 2.0
        assert fit.contact_results[0].after_m < 0.02


def test_the_fit_has_what_every_fit_has(fits):
    name = next(name for name in fits if name.startswith("smplxa-"))
    one, fit = fits[name]
    assert fit.body_model == name
    assert fit.vertices.shape == (2, one.vertex_count, 3)
    assert {k: v.shape[-1] for k, v in fit.parameters.items()} == {k: s.size for k, s in one.parameter_spec.items()}
    assert all(1.4 < h < 2.0 for h in fit.heights_m)
    assert all(math.isfinite(a) and 0.6 < a < 0.85 for a in fit.attributes["age"])
