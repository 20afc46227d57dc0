"""How often chirality denoising finds the true sides, where that can be decided at all.

A contact that was answered is **decidable** when its relation is right (of limbs at both ends: same or opposite side)
and, with noise-free keypoints, its true sides are closer than every other combination that is compared, by 0.1 torso or
more. Of what is not decidable, nobody could tell the sides from keypoints. Contacts of an answer that has A and B
exchanged are left out: their sides belong to the other person (`apu.contact.impossible` looks for those).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from apu.ask.person_points import image_points
from apu.body.joints import joint_names
from apu.contact.body_points import BodyPoints
from apu.contact.chirality import ChiralityOptions, denoise
from apu.contact.chirality_explained import Candidate, Variant
from apu.contact.named_contact import NamedContact
from apu.dataset.synthetic.answers import SOURCE, AnsweredContact, SimulatedAnswer
from apu.dataset.synthetic.observe import Observed
from apu.dataset.synthetic.visibility import JointState
from apu.evaluate.ask_findings import Share, share_of

DECIDABLE_TORSOS = 0.1
VARIANTS: tuple[Variant, ...] = ("relation", "all-four")

Flipped = Literal["none", "one", "both"]


@dataclass(frozen=True)
class SideCase:
    """One answered contact of which a side can be right or wrong.

    Attributes:
        pair, seed: where it was answered.
        variant: of the denoising.
        ends: with a side: 1 or 2.
        flipped: which of them the answer has wrong.
        decidable: see the module.
        right: after denoising.
    """

    pair: str
    seed: int
    variant: Variant
    ends: int
    flipped: Flipped
    decidable: bool
    right: bool


@dataclass(frozen=True)
class Recovery:
    """One variant on one kind of contacts.

    Attributes:
        variant: of the denoising.
        kind: `all`, `one sided end`, `two sided ends`.
        contacts: how many.
        decidable: share of them.
        recovered: of the decidable ones, those whose sides are right after denoising.
        mended: of the decidable ones that were answered wrong, those that are right after it.
        kept: of the decidable ones that were answered right, those that still are.
        before, after: of all, those whose sides are right.
    """

    variant: Variant
    kind: str
    contacts: int
    decidable: Share
    recovered: Share
    mended: Share
    kept: Share
    before: Share
    after: Share


def side_cases(seen: Observed, answer: SimulatedAnswer, seed: int) -> list[SideCase]:
    """Every contact of an answer that has a true side, with both variants.

    Args:
        seen: the pair.
        answer: about it.
        seed: of the observation.
    """
    out = []
    clean_a, clean_b = (_noise_free(seen, person) for person in (0, 1))
    a, b = (image_points(person) for person in seen.observation.people)
    for contact in answer.contacts:
        true = _true_sides(contact)
        if true is None:
            continue
        said = NamedContact(contact.a, contact.b, 1.0, SOURCE)
        wrong = sum(x != y for x, y in zip(true, (said.a.side, said.b.side), strict=True))
        ends = sum(side != "none" for side in true)
        flipped: Flipped = ("none", "one", "both")[0 if not wrong else 2 if wrong == ends else 1]
        for variant in VARIANTS:
            ideal = denoise([said], clean_a, clean_b, ChiralityOptions(variant, min_margin=0.0)).decisions[0].candidates
            (decision,) = denoise([said], a, b, ChiralityOptions(variant)).decisions
            (chosen,) = decision.choice
            right = (chosen.a.meant.side, chosen.b.meant.side) == true
            relation = flipped != "one" or variant == "all-four"
            decidable = relation and _clear(ideal, true)
            out.append(SideCase(seen.truth.id, seed, variant, ends, flipped, decidable, right))
    return out


def recoveries(cases: Sequence[SideCase]) -> list[Recovery]:
    """Both variants, on all contacts and by how many ends have a side; intervals are over pairs."""
    kinds = {"all": (1, 2), "one sided end": (1,), "two sided ends": (2,)}
    return [
        _recovery(variant, kind, [c for c in cases if c.variant == variant and c.ends in ends])
        for variant in VARIANTS
        for kind, ends in kinds.items()
    ]


def _recovery(variant: Variant, kind: str, cases: Sequence[SideCase]) -> Recovery:
    clear = [c for c in cases if c.decidable]

    def share(some: Sequence[SideCase], is_so) -> Share:
        return share_of([(c.pair, float(is_so(c)), 1.0) for c in some])

    return Recovery(
        variant,
        kind,
        len(cases),
        decidable=share(cases, lambda c: c.decidable),
        recovered=share(clear, lambda c: c.right),
        mended=share([c for c in clear if c.flipped != "none"], lambda c: c.right),
        kept=share([c for c in clear if c.flipped == "none"], lambda c: c.right),
        before=share(cases, lambda c: c.flipped == "none"),
        after=share(cases, lambda c: c.right),
    )


def _true_sides(contact: AnsweredContact) -> tuple[str, str] | None:
    """The sides that a contact should have; None where there are none, or where nobody could say."""
    if contact.truth is None or "people" in contact.errors:
        return None
    ends = (contact.truth.a, contact.a), (contact.truth.b, contact.b)
    if any(said.paired != true.sided for true, said in ends):  # `hip` has a side, the buttocks that it stands for not
        return None
    sides = contact.truth.a.side, contact.truth.b.side
    return sides if any(end.sided for end, _ in ends) else None


def _clear(candidates: Sequence[Candidate], true: tuple[str, str]) -> bool:
    """Whether the true sides beat every other compared combination."""
    compared = {c.sides[0]: c.distance_torsos for c in candidates if c.compared and c.distance_torsos is not None}
    own = compared.pop(true, None)
    return own is not None and bool(compared) and min(compared.values()) - own >= DECIDABLE_TORSOS


def _noise_free(seen: Observed, person: int) -> BodyPoints:
    there = seen.visible[person] != JointState.OUT_OF_FRAME
    return BodyPoints(seen.true_keypoints[person], there.astype(np.float64), joint_names("body25"))
