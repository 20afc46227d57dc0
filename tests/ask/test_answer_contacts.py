import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apu.ask.answer import (
    AGES,
    CONFIDENCES,
    OFFERED_PARTS,
    POSTURES,
    SIDES,
    VISIBILITIES,
    ContactAnswer,
    PairAnswer,
    PersonAnswer,
)
from apu.ask.answer_contacts import answer_contacts, contact_weight, pair_words, unmirrored, unswapped
from apu.body.region_names import REGION_NAMES, mirrored
from apu.contact.contact import CERTAIN, ContactMap
from apu.contact.parts import part_regions, regions_of
from apu.errors import InputError
from apu.unite.hypotheses import POSTURE_OF_WORD
from apu.unite.hypotheses import POSTURES as STARTS


def said(part_a="hand", side_a="left", part_b="back", side_b="none", visibility="visible", confidence="high"):
    return ContactAnswer(
        evidence="e", part_a=part_a, side_a=side_a, part_b=part_b, side_b=side_b, visibility=visibility,
        confidence=confidence,
    )  # fmt: skip


def answer(*contacts: ContactAnswer, a=("adult", "standing"), b=("child", "sitting")) -> PairAnswer:
    return PairAnswer(
        scene="s",
        person_a=PersonAnswer(age_group=a[0], posture=a[1]),
        person_b=PersonAnswer(age_group=b[0], posture=b[1]),
        contacts=contacts,
        decision="contact" if contacts else "no contact",
    )


def only(*contacts: ContactAnswer):
    (one,) = answer_contacts(answer(*contacts), "m").contacts
    return one


ANY_CONTACT = st.builds(
    said, st.sampled_from(OFFERED_PARTS), st.sampled_from(SIDES), st.sampled_from(OFFERED_PARTS),
    st.sampled_from(SIDES), st.sampled_from(VISIBILITIES), st.sampled_from(CONFIDENCES),
)  # fmt: skip
PERSON = st.tuples(st.sampled_from(AGES), st.sampled_from(POSTURES))
ANY_ANSWER = st.builds(
    lambda contacts, a, b: answer(*contacts, a=a, b=b), st.lists(ANY_CONTACT, max_size=6), PERSON, PERSON
)
MANY = settings(max_examples=60, deadline=None)


def test_a_contact_is_one_contact_over_whole_parts_with_its_words_and_source():
    contact = only(said())
    assert contact.regions_a == {"left_hand_palm", "left_hand_back", "left_fingers_palm", "left_fingers_back"}
    assert contact.regions_b == part_regions("back", "none")
    assert (contact.label_a, contact.label_b, contact.source) == ("left hand", "back", "m")
    assert not contact.certain


def test_no_contact_is_an_empty_map_of_the_model():
    assert answer_contacts(answer(), "openai:x") == ContactMap((), "openai:x")


def test_an_unknown_side_is_the_union_of_both():
    contact = only(said(side_a="unknown"))
    assert contact.regions_a == part_regions("hand", "left") | part_regions("hand", "right")
    assert contact.label_a == "hand"


@pytest.mark.parametrize(("side", "label"), [("none", "back"), ("right", "right hand"), ("unknown", "hand")])
def test_both_at_one_end_is_one_contact_for_each_side(side: str, label: str):
    other = "back" if side == "none" else "hand"
    first, second = answer_contacts(answer(said(side_a="both", part_b=other, side_b=side)), "m").contacts
    assert (first.label_a, second.label_a) == ("left hand", "right hand")
    assert first.regions_a | second.regions_a == part_regions("hand", "both")
    assert not first.regions_a & second.regions_a
    assert first.label_b == second.label_b == label
    flipped = answer_contacts(answer(said(part_a=other, side_a=side, part_b="hand", side_b="both")), "m")
    assert {c.label_b for c in flipped.contacts} == {"left hand", "right hand"}


def test_both_with_both_stays_one_contact_until_keypoints_decide():
    contact = only(said(side_a="both", part_b="foot", side_b="both"))
    assert (contact.label_a, contact.label_b) == ("both hands", "both feet")
    assert contact.regions_a == part_regions("hand", "both")


def test_both_of_a_part_that_there_is_once_is_the_part():
    assert only(said(part_a="belly", side_a="both")).regions_a == part_regions("belly", "none")


@MANY
@given(ANY_CONTACT)
def test_a_label_says_the_regions_that_it_stands_for(contact: ContactAnswer):
    for one in answer_contacts(answer(contact), "m").contacts:
        assert regions_of(one.label_a)[0] == one.regions_a
        assert regions_of(one.label_b)[0] == one.regions_b


@MANY
@given(ANY_CONTACT)
def test_weights_are_in_between_and_follow_the_words(contact: ContactAnswer):
    weight = contact_weight(contact)
    assert 0 < weight < 1
    for one in answer_contacts(answer(contact), "m").contacts:
        assert one.weight == weight
    surer = {"low": "medium", "medium": "high"}.get(contact.confidence)
    if surer:
        assert contact_weight(contact.model_copy(update={"confidence": surer})) > weight
    if contact.visibility == "inferred":
        assert contact_weight(contact.model_copy(update={"visibility": "visible"})) > weight


def test_the_same_contact_twice_counts_once_with_the_larger_weight():
    contact = only(said(side_a="unknown", confidence="low"), said(side_a="none", confidence="medium"))
    assert contact.weight == contact_weight(said(confidence="medium"))


@pytest.mark.parametrize("source", [*sorted(CERTAIN), ""])
def test_a_model_cannot_speak_as_one_who_is_never_doubted(source: str):
    with pytest.raises(InputError, match="source"):
        answer_contacts(answer(said()), source)


def test_the_words_on_the_people_are_handed_on_and_the_fit_knows_the_postures():
    words = pair_words(answer(a=("adult", "kneeling"), b=("child", "lying")))
    assert words.ages == ("adult", "child")
    assert words.postures == ("kneeling", "lying")
    assert set(POSTURE_OF_WORD) <= set(POSTURES)
    assert set(POSTURE_OF_WORD.values()) <= set(STARTS)


@MANY
@given(ANY_ANSWER)
def test_undoing_twice_changes_nothing(one: PairAnswer):
    assert unswapped(unswapped(one)) == one
    assert unmirrored(unmirrored(one)) == one
    assert unswapped(unmirrored(one)) == unmirrored(unswapped(one))


@MANY
@given(ANY_ANSWER)
def test_a_swapped_answer_gives_the_swapped_map_and_words(one: PairAnswer):
    expected = {(c.regions_a, c.regions_b, c.weight) for c in answer_contacts(one, "m").swapped().contacts}
    assert {(c.regions_a, c.regions_b, c.weight) for c in answer_contacts(unswapped(one), "m").contacts} == expected
    assert pair_words(unswapped(one)).ages == pair_words(one).ages[::-1]
    assert pair_words(unswapped(one)).postures == pair_words(one).postures[::-1]


@MANY
@given(ANY_ANSWER)
def test_a_mirrored_answer_gives_the_mirrored_map_and_the_same_words(one: PairAnswer):
    def turned(regions: frozenset[str]) -> frozenset[str]:
        return frozenset(mirrored(region) for region in regions)

    expected = {(turned(c.regions_a), turned(c.regions_b), c.weight) for c in answer_contacts(one, "m").contacts}
    assert {(c.regions_a, c.regions_b, c.weight) for c in answer_contacts(unmirrored(one), "m").contacts} == expected
    assert pair_words(unmirrored(one)) == pair_words(one)


def test_every_region_can_be_reached_by_an_answer():
    everything = [said(part_a=part, side_a="unknown") for part in OFFERED_PARTS]
    assert answer_contacts(answer(*everything), "m").regions(0) == set(REGION_NAMES)
