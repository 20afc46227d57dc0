"""The automatic filter: is a fit good enough to be kept? Every rule's value and limit is recorded.

Most limits are hand-set heuristics from looking at fits of real photos: each rejects what is plainly broken. None of
them sees what is most often wrong, the depth between two people. For that there is one rule more, the chance of an
accurate fit (`apu.unite.confidence`), calibrated on synthetic pairs, where truth is known.
"""

import math
from dataclasses import dataclass

from apu.body.protocol import Surface
from apu.contact.contact import Contact
from apu.scene.pair import ContactResult, Fit, PairObservation
from apu.scene.verdict import RuleResult, Verdict
from apu.unite.clues import clues_of
from apu.unite.confidence import Calibration, chance_of, shipped
from apu.unite.occlusion import depth_order_agreement

CHANCE = "chance of an accurate fit"
UNASKED = frozenset({"none", "proximity"})
"""Sources of maps where nobody was asked what touches; another source's empty map is an answer, and a poor one."""

GUESS = "proximity"
"""Contacts of this source are not asked for: where such a guess is not met, the guess may be what is wrong."""


@dataclass(frozen=True)
class VerdictLimits:
    """When a fit is rejected.

    Attributes:
        reprojection_percent: mean keypoint error of the worse person, percent of the keypoint box's diagonal.
        touching_m: a contact within this distance is met.
        believed_share: share of the told contacts' weight that the picture does not speak against
            (`apu.unite.plausible`); not asked where no contact is known, or only guessed.
        met_share: share of the contacts' believed weight that must be met: a contact counts by as much as the fit was
            pulled by it. Not asked where no contact is known, or only guessed.
        contact_m: mean distance of the contacts, by believed weight, metres.
        penetration_m: deepest point of either body in the other, metres.
        penetration_cm3: estimate of the volume that both bodies fill.
        pose_cost: pose and anatomical bounds, both people, in squared standard deviations over two.
        shape_cost: shape and height, likewise.
        depth_order: share of the pixels that both bodies cover at which the right one is in front; asked where both
            people have clean masks.
    """

    reprojection_percent: float = 3.0
    touching_m: float = 0.02
    believed_share: float = 0.2
    met_share: float = 0.6
    contact_m: float = 0.06
    penetration_m: float = 0.03
    penetration_cm3: float = 200.0
    pose_cost: float = 40.0
    shape_cost: float = 8.0
    depth_order: float = 0.6


def judge(
    observation: PairObservation, fit: Fit, surface: Surface, limits: VerdictLimits | None = None,
    calibration: Calibration | None = None,
) -> Verdict:  # fmt: skip
    """Apply all rules to a fit.

    The chance of an accurate fit is told where both people have initial estimates and somebody was asked what touches,
    as in its calibration. It rejects only answers that may be wrong, as those were: where all contacts are certain
    (annotated, or true), its limit is 0.

    Args:
        observation: the pair.
        fit: with the records of its stages.
        surface: the skin that the fit's vertices belong to.
        limits: the standard ones when left out.
        calibration: of the chance; the package's own when left out.
    """
    limits = limits or VerdictLimits()
    terms = fit.stages[-1].terms if fit.stages else {}
    rules = [
        RuleResult("reprojection error", _worse(*fit.reprojection_percent), limits.reprojection_percent, "%"),
        RuleResult("penetration", 100 * fit.penetration_max_m, 100 * limits.penetration_m, "cm"),
        RuleResult("penetration volume", fit.penetration_volume_cm3, limits.penetration_cm3, "cm3"),
    ]
    told = told_contacts(fit)
    used = [(contact.weight * result.trust, result.after_m) for contact, result in told if result.trust > 0]
    weight = sum(share for share, _ in used)
    if told:
        left = weight / sum(contact.weight for contact, _ in told)
        rules.append(RuleResult("contacts believed", 100 * left, 100 * limits.believed_share, "%", "at least"))
    if weight > 0:
        met = sum(share for share, after_m in used if after_m <= limits.touching_m) / weight
        apart = sum(share * after_m for share, after_m in used) / weight
        rules.append(RuleResult("contacts met", 100 * met, 100 * limits.met_share, "%", "at least"))
        rules.append(RuleResult("contact distance", 100 * apart, 100 * limits.contact_m, "cm"))
    rules.append(RuleResult("unusual pose", _sum(terms, "pose", "bounds"), limits.pose_cost, ""))
    rules.append(RuleResult("unusual shape", _sum(terms, "shape", "height"), limits.shape_cost, ""))
    order = depth_order_agreement(observation, fit, surface.faces.cpu().numpy())
    if order is not None:
        rules.append(RuleResult("depth order", 100 * order, 100 * limits.depth_order, "%", "at least"))
    if all(one is not None for one in observation.initial) and (told or fit.contacts.source not in UNASKED):
        rules.append(_chance(observation, fit, told, calibration or shipped()))
    return Verdict(tuple(rules))


def told_contacts(fit: Fit) -> list[tuple[Contact, ContactResult]]:
    """The contacts of a fit that somebody told, and what became of each."""
    both = zip(fit.contacts.contacts, fit.contact_results, strict=True)
    return [(contact, result) for contact, result in both if contact.source != GUESS]


def _chance(
    observation: PairObservation, fit: Fit, told: list[tuple[Contact, ContactResult]], calibration: Calibration
) -> RuleResult:
    """The rule of the calibrated chance; its detail says which evidence speaks most against the fit, in logits."""
    chance = chance_of(clues_of(observation, fit, told), calibration)
    detail = f"against it: {chance.against()}" if chance.against() else ""
    certain = bool(told) and all(contact.certain for contact, _ in told)
    least = 0.0 if certain else calibration.least_chance
    return RuleResult(CHANCE, 100 * chance.value, 100 * least, "%", "at least", detail)


def _worse(a: float, b: float) -> float:
    """The larger; NaN when either is, which `max` would only tell of the first."""
    return math.nan if math.isnan(a) or math.isnan(b) else max(a, b)


def _sum(terms, *names: str) -> float:
    return sum(terms.get(name, math.nan) for name in names)
