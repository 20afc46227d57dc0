"""What each method is given: which keypoints, which contacts, which loss; the fit itself is looked at elsewhere."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from apu.body.anny import AnnyBody
from apu.contact.contact import ContactMap
from apu.dataset.store import PairStore
from apu.dataset.synthetic.answers import with_true_sides
from apu.dataset.synthetic.visibility import JointState
from apu.errors import InputError
from apu.evaluate import methods
from apu.evaluate.cases import make_cases
from apu.evaluate.methods import (
    EVERY_METHOD,
    METHODS,
    ON_FLOOR,
    WORDS,
    Case,
    Method,
    Outcome,
    check_methods,
    contacts_of,
    solve,
)  # fmt: skip
from apu.scene.pair import PairObservation
from apu.unite.solve import FirstLook, look

FIXTURE = Path(__file__).parents[1] / "dataset" / "fixture_pairs"


@pytest.fixture(scope="module")
def cases(body: AnnyBody) -> list[Case]:
    """Two pairs, each with an answer about the other."""
    pairs = [record.to_true_pair() for record in list(PairStore(FIXTURE).records())[:2]]
    return make_cases(body, pairs, pairs[::-1], seed=3)


def test_every_method_has_words_and_stands_once_in_the_list():
    assert len(set(METHODS)) == len(METHODS)
    assert set(WORDS) == set(EVERY_METHOD)
    assert len(set(EVERY_METHOD)) == len(EVERY_METHOD)


def test_methods_without_contacts_get_an_empty_map(cases):
    for method in ("init", "keypoints", "mindist"):
        assert contacts_of(method, cases[0]) == ContactMap((), "none")


def test_contacts_are_those_of_the_answer_about_the_pair_itself(cases):
    for case in cases:
        assert contacts_of("contacts", case) == case.answer.contact_map()


def test_the_control_is_given_what_the_other_pairs_method_is_given(cases):
    assert contacts_of("shuffled", cases[0]) == contacts_of("contacts", cases[1]) != contacts_of("contacts", cases[0])
    assert contacts_of("shuffled", cases[1]) == contacts_of("contacts", cases[0])


def test_with_true_sides_the_answer_differs_in_sides_alone(cases):
    def without_sides(regions: frozenset[str]) -> frozenset[str]:
        return frozenset(r.removeprefix("left_").removeprefix("right_") for r in regions)

    for case in cases:
        mended = contacts_of("contacts+oracle-sides", case)
        assert mended == with_true_sides(case.answer).contact_map()
        told = {
            (without_sides(c.regions_a), without_sides(c.regions_b)) for c in contacts_of("contacts", case).contacts
        }
        assert {(without_sides(c.regions_a), without_sides(c.regions_b)) for c in mended.contacts} == told


def test_the_oracle_is_given_what_was_measured_on_the_true_bodies(cases):
    for case in cases:
        truth = case.observed.truth
        assert contacts_of("oracle", case) == contacts_of("oracle+true-keypoints", case) == truth.contact_map()
        assert contacts_of("oracle", case).source == "truth"


def test_the_initial_estimates_come_out_as_they_are_and_at_once(body: AnnyBody, cases):
    (outcomes,) = solve(body, cases, ["init"]).values()
    for case, outcome in zip(cases, outcomes, strict=True):
        assert outcome.seconds == 0
        assert outcome.parameters.keys() == set(body.parameter_spec)
        for name, value in outcome.parameters.items():
            assert torch.equal(value, torch.stack([one.parameters[name] for one in case.observed.initial]))


def test_the_initial_estimates_are_there_also_where_the_fit_is_not_given_them(body: AnnyBody, cases):
    hidden = [
        replace(c, observed=replace(c.observed, observation=replace(c.observed.observation, initial=(None, None))))
        for c in cases
    ]
    for one, other in zip(solve(body, hidden, ["init"])["init"], solve(body, cases, ["init"])["init"], strict=True):
        assert all(torch.equal(one.parameters[name], other.parameters[name]) for name in one.parameters)


class Recorder:
    """Looks as ever, notes what each fit is given, and gives back the true bodies in its stead."""

    def __init__(self, cases: list[Case]) -> None:
        self.cases, self.seen, self.looks, self.fits = cases, [], [], []

    def look(self, body: AnnyBody, observations: list[PairObservation]) -> FirstLook:
        self.seen.append(observations)
        self.looks.append(look(body, observations))
        return self.looks[-1]

    def unite(
        self, body: AnnyBody, first: FirstLook, maps: list[ContactMap], *, contact_loss: str, guidance: None
    ) -> list:
        number = next(i for i, one in enumerate(self.looks) if one is first)
        self.fits.append((number, list(maps), contact_loss))
        return [SimpleNamespace(parameters=case.observed.true_parameters) for case in self.cases]


@pytest.fixture(scope="module")
def recorded(body: AnnyBody, cases) -> tuple[Recorder, dict[Method, list[Outcome]]]:
    recorder = Recorder(cases)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(methods, "look", recorder.look)
        patch.setattr(methods, "unite", recorder.unite)
        return recorder, solve(body, cases, METHODS)


def test_all_methods_give_two_bodies_for_every_case_and_take_time(recorded, cases):
    _, outcomes = recorded
    assert list(outcomes) == list(METHODS)
    for method, found in outcomes.items():
        for outcome, case in zip(found, cases, strict=True):
            assert method == "init" or outcome.seconds > 0
            assert method == "init" or outcome.parameters is case.observed.true_parameters


def test_one_first_fit_serves_all_methods_with_the_same_keypoints(recorded, cases):
    recorder, _ = recorded
    assert len(recorder.seen) == 2
    assert all(one is case.observed.observation for one, case in zip(recorder.seen[0], cases, strict=True))
    assert [number for number, _, _ in recorder.fits] == [0, 0, 0, 0, 0, 0, 1]


def test_each_fit_gets_its_contacts_and_only_the_heuristic_its_loss(recorded, cases):
    recorder, _ = recorded
    fitted = [method for method in METHODS if method != "init"]
    assert [maps for _, maps, _ in recorder.fits] == [[contacts_of(m, c) for c in cases] for m in fitted]
    assert [loss for _, _, loss in recorder.fits] == ["mindist" if m == "mindist" else "soft" for m in fitted]


def test_true_keypoints_are_the_projected_joints_without_noise_and_nothing_else_is_mended(recorded, cases):
    recorder, _ = recorded
    for seen, case in zip(recorder.seen[1], cases, strict=True):
        given = case.observed.observation
        assert (seen.camera, seen.photo, seen.ages) == (given.camera, given.photo, given.ages)
        assert seen.initial is given.initial
        for k, person in enumerate(seen.people):
            inside = case.observed.visible[k] != JointState.OUT_OF_FRAME
            assert inside.sum() > 10
            np.testing.assert_array_equal(person.keypoints.confidence, inside.astype(np.float32))
            np.testing.assert_allclose(person.keypoints.xy[inside], case.observed.true_keypoints[k][inside], atol=1e-3)
            assert np.abs(given.people[k].keypoints.xy - person.keypoints.xy)[inside].max() > 2


def test_the_chosen_methods_are_asked_for_once_and_in_their_order():
    assert check_methods(["oracle", "init", "oracle"]) == ("init", "oracle")
    assert check_methods(METHODS[::-1]) == METHODS
    assert check_methods(EVERY_METHOD[::-1]) == EVERY_METHOD


@pytest.mark.parametrize(("names", "got"), [([], "nothing"), (["init", "orcale", "best"], "orcale, best")])
def test_unknown_methods_and_none_are_refused(names: list[str], got: str):
    with pytest.raises(InputError) as failure:
        check_methods(names)
    assert failure.value.got == got
    assert all(method in str(failure.value.expected) for method in EVERY_METHOD)
    assert failure.value.where == "--methods"


def test_who_is_told_of_a_floor_has_a_first_fit_of_its_own_and_the_contacts_of_who_is_not(body: AnnyBody, cases):
    recorder = Recorder(cases)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(methods, "look", recorder.look)
        patch.setattr(methods, "unite", recorder.unite)
        solve(body, cases, ["contacts", *ON_FLOOR])
    assert [number for number, _, _ in recorder.fits] == [0, 1, 1, 1]
    assert [maps for _, maps, _ in recorder.fits[1:]] == [[contacts_of(m, c) for c in cases] for m in ON_FLOOR.values()]
    for plain, told in zip(*recorder.seen, strict=True):
        assert (plain.shared_floor, told.shared_floor) == (False, True)
        assert replace(told, shared_floor=False) == plain
