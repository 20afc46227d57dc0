"""A learned prior in the mesh stages: when it is asked, what it is told, and that its pull is felt."""

from dataclasses import replace

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.contact.contact import Contact, ContactMap
from apu.scene.estimate import InitialBody
from apu.scene.guidance import KnownPairs
from apu.unite.guided import TERM, GuidedStage, known_pairs
from apu.unite.solve import FirstLook, look, unite
from apu.unite.weights import GuidanceWeights, UniteWeights

NOTHING = ContactMap((), "none")
STANDARD = UniteWeights()
SHORT = replace(
    STANDARD, contact=replace(STANDARD.contact, steps=12), penetration=replace(STANDARD.penetration, steps=8)
)


class BesideGuidance:
    """Wants B one metre to the right of A, and B's first angle at a value; writes down what it is asked."""

    def __init__(self, angle: float = 0.4) -> None:
        self.angle = angle
        self.asked, self.started, self.told = [], [], []

    def target(self, parameters, pairs, time):
        assert not any(value.requires_grad for value in parameters.values())
        self.asked.append((pairs, time, len(parameters["pose"])))
        pose = parameters["pose"].clone()
        pose[:, 1, 0] = self.angle
        return {**parameters, "pose": pose}

    def loss(self, parameters, target, told=None):
        self.told.append(told)
        return 1e3 * (parameters["pose"] - target["pose"])[:, 1, 0].square()

    def start(self, pairs, parameters, steps):
        self.started.append((pairs, steps))
        return {**parameters, "pose": parameters["pose"] + 0.01}


@pytest.fixture(scope="module")
def first(body: AnnyBody, pair) -> FirstLook:
    torch.manual_seed(0)
    initial = InitialBody({name: value[1] for name, value in pair.parameters.items()}, "test")
    seen = replace(pair.observation, initial=(None, initial))
    return look(body, [pair.observation, replace(seen, photo="other")], SHORT)


def weights(**changed) -> UniteWeights:
    return replace(SHORT, guidance=GuidanceWeights(**changed))


def same(a, b) -> bool:
    return all(
        torch.equal(one.parameters[n], two.parameters[n]) for one, two in zip(a, b, strict=True) for n in one.parameters
    )


def test_a_prior_of_no_weight_changes_no_bit(body: AnnyBody, first):
    plain = unite(body, first, [NOTHING, NOTHING], SHORT)
    silent = unite(body, first, [NOTHING, NOTHING], weights(factor=0.0, penetration=1.0), guidance=BesideGuidance())
    assert same(plain, silent)
    assert TERM not in plain[0].stages[-1].terms
    assert silent[0].stages[-1].terms[TERM] == 0.0


def test_bodies_go_where_the_prior_would_have_them(body: AnnyBody, first):
    plain = unite(body, first, [NOTHING, NOTHING], SHORT)
    far = [abs(float(fit.parameters["pose"][1, 0]) - 0.4) for fit in plain]
    guided = unite(body, first, [NOTHING, NOTHING], weights(), guidance=BesideGuidance())
    near = [abs(float(fit.parameters["pose"][1, 0]) - 0.4) for fit in guided]
    assert all(b < a - 0.05 for a, b in zip(far, near, strict=True))
    assert guided[0].stages[-1].terms[TERM] > 0


def test_bodies_that_a_prior_has_moved_are_parted_harder(body: AnnyBody, first):
    terms = [
        unite(body, first, [NOTHING] * 2, weights(factor=0.0, penetration=factor), guidance=BesideGuidance())[0]
        for factor in (1.0, 1e4)
    ]
    light, heavy = (fit.penetration_max_m for fit in terms)
    assert light > 0.001, "else there is nothing to part"
    assert heavy < 0.8 * light


def test_it_is_asked_with_less_and_less_noise_and_told_what_is_known(body: AnnyBody, first):
    asked = BesideGuidance()
    times = {"contact_times": (100, 40), "penetration_times": (40, 10)}
    unite(body, first, [NOTHING, NOTHING], weights(refresh=4, **times), guidance=asked)
    count = first.hypotheses.cost.shape[1]
    contact = [one for one in asked.asked if one[2] == 2 * count]
    assert [time for _, time, _ in contact] == [100, 73, 47, 40]  # steps 0, 4 and 8, and step 9, where it settles
    assert [time for _, time, rows in asked.asked[len(contact) :]] == [40, 20, 10]
    known = contact[0][0]
    assert len(set(known.names)) == 2 * count
    assert known.initial_known.tolist() == [[False, False]] * count + [[False, True]] * count
    last = asked.asked[-1][0]
    assert set(last.names) <= set(known.names)  # so that a hypothesis keeps its noise


def test_while_a_stage_settles_its_target_stands():
    asked = BesideGuidance()
    here = {"pose": torch.zeros(1, 2, 3)}
    stage = GuidedStage(asked, known_pairs([], [], [], [], here), GuidanceWeights(refresh=2), (50, 10))
    for step in range(10):
        stage.look(here, step, min(1.0, step / 5))
    assert [time for _, time, _ in asked.asked] == [50, 34, 18, 10]


def test_a_sample_may_replace_the_start_of_every_hypothesis(body: AnnyBody, first):
    sampled = BesideGuidance()
    unite(body, first, [NOTHING, NOTHING], weights(start_steps=3, factor=0.0), guidance=sampled)
    (known, steps), *more = sampled.started
    assert (len(known.names), steps, more) == (2 * first.hypotheses.cost.shape[1], 3, [])
    assert not BesideGuidance().started


def test_where_nobody_has_an_estimate_none_is_told(pair):
    like = {name: value[None] for name, value in pair.parameters.items()}
    assert known_pairs([pair.observation], [NOTHING], [0], [0], like).initial is None


def test_the_prior_hears_whose_contacts_the_solver_obeys():
    asked = BesideGuidance()
    here = {"pose": torch.zeros(2, 2, 3)}
    hand = ContactMap((Contact(frozenset({"left_fingers_back"}), frozenset({"right_hand_back"})),), "test")
    stage = GuidedStage(asked, KnownPairs(("a", "b"), contacts=(hand, NOTHING)), GuidanceWeights(), (50, 10))
    stage.term(here)
    GuidedStage(asked, KnownPairs(("a", "b")), GuidanceWeights(), (50, 10)).term(here)
    assert [told.tolist() for told in asked.told] == [[True, False], [False, False]]
    heard = stage.heard({"penetration": torch.ones(2), "keypoints": torch.ones(2)}, here)
    assert heard["penetration"].tolist() == [1.0, GuidanceWeights().penetration]
    assert heard["keypoints"].tolist() == [1.0, 1.0]
