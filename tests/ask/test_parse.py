"""Ugly replies: every one of these kinds has been seen from a model or a server, or is one step worse."""

import json
import math
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apu.ask.answer import ContactAnswer, PairAnswer
from apu.ask.in_context import in_context_examples
from apu.ask.loose_json import found_values
from apu.ask.parse import MOST_MENDS, PROBLEMS, Parsed, parse_reply
from apu.ask.refusal import is_refusal

HAND_BACK = {
    "evidence": "A's hand rests on B's shirt", "part_a": "hand", "side_a": "left", "part_b": "back", "side_b": "none",
    "visibility": "visible", "confidence": "high",
}  # fmt: skip
ARM_KNEE = {
    "evidence": "their arms cross", "part_a": "forearm", "side_a": "right", "part_b": "knee", "side_b": "left",
    "visibility": "inferred", "confidence": "low",
}  # fmt: skip
GOOD = {
    "scene": "Two people sit.",
    "person_a": {"age_group": "adult", "posture": "sitting"},
    "person_b": {"age_group": "child", "posture": "kneeling"},
    "contacts": [HAND_BACK, ARM_KNEE],
    "decision": "contact",
}
TEXT = json.dumps(GOOD)
TWO = [("hand", "left", "back", "none"), ("forearm", "right", "knee", "left")]
FIRST = TWO[:1]


def with_(**changes: object) -> str:
    return json.dumps({**GOOD, **changes})


def one(**changes: object) -> str:
    """A reply with one contact, some fields of which are changed; None leaves a field out."""
    entry = {**HAND_BACK, **changes}
    return with_(contacts=[{k: v for k, v in entry.items() if v is not None}])


def ends(parsed: Parsed) -> list[tuple[str, str, str, str]]:
    assert parsed.answer is not None, parsed
    return [(c.part_a, c.side_a, c.part_b, c.side_b) for c in parsed.answer.contacts]


def codes(parsed: Parsed) -> set[str]:
    return {mend.partition(":")[0] for mend in parsed.mends}


def test_a_reply_as_asked_is_taken_word_for_word_with_nothing_to_mend():
    parsed = parse_reply(TEXT)
    assert parsed.mends == ()
    assert (parsed.code, parsed.problem, parsed.status) == (None, None, "answered")
    assert parsed.answer is not None
    assert json.loads(parsed.answer.as_json()) == GOOD


@pytest.mark.parametrize("example", in_context_examples(4), ids=lambda one: one.name)
def test_our_own_examples_need_no_mending(example):
    assert parse_reply(example.reply) == Parsed(example.answer)


CONTAINERS = [
    ("fence", f"```json\n{TEXT}\n```", {"fence"}),
    ("fence without language", f"```\n{TEXT}```", {"fence"}),
    ("prose before", f"Sure, here you are:\n{TEXT}", {"prose"}),
    ("prose around and fence", f"Here {{it}} is:\n```json\n{TEXT}\n```\nI hope [this] helps.", {"fence", "prose"}),
    ("thoughts", f"<think>A's hand {{left}} is on B</think>{TEXT}", {"prose"}),
    ("byte order mark", f"\ufeff{TEXT}", set()),
    ("null bytes around", f"\x00\x00{TEXT}\x00", set()),
    ("python literals", repr(GOOD), {"quotes"}),
    ("typographic quotes", re.sub('"([^"]*)"', r"“\1”", TEXT), {"quotes"}),
    ("trailing commas", TEXT.replace("}", ",}").replace("]", ",]"), {"comma"}),
    ("double comma", TEXT.replace("}, {", "},, {"), {"comma"}),
    ("line comments", TEXT.replace('"contacts"', '// the list\n "contacts"'), {"comment"}),
    ("block comments", TEXT.replace('"decision"', '/* "decision": "no contact" */ "decision"'), {"comment"}),
    ("hash comments", TEXT.replace('"decision"', '# done\n"decision"'), {"comment"}),
    ("keys without quotes", TEXT.replace('"part_a"', "part_a").replace('"decision"', "decision"), {"no_quotes"}),
    ("JSON in a JSON string", json.dumps(TEXT), {"json_in_string"}),
    ("escaped without quotes around", json.dumps(TEXT)[1:-1], {"escaped"}),
    ("list in a string", with_(contacts=json.dumps([HAND_BACK, ARM_KNEE])), {"list"}),
    ("wrapped", json.dumps({"result": {"answer": GOOD}}), {"wrapped"}),
    ("wrapped as a string", json.dumps({"output": TEXT}), {"json_in_string", "wrapped"}),
    ("list of one answer", json.dumps([GOOD]), {"wrapped"}),
    ("HTML entities", f"<pre>{TEXT}</pre>".replace('"', "&quot;"), {"html"}),
    ("HTML tags", f"<html><body><code>{TEXT}</code></body></html>", {"prose"}),
    ("fullwidth signs", TEXT.translate({ord(c): ord(c) + 0xFEE0 for c in '{}":,[]'}), {"unicode"}),
    ("line break in a string", TEXT.replace("people sit", "people\nsit"), {"line_break"}),
    ("quotes in a string", TEXT.replace("Two people", 'Two "good" people'), {"inner_quote"}),
    ("apostrophes in single quotes", repr(GOOD).replace('"', "'"), {"quotes"}),
    ("no last bracket", TEXT[:-1], {"truncated"}),
    ("list not closed", TEXT.replace("}], ", "}, "), {"bracket"}),
    ("wrong closing bracket", TEXT[:-1] + "]", {"bracket", "truncated"}),
    ("no comma between fields", TEXT.replace('"hand", "side_a"', '"hand" "side_a"'), {"comma"}),
    ("bracket too many", TEXT.replace("}], ", "}}], "), {"bracket"}),
    ("two answers, the last counts", json.dumps({**GOOD, "contacts": [], "decision": "no contact"}) + "\nNo:\n" + TEXT,
     {"several_answers", "prose"}),
    ("decision first", json.dumps(dict(reversed(GOOD.items()))), set()),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "expected"), [row[1:] for row in CONTAINERS], ids=[row[0] for row in CONTAINERS])
def test_both_contacts_are_found_in_any_wrapping_and_the_mend_is_named(reply: str, expected: set[str]):
    parsed = parse_reply(reply)
    assert ends(parsed) == TWO
    assert expected <= codes(parsed)
    if not expected:
        assert parsed.mends == ()
    assert parsed.answer is not None
    assert parsed.answer.decision == "contact"


def test_a_reply_cut_anywhere_keeps_its_complete_contacts_or_has_none():
    done = TEXT.index('}, {"evidence"') + 1, TEXT.index('}], "decision"') + 1
    for kept in range(len(TEXT)):
        parsed = parse_reply(TEXT[:kept])
        complete = sum(kept >= end for end in done)
        if complete == 0:
            assert parsed.answer is None, kept
            assert parsed.code in ("empty", "no_json", "truncated"), kept
        else:
            assert ends(parsed) == TWO[:complete], kept
            assert "truncated" in codes(parsed), kept


def test_a_cut_reply_never_says_no_contact_before_it_said_so():
    text = with_(contacts=[], decision="no contact")
    said = text.index('"no contact"') + len('"no contact"')
    answered = [kept for kept in range(len(text) + 1) if parse_reply(text[:kept]).answer is not None]
    assert answered == [said, said + 1]


@pytest.mark.parametrize(
    ("reply", "expected", "mends"),
    [
        (one(part_a="left hand", side_a=None), FIRST, {"part_name", "side_in_name"}),
        (one(part_a="left_hand", side_a="unknown"), FIRST, {"side_in_name"}),
        (one(part_a="hand (left)", side_a="none"), FIRST, {"side_in_name"}),
        (one(part_a="L hand", side_a=""), FIRST, {"side_in_name"}),
        (one(part_a="A's left hand", side_a=None), FIRST, {"side_in_name"}),
        (one(part_a="LEFT HAND", side_a="Left"), FIRST, {"part_name"}),
        (one(part_a="hand\u200b"), FIRST, set()),
        (one(part_a="\uff48\uff41\uff4e\uff44"), FIRST, set()),
        (one(part_a="right hand"), [("hand", "unknown", "back", "none")], {"side_conflict"}),
        (one(part_a="hands", side_a="none"), [("hand", "both", "back", "none")], {"side_in_name"}),
        (one(part_a="both hands", side_a=None), [("hand", "both", "back", "none")], {"side_in_name"}),
        (one(part_a="left and right feet", side_a=None), [("foot", "both", "back", "none")], {"side_in_name"}),
        (one(part_a="left hands"), FIRST, {"part_name"}),
        (one(side_a="none"), [("hand", "unknown", "back", "none")], {"side_missing"}),
        (one(side_a="sideways"), [("hand", "unknown", "back", "none")], {"side_word"}),
        (one(side_a="L"), FIRST, set()),
        (one(side_a=None), [("hand", "unknown", "back", "none")], set()),
        (one(side_b="left"), FIRST, {"side_of_unpaired"}),
        (one(side_b="both"), FIRST, {"side_of_unpaired"}),
        (one(side_b="unknown"), FIRST, set()),
        (one(part_b="left shoulder (front)"), [("hand", "left", "shoulder front", "left")], {"part_name"}),
        (one(part_b="front of the right shoulder", side_b=None), [("hand", "left", "shoulder front", "right")], set()),
        (one(part_b="stomach"), [("hand", "left", "belly", "none")], {"part_name"}),
        (one(part_b="lower back"), [("hand", "left", "waist back", "none")], {"part_name"}),
        (one(part_b="arm", side_b="right"), [("hand", "left", "arm", "right")], {"wider_part"}),
        (one(part_b="upper right arm", side_b="right"), [("hand", "left", "upper arm", "right")], {"part_name"}),
        (one(part_b="palm", side_b="left"), [("hand", "left", "hand", "left")], {"part_name"}),
        (one(part_b="left_calf", side_b="left"), [("hand", "left", "calf", "left")], {"wider_part"}),
        (one(part_b="wing/back"), FIRST, {"alternatives"}),
        (one(part_b="back and neck"), [*FIRST, ("hand", "left", "neck", "none")], {"several_parts"}),
        (one(part_b=["back", "neck"]), [*FIRST, ("hand", "left", "neck", "none")], {"several_parts"}),
    ],
)  # fmt: skip
def test_parts_and_sides_in_other_words(reply: str, expected: list, mends: set[str]):
    parsed = parse_reply(reply)
    assert ends(parsed) == expected
    assert mends <= codes(parsed)


SIDES = {"side_a": None, "side_b": None, "part_a": None, "part_b": None}


@pytest.mark.parametrize(
    "spelling",
    [
        {"partA": "hand", "sideA": "left", "partB": "back", "sideB": "none"},
        {"part_1": "hand", "side_1": "left", "part_2": "back", "side_2": "none"},
        {"part_0": "hand", "side_0": "left", "part_1": "back", "side_1": "none"},
        {"person1": "left hand", "person2": "back"},
        {"Person A": "left hand", "Person B": "back"},
        {"A": "left hand", "B": "back"},
        {"person_1_part": "hand", "person_1_side": "left", "person_2_part": "back", "person_2_side": "none"},
        {"body_part_a": "hand", "laterality_a": "left", "body_part_b": "back"},
        {"person_a": {"part": "hand", "side": "left"}, "person_b": {"part": "back", "side": "none"}},
        {"parts": ["hand", "back"], "sides": ["left", "none"]},
        {"pair": ["left hand", "back"]},
        {"firstPart": "left hand", "secondPart": "back"},
        {"PART_A": "hand", "SIDE_A": "left", "PART_B": "back", "SIDE_B": "none"},
    ],
    ids=lambda spelling: " ".join(spelling),
)
def test_other_spellings_of_the_keys(spelling: dict):
    parsed = parse_reply(one(**SIDES, **spelling))
    assert ends(parsed) == FIRST
    assert "key" in codes(parsed)


@pytest.mark.parametrize("entry", [["left hand", "back"], "left hand - back", "A's left hand -> B's back",
                                   "left hand touches back", "left hand | back"])  # fmt: skip
def test_a_contact_may_be_a_pair_of_words_or_a_line(entry: object):
    assert ends(parse_reply(with_(contacts=[entry]))) == FIRST


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (json.dumps([HAND_BACK]), "bare_list"),
        (json.dumps(HAND_BACK), "separate_contacts"),
        (json.dumps({**HAND_BACK, "decision": "contact"}), "bare_contact"),
        (with_(contacts=HAND_BACK), "list"),
        (with_(contacts={"1": HAND_BACK}), "list"),
        (json.dumps(GOOD | {"contacts": None, "touching_pairs": [HAND_BACK]}), "key"),
    ],
)
def test_other_places_for_the_contacts(reply: str, code: str):
    parsed = parse_reply(reply)
    assert ends(parsed) == FIRST
    assert code in codes(parsed)


def test_contacts_line_by_line_are_all_kept():
    parsed = parse_reply(json.dumps(HAND_BACK) + "\n" + json.dumps(ARM_KNEE))
    assert ends(parsed) == TWO


def test_an_invented_part_is_dropped_and_the_nearest_named():
    parsed = parse_reply(with_(contacts=[HAND_BACK, {**ARM_KNEE, "part_b": "knees cap"}]))
    assert ends(parsed) == FIRST
    (mend,) = [m for m in parsed.mends if m.startswith("unknown_part")]
    assert "contact 2, B" in mend
    assert "knee" in mend.partition("nearest:")[2]


def test_only_invented_parts_are_no_answer_and_surely_not_no_contact():
    parsed = parse_reply(one(part_a="left wing"))
    assert (parsed.answer, parsed.code, parsed.status) == (None, "unknown_parts", "unparsable")


def test_a_repeated_contact_counts_once_with_its_higher_confidence():
    low, high = {**HAND_BACK, "confidence": "low"}, HAND_BACK
    for order in ([low, high], [high, low]):
        parsed = parse_reply(with_(contacts=[*order, ARM_KNEE]))
        assert ends(parsed) == TWO
        assert parsed.answer is not None
        assert parsed.answer.contacts[0].confidence == "high"
        assert "repeated" in codes(parsed)


def test_of_too_many_contacts_the_first_twenty_are_kept():
    parts = ["head", "neck", "chest", "belly", "back"]
    many = [{**HAND_BACK, "part_a": a, "part_b": b, "side_a": "none"} for a in parts for b in parts]
    parsed = parse_reply(with_(contacts=many))
    assert len(ends(parsed)) == 20
    assert "too_many" in codes(parsed)


@pytest.mark.parametrize(
    ("changes", "decision", "mended"),
    [
        ({"decision": "no contact"}, "contact", True),
        ({"decision": "cannot tell"}, "contact", True),
        ({"decision": "maybe"}, "contact", True),
        ({"decision": True}, "contact", False),
        ({"decision": "Yes"}, "contact", False),
        ({"contacts": [], "decision": "contact"}, "cannot tell", True),
        ({"contacts": [], "decision": "no contact"}, "no contact", False),
        ({"contacts": [], "decision": "No_Contact"}, "no contact", False),
        ({"contacts": [], "decision": False}, "no contact", False),
        ({"contacts": [], "decision": "can't tell"}, "cannot tell", False),
        ({"contacts": [], "decision": None}, "no contact", True),
        ({"contacts": "none", "decision": "no contact"}, "no contact", False),
        ({"contacts": [None, "", {}], "decision": "no contact"}, "no contact", False),
        ({"contacts": [{"part_a": "none", "part_b": "none"}], "decision": "no contact"}, "no contact", False),
    ],
)
def test_the_list_decides_and_a_contradiction_is_recorded(changes: dict, decision: str, mended: bool):
    parsed = parse_reply(with_(**changes))
    assert parsed.answer is not None
    assert parsed.answer.decision == decision
    assert ("decision" in codes(parsed)) == mended


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("", "empty"),
        (" \n\t\ufeff", "empty"),
        ("A's left hand touches B's back.", "no_json"),
        ("No contact.", "no_json"),
        ('{"scene": "Two people."}', "no_answer"),
        ('{"decision": "contact"}', "no_answer"),
        ("{}", "no_answer"),
        ("see [] and {}", "no_answer"),
        ("[1, 2, 3]", "no_json"),
        ("null", "no_json"),
        ('{"contacts": [', "truncated"),
        ('{"decision": "contact", "contacts": [{"evid', "truncated"),
        ("\udcff\ud800{", "truncated"),
        ("[" * 20_000, "no_json"),
        ("__import__('os').system('touch /tmp/evil')", "no_json"),
    ],
)
def test_what_is_no_answer_has_a_reason(reply: str, code: str):
    parsed = parse_reply(reply)
    assert parsed.answer is None
    assert parsed.code == code
    assert parsed.problem == PROBLEMS[code]


@pytest.mark.parametrize(
    ("words", "field", "expected"),
    [
        (0.9, "confidence", "high"), ("90%", "confidence", "high"), ("0.5", "confidence", "medium"),
        (0.1, "confidence", "low"), ("Very High", "confidence", "high"), ("dunno", "confidence", "low"),
        (float("nan"), "confidence", "low"), (None, "confidence", "low"), (10**9, "confidence", "low"),
        ("Occluded", "visibility", "inferred"), (True, "visibility", "visible"), (None, "visibility", "inferred"),
    ],
)  # fmt: skip
def test_other_words_for_confidence_and_visibility_are_read_with_caution(words: object, field: str, expected: str):
    parsed = parse_reply(one(**{field: words}))
    assert ends(parsed) == FIRST
    assert parsed.answer is not None
    assert getattr(parsed.answer.contacts[0], field) == expected


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        ({"age_group": "Woman", "posture": "seated"}, ("adult", "sitting")),
        ({"age": 7, "pose": "on knees"}, ("child", "kneeling")),
        ({"ageGroup": "toddler"}, ("child", "unknown")),
        ("an adult, standing", ("adult", "standing")),
        ({"age_group": "robot", "posture": "flying"}, ("unknown", "unknown")),
        (None, ("unknown", "unknown")),
        ([1, 2], ("unknown", "unknown")),
    ],
)
def test_other_words_on_the_people(person: object, expected: tuple[str, str]):
    parsed = parse_reply(with_(person_a=person))
    assert parsed.answer is not None
    assert (parsed.answer.person_a.age_group, parsed.answer.person_a.posture) == expected
    assert parsed.answer.person_b.age_group == "child"


def test_people_may_come_as_a_list():
    parsed = parse_reply(json.dumps({"people": [GOOD["person_a"], GOOD["person_b"]], "contacts": [HAND_BACK]}))
    assert parsed.answer is not None
    assert parsed.answer.person_b.posture == "kneeling"


REFUSALS = [
    "I'm sorry, but I can't help with identifying people.",
    "I can\u2019t assist with that request.",
    "I cannot analyze images of real people.",
    "I'm unable to process this image.",
    "I won't describe the people in this photo.",
    "As an AI, I don't comment on people in images.",
    "I must respectfully decline.",
    "Sorry, I can't do that.",
    "I'm sorry.",
    "This image violates our usage policies.",
    "Es tut mir leid, dabei kann ich nicht helfen.",
]
ANSWERS = [
    "I can't help but notice that A's hand lies on B.",
    "I cannot identify which hand touches; it is hidden.",
    "I cannot tell whether they touch.",
    "A refuses a hug and holds B off.",
    "A and B do not touch.",
    "A declines B's hand. The image shows no contact.",
]


@pytest.mark.parametrize("text", REFUSALS)
@pytest.mark.parametrize("form", ["plain", "forced into the schema", "as an error"])
def test_a_refusal_in_any_form_is_a_refusal_and_never_no_contact(text: str, form: str):
    reply = {
        "plain": text,
        "forced into the schema": with_(scene=text, contacts=[], decision="no contact"),
        "as an error": json.dumps({"error": text}),
    }[form]
    parsed = parse_reply(reply)
    assert (parsed.answer, parsed.code, parsed.refused, parsed.status) == (None, "refused", True, "refused")


@pytest.mark.parametrize("text", ANSWERS)
def test_a_doubt_is_no_refusal(text: str):
    assert not is_refusal(text)
    assert not parse_reply(with_(scene=text, contacts=[], decision="cannot tell")).refused


def test_a_polite_preface_does_not_hide_the_answer():
    parsed = parse_reply(f"I'm sorry, I can't identify the people, but here is the contact:\n{TEXT}")
    assert ends(parsed) == TWO


def test_ten_megabytes_before_or_behind_the_answer_do_not_matter():
    junk = "<p>lorem {ipsum} </p>" * 500_000
    for reply in (TEXT + junk, junk + TEXT):
        parsed = parse_reply(reply)
        assert ends(parsed) == TWO
        assert "long_reply" in codes(parsed)


@pytest.mark.parametrize("unit", ["[", '{"a":', "{'contacts': [{", "'", '"\\', "/*"])
def test_many_characters_of_the_worst_are_survived(unit: str):
    parsed = parse_reply(unit * (210_000 // len(unit)))
    assert parsed.answer is None
    assert len(parsed.mends) <= MOST_MENDS


def test_texts_lose_control_and_direction_characters_and_are_bounded():
    text = "a\x00b\x1b[31m\u202ec\u200b\n d" + "x" * 5000
    parsed = parse_reply(one(evidence=text))
    assert parsed.answer is not None
    evidence = parsed.answer.contacts[0].evidence
    assert evidence.startswith("ab[31mc dxxx")
    assert len(evidence) == 240
    assert "long_text" in codes(parsed)


def test_html_in_a_text_stays_text():
    parsed = parse_reply(with_(scene="<script>alert(1)</script>"))
    assert parsed.answer is not None
    assert parsed.answer.scene == "<script>alert(1)</script>"


JSONISH = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=12)
    | st.sampled_from(["hand", "left", "both hands", "back", "contact", "no contact", "wing", ""]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from([*GOOD, *HAND_BACK, "people", "A", "1", "parts", "x"]) | st.text(max_size=6),
                      inner, max_size=6),
    max_leaves=25,
)  # fmt: skip
FAST = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def check(reply: str) -> None:
    parsed = parse_reply(reply)
    assert (parsed.answer is None) == (parsed.code in PROBLEMS)
    if parsed.answer is not None:
        assert PairAnswer.model_validate_json(parsed.answer.as_json(), strict=False) == parsed.answer
        assert (parsed.answer.decision == "contact") == bool(parsed.answer.contacts)
        assert parse_reply(parsed.answer.as_json()).answer == parsed.answer
    assert all(":" in mend and len(mend) < 400 for mend in parsed.mends)


@FAST
@given(st.text(max_size=300) | st.text(alphabet="{}[]()\":,'\\/*#“” \nabhndleft01-.u", max_size=300))
def test_any_text_gives_an_answer_or_a_reason(reply: str):
    check(reply)


@FAST
@given(JSONISH)
def test_any_json_gives_an_answer_or_a_reason(value: object):
    check(json.dumps(value))


@FAST
@given(st.integers(0, len(TEXT)), st.integers(0, 12), st.text(max_size=6))
def test_a_damaged_answer_gives_an_answer_or_a_reason(at: int, length: int, junk: str):
    check(TEXT[:at] + junk + TEXT[at + length :])


@FAST
@given(JSONISH.filter(lambda value: isinstance(value, dict | list)))
def test_what_is_json_is_read_as_json_does(value: object):
    text = json.dumps(value)
    (found, *more) = found_values(text)
    assert (more, found.cut, found.start, found.end) == ([], False, 0, len(text))
    assert same(found.value, json.loads(text))


def same(ours: object, theirs: object) -> bool:
    if isinstance(theirs, dict):
        return isinstance(ours, dict) and list(ours) == list(theirs) and all(same(ours[k], theirs[k]) for k in theirs)
    if isinstance(theirs, list):
        return isinstance(ours, list) and len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(theirs, float) and not math.isfinite(theirs):
        return ours is None
    if isinstance(theirs, int | float) and not isinstance(theirs, bool):
        return ours == pytest.approx(theirs, rel=1e-12)
    if isinstance(theirs, str):  # a lone surrogate is no character
        return ours == "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in theirs)
    return ours is theirs


def test_every_contact_of_an_answer_is_of_the_schema():
    parsed = parse_reply(TEXT)
    assert parsed.answer is not None
    assert all(isinstance(contact, ContactAnswer) for contact in parsed.answer.contacts)
