"""A fit as a row of a data set: pseudo ground truth, with all that was asked, decided and measured on the way to it."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import torch

from apu.body.protocol import BodyModel
from apu.contact.measured import TOUCHING_WIDE_M, measure_contacts
from apu.dataset.record import PairRecord, named_contact, validated
from apu.scene.pair import Fit, PairObservation
from apu.scene.true_pair import ClassGroup, Split
from apu.scene.verdict import Verdict
from apu.unite.confidence import shipped
from apu.unite.penetration import deepest
from apu.unite.verdict import judge

JOINTS = "body25"
UNTOUCHED = "nothing touches"


@dataclass(frozen=True)
class Acceptance:
    """Which fits are taken into a data set. Two bodies that do not touch never are: they are no contact to learn from.

    Attributes:
        verdict: whether every rule of `apu.unite.verdict` must hold.
        min_chance: least chance of an accurate fit, in place of the calibrated one; asked where the verdict tells it.
    """

    verdict: bool = True
    min_chance: float | None = None

    def judged(self, body: BodyModel, observation: PairObservation, fit: Fit) -> Fit:
        """The fit with its verdict."""
        calibration = shipped()
        if self.min_chance is not None:
            calibration = replace(calibration, least_chance=self.min_chance)
        return replace(fit, verdict=judge(observation, fit, body.surface, calibration=calibration))

    def why_not(self, record: PairRecord, verdict: Verdict | None) -> tuple[str, str]:
        """Why a fit is not taken: a reason in few words, and the numbers; both empty of one that is."""
        if not record.contacts:
            return UNTOUCHED, f"no regions within {1000 * TOUCHING_WIDE_M:g} mm"
        failed = verdict.failed if self.verdict and verdict is not None else ()
        return (failed[0].name, "; ".join(map(str, failed))) if failed else ("", "")


@dataclass(frozen=True)
class Origin:
    """Where a fitted pair comes from.

    Attributes:
        id: of the record.
        kind: `simulated` or `photo`.
        split: which data it belongs to.
        source: photo, or the synthetic pair that was observed; plain values.
        seeds: of random numbers, name -> seed.
        answers: what annotators said; plain values.
        interaction: name of the class; empty where nobody knows.
        group: which classes it belongs to; None of a photo.
        image: `ImageRecord` as plain values; None where there is no photo.
    """

    id: str
    kind: str
    split: Split
    source: Mapping[str, Any]
    seeds: Mapping[str, int]
    answers: Sequence[Any] = ()
    interaction: str = ""
    group: ClassGroup | None = None
    image: Mapping[str, str] | None = None


def fitted_records(
    body: BodyModel,
    observations: Sequence[PairObservation],
    fits: Sequence[Fit],
    origins: Sequence[Origin],
    versions: Mapping[str, str],
) -> list[PairRecord]:
    """The records of some fits. Wall times are left out, so that the same fit gives the same bytes.

    Args:
        body: the model of the fits.
        observations, fits, origins: of each pair; the fits are judged.
        versions: name -> version.

    Raises:
        InputError: a number is not finite, or a field is wrong.
    """
    if not fits:
        return []
    vertices = torch.stack([fit.vertices for fit in fits])
    with torch.no_grad():
        contacts = measure_contacts(body.surface, vertices, TOUCHING_WIDE_M)
        depths = deepest(body.surface, vertices).tolist()
    rows = zip(observations, fits, origins, contacts, depths, strict=True)
    return [_record(seen, fit, one, near, depth, versions) for seen, fit, one, near, depth in rows]


def _record(seen: PairObservation, fit: Fit, origin: Origin, near, depth_m: float, versions) -> PairRecord:
    camera = seen.camera
    row = {
        "id": origin.id,
        "kind": origin.kind,
        "body_model": fit.body_model,
        "interaction": origin.interaction,
        "group": origin.group,
        "split": origin.split,
        "frame": "camera",
        "parameters": {name: value.tolist() for name, value in fit.parameters.items()},
        "contacts": [{**vars(contact), "weight": 1.0} for contact in near],
        "intended": [named_contact(contact) for contact in fit.contacts.contacts],
        "penetration_max_m": depth_m,
        "camera": {
            "focal_px": float(camera.focal_px),
            "center_px": [float(x) for x in camera.center_px],
            "width": camera.width,
            "height": camera.height,
        },
        "keypoints": [_joints(person) for person in seen.people],
        "initial": _initial(seen),
        "answers": _json(origin.answers),
        "decisions": _json(_decisions(fit, origin)),
        "losses": {f"{stage.name}/{term}": value for stage in fit.stages for term, value in stage.terms.items()},
        "verdict": _verdict(fit.verdict),
        "image": None if origin.image is None else dict(origin.image),
        "versions": dict(versions),
        "seeds": dict(origin.seeds),
    }
    return validated(PairRecord, row, "fit", origin.id)


def _joints(person) -> list[list[float]]:
    points = person.keypoints.as_set(JOINTS)
    return [[float(x), float(y), float(c)] for (x, y), c in zip(points.xy, points.confidence, strict=True)]


def _initial(seen: PairObservation) -> dict[str, list[list[float]]] | None:
    a, b = seen.initial
    if a is None or b is None:
        return None
    return {name: [a.parameters[name].tolist(), b.parameters[name].tolist()] for name in a.parameters}


def _decisions(fit: Fit, origin: Origin) -> dict[str, Any]:
    both = zip(fit.contacts.contacts, fit.contact_results, strict=True)
    rules = fit.verdict.rules if fit.verdict is not None else ()
    return {
        "source": origin.source,
        "contacts_of": fit.contacts.source,
        "contacts": [{"name": contact.name, "weight": contact.weight, **vars(result)} for contact, result in both],
        "hypothesis": fit.hypothesis,
        "stages": [{"name": s.name, "iterations": s.iterations, "stop": s.stop} for s in fit.stages],
        "verdict_details": {rule.name: rule.detail for rule in rules if rule.detail},
    }


def _verdict(verdict: Verdict | None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    names = ("name", "value", "limit", "unit", "sense")
    rules = [{name: getattr(rule, name) for name in names} for rule in verdict.rules]
    return {"accepted": verdict.accepted, "rules": rules}


def _json(value: Any) -> str:
    return json.dumps(plain_values(value), sort_keys=True, allow_nan=False)


def plain_values(value: Any) -> Any:
    """As JSON has it: sets in order, a number that is none as null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain_values(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain_values(entry) for name, entry in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(plain_values(entry) for entry in value)
    if isinstance(value, list | tuple):
        return [plain_values(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
