"""Rates, provenance and independence of simulated answers, measured over thousands of draws."""

from dataclasses import replace

import numpy as np
import pytest
from posed_pairs import touching_pair

from apu.body.region_names import REGION_NAMES
from apu.contact.end import End, end_of_region
from apu.contact.parts import part_regions, regions_of
from apu.dataset.synthetic.answers import WIDER, simulate_answers, with_true_sides
from apu.dataset.synthetic.coarse_contacts import coarse_contacts, region_areas
from apu.dataset.synthetic.observation_settings import AnswerSettings
from apu.errors import InputError

TOUCHING = (
    ("left_hand_palm", "right_forearm_front", 0.002),
    ("right_fingers_palm", "left_shoulder_blade", 0.003),
    ("left_knee_front", "right_knee_front", 0.001),
    ("left_upper_chest", "right_lower_chest", 0.0),
)
PAIRS, K = 500, 2


@pytest.fixture(scope="module")
def surface(body):
    return body.surface


def world(body, surface, settings=None, pairs=PAIRS, k=K):
    return [simulate_answers(touching_pair(body, f"p{i}", *TOUCHING), surface, k, 7, settings) for i in range(pairs)]


@pytest.fixture(scope="module")
def answered(body, surface):
    """Independent answers, so that every one counts."""
    return world(body, surface, AnswerSettings(shared=0.0), k=4)


def contacts(answers):
    return [c for one in answers for answer in one.answers for c in answer.contacts]


def said(answers):
    return [[(c.a, c.b) for c in answer.contacts] for answer in answers.answers]


# ---- the truth in words


def test_the_partition_covers_every_region_and_agrees_with_the_vocabulary():
    for region in REGION_NAMES:
        end = end_of_region(region)
        assert region in end.regions
        assert regions_of(end.label) == (end.regions, end.label)


def test_fine_contacts_are_grouped_by_parts_and_the_most_extended_come_first(body, surface):
    pair = touching_pair(
        body, "p",
        ("left_hand_palm", "left_lower_back", 0.004), ("left_fingers_palm", "right_upper_back", 0.002),
        ("right_fingers_back", "left_elbow_back", 0.001), ("left_upper_chest", "right_upper_chest", 0.009),
        ("left_foot_top", "left_foot_sole", 0.012),
    )  # fmt: skip
    area = dict(zip(surface.region_names, region_areas(surface).tolist(), strict=True))
    found = coarse_contacts(pair, surface)
    hand = next(c for c in found if c.a == End("hand", "left"))
    assert hand.b == End("back", "none")
    assert hand.distance_m == 0.002
    assert hand.area_m2 == pytest.approx(area["left_hand_palm"] + area["left_fingers_palm"])
    assert len(found) == 3  # the feet are farther apart than 1 cm
    assert [c.area_m2 for c in found] == sorted((c.area_m2 for c in found), reverse=True)
    assert coarse_contacts(pair, surface, most=1) == found[:1]


def test_region_areas_add_up_to_the_skin_of_an_adult(surface):
    assert 1.5 < float(region_areas(surface).sum()) < 2.6


@pytest.mark.parametrize("part", WIDER)
def test_a_wider_word_has_all_regions_of_the_part(part):
    assert part_regions(part, "none") <= part_regions(WIDER[part], "none")


# ---- rates


def test_a_third_of_the_true_contacts_is_missed_and_a_fifth_of_the_answered_ones_invented(answered):
    true = sum(len(one.truth) * len(one.answers) for one in answered)
    all_of_them = contacts(answered)
    kept = sum(c.truth is not None for c in all_of_them)
    assert 1 - kept / true == pytest.approx(0.35, abs=0.015)
    assert 1 - kept / len(all_of_them) == pytest.approx(0.20, abs=0.015)


def test_sides_are_flipped_together_alone_and_at_the_only_sided_end_as_often_as_stated(answered):
    stem = [c for c in contacts(answered) if c.truth]
    sided = [c for c in stem if c.truth.a.sided and c.truth.b.sided]
    flips = np.array([[f"side of {which}" in c.errors for which in "ab"] for c in sided])
    assert flips.all(1).mean() == pytest.approx(0.30, abs=0.025)
    assert (flips.sum(1) == 1).mean() == pytest.approx(0.10, abs=0.02)
    half = [c for c in stem if c.truth.a.sided != c.truth.b.sided]
    assert np.mean(["side of a" in c.errors or "side of b" in c.errors for c in half]) == pytest.approx(0.4, abs=0.04)
    neither = [c for c in stem if not c.truth.a.sided and not c.truth.b.sided]
    assert not any("side" in error for c in neither for error in c.errors)


def test_answers_have_the_people_swapped_as_a_whole_one_time_in_twenty(answered):
    swapped = [{"people" in c.errors for c in answer.contacts} for one in answered for answer in one.answers]
    assert all(len(one) <= 1 for one in swapped)
    assert np.mean([True in one for one in swapped if one]) == pytest.approx(0.05, abs=0.02)


def test_parts_with_a_wider_word_are_called_by_it_as_often_as_stated(answered):
    able = [c for c in contacts(answered) if c.truth and c.truth.b.part == "forearm"]
    assert np.mean(["wider b" in c.errors for c in able]) == pytest.approx(0.15, abs=0.035)
    assert {c.b.part for c in able if "wider b" in c.errors and "people" not in c.errors} == {"arm"}


@pytest.mark.parametrize("shared", [0.3, 1.0])
def test_the_rates_of_single_answers_do_not_depend_on_how_much_is_shared(body, surface, shared):
    answers = world(body, surface, AnswerSettings(shared=shared))
    true = sum(len(one.truth) * K for one in answers)
    kept = sum(c.truth is not None for c in contacts(answers))
    assert 1 - kept / true == pytest.approx(0.35, abs=0.035)
    assert 1 - kept / len(contacts(answers)) == pytest.approx(0.20, abs=0.035)


# ---- shared errors


def missed_pairs(answers):
    """(n, 2) whether each true contact is missing in the first and the second answer."""
    rows = []
    for one in answers:
        told = [{c.truth for c in answer.contacts} for answer in one.answers[:2]]
        rows += [[contact not in each for each in told] for contact in one.truth]
    return np.array(rows, float)


def test_nothing_shared_makes_answers_independent(answered):
    assert abs(np.corrcoef(missed_pairs(answered).T)[0, 1]) < 0.07


def test_all_shared_makes_answers_identical(body, surface):
    for one in world(body, surface, AnswerSettings(shared=1.0), pairs=50, k=5):
        assert all(each == said(one)[0] for each in said(one))


def test_the_correlation_of_an_error_is_the_share(body, surface):
    misses = missed_pairs(world(body, surface, AnswerSettings(shared=0.6)))
    assert np.corrcoef(misses.T)[0, 1] == pytest.approx(0.6, abs=0.07)


def test_two_models_err_independently_and_a_worse_one_more_often(body, surface):
    good = world(body, surface, AnswerSettings(model="good", error_factor=0.5, shared=1.0), k=1)
    bad = world(body, surface, AnswerSettings(model="bad", error_factor=1.2, shared=1.0), k=1)
    both = np.stack(
        [[contact not in {c.truth for c in one.answers[0].contacts} for one in m for contact in one.truth]
         for m in (good, bad)]
    ).astype(float)  # fmt: skip
    assert abs(np.corrcoef(both)[0, 1]) < 0.08
    assert both.mean(1) == pytest.approx([0.175, 0.42], abs=0.04)
    assert {answer.model for one in good for answer in one.answers} == {"good"}


# ---- provenance


def test_invented_contacts_are_between_parts_that_do_not_touch(answered):
    truth = {(c.a.part, c.b.part) for c in answered[0].truth}
    invented = [c for c in contacts(answered) if c.truth is None]
    assert invented
    for c in invented:
        parts = (c.b.part, c.a.part) if "people" in c.errors else (c.a.part, c.b.part)
        assert parts not in truth
        assert "invented" in c.errors


def test_true_sides_mend_the_sides_of_true_contacts_and_nothing_else(answered):
    for one in answered:
        for answer in one.answers:
            mended = with_true_sides(answer)
            assert len(mended.contacts) == len(answer.contacts)
            for before, after in zip(answer.contacts, mended.contacts, strict=True):
                assert (before.a.part, before.b.part) == (after.a.part, after.b.part)
                if before.truth is None:
                    assert after == before
                    continue
                true = [before.truth.a.side, before.truth.b.side]
                assert [after.a.side, after.b.side] == (true[::-1] if "people" in before.errors else true)


def test_without_errors_the_answer_is_the_truth(body, surface):
    pair = touching_pair(body, "p", *TOUCHING)
    for settings in (AnswerSettings(on=False), AnswerSettings(error_factor=0.0)):
        answers = simulate_answers(pair, surface, 3, 0, settings)
        true = answers.true_map().contacts
        for answer in answers.answers:
            found = answer.contact_map()
            assert found.source == "simulated"
            assert [(c.regions_a, c.regions_b, c.label_a, c.label_b) for c in found.contacts] == [
                (c.regions_a, c.regions_b, c.label_a, c.label_b) for c in true
            ]


def test_every_word_of_an_answer_is_understood_as_it_was_meant(answered):
    for one in answered[:50]:
        for answer in one.answers:
            for contact in answer.contact_map().contacts:
                assert regions_of(contact.label_a)[0] == contact.regions_a
                assert regions_of(contact.label_b)[0] == contact.regions_b
                assert contact.source == "simulated"


# ---- determinism


def test_answers_are_reproducible_and_the_first_ones_do_not_depend_on_how_many_are_asked(body, surface):
    pair = touching_pair(body, "p", *TOUCHING)
    few, many = (simulate_answers(pair, surface, k, 3) for k in (2, 6))
    assert few.answers == many.answers[:2]
    assert few == simulate_answers(pair, surface, 2, 3)
    assert few != simulate_answers(pair, surface, 2, 4)


def test_switching_inventions_off_leaves_the_true_contacts_as_they_were(body, surface):
    pair = touching_pair(body, "p", *TOUCHING)
    usual, honest = (
        simulate_answers(pair, surface, 5, 3, replace(AnswerSettings(), invented=share)) for share in (0.2, 0.0)
    )
    for one, other in zip(usual.answers, honest.answers, strict=True):
        assert tuple(c for c in one.contacts if c.truth) == other.contacts


def test_a_pair_that_touches_nowhere_may_still_be_answered(body, surface):
    answers = [simulate_answers(touching_pair(body, f"p{i}"), surface, 1, 0) for i in range(100)]
    assert all(one.truth == () for one in answers)
    assert 0 < sum(len(one.answers[0].contacts) for one in answers) < 40


def test_a_negative_number_of_answers_is_refused(body, surface):
    with pytest.raises(InputError, match="asked"):
        simulate_answers(touching_pair(body, "p", *TOUCHING), surface, -1, 0)
