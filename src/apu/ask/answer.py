"""What a language model answers about one pair. The order of the fields is the order in which it writes them.

Evidence comes before what it is evidence for, and the decision last, because a constrained model cannot go back. There
are no optional fields and no unions: providers limit both in strict schemas; `unknown` says what None would.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from apu.contact.parts import OTHER_PARTS, PARTS
from apu.scene.pair import AgeGroup, Posture

OFFERED_PARTS: tuple[str, ...] = tuple(name for name in PARTS if name != "face")
"""The closed vocabulary that the model chooses from. The face is left out because it is part of the head."""

Side = Literal["left", "right", "both", "none", "unknown"]
Visibility = Literal["visible", "inferred"]
Confidence = Literal["low", "medium", "high"]
Decision = Literal["contact", "no contact", "cannot tell"]

SIDES: tuple[str, ...] = get_args(Side)
VISIBILITIES: tuple[str, ...] = get_args(Visibility)
CONFIDENCES: tuple[str, ...] = get_args(Confidence)
AGES: tuple[str, ...] = get_args(AgeGroup)
POSTURES: tuple[str, ...] = get_args(Posture)
DECISIONS: tuple[str, ...] = get_args(Decision)

MOST_CONTACTS = 20
LONGEST_SCENE, LONGEST_EVIDENCE = 400, 240
"""Characters."""


def _known_part(name: str) -> str:
    if name not in PARTS and name not in OTHER_PARTS:
        raise ValueError("no such part")
    return name


PartName = Annotated[
    str,
    AfterValidator(_known_part),
    WithJsonSchema({"type": "string", "enum": list(OFFERED_PARTS)}),
]
"""One of `OFFERED_PARTS` in the schema. Wider words, such as `arm`, are kept where a model says them all the same."""


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class PersonAnswer(_Strict):
    """What is said of one person."""

    age_group: AgeGroup
    posture: Posture


class ContactAnswer(_Strict):
    """One place where A and B touch. Sides are the person's own; `none` for a part of which there is one."""

    evidence: Annotated[str, Field(max_length=LONGEST_EVIDENCE)]
    part_a: PartName
    side_a: Side
    part_b: PartName
    side_b: Side
    visibility: Visibility
    confidence: Confidence


class PairAnswer(_Strict):
    """All that is said of a pair."""

    scene: Annotated[str, Field(max_length=LONGEST_SCENE)]
    person_a: PersonAnswer
    person_b: PersonAnswer
    contacts: Annotated[tuple[ContactAnswer, ...], Field(max_length=MOST_CONTACTS, strict=False)]
    decision: Decision

    @classmethod
    def json_schema(cls) -> Mapping[str, object]:
        """JSON schema of the answer: every field required, no others, no references, no titles."""
        schema = cls.model_json_schema()
        return {name: _plain(node, schema.get("$defs", {})) for name, node in _kept(schema).items()}

    def as_json(self) -> str:
        """The answer as a model would write it, on one line."""
        return self.model_dump_json()


def _plain(node: object, definitions: Mapping[str, object]) -> object:
    """The schema with its references replaced by what they mean: some servers read no references."""
    if isinstance(node, list):
        return [_plain(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _plain(definitions[node["$ref"].rsplit("/", 1)[1]], definitions)
    return {name: _plain(value, definitions) for name, value in _kept(node).items()}


def _kept(node: Mapping[str, object]) -> dict[str, object]:
    """A schema without titles, descriptions and definitions. No field of ours has such a name."""
    return {name: value for name, value in node.items() if name not in ("$defs", "title", "description")}
