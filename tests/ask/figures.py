"""Two stick people as a detector finds them, and answers about them."""

from apu.ask.answer import ContactAnswer, PairAnswer, PersonAnswer
from apu.ask.heard import Heard
from apu.contact.body_points import BodyPoints
from apu.scene.annotation import AnswerRecord, AnswerStatus
from apu.scene.person import Keypoints, Person

ADULT, CHILD = (
    PersonAnswer(age_group="adult", posture="standing"),
    PersonAnswer(age_group="child", posture="sitting"),
)


def person(index: int, body: BodyPoints) -> Person:
    """Somebody with these joints."""
    return Person(index, Keypoints("body25", body.places, body.confidence), 0.9, "made up")


def touch(
    a: str, b: str, confidence: str = "high", visibility: str = "visible"
) -> ContactAnswer:  # e.g. ("left hand", "back")
    """One contact; ends in words such as `left hand`, `both hand`, `back`."""
    ends = {}
    for letter, words in (("a", a), ("b", b)):
        side, _, part = words.partition(" ")
        sided = side in ("left", "right", "both", "unknown")
        ends |= {f"part_{letter}": part if sided else words, f"side_{letter}": side if sided else "none"}
    return ContactAnswer.model_validate(
        {"evidence": "seen", **ends, "visibility": visibility, "confidence": confidence}, strict=False
    )


def heard(*contacts: ContactAnswer, decision: str = "", model: str = "m", status: AnswerStatus = "answered") -> Heard:
    """One answer of a model; with another status than `answered`, none."""
    record = AnswerRecord(model, status)
    if status != "answered":
        return Heard(record, None, (0, 1))
    said = PairAnswer.model_validate(
        {
            "scene": "two people",
            "person_a": ADULT.model_dump(),
            "person_b": CHILD.model_dump(),
            "contacts": [contact.model_dump() for contact in contacts],
            "decision": decision or ("contact" if contacts else "no contact"),
        },
        strict=False,
    )
    return Heard(record, said, (0, 1))
