"""The automatic filter: every rule rejects what it is for, and says so."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from apu.body.protocol import Surface
from apu.contact.contact import Contact, ContactMap
from apu.scene.camera import Camera
from apu.scene.pair import ContactResult, Fit, PairObservation, StageRecord
from apu.scene.person import Keypoints, Person
from apu.scene.verdict import Verdict
from apu.unite.verdict import VerdictLimits, judge

CONTACT = Contact(frozenset({"left_hand_palm"}), frozenset({"right_upper_back"}))
GOOD = Fit(
    body_model="stub",
    parameters={},
    vertices=torch.zeros(2, 4, 3),
    joints=torch.zeros(2, 25, 3),
    first_vertices=torch.zeros(2, 4, 3),
    contacts=ContactMap((CONTACT, replace(CONTACT, weight=0.5)), "annotation"),
    contact_results=(ContactResult(0.3, 0.001), ContactResult(0.3, 0.02)),
    reprojection_percent=(1.0, 2.0),
    penetration_max_m=0.01,
    penetration_volume_cm3=3.0,
    heights_m=(1.7, 1.2),
    attributes={},
    hypothesis={},
    stages=(
        StageRecord("penetration", 9, "converged", 1.0, {"pose": 8.0, "bounds": 0.1, "shape": 0.4, "height": 0.1}),
    ),
)


SURFACE = Surface(torch.zeros(1, 3).long(), torch.zeros(1, 3).long(), torch.zeros(4, 3), torch.zeros(4).long())
PEOPLE = tuple(Person(i, Keypoints("body25", np.zeros((25, 2)), np.ones(25)), 1.0, "made up") for i in (0, 1))
UNMASKED = PairObservation("p", Camera.of_image(64, 64), (PEOPLE[0], PEOPLE[1]))


def judged(fit: Fit, limits: VerdictLimits | None = None) -> Verdict:
    return judge(UNMASKED, fit, SURFACE, limits)


def with_terms(**terms: float) -> Fit:
    return replace(GOOD, stages=(replace(GOOD.stages[0], terms={**GOOD.stages[0].terms, **terms}),))


def test_a_good_fit_is_accepted_by_every_rule():
    verdict = judged(GOOD)
    assert verdict.accepted
    assert [rule.holds for rule in verdict.rules] == [True] * 8
    assert str(verdict) == "accepted"


@pytest.mark.parametrize(
    ("fit", "rule"),
    [
        (replace(GOOD, reprojection_percent=(1.0, 3.1)), "reprojection error"),
        (replace(GOOD, reprojection_percent=(3.1, 1.0)), "reprojection error"),
        (replace(GOOD, penetration_max_m=0.031), "penetration"),
        (replace(GOOD, penetration_volume_cm3=201.0), "penetration volume"),
        (replace(GOOD, contact_results=(ContactResult(0.3, 0.03), ContactResult(0.3, 0.02))), "contacts met"),
        (replace(GOOD, contact_results=(ContactResult(0.3, 0.001), ContactResult(0.3, 0.4))), "contact distance"),
        (with_terms(pose=41.0), "unusual pose"),
        (with_terms(bounds=41.0), "unusual pose"),
        (with_terms(height=9.0), "unusual shape"),
        (replace(GOOD, reprojection_percent=(math.nan, math.nan)), "reprojection error"),
        (with_terms(pose=math.nan), "unusual pose"),
    ],
)
def test_one_fault_is_rejected_by_its_own_rule_alone(fit: Fit, rule: str):
    verdict = judged(fit)
    assert not verdict.accepted
    assert [failed.name for failed in verdict.failed] == [rule]
    assert str(verdict).startswith(f"rejected: {rule} ")


def test_a_pair_without_contacts_is_not_asked_for_them():
    verdict = judged(replace(GOOD, contacts=ContactMap((), "proximity"), contact_results=()))
    assert verdict.accepted
    assert not any("contact" in rule.name for rule in verdict.rules)


def test_guessed_contacts_are_not_asked_for():
    guessed = ContactMap((replace(CONTACT, source="proximity"),), "proximity")
    verdict = judged(replace(GOOD, contacts=guessed, contact_results=(ContactResult(0.3, 0.3),)))
    assert verdict.accepted
    assert not any("contact" in rule.name for rule in verdict.rules)


def test_contacts_that_were_not_used_are_not_asked_for():
    doubted = (ContactResult(0.3, 0.001, 0.4), ContactResult(0.9, 0.9, 0.0))
    assert judged(replace(GOOD, contact_results=doubted)).accepted
    used = (ContactResult(0.3, 0.001, 0.4), ContactResult(0.9, 0.9, 0.4))
    assert [rule.name for rule in judged(replace(GOOD, contact_results=used)).failed] == ["contact distance"]


def test_a_fit_whose_contacts_the_picture_denies_is_rejected():
    denied = (ContactResult(0.9, 0.9, 0.0), ContactResult(0.9, 0.9, 0.0))
    assert [rule.name for rule in judged(replace(GOOD, contact_results=denied)).failed] == ["contacts believed"]


def test_a_contact_counts_by_its_weight():
    swapped = replace(GOOD, contact_results=(ContactResult(0.3, 0.03), ContactResult(0.3, 0.001)))
    met = {rule.name: rule.value for rule in judged(swapped).rules}["contacts met"]
    assert met == pytest.approx(100 * 0.5 / 1.5)


def test_a_contact_counts_by_as_much_as_it_is_believed():
    hardly = (ContactResult(0.3, 0.001, 0.9), ContactResult(0.3, 0.3, 0.1))
    verdict = judged(replace(GOOD, contact_results=hardly))
    values = {rule.name: rule.value for rule in verdict.rules}
    used = 1 * 0.9 + 0.5 * 0.1
    assert verdict.accepted
    assert values["contacts believed"] == pytest.approx(100 * used / 1.5)
    assert values["contacts met"] == pytest.approx(100 * 0.9 / used)
    assert values["contact distance"] == pytest.approx(100 * (0.9 * 0.001 + 0.05 * 0.3) / used)


def test_the_limits_can_be_set():
    strict = VerdictLimits(penetration_m=0.005)
    assert [rule.name for rule in judged(GOOD, strict).failed] == ["penetration"]
