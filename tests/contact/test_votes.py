"""Many answers as one weighted list: hand-computed weights, words and sides, bad answers, and what must not matter."""

import itertools
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apu.contact.end import END_SIDES, End
from apu.contact.named_contact import NamedContact
from apu.contact.parts import OTHER_PARTS, PARTS
from apu.contact.reliability import LEAST_INFORMATIVE, MOST_ODDS, coverage, informativeness, reliability
from apu.contact.votes import Answered, Pooled, pool
from apu.contact.wilson import effective_votes, vote_weight, wilson_lower
from apu.contact.wordings import common_wordings, compatible, implies
from apu.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")

ends = st.builds(End, st.sampled_from([*PARTS, *OTHER_PARTS]), st.sampled_from(END_SIDES))
named = st.builds(NamedContact, ends, ends, st.floats(0.01, 1.0), st.just("m"))
few = st.builds(  # few words, so that answers meet
    NamedContact,
    st.builds(End, st.sampled_from(["hand", "fingers", "upper arm", "arm", "back"]), st.sampled_from(END_SIDES)),
    st.builds(End, st.sampled_from(["back", "waist", "shoulder", "hand"]), st.sampled_from(END_SIDES)),
)
answers = st.lists(
    st.builds(
        Answered,
        st.none() | st.lists(few | named, max_size=4).map(tuple),
        st.sampled_from(["m", "n"]),
        st.sampled_from([0.05, 0.7, 1.0, 19.0]),
    ),
    max_size=6,
)


def said(a: str, side_a: str = "none", b: str = "back", side_b: str = "none", weight: float = 1.0) -> NamedContact:
    return NamedContact(End(a, side_a), End(b, side_b), weight, "m")


def answer(*contacts: NamedContact, model: str = "m", worth: float = 1.0) -> Answered:
    return Answered(contacts, model, worth)


def weights(pooled: Pooled) -> dict[str, float]:
    return {one.contact.name: one.contact.weight for one in pooled.contacts}


LEFT, RIGHT, BOTH = (said("hand", side) for side in ("left", "right", "both"))
NOTHING = answer()
MISSING = Answered(None, "m")
EVERYTHING = answer(*(said(a, "unknown", b, "unknown") for a in PARTS for b in PARTS), model="everything")
COPY = answer(*(said(a, "both", a, "both") for a in PARTS), model="copy")
EMBRACE = (
    BOTH, said("forearm", "both"), said("chest", b="chest"), said("belly", b="belly"),
    said("head", b="shoulder front", side_b="left"), said("upper arm", "both", "shoulder back", "both"),
    said("thigh", "left", "thigh", "right"), said("knee", "left", "knee", "right"),
)  # fmt: skip

# ---- Wilson


@pytest.mark.parametrize(("hits", "asked", "bound"), [(5, 5, 0.83), (3, 5, 0.38), (1, 1, 0.5), (0, 5, 0.0)])
def test_the_bound_is_the_published_one(hits: int, asked: int, bound: float):
    assert wilson_lower(hits / asked, float(asked)) == pytest.approx(bound, abs=0.005)


@pytest.mark.parametrize(("hits", "asked"), itertools.product(range(1, 9), range(1, 9)))
def test_the_bound_is_where_the_score_test_just_rejects(hits: int, asked: int):
    """Wilson's interval holds the shares p with (share - p)^2 <= z^2 p (1 - p) / n."""
    if hits <= asked:
        share = hits / asked
        p = wilson_lower(share, float(asked))
        assert (share - p) ** 2 == pytest.approx(p * (1 - p) / asked, abs=1e-12)
        assert p < share


def test_a_unanimous_vote_weighs_one_and_its_bound_is_n_over_n_plus_one():
    for n in range(1, 30):
        assert wilson_lower(1.0, float(n)) == pytest.approx(n / (n + 1))
        assert vote_weight(1.0, float(n)) == 1.0


@given(st.floats(1e-4, 1.0), st.floats(1e-4, 1.0), st.floats(0.5, 50))
def test_more_votes_weigh_more(share: float, other: float, n: float):
    low, high = sorted((share, other))
    assert 0 < vote_weight(low, n) <= vote_weight(high, n) + 1e-12 <= 1 + 1e-12


def test_no_votes_weigh_nothing():
    assert vote_weight(0.0, 5.0) == vote_weight(0.5, 0.0) == 0.0


def test_effective_votes():
    assert effective_votes([]) == effective_votes([0.0]) == 0.0
    assert effective_votes([0.3] * 5) == pytest.approx(5.0)
    assert effective_votes([3.0, 1.0]) == pytest.approx(16 / 10)
    assert effective_votes([1e-300, 1e-300]) == pytest.approx(2.0)


# ---- weights by hand


@pytest.mark.parametrize(
    ("hits", "asked", "weight"),
    [(5, 5, 1.0), (3, 5, 0.3826 * 6 / 5), (1, 5, 0.0792 * 6 / 5), (1, 1, 1.0), (2, 3, 0.3857 * 4 / 3)],
)
def test_the_weight_is_the_bound_over_that_of_a_unanimous_vote(hits: int, asked: int, weight: float):
    pooled = pool([answer(LEFT)] * hits + [NOTHING] * (asked - hits))
    (only,) = pooled.contacts
    assert only.contact.weight == pytest.approx(weight, abs=2e-4)
    assert (only.votes, only.share, pooled.asked) == (hits, pytest.approx(hits / asked), asked)


def test_missing_answers_are_not_asked():
    """3 of 3 that answered, not 3 of 5."""
    pooled = pool([answer(LEFT)] * 3 + [MISSING] * 2)
    assert weights(pooled) == {"left hand - back": 1.0}
    assert (pooled.asked, pooled.missing) == (3, 2)
    assert any("2 of 5" in note for note in pooled.notes)


def test_what_the_model_trusts_itself_does_not_count():
    sure, unsure = said("hand", "left", weight=1.0), said("hand", "left", weight=0.1)
    assert weights(pool([answer(sure)])) == weights(pool([answer(unsure)]))


@pytest.mark.parametrize(
    ("given_answers", "reason"),
    [([], "Nobody was asked"), ([MISSING] * 4, "None of 4 answers"), ([NOTHING] * 2, "nothing touches")],
)
def test_no_contact_has_a_reason(given_answers: list[Answered], reason: str):
    pooled = pool(given_answers)
    assert pooled.contacts == ()
    assert pooled.contact_map().contacts == ()
    assert any(reason in note for note in pooled.notes)
    json.dumps(pooled.recorded(), allow_nan=False)


def test_light_contacts_can_be_left_out():
    pooled = pool([answer(LEFT, said("knee", "left"))] + [answer(LEFT)] * 4)
    assert [c.name for c in pooled.named(0.15)] == ["left hand - back"]
    assert [c.label_a for c in pooled.contact_map(least_weight=0.15).contacts] == ["left hand"]
    assert len(pooled.named()) == len(pooled.contact_map().contacts) == 2


# ---- words


def test_parts_that_share_a_region_at_both_ends_are_compatible():
    assert compatible(("hand", "back"), ("fingers", "waist"))
    assert not compatible(("hand", "back"), ("hand", "chest"))
    assert not compatible(("hand", "back"), ("back", "hand"))
    assert implies(("fingers", "face"), ("hand", "head"))
    assert not implies(("hand", "face"), ("fingers", "head"))


def test_different_words_for_one_contact_are_one_and_the_finest_that_half_of_them_imply_is_kept():
    hand, fingers = said("hand", "left"), said("fingers", "left")
    assert weights(pool([answer(hand)] * 4 + [answer(fingers)])) == {"left hand - back": 1.0}
    assert weights(pool([answer(hand)] * 2 + [answer(fingers)] * 3)) == {"left fingers - back": 1.0}


def test_a_wide_word_speaks_for_every_finer_one():
    three = [answer(said(part, "left")) for part in ("arm", "upper arm", "forearm")]
    two_of_three = vote_weight(2 / 3, 3.0)
    assert weights(pool(three)) == pytest.approx(
        {"left upper arm - back": two_of_three, "left forearm - back": two_of_three}
    )


def test_a_kept_word_that_a_finer_kept_one_implies_is_dropped():
    """One of four says forearm where three say arm, which is kept for it; but the upper arm implies the arm."""
    votes = {("arm", "back"): 3.0, ("upper arm", "back"): 3.0, ("forearm", "back"): 1.0}
    assert common_wordings(votes) == (("upper arm", "back"),)
    del votes["upper arm", "back"]
    assert common_wordings(votes) == (("arm", "back"),)


def test_contacts_without_a_common_region_stay_apart():
    assert set(weights(pool([answer(LEFT, said("hand", "left", "chest"))]))) == {
        "left hand - back",
        "left hand - chest",
    }


def test_words_with_a_tie_of_fineness_are_one():
    assert len(common_wordings({("belly", "hand"): 1.0, ("waist front", "hand"): 1.0})) == 1
    assert common_wordings({("belly", "hand"): 1.0, ("waist front", "hand"): 1.5}) == (("waist front", "hand"),)


# ---- sides


def test_most_votes_decide_a_side_and_the_contact_itself_is_blind_to_it():
    assert weights(pool([answer(LEFT)] * 3 + [answer(RIGHT)] * 2)) == {"left hand - back": 1.0}


def test_a_tie_of_sides_is_unknown():
    (only,) = pool([answer(LEFT), answer(RIGHT)]).contacts
    assert only.contact.a == End("hand", "unknown")
    assert only.contact.weight == 1.0


def test_an_end_that_ties_do_not_touch_keeps_its_side():
    pooled = pool([answer(said("hand", "left", "hand", "left")), answer(said("hand", "left", "hand", "right"))])
    assert set(weights(pooled)) == {"left hand - hand"}


def test_an_open_side_supports_both():
    assert set(weights(pool([answer(said("hand", "unknown")), answer(RIGHT)]))) == {"right hand - back"}
    assert set(weights(pool([answer(said("hand", "none"))] * 2))) == {"hand - back"}


def test_the_second_contact_of_a_pair_of_parts_has_the_votes_of_those_who_have_two():
    pooled = pool([answer(LEFT, RIGHT)] * 3 + [answer(LEFT)] * 2)
    assert weights(pooled) == pytest.approx({"left hand - back": 1.0, "right hand - back": vote_weight(0.6, 5.0)})


def test_both_at_one_end_are_two_contacts():
    assert weights(pool([answer(BOTH), answer(LEFT, RIGHT)])) == {"left hand - back": 1.0, "right hand - back": 1.0}


def test_both_with_both_stays_so_where_the_matching_is_in_doubt():
    both = said("hand", "both", "hand", "both")
    same = [said("hand", side, "hand", side) for side in ("left", "right")]
    cross = [said("hand", "left", "hand", "right"), said("hand", "right", "hand", "left")]
    assert weights(pool([answer(both)] * 3)) == {"both hands - both hands": 1.0}
    assert weights(pool([answer(*same), answer(*cross)])) == {"both hands - both hands": 1.0}
    assert set(weights(pool([answer(both), answer(*cross)]))) == {"left hand - right hand", "right hand - left hand"}


def test_the_same_contact_in_two_words_of_one_answer_counts_once():
    twice = answer(LEFT, said("fingers", "left"), said("hand", "unknown"))
    assert set(weights(pool([twice, answer(LEFT)]))) == {"left hand - back"}


# ---- models of different worth


def test_reliability_is_the_odds_of_being_right():
    assert reliability(0, 0) == 1.0
    assert reliability(8, 10) == pytest.approx(9 / 3)
    assert reliability(1000, 1000) == MOST_ODDS
    assert reliability(0, 1000) == 1 / MOST_ODDS
    for right, said_ in ((3, 2), (-1, 2)):
        with pytest.raises(InputError, match="impossible"):
            reliability(right, said_)


def test_a_model_that_is_always_right_outweighs_several_that_say_everything():
    right, wrong = reliability(40, 40), reliability(40, 800)
    hugs = answer(LEFT, model="right", worth=right)
    alone = pool([hugs]).contacts[0].contact.weight
    pooled = pool([hugs] + [answer(said("knee", "left"), model="wrong", worth=wrong)] * 4)
    assert weights(pooled)["left hand - back"] > 0.9 * alone
    assert weights(pooled)["left knee - back"] < 0.05


@pytest.mark.parametrize("worth", [0.0, -1.0, math.nan, math.inf])
def test_a_worth_that_is_no_weight_is_refused(worth: float):
    with pytest.raises(InputError, match="no weight"):
        Answered((), "m", worth)


@pytest.mark.parametrize("source", ["truth", "annotation", ""])
def test_votes_do_not_pass_for_truth(source: str):
    with pytest.raises(InputError, match="source"):
        pool([], source)


# ---- answerers that say too much


def test_an_embrace_is_informative_and_the_whole_vocabulary_is_not():
    assert informativeness(()) == informativeness(EMBRACE) == 1.0
    assert coverage(EVERYTHING.contacts) == coverage(COPY.contacts) == 1.0
    assert informativeness(COPY.contacts) == LEAST_INFORMATIVE


@pytest.mark.parametrize("flood", [EVERYTHING, COPY])
def test_who_says_everything_is_named_and_hardly_counts(flood: Answered):
    pooled = pool([answer(LEFT)] * 3 + [NOTHING] + [flood])
    without = pool([answer(LEFT)] * 3 + [NOTHING])
    assert weights(pooled)["left hand - back"] == pytest.approx(weights(without)["left hand - back"], abs=0.03)
    assert all(w < 0.001 for name, w in weights(pooled).items() if name != "left hand - back")
    assert any(flood.model in note and "100 %" in note for note in pooled.notes)


@pytest.mark.parametrize("flood", [EVERYTHING, COPY])
def test_those_who_say_everything_are_not_believed_among_themselves(flood: Answered):
    pooled = pool([flood] * 2)
    assert pooled.contacts
    assert all(w == pytest.approx(LEAST_INFORMATIVE) for w in weights(pooled).values())


def test_one_parsable_answer_of_five_is_a_vote_of_one():
    pooled = pool([MISSING] * 4 + [answer(LEFT)])
    assert weights(pooled) == {"left hand - back": 1.0}
    assert pooled.effective == 1.0


# ---- what must not matter


@settings(max_examples=60, deadline=None)
@given(answers, st.randoms(use_true_random=False))
def test_the_order_of_answers_and_of_contacts_does_not_matter(given_answers, random):
    shuffled = [
        Answered(None if one.contacts is None else tuple(random.sample(one.contacts, len(one.contacts))),
                 one.model, one.reliability)
        for one in random.sample(given_answers, len(given_answers))
    ]  # fmt: skip
    assert pool(shuffled) == pool(given_answers)


@settings(max_examples=60, deadline=None)
@given(answers)
def test_mirrored_answers_have_mirrored_votes(given_answers):
    mirrored = [
        Answered(
            None if one.contacts is None else tuple(c.mirrored() for c in one.contacts), one.model, one.reliability
        )
        for one in given_answers
    ]
    assert set(pool(mirrored).named()) == {contact.mirrored() for contact in pool(given_answers).named()}


@settings(max_examples=60, deadline=None)
@given(answers)
def test_weights_are_finite_above_zero_and_at_most_one_and_everything_can_be_written(given_answers):
    pooled = pool(given_answers)
    for one in pooled.contacts:
        assert 0 < one.contact.weight <= 1
        assert 0 < one.share <= 1
        assert 1 <= one.votes <= pooled.asked
    assert len({(one.contact.a, one.contact.b) for one in pooled.contacts}) == len(pooled.contacts)
    assert pooled.contacts or pooled.notes
    assert len(pooled.contact_map().contacts) >= min(1, len(pooled.contacts))
    json.dumps(pooled.recorded(), allow_nan=False)


@settings(max_examples=50, deadline=None)
@given(st.lists(few, max_size=4).map(tuple), st.integers(1, 5))
def test_every_contact_of_an_answer_that_all_give_weighs_one_and_covers_what_was_said(contacts, k):
    pooled = pool([answer(*contacts)] * k)
    for contact in contacts:
        wording = contact.a.part, contact.b.part
        assert any(compatible(wording, (c.a.part, c.b.part)) for c in pooled.named())
    assert all(w == 1.0 for w in weights(pooled).values())
