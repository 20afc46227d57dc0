"""The schema of an answer: what providers accept, and in what order a model writes it."""

import json

import pytest
from pydantic import ValidationError

from apu.ask.answer import OFFERED_PARTS, PairAnswer
from apu.contact.parts import PARTS, part_regions
from apu.scene.pair import NO_WORDS

SCHEMA = PairAnswer.json_schema()
GOOD = {
    "scene": "s",
    "person_a": {"age_group": "adult", "posture": "standing"},
    "person_b": {"age_group": "unknown", "posture": "unknown"},
    "contacts": [
        {"evidence": "e", "part_a": "hand", "side_a": "left", "part_b": "back", "side_b": "none",
         "visibility": "visible", "confidence": "high"}
    ],
    "decision": "contact",
}  # fmt: skip


def nodes(node: object):
    yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(inner)


def objects() -> list[dict]:
    return [node for node in nodes(SCHEMA) if isinstance(node, dict) and node.get("type") == "object"]


def test_evidence_is_generated_before_what_it_is_for_and_the_decision_last():
    assert list(SCHEMA["properties"]) == ["scene", "person_a", "person_b", "contacts", "decision"]
    contact = SCHEMA["properties"]["contacts"]["items"]["properties"]
    assert list(contact) == ["evidence", "part_a", "side_a", "part_b", "side_b", "visibility", "confidence"]
    assert list(GOOD) == list(json.loads(PairAnswer.model_validate(GOOD, strict=False).as_json()))


def test_every_field_is_required_and_no_other_is_allowed():
    assert len(objects()) == 4
    for node in objects():
        assert node["required"] == list(node["properties"])
        assert node["additionalProperties"] is False


def test_there_are_no_unions_no_optional_fields_and_no_references():
    words = {key for node in nodes(SCHEMA) if isinstance(node, dict) for key in node}
    assert words.isdisjoint({"anyOf", "oneOf", "allOf", "$ref", "$defs", "default", "const", "title", "description"})
    assert all(isinstance(node["type"], str) for node in nodes(SCHEMA) if isinstance(node, dict) and "type" in node)


def test_every_text_is_bounded_or_closed():
    strings = [node for node in nodes(SCHEMA) if isinstance(node, dict) and node.get("type") == "string"]
    assert len(strings) == 13
    assert all("enum" in node or node["maxLength"] <= 400 for node in strings)
    assert SCHEMA["properties"]["contacts"]["maxItems"] == 20


def test_the_vocabulary_has_no_sides_covers_the_body_and_splits_shoulder_and_waist():
    assert 16 <= len(OFFERED_PARTS) <= 18
    assert not any(side in part.split() for part in OFFERED_PARTS for side in ("left", "right", "both"))
    covered = frozenset().union(*(part_regions(part, "none") for part in OFFERED_PARTS))
    assert len(covered) == 75
    assert {"shoulder front", "shoulder back", "waist front", "waist back"} <= set(OFFERED_PARTS) <= set(PARTS)


def test_the_schema_offers_exactly_the_vocabulary():
    contact = SCHEMA["properties"]["contacts"]["items"]["properties"]
    assert contact["part_a"]["enum"] == contact["part_b"]["enum"] == list(OFFERED_PARTS)


def test_the_schema_can_be_sent_and_is_the_same_every_time():
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA == PairAnswer.json_schema()


@pytest.mark.parametrize(
    "change",
    [
        {"decision": "yes"},
        {"scene": "x" * 401},
        {"scene": None},
        {"contacts": GOOD["contacts"] * 21},
        {"contacts": [{**GOOD["contacts"][0], "part_a": "wing"}]},
        {"contacts": [{**GOOD["contacts"][0], "side_a": "up"}]},
        {"contacts": [{**GOOD["contacts"][0], "extra": 1}]},
        {"person_a": {"age_group": "adult"}},
        {"name": "somebody"},
    ],
)
def test_what_the_schema_does_not_allow_is_refused(change: dict):
    with pytest.raises(ValidationError):
        PairAnswer.model_validate({**GOOD, **change}, strict=False)


def test_unknown_is_the_word_for_what_is_not_known():
    people = SCHEMA["properties"]["person_a"]["properties"]
    assert NO_WORDS.ages[0] in people["age_group"]["enum"]
    assert NO_WORDS.postures[0] in people["posture"]["enum"]
