"""The clues of a fit, by hand on a made-up one: what each measures, and what leaves it alone."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from apu.contact.contact import Contact, ContactMap
from apu.scene.camera import Camera
from apu.scene.estimate import InitialBody
from apu.scene.pair import ContactResult, Fit, PairObservation, StageRecord
from apu.scene.person import Keypoints, Person
from apu.scene.verdict import RuleResult
from apu.unite.clues import LEAST, NO_RIVAL, TEMPERATURE, clues_of
from apu.unite.confidence import chance_of, shipped
from apu.unite.verdict import CHANCE, judge, told_contacts
from apu.unite.weights import UniteWeights

HAND, BACK = frozenset({"left_hand_palm"}), frozenset({"right_upper_back", "left_upper_back"})
CONTACTS = (Contact(HAND, BACK), Contact(BACK, HAND, 0.5), Contact(HAND, HAND))
RESULTS = (ContactResult(0.3, 0.001), ContactResult(0.9, 0.04, 0.5), ContactResult(0.9, 0.9, 0.0))


def body(depth: float, turn: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> dict[str, torch.Tensor]:
    return {
        "translation": torch.tensor([0.0, 0.0, depth]),
        "orientation": torch.tensor(turn),
        "pose": torch.zeros(4),
        "shape": torch.zeros(2),
    }


def person(index: int, x: float) -> Person:
    xy = np.stack([np.linspace(x, x + 30, 25), np.linspace(0, 40, 25)], 1)
    return Person(index, Keypoints("body25", xy, np.where(np.arange(25) < 20, 0.8, 0.2)), 1.0, "made up")


OBSERVATION = PairObservation(
    "p", Camera.of_image(100, 100), (person(0, 10.0), person(1, 25.0)),
    initial=(InitialBody(body(3.0), "x"), InitialBody(body(3.4, (0.0, 3.0, 0.0)), "x")),
)  # fmt: skip
TRIED = (
    {"cost_before_contacts": 9.0, "cost_with_contacts": 10.0, "cost_at_the_end": 14.5, "relative_depth_m": 0.1},
    {"cost_before_contacts": 7.0, "cost_with_contacts": 12.0, "cost_at_the_end": 14.0, "relative_depth_m": 0.5},
)
FITTED = [body(3.0), body(3.1, (0.0, -3.0, 0.0))]
FIT = Fit(
    body_model="stub",
    parameters={name: torch.stack([one[name] for one in FITTED]) for name in FITTED[0]},
    vertices=torch.tensor([3.0, 3.1])[:, None, None].expand(2, 4, 3),
    joints=torch.zeros(2, 25, 3),
    first_vertices=torch.tensor([3.2, 3.7])[:, None, None].expand(2, 4, 3),
    contacts=ContactMap(CONTACTS, "simulated"),
    contact_results=RESULTS,
    reprojection_percent=(1.0, 2.0),
    penetration_max_m=0.01,
    penetration_volume_cm3=3.0,
    heights_m=(1.7, 1.2),
    attributes={},
    hypothesis={"tried": TRIED, "posture": ["initial", "sit"]},
    stages=(
        StageRecord("joints", 9, "converged", 1.0, {"pose": 2.0, "shape": 1.0}),
        StageRecord(
            "penetration", 9, "converged", 1.0,
            {"pose": 8.0, "bounds": 0.1, "shape": 0.4, "height": 0.0, "keypoints": 3.0, "capsules": 0.2},
        ),
    ),
)  # fmt: skip


def clues(fit: Fit = FIT, observation: PairObservation = OBSERVATION) -> Mapping[str, float]:
    return clues_of(observation, fit, told_contacts(fit))


def test_every_clue_by_hand():
    gone = math.exp(-2 / TEMPERATURE)
    share = gone / (1 + gone)
    expected = {
        "contacts: weight believed": math.log(LEAST + 1.25),
        "contacts: share believed": 1.25 / 2.5,
        "contacts: share met": 1 / 1.25,
        "contacts: distance left": (0.001 + 0.25 * 0.04) / 1.25,
        "contacts: distance before": (0.3 + 0.25 * 0.5) / 1.25,
        "contacts: places met": math.log(3),
        "contacts: on the trunk": 0.5,
        "hypotheses: margin": math.log(3),
        "hypotheses: margin at the end": math.log(1.5),
        "hypotheses: spread of depth": 0.4 * math.sqrt(share * (1 - share)),
        "depth: change from estimates": 0.3,
        "depth: change from first fit": 0.4,
        "depth: between the bodies": 0.1,
        "depth: of the pair": math.log(3.05),
        "estimates: change of pose": 0.0,
        "estimates: change of orientation": 2 * math.pi - 6.0,
        "estimates: change of shape": 0.0,
        "estimates: poses kept": 0.5,
        "cost: joints stage": math.log(LEAST + 3.0),
        "cost: penetration stage": math.log(LEAST + 11.7),
        "cost: keypoints": math.log(LEAST + 3.0),
        "cost: pose": math.log(LEAST + 8.0),
        "cost: shape": math.log(LEAST + 0.4),
        "cost: height": math.log(LEAST),
        "cost: capsules": math.log(LEAST + 0.2),
        "picture: reprojection error": 1.5,
        "picture: less sure person": (20 * 0.8 + 5 * 0.2) / 25,
        "picture: joints not seen": 5.0,
        "picture: boxes overlap": (30 * 19 / 24 - 15) / (30 * 19 / 24),
        "picture: sizes differ": 0.0,
        "picture: smaller person": math.log(50 * 19 / 24),
        "picture: height of the smaller": 1.2,
    }
    assert dict(clues()) == pytest.approx(expected, abs=1e-6)


def test_the_turn_is_the_angle_between_two_rotations():
    random = np.random.default_rng(0)
    for _ in range(20):
        before, now = random.normal(0, 1.5, (2, 3))
        one = replace(OBSERVATION, initial=(InitialBody(body(3.0), "x"), InitialBody(body(3.4, tuple(before)), "x")))
        turned = torch.stack([torch.zeros(3), torch.tensor(now, dtype=torch.float32)])
        fit = replace(FIT, parameters={**FIT.parameters, "orientation": turned})
        angle = (Rotation.from_rotvec(now).inv() * Rotation.from_rotvec(before)).magnitude()
        assert clues(fit, one)["estimates: change of orientation"] == pytest.approx(angle, abs=1e-3)


def test_exchanging_the_people_changes_no_clue():
    a, b = OBSERVATION.people
    exchanged = replace(OBSERVATION, people=(b, a), initial=OBSERVATION.initial[::-1])
    fit = replace(
        FIT,
        parameters={name: value.flip(0) for name, value in FIT.parameters.items()},
        vertices=FIT.vertices.flip(0),
        first_vertices=FIT.first_vertices.flip(0),
        contacts=FIT.contacts.swapped(),
        reprojection_percent=FIT.reprojection_percent[::-1],
        heights_m=FIT.heights_m[::-1],
        hypothesis={
            "tried": [{**one, "relative_depth_m": -one["relative_depth_m"]} for one in TRIED],
            "posture": ["sit", "initial"],
        },
    )
    assert dict(clues(fit, exchanged)) == pytest.approx(dict(clues()), abs=1e-6)


def test_an_answer_without_a_contact_is_the_weakest_evidence_and_no_unknown():
    found = clues(replace(FIT, contacts=ContactMap((), "simulated"), contact_results=()))
    assert found["contacts: weight believed"] == math.log(LEAST)
    assert found["contacts: share met"] == 0.0
    assert all(math.isfinite(value) for value in found.values())


def test_a_hypothesis_that_came_to_the_end_alone_leads_by_the_margin_that_kept_others_out():
    alone = [{**TRIED[0], "cost_at_the_end": None}, TRIED[1]]
    assert clues(replace(FIT, hypothesis={"tried": alone}))["hypotheses: margin at the end"] == math.log(1 + NO_RIVAL)
    assert UniteWeights().finalist_margin == NO_RIVAL


def test_what_is_not_known_is_nan_and_keeps_its_name():
    bare = replace(FIT, hypothesis={}, stages=())
    found = clues(bare, replace(OBSERVATION, initial=(None, None)))
    assert list(found) == list(clues())
    unknown = {name for name, value in found.items() if math.isnan(value)}
    assert {name.partition(":")[0] for name in unknown} == {"hypotheses", "depth", "estimates", "cost"}


def test_the_shipped_calibration_knows_only_clues_that_there_are():
    assert {clue.name for clue in shipped().clues} <= set(clues())


def test_a_fit_is_asked_for_its_chance_only_where_it_is_calibrated(body):
    def asked(fit: Fit, observation: PairObservation) -> bool:
        return CHANCE in [rule.name for rule in judge(observation, fit, body.surface).rules]

    guessed = tuple(replace(c, source="proximity") for c in CONTACTS)
    assert asked(FIT, OBSERVATION)
    assert not asked(FIT, replace(OBSERVATION, initial=(OBSERVATION.initial[0], None)))
    assert not asked(replace(FIT, contacts=ContactMap(guessed, "proximity")), OBSERVATION)
    for source, expected in (("simulated", True), ("none", False), ("proximity", False)):
        silent = replace(FIT, contacts=ContactMap((), source), contact_results=())
        assert asked(silent, OBSERVATION) is expected


def test_a_low_chance_rejects_what_was_answered_and_says_what_speaks_against_it_but_not_what_was_annotated(body):
    def rule(fit: Fit) -> RuleResult:
        return next(one for one in judge(OBSERVATION, fit, body.surface, calibration=harsh).rules if one.name == CHANCE)

    harsh = replace(shipped(), intercept=-9.0)
    annotated = tuple(replace(c, source="annotation") for c in CONTACTS)
    answered = tuple(replace(c, source="simulated") for c in CONTACTS)
    told = rule(replace(FIT, contacts=ContactMap(answered, "simulated")))
    assert not told.holds
    assert told.limit == pytest.approx(100 * shipped().least_chance)
    worst = chance_of(clues(), harsh).families
    assert str(told).endswith(f"(against it: {chance_of(clues(), harsh).against()})")
    assert told.detail.split()[2] == min(worst, key=lambda family: worst[family])
    mixed = ContactMap((annotated[0], *answered[1:]), "simulated")
    assert not rule(replace(FIT, contacts=mixed)).holds
    certain = rule(replace(FIT, contacts=ContactMap(annotated, "annotation")))
    assert certain.holds
    assert certain.value == told.value
    assert "against" not in str(certain)
