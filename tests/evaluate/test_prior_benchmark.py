"""A prior that knows the truth helps, one that knows nothing does not go unnoticed, and finished work is addressed."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts
from apu.dataset.engine import SerialEngine
from apu.dataset.synthetic.observation_settings import InitialSettings, ObservationSettings
from apu.errors import InputError
from apu.evaluate import prior_benchmark, synthetic_benchmark
from apu.evaluate.batches import Benchmark, Part, run_benchmark, work_folder
from apu.evaluate.cases import make_cases
from apu.evaluate.joint_errors import joint_rows
from apu.evaluate.prior_arms import INFINITE, Arm, ComparedPrior, Recipe, arms_of, named_priors, recipes
from apu.evaluate.prior_benchmark import Priors, solve_arms
from apu.prior.checkpoint import save_prior
from apu.prior.contact_prior import ContactPrior
from apu.prior.guidance import DiffusionGuidance, Pull
from apu.prior.network import Denoiser
from apu.prior.representation import Representation
from apu.prior.schedule import Schedule
from apu.prior.settings import NetworkSettings
from apu.prior.statistics import Statistics
from apu.scene.true_pair import TruePair
from apu.unite.weights import GuidanceWeights, UniteWeights

POSED = Path(__file__).parents[1] / "dataset" / "posed_pairs.py"


def quick() -> UniteWeights:
    whole = UniteWeights()
    return UniteWeights(
        first=replace(whole.first, steps=4),
        contact=replace(whole.contact, steps=15),
        penetration=replace(whole.penetration, steps=6),
    )


@pytest.fixture(scope="module")
def pairs(body: AnnyBody) -> tuple[TruePair, ...]:
    """Two pairs whose contacts are not measured."""
    spec = importlib.util.spec_from_file_location("posed_pairs_of_priors", POSED)
    assert spec is not None
    assert spec.loader is not None
    posed = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(posed)
    return tuple(replace(posed.posed_pair(body, i, "hug"), interaction="hug", split="validation") for i in (0, 1))


@pytest.fixture(scope="module")
def untrained(body: AnnyBody, pairs) -> ContactPrior:
    """Random weights, statistics of the pairs."""
    torch.manual_seed(3)
    representation = Representation(body.name, body.parameter_spec)
    network = Denoiser(representation.tokens, Schedule.of("cosine", 200), NetworkSettings(32, 1, 2, 48))
    bodies = {name: torch.stack([pair.parameters[name] for pair in pairs]) for name in body.parameter_spec}
    return ContactPrior(representation, Statistics.of(representation.encode(bodies)), network)


@pytest.fixture
def named(untrained: ContactPrior, tmp_path: Path) -> ComparedPrior:
    save_prior(tmp_path / "prior", untrained, "cosine")
    return named_priors([f"lab={tmp_path / 'prior'}"])[0]


class Knowing(DiffusionGuidance):
    """Its target is always the true pair of that name."""

    truth: dict[str, dict[str, torch.Tensor]]

    def target(self, parameters, pairs, time):
        true = [self.truth[name.partition(":")[0]] for name in pairs.names]
        rows = self.prior.representation.encode({n: torch.stack([t[n] for t in true]) for n in true[0]})
        return self.prior.representation.decode(rows, self.prior.representation.frame(parameters))


def test_a_prior_that_knows_the_truth_is_better_than_none_and_random_weights_change_the_fit(
    body: AnnyBody, pairs, untrained, monkeypatch: pytest.MonkeyPatch
):
    looks = []

    def look(body, observations):
        looks.append(observations)
        return first_look(body, observations, quick())

    first_look = prior_benchmark.look
    monkeypatch.setattr(prior_benchmark, "look", look)
    monkeypatch.setattr(prior_benchmark, "UniteWeights", quick)
    cases = make_cases(body, pairs, pairs[::-1], 0)
    truth, random = (ComparedPrior(name, None, Path(name)) for name in ("truth", "random"))
    knowing = Knowing(untrained, Pull(0.05, 0.2, 0.05, 0.02, 0.02, 0.02))
    object.__setattr__(
        knowing, "truth", {case.observed.truth.id: dict(case.observed.true_parameters) for case in cases}
    )
    asked = {"truth": knowing, "random": DiffusionGuidance(untrained)}
    arms = [Arm("keypoints"), Arm("keypoints", truth), Arm("keypoints", random)]
    found = solve_arms(
        body, cases, arms, {"ours": Recipe(guidance=GuidanceWeights(1.0, (50, 20), (40, 10)))},
        lambda arm: None if arm.prior is None else asked[arm.prior.name],
    )  # fmt: skip
    assert len(looks) == 1, "the first fit is shared"
    true = {n: torch.stack([case.observed.true_parameters[n] for case in cases]) for n in body.parameter_spec}

    def errors(name: str) -> torch.Tensor:
        bodies = {n: torch.stack([one.parameters[n] for one in found[name]]) for n in true}
        mine, theirs = (body.forward(one, Parts("j14")).joints for one in (bodies, true))
        assert mine is not None
        assert theirs is not None
        return joint_rows(mine, theirs)["pair_pa_mpjpe_mm"]

    none, helped, noisy = (errors(arm.name) for arm in arms)
    assert bool((helped < 0.8 * none).all()), (none, helped)
    assert float((noisy - none).abs().min()) > 0.01


def test_work_is_addressed_by_the_prior_the_recipe_and_the_noise_of_estimates(named, pairs, untrained, tmp_path: Path):
    def place(prior: ComparedPrior = named, **changes) -> Path:
        priors = Priors(arms_of([prior], ["keypoints"]), recipes(["ours"]))
        asked = replace(Benchmark(pairs, (0,), priors), **changes)
        return work_folder(tmp_path / "work", priors).place(asked.batches()[0])

    here = place()
    second = ObservationSettings(initial=InitialSettings(family="second"))
    harder = Priors(arms_of([named], ["keypoints"]), recipes(["ours"], GuidanceWeights(factor=2.0)))
    others = [place(settings=second), place(question=harder), place(seeds=(1,)), place(pairs=pairs[::-1])]
    save_prior(tmp_path / "elsewhere", untrained, "cosine")
    moved = replace(named, config=tmp_path / "elsewhere" / "config.json")
    assert place(moved) == here, "the same prior in another folder"
    save_prior(tmp_path / "other", untrained, "cosine", {"seed": 1})
    others.append(place(replace(named, config=tmp_path / "other" / "config.json")))
    assert len({here, *others}) == 6


def test_times_outside_a_priors_schedule_are_refused_before_anything_is_fitted(named, pairs, tmp_path: Path):
    late = recipes(["ours"], GuidanceWeights(contact_times=(200, 40)))
    asked = Benchmark(pairs, (0,), Priors(arms_of([named]), late))
    with pytest.raises(InputError, match="outside the diffusion's schedule"):
        run_benchmark(asked, tmp_path / "work", SerialEngine())


def test_a_batch_loads_the_prior_of_each_arm_and_asks_it_by_its_recipe(
    body: AnnyBody, named, pairs, monkeypatch: pytest.MonkeyPatch
):
    heard = []

    def unite(body, first, maps, weights, guidance=None):
        asked = (
            None if guidance is None else (guidance.pull, guidance.seed, guidance.opposite, weights.keypoints.robust)
        )
        heard.append((weights.guidance, asked))
        return [type("Fit", (), {"parameters": pair.parameters}) for pair in pairs]

    monkeypatch.setattr(prior_benchmark, "unite", unite)
    monkeypatch.setattr(prior_benchmark, "look", lambda *_: type("Look", (), {"estimates": (None, None)}))
    monkeypatch.setattr(
        synthetic_benchmark, "score", lambda body, cases, out: [{"pair_pa_mpjpe_mm": 1.0, "seconds": 2.0} for _ in out]
    )
    chosen = recipes(["ours", "buddi"])
    priors = Priors(arms_of([named], ["contacts"], ("ours", "buddi")), chosen)
    rows = priors.measure(body, Part(pairs, pairs[::-1], 4))
    assert [row.method for row in rows[::2]] == ["contacts", "contacts+lab", "contacts+lab:buddi"]
    assert not any(row.lost for row in rows)
    assert heard == [
        (UniteWeights().guidance, None),
        (chosen["ours"].guidance, (chosen["ours"].pull, 4, True, UniteWeights().keypoints.robust)),
        (chosen["buddi"].guidance, (chosen["buddi"].pull, 4, False, INFINITE)),
    ]
