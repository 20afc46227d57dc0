"""From a fit to the records of `run.json`."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from torch import Tensor

from apu import __version__
from apu.body.joints import joint_names
from apu.scene.annotation import AnswerRecord
from apu.scene.pair import NO_WORDS, Fit, PairObservation
from apu.scene.person import Person
from apu.scene.photo import Photo
from apu.scene.verdict import Verdict
from apu.show.schema import (
    AnswerReport,
    ContactReport,
    DistanceReport,
    FailureReport,
    FitReport,
    PairReport,
    PeopleReport,
    PersonReport,
    PhotoReport,
    RuleReport,
    RunReport,
    VerdictReport,
    WordsReport,
)

AGE_OF_ADULT = 0.5
"""Age attribute from which a body counts as an adult's; about 12 years in Anny."""

_LIBRARIES = ("anny", "numpy", "onnxruntime", "scipy", "torch", "trimesh", "warp-lang")


@dataclass(frozen=True)
class RunInfo:
    """What only the caller of a run knows.

    Attributes:
        seed: of all random choices.
        options: what the run was asked for; paths, tuples and numpy numbers are written as plain JSON.
        seconds: wall time of the whole run.
        contacts_note: one line on where the contacts come from; drawn on the panel.
        focal_source: where the focal length comes from.
        versions: of further parts, e.g. the detector; added to those that are known here.
        failures: pairs that could not be fitted, and why.
        notes: what the user should know of how it was done.
        answers: pair -> answer of the language model that was asked about it.
    """

    seed: int
    options: Mapping[str, object]
    seconds: float
    contacts_note: str
    focal_source: str
    versions: Mapping[str, str] = field(default_factory=dict)
    failures: Sequence[tuple[tuple[int, int], str]] = ()
    notes: Sequence[str] = ()
    answers: Mapping[tuple[int, int], AnswerRecord] = field(default_factory=dict)


def run_report(
    photo: Photo, people: Sequence[Person], pairs: Sequence[tuple[PairObservation, Fit]], run_info: RunInfo
) -> RunReport:
    """The whole of `run.json`.

    Args:
        photo: as it was given.
        people: all that were found in it.
        pairs: the fitted ones.
        run_info: what only the caller knows.
    """
    versions = _versions() | {str(k): str(v) for k, v in run_info.versions.items()}
    versions |= {"body_model": ", ".join(sorted({fit.body_model for _, fit in pairs}))} if pairs else {}
    return RunReport(
        versions=versions,
        seed=run_info.seed,
        options={str(k): plain(v) for k, v in run_info.options.items()},
        seconds=run_info.seconds,
        photo=_photo_report(photo, pairs, run_info),
        people_found=PeopleReport(count=len(people), boxes=[list(person.box) for person in people]),
        pairs=[pair_report(observation, fit, run_info.answers.get(observation.indices)) for observation, fit in pairs],
        notes=[clean_text(note) for note in run_info.notes],
        failures=[FailureReport(pair=list(pair), reason=clean_text(why)) for pair, why in run_info.failures],
    )


def pair_report(observation: PairObservation, fit: Fit, answer: AnswerRecord | None = None) -> PairReport:
    """One pair's part of `run.json`, with the answer of the language model that was asked, if one was."""
    return PairReport(
        pair=[person.index for person in observation.people],
        people=[_person_report(observation.people[k], fit, k) for k in (0, 1)],
        words=None if observation.words == NO_WORDS else WordsReport(**plain(asdict(observation.words))),
        answer=None if answer is None else AnswerReport(**plain(asdict(answer))),
        fit=_fit_report(fit),
    )


def age_group(age: float) -> Literal["adult", "child", "unknown"]:
    """`child` below `AGE_OF_ADULT`; `unknown` for NaN."""
    if math.isnan(age):
        return "unknown"
    return "adult" if age >= AGE_OF_ADULT else "child"


def knee_flexion_deg(joints: Float[Tensor, "25 3"], side: Literal["left", "right"]) -> float:
    """Angle between the directions of thigh and shank, degrees: 0 for a straight leg, about 150 when kneeling."""
    names = joint_names("body25")
    points = joints.detach().cpu().double().numpy()
    hip, knee, ankle = (points[names.index(f"{side}_{joint}")] for joint in ("hip", "knee", "ankle"))
    thigh, shank = knee - hip, ankle - knee
    return math.degrees(math.atan2(float(np.linalg.norm(np.cross(thigh, shank))), float(thigh @ shank)))


def plain(value: object) -> Any:
    """Any value as JSON can hold it: NaN and infinities become null, unknown objects their text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str | Path):
        return clean_text(str(value))
    if isinstance(value, np.ndarray | np.generic | Tensor):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {clean_text(str(k)): plain(v) for k, v in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        return [plain(v) for v in (sorted(value, key=str) if isinstance(value, set | frozenset) else value)]
    return clean_text(str(value))


def clean_text(text: str) -> str:
    """Text that every JSON reader takes: bytes of a file name that are no text are written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _person_report(person: Person, fit: Fit, k: int) -> PersonReport:
    age = fit.attributes["age"][k] if "age" in fit.attributes else math.nan
    root = joint_names("body25").index("mid_hip")
    return PersonReport(
        index=person.index,
        box=list(person.box),
        height_m=fit.heights_m[k],
        age=age,
        age_group=age_group(age),
        root_depth_m=float(fit.joints[k, root, 2]),
        knee_angles_deg=[knee_flexion_deg(fit.joints[k], "left"), knee_flexion_deg(fit.joints[k], "right")],
    )


def _fit_report(fit: Fit) -> FitReport:
    contacts = [
        ContactReport(
            regions_a=sorted(contact.regions_a),
            regions_b=sorted(contact.regions_b),
            label=clean_text(contact.name),
            weight=contact.weight,
            source=clean_text(contact.source),
            trust=result.trust,
            distance_m=DistanceReport(before=result.before_m, after=result.after_m),
        )
        for contact, result in zip(fit.contacts.contacts, fit.contact_results, strict=True)
    ]
    return FitReport(
        reprojection_percent=list(fit.reprojection_percent),
        contacts=contacts,
        contact_source=clean_text(fit.contacts.source),
        penetration_max_m=fit.penetration_max_m,
        penetration_volume_cm3=fit.penetration_volume_cm3,
        terms={stage.name: dict(stage.terms) for stage in fit.stages},
        seconds={stage.name: stage.seconds for stage in fit.stages},
        iterations={stage.name: stage.iterations for stage in fit.stages},
        stop={stage.name: stage.stop for stage in fit.stages},
        hypothesis={str(k): plain(v) for k, v in fit.hypothesis.items()},
        verdict=_verdict_report(fit.verdict),
    )


def _verdict_report(verdict: Verdict | None) -> VerdictReport | None:
    if verdict is None:
        return None
    rules = [
        RuleReport(
            name=rule.name,
            value=rule.value,
            limit=rule.limit,
            unit=rule.unit,
            sense=rule.sense,
            holds=rule.holds,
            detail=rule.detail,
        )
        for rule in verdict.rules
    ]
    return VerdictReport(accepted=verdict.accepted, rules=rules)


def _photo_report(photo: Photo, pairs: Sequence[tuple[PairObservation, Fit]], run_info: RunInfo) -> PhotoReport:
    focal = pairs[0][0].camera.focal_px if pairs else photo.focal_px
    return PhotoReport(
        name=clean_text(photo.name),
        sha256=photo.sha256,
        width=photo.width,
        height=photo.height,
        focal_px=focal,
        focal_source=clean_text(run_info.focal_source),
    )


def _versions() -> dict[str, str]:
    found = {"apu": __version__}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
