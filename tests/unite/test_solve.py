"""The whole optimisation on pairs with known truth: contacts close, bodies part, hypotheses are kept and chosen."""

from dataclasses import replace

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.contact.contact import Contact, ContactMap
from apu.unite.solve import believed, look, unite
from apu.unite.weights import CONTACT_STAGE, PENETRATION_STAGE, UniteWeights

QUICK = UniteWeights(contact=replace(CONTACT_STAGE, steps=40), penetration=replace(PENETRATION_STAGE, steps=40))
ELBOWS = ContactMap(
    (
        Contact(
            frozenset({"left_elbow_back", "left_elbow_front"}), frozenset({"right_elbow_front", "right_elbow_back"})
        ),
    ),
    "annotation",
)
NOTHING = ContactMap((), "annotation")


@pytest.fixture(scope="module")
def fits(body: AnnyBody, pair):
    """The pair with a contact, and the same pair without, in one batch."""
    first = look(body, [pair.observation, pair.observation], QUICK)
    return first, unite(body, first, [ELBOWS, NOTHING], QUICK)


def test_a_contact_closes(fits):
    (result,) = fits[1][0].contact_results
    assert result.after_m < 0.02
    assert result.after_m <= result.before_m


def test_the_bodies_hardly_overlap(fits):
    assert max(fit.penetration_max_m for fit in fits[1]) < 0.02


def test_the_keypoints_stay_where_they_are_seen(fits):
    for fit in fits[1]:
        assert max(fit.reprojection_percent) < 2.5


def test_a_pair_without_contacts_has_no_contact_cost(fits):
    without = fits[1][1]
    assert without.contact_results == ()
    assert without.stages[-1].terms["contact"] == 0.0


def test_every_stage_reports_its_terms_steps_and_reason(fits):
    stages = fits[1][0].stages
    assert [s.name for s in stages] == ["joints", "contact", "penetration"]
    for stage in stages:
        assert stage.iterations > 0
        assert stage.seconds > 0
        assert stage.stop in ("converged", "iteration limit")
        assert all(value >= 0 for value in stage.terms.values())
    assert "penetration" in stages[-1].terms
    assert "penetration" not in stages[0].terms


def test_all_hypotheses_are_recorded_and_the_cheapest_was_chosen(fits):
    first, (fit, _) = fits
    tried = fit.hypothesis["tried"]
    assert len(tried) == first.hypotheses.cost.shape[1]
    ended = [one for one in tried if one["cost_at_the_end"] is not None]
    assert min(tried, key=lambda one: one["cost_with_contacts"]) in ended
    best = min(ended, key=lambda one: one["cost_at_the_end"])
    assert best["posture"] == fit.hypothesis["posture"]
    assert best["age"] == fit.hypothesis["age"]


def test_hypotheses_come_cheapest_first(fits):
    cost = fits[0].hypotheses.cost
    assert bool((cost.diff(dim=1) >= 0).all())


def test_the_first_fit_keeps_different_postures_alive(fits):
    first = fits[0].hypotheses
    postures = {first.starts[int(s)].posture for s in first.start.flatten()}
    assert len(postures) > 1


def test_the_parameters_give_the_vertices(body: AnnyBody, fits):
    from apu.body.protocol import Parts

    fit = fits[1][0]
    again = body.forward(dict(fit.parameters), Parts("body25", "all"))
    assert again.vertices is not None
    torch.testing.assert_close(again.vertices, fit.vertices, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("ages", "expected"), [(("child", "adult"), ["child", "adult"]), (("adult", "adult"), ["adult"] * 2)]
)
def test_a_given_age_is_obeyed(body: AnnyBody, pair, ages, expected):
    first = look(body, [replace(pair.observation, ages=ages)], QUICK)
    for k in range(first.hypotheses.start.shape[1]):
        starts = [first.hypotheses.starts[int(s)] for s in first.hypotheses.start[0, k]]
        if float(first.hypotheses.cost[0, k]) < 1e5:
            assert [s.age for s in starts] == expected
    best = [first.hypotheses.starts[int(s)].age for s in first.hypotheses.start[0, 0]]
    assert best == expected


def test_the_same_input_gives_the_same_fit(body: AnnyBody, pair):
    quickest = replace(QUICK, contact=replace(CONTACT_STAGE, steps=5), penetration=replace(PENETRATION_STAGE, steps=5))
    once, again = (
        unite(body, look(body, [pair.observation], quickest), [ELBOWS], quickest)[0].vertices for _ in range(2)
    )
    assert torch.equal(once, again)


QUICKEST = replace(QUICK, contact=replace(CONTACT_STAGE, steps=5), penetration=replace(PENETRATION_STAGE, steps=5))
GUESSED = replace(ELBOWS.contacts[0], source="proximity")
FAR = Contact(frozenset({"left_foot_sole"}), frozenset({"left_head_front"}), source="proximity")


def guessed(*contacts: Contact) -> ContactMap:
    return ContactMap(contacts, "proximity")


@pytest.fixture(scope="module")
def doubting(body: AnnyBody, pair):
    """The pair with a plausible contact, with one more that the picture speaks against, and with that one certain."""
    first = look(body, [pair.observation] * 3, QUICKEST)
    maps = [guessed(GUESSED), guessed(FAR, GUESSED), guessed(GUESSED, replace(FAR, source="annotation"))]
    return first, maps, unite(body, first, maps, QUICKEST)


def test_a_contact_that_the_picture_speaks_against_is_reported_and_does_not_change_the_fit(doubting):
    _, maps, (alone, beside, _) = doubting
    torch.testing.assert_close(beside.vertices, alone.vertices, atol=1e-4, rtol=0)
    assert beside.contacts == maps[1], "as they were given"
    assert beside.contact_results[0].trust == 0.0
    assert beside.contact_results[0].before_m > 0.5
    assert beside.contact_results[1].trust == pytest.approx(alone.contact_results[0].trust, abs=1e-4)
    assert 0.0 < alone.contact_results[0].trust <= 1.0


def test_a_certain_contact_pulls_however_far_it_seems(doubting):
    _, _, (alone, _, certain) = doubting
    assert certain.contact_results[1].trust == 1.0
    assert certain.stages[-1].terms["contact"] > alone.stages[-1].terms["contact"]


def test_the_trust_of_a_contact_is_that_of_its_place_in_the_first_fit(body: AnnyBody, doubting):
    first, maps, fits = doubting
    used, trust = believed(body, first, maps, QUICKEST)
    assert [len(one.contacts) for one in used] == [1, 1, 2]
    for fit, shares in zip(fits, trust, strict=True):
        assert tuple(result.trust for result in fit.contact_results) == shares
    assert used[0].contacts[0].weight == pytest.approx(trust[0][0] * GUESSED.weight)


def test_contacts_are_trusted_more_the_more_doubt_is_allowed(body: AnnyBody, doubting):
    first, maps, _ = doubting
    strict, loose = (believed(body, first, maps, replace(QUICKEST, across_sigma_m=s))[1] for s in (0.001, 10.0))
    assert strict[1][0] == 0.0
    assert loose[1][0] > 0.9
    assert all(a <= b for mine, other in zip(strict, loose, strict=True) for a, b in zip(mine, other, strict=True))
