"""The whole optimisation on pairs with known truth: contacts close, bodies part, hypotheses are kept and chosen."""

from dataclasses import replace

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.contact.contact import Contact, ContactMap
from apu.unite.solve import look, unite
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
    best = min(tried, key=lambda one: one["cost_with_contacts"])
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
