"""The variants of the ablation, as data: other weights, another contact loss, or an input left out; one thing each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from apu.errors import InputError
from apu.unite.contact_alternatives import ContactLoss
from apu.unite.weights import StageWeights, UniteWeights

Answers = Literal["contacts", "oracle"]
ANSWERS: tuple[Answers, ...] = ("contacts", "oracle")
"""One noisy simulated answer, and the true contact map."""

FULL = "full"
"""The variant that all others are compared with."""

FREE = 1e6
"""A standard deviation, a reach or a scale so large that its term does nothing; in any unit."""


@dataclass(frozen=True)
class Variant:
    """The fit with one thing changed.

    Attributes:
        words: what it is.
        weights: of all stages.
        contact_loss: how contacts pull.
        estimates: whether initial estimates are used.
    """

    words: str
    weights: UniteWeights = field(default_factory=UniteWeights)
    contact_loss: ContactLoss = "soft"
    estimates: bool = True


def _priors(**changes: float) -> UniteWeights:
    weights = UniteWeights()
    return replace(weights, priors=replace(weights.priors, **changes))


def _meshes(contact: Mapping[str, object], penetration: Mapping[str, object]) -> UniteWeights:
    """With changes of the two mesh stages."""
    weights = UniteWeights()

    def changed(stage: StageWeights, changes: Mapping[str, object]) -> StageWeights:
        return StageWeights(**{**vars(stage), **changes})

    return replace(
        weights, contact=changed(weights.contact, contact), penetration=changed(weights.penetration, penetration)
    )


def _variants() -> dict[str, Variant]:
    whole = UniteWeights()
    untrusting = replace(whole.keypoints, robust=FREE)
    far = {"contact_reach_m": (FREE, FREE), "doubtful_reach_m": (FREE, FREE)}
    still = {"frozen": ("orientation",)}
    stiller = {"frozen": ("orientation", *whole.penetration.frozen)}
    cold = {"contact_tau_m": (whole.penetration.contact_tau_m[1],) * 2}
    return {
        FULL: Variant("the fit as it is"),
        "no keypoint robustness": Variant("squared keypoint errors", replace(whole, keypoints=untrusting)),
        "no pose prior": Variant("angles are free within their bounds", _priors(pose=0.0)),
        "no density": Variant("motion capture says nothing about poses", _priors(density=0.0)),
        "no bounds": Variant("angles may leave their anatomical bounds", _priors(bound_sigma=FREE)),
        "no shape prior": Variant("shape is held by the height alone", _priors(shape=0.0)),
        "no upright": Variant("bodies may lean as they like", _priors(lean_sigma=FREE, tilt_sigma=FREE)),
        "no initial estimate": Variant("keypoints and contacts alone", estimates=False),
        "no depth gap": Variant("nothing holds the two depths together", _priors(gap_sigma_m=FREE, gap_error_m=FREE)),
        "no capsules": Variant("no coarse overlap of the limbs", _priors(capsule_sigma_m=FREE)),
        "no self overlap": Variant("arms may run through the own trunk", _priors(self_sigma_m=FREE)),
        "no penetration": Variant("meshes may overlap", _meshes({}, {"penetration": (0.0, 0.0)})),
        "one hypothesis": Variant(
            "the cheapest before contacts are known", replace(whole, first=replace(whole.first, hypotheses=1))
        ),
        "one finalist": Variant("the cheapest of the contact stage", replace(whole, finalists=1)),
        "no doubt": Variant("contacts that the picture denies are used", replace(whole, across_sigma_m=FREE)),
        "no contact stage": Variant("hypotheses are judged where they stand", _meshes({"steps": 0}, {})),
        "no penetration stage": Variant("nothing follows the contact stage", _meshes({}, {"steps": 0})),
        "frozen orientation": Variant("of both bodies, after the first fit", _meshes(still, stiller)),
        "free shape": Variant("the penetration stage changes shapes, too", _meshes({}, {"frozen": ()})),
        "whole steps of place": Variant("in the penetration stage, too", _meshes({}, {"place_rate": 1.0})),
        "no contact robustness": Variant("a far contact pulls with the square of its distance", _meshes(far, far)),
        "one reach": Variant(
            "doubtful contacts reach as far as certain ones",
            _meshes(
                {"doubtful_reach_m": whole.contact.contact_reach_m},
                {"doubtful_reach_m": whole.penetration.contact_reach_m},
            ),
        ),
        "no annealed temperature": Variant("the last temperature from the start", _meshes(cold, cold)),
        "hard": Variant("smallest distance, squared", contact_loss="hard"),
        "hard without doubt": Variant(
            "the same, and no contact is doubted", replace(whole, across_sigma_m=FREE), "hard"
        ),
        "chamfer": Variant("BUDDI's quartic region Chamfer distance", contact_loss="chamfer"),
        "part-minimum": Variant("ProsePose's linear part minimum", contact_loss="part-minimum"),
        "mindist": Variant("BUDDI's heuristic: no map, the smallest distance to zero", contact_loss="mindist"),
    }


VARIANTS: Mapping[str, Variant] = _variants()


def method_name(variant: str, answers: Answers) -> str:
    """What a variant with one kind of answers is called among the methods of rows, e.g. `contacts: hard`."""
    return f"{answers}: {variant}"


def chosen_variants(names: Sequence[str] | None) -> dict[str, Variant]:
    """The variants of these names in the order of `VARIANTS`, with `FULL` first; all of them for None.

    Raises:
        InputError: a name is unknown.
    """
    unknown = [name for name in names or () if name not in VARIANTS]
    if unknown:
        raise InputError(
            "There is no such variant.",
            where="--variants",
            expected=", ".join(VARIANTS),
            got=", ".join(unknown),
            remedy="name one or more of them, parted by commas.",
        )
    return {name: one for name, one in VARIANTS.items() if names is None or name in names or name == FULL}
