"""`PairRecord`: one pair of a data set, synthetic or out of a photo, as it is stored. The numbers are plain lists."""

import json
import re
import reprlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

import torch
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from apu.body.region_names import REGION_NAMES
from apu.contact.contact import Contact
from apu.contact.measured import MeasuredContact
from apu.errors import InputError
from apu.scene.true_pair import ClassGroup, Split, TruePair

SCHEMA_VERSION = 1
"""Rises when a column changes its meaning."""

_REGIONS = frozenset(REGION_NAMES)
_LARGEST = 3.4e38  # float32 has no larger ones
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80


def _region(name: str) -> str:
    if name not in _REGIONS:
        raise ValueError("one of the 75 region names (`apu regions` lists them)")
    return name


def _json(text: str) -> str:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("a JSON text") from None
    return text


def _sorted_map(value: object) -> object:
    """Parquet gives a map as a list of pairs; the order of a dict would show in the bytes of a file."""
    items = value.items() if isinstance(value, Mapping) else value
    return dict(sorted(items)) if isinstance(items, list) or isinstance(value, Mapping) else value  # type: ignore


Finite = Annotated[float, Field(allow_inf_nan=False)]
Single = Annotated[float, Field(allow_inf_nan=False, ge=-_LARGEST, le=_LARGEST)]
"""Stored with 32 bits; a number of more digits is rounded there."""
Region = Annotated[str, AfterValidator(_region)]
Regions = Annotated[list[Region], Field(min_length=1)]
Weight = Annotated[float, Field(gt=0, le=1)]
JsonText = Annotated[str, AfterValidator(_json)]
Bodies = Annotated[list[Annotated[list[Single], Field(min_length=1)]], Field(min_length=2, max_length=2)]
"""A's and B's numbers of one parameter."""
Joint = Annotated[list[Single], Field(min_length=3, max_length=3)]
Joints = Annotated[list[Joint], Field(min_length=25, max_length=25)]
Texts = Annotated[dict[str, str], BeforeValidator(_sorted_map)]
Numbers = Annotated[dict[str, float], BeforeValidator(_sorted_map)]
Seed = Annotated[int, Field(ge=0, lt=2**64)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class RegionContact(_Strict):
    """A region of A and one of B that touch, measured from the meshes."""

    region_a: Region
    region_b: Region
    distance_m: Annotated[Finite, Field(ge=0)]
    weight: Weight = 1.0


class NamedContact(_Strict):
    """Some place of a set of regions on A touches some place of a set on B: what somebody said, or asked for."""

    regions_a: Regions
    regions_b: Regions
    weight: Weight = 1.0
    source: str
    label_a: str = ""
    label_b: str = ""


class CameraRecord(_Strict):
    """The pinhole camera of a photo, pixels."""

    focal_px: Annotated[Finite, Field(gt=0)]
    center_px: Annotated[list[Finite], Field(min_length=2, max_length=2)]
    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]


class RuleRecord(_Strict):
    """One rule of a verdict; a value that could not be computed is NaN."""

    name: str
    value: float
    limit: float
    unit: str
    sense: Literal["at most", "at least"]


class VerdictRecord(_Strict):
    """Whether a fit can be trusted."""

    accepted: bool
    rules: list[RuleRecord]


class ImageRecord(_Strict):
    """Where a photo comes from, and whose it is."""

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    source_url: str = ""
    licence: str = ""
    attribution: str = ""


class PairRecord(_Strict):
    """One pair.

    Attributes:
        id: unique in the data set.
        kind: `synthetic`: the bodies are the truth; `photo`: they were fitted, pseudo ground truth; `simulated`: they
            were fitted to a simulated observation of a synthetic pair.
        schema_version: of the record.
        body_model: whose parameters they are.
        interaction: name of the class; empty where nobody knows.
        group: which classes it belongs to; None of a photo.
        split: which data it belongs to.
        base: where the base poses of A and B come from, see `TruePair`; None of a fit.
        frame: `level`: x right, y down, z away, floor at y = 0; `camera`: x right, y down, z forward. Metres.
        parameters: name -> A's and B's numbers.
        contacts: what touches in the meshes, nearest first.
        intended: what a synthetic pair's class asked for; of a fit, the contact map that was used.
        penetration_max_m: deepest vertex of either body in the other.
        camera: of the photo, or of a synthetic view.
        keypoints: BODY_25 of A and B: x, y in pixels and confidence, 0 where not seen.
        initial: estimates before any contact was used, as `parameters`.
        answers, decisions: JSON of the annotators' answers with their ids, and of what was made of them.
        losses: stage/term -> last weighted value.
        verdict: of the automatic filter.
        image: provenance of the photo.
        versions: of the software, name -> version.
        seeds: of random numbers, name -> seed.
    """

    id: Annotated[str, Field(min_length=1, max_length=200)]
    kind: Literal["synthetic", "simulated", "photo"]
    schema_version: Annotated[int, Field(ge=SCHEMA_VERSION, le=SCHEMA_VERSION)] = SCHEMA_VERSION
    body_model: str
    interaction: str
    group: ClassGroup | None = None
    split: Split
    base: Annotated[list[str], Field(min_length=2, max_length=2)] | None = None
    frame: Literal["level", "camera"]
    parameters: dict[str, Bodies]
    contacts: list[RegionContact]
    intended: list[NamedContact]
    penetration_max_m: Annotated[Finite, Field(ge=0)]
    camera: CameraRecord | None = None
    keypoints: Annotated[list[Joints], Field(min_length=2, max_length=2)] | None = None
    initial: dict[str, Bodies] | None = None
    answers: JsonText | None = None
    decisions: JsonText | None = None
    losses: Numbers | None = None
    verdict: VerdictRecord | None = None
    image: ImageRecord | None = None
    versions: Texts
    seeds: Annotated[dict[str, Seed], BeforeValidator(_sorted_map)]

    @model_validator(mode="after")
    def _same_sizes(self) -> "PairRecord":
        sizes = self.sizes()
        for field, value in (("parameters", self.parameters), ("initial", self.initial or self.parameters)):
            for name, (a, b) in value.items():
                if len(a) != len(b) or len(a) != sizes.get(name):
                    raise ValueError(f"as many numbers of `{name}` in `{field}` for A and B, and in `initial`")
        if self.initial is not None and set(self.initial) != set(self.parameters):
            raise ValueError("the same parameters in `initial` as in `parameters`")
        return self

    def sizes(self) -> dict[str, int]:
        """Numbers per body of each parameter."""
        return {name: len(a) for name, (a, _) in self.parameters.items()}

    @staticmethod
    def from_true_pair(pair: TruePair, versions: Mapping[str, str]) -> "PairRecord":
        """The record of a synthetic pair; `to_true_pair` gives back the same bits.

        Raises:
            InputError: a number is not finite, or a field is wrong.
        """
        row = {
            "id": pair.id,
            "kind": "synthetic",
            "body_model": pair.body_model,
            "interaction": pair.interaction,
            "group": pair.group,
            "split": pair.split,
            "base": list(pair.base),
            "frame": "level",
            "parameters": {name: value.tolist() for name, value in pair.parameters.items()},
            "contacts": [{**vars(contact), "weight": 1.0} for contact in pair.contacts],
            "intended": [named_contact(contact) for contact in pair.intended],
            "penetration_max_m": pair.penetration_max_m,
            "versions": dict(versions),
            "seeds": {"pair": pair.seed},
        }
        return validated(PairRecord, row, "generator", pair.id)

    def to_true_pair(self) -> TruePair:
        """The synthetic pair that was stored.

        Raises:
            InputError: the record is of a photo, or lacks what a true pair has.
        """
        if self.kind != "synthetic" or self.frame != "level" or not (self.group and self.base and "pair" in self.seeds):
            raise InputError(
                "A record is no synthetic pair.",
                where=f"pair {self.id}",
                expected="kind `synthetic`, frame `level`, a group, base poses and a seed",
                got=f"kind `{self.kind}`, frame `{self.frame}`",
                remedy="ask for the true bodies of synthetic pairs only.",
            )
        return TruePair(
            id=self.id,
            interaction=self.interaction,
            group=self.group,
            split=self.split,
            base=(self.base[0], self.base[1]),
            body_model=self.body_model,
            parameters={n: torch.tensor(v, dtype=torch.float32) for n, v in self.parameters.items()},
            contacts=tuple(MeasuredContact(c.region_a, c.region_b, c.distance_m) for c in self.contacts),
            intended=tuple(
                Contact(frozenset(c.regions_a), frozenset(c.regions_b), c.weight, c.source, c.label_a, c.label_b)
                for c in self.intended
            ),
            penetration_max_m=self.penetration_max_m,
            seed=self.seeds["pair"],
        )


class ClassCount(_Strict):
    """One class of a synthetic data set, and what its candidates came to."""

    group: ClassGroup
    pairs: Annotated[int, Field(ge=0)]
    tried: Annotated[int, Field(ge=0)]
    accepted: Annotated[int, Field(ge=0)]
    rejected: dict[str, int]
    failed: dict[str, str] = {}


class Shard(_Strict):
    """One file of a data set."""

    file: Annotated[str, Field(pattern=r"^pairs-\d{5}\.parquet$")]
    pairs: Annotated[int, Field(gt=0)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class DatasetInfo(_Strict):
    """`dataset.json`. It is written last: a folder that has it is complete.

    Attributes:
        schema_version: of the records.
        kind: of the records.
        body_model: whose parameters they are.
        parameters: name -> what each number is.
        pairs: how many.
        shards: files, in order.
        classes: name -> counts, and why candidates of the generator were rejected.
        settings: what the data set was asked for.
        versions: of the software, name -> version.
    """

    schema_version: Annotated[int, Field(ge=SCHEMA_VERSION, le=SCHEMA_VERSION)] = SCHEMA_VERSION
    kind: Literal["synthetic", "simulated", "photo"]
    body_model: str
    parameters: dict[str, list[str]]
    pairs: Annotated[int, Field(ge=0)]
    shards: list[Shard]
    classes: dict[str, ClassCount] = {}
    settings: dict[str, Any] = {}
    versions: Texts


Model = TypeVar("Model", bound=BaseModel)


def validated(model: type[Model], row: object, where: object, id: str = "") -> Model:
    """The row as a model.

    Args:
        model: what it should be.
        row: plain values.
        where, id: the file and the pair; for error messages.

    Raises:
        InputError: it is something else; the first field at fault is named.
    """
    try:
        return model.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        missing = first["type"] == "missing"
        place = "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in first["loc"]).removeprefix(".")
        raise InputError(
            "A pair of the data set is wrong." if id else "A record of the data set is wrong.",
            where=": ".join(filter(None, (str(where), f"pair {id}" if id else "", place))),
            expected="a value" if missing else re.sub("^(Input should be|Value error,) ", "", first["msg"]),
            got=None if missing else _SHORT.repr(first["input"]),
            remedy="make the data set again, or leave the pair out.",
        ) from error


def named_contact(contact: Contact) -> dict[str, Any]:
    """A `NamedContact` as plain values."""
    return {**vars(contact), "regions_a": sorted(contact.regions_a), "regions_b": sorted(contact.regions_b)}
