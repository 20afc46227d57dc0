"""`apu eval prior` with fits that cost nothing; `tests/evaluate/test_prior_*.py` have the tests of what it does."""

import csv
import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import torch

from apu.cli import evaluate_folder, evaluate_pairs, evaluate_prior
from apu.dataset.layout import Layout
from apu.dataset.record import ClassCount, PairRecord
from apu.dataset.store import write_dataset
from apu.dataset.synthetic.observation_settings import InitialFamily
from apu.evaluate import batches as batches_module
from apu.evaluate import prior_arms
from apu.evaluate.batches import Part
from apu.evaluate.findings import MAIN_METRICS
from apu.evaluate.prior_benchmark import Priors
from apu.evaluate.rows import BenchmarkRow
from apu.prior.checkpoint import save_prior
from apu.prior.contact_prior import ContactPrior
from apu.prior.network import Denoiser
from apu.prior.representation import Representation
from apu.prior.schedule import Schedule
from apu.prior.settings import NetworkSettings
from apu.prior.statistics import Statistics
from apu.scene.true_pair import TruePair

POSED = Path(__file__).parents[1] / "dataset" / "posed_pairs.py"


@pytest.fixture(scope="module")
def pair(body) -> TruePair:
    spec = importlib.util.spec_from_file_location("posed_pairs_of_eval_prior", POSED)
    assert spec is not None
    assert spec.loader is not None
    posed = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(posed)
    return replace(posed.posed_pair(body, 0, "hug"), interaction="hug", split="validation", seed=4)


@pytest.fixture
def data(pair: TruePair, body, tmp_path: Path) -> tuple[str, ...]:
    """Two data sets of two pairs each, of seen and unseen classes, and priors `a` and `b`."""
    for name, group in (("one", "seen"), ("two", "dev-unseen")):
        records = [PairRecord.from_true_pair(replace(pair, id=f"{name}-{i}", group=group), {}) for i in range(2)]
        counts = {"hug": ClassCount(group=group, pairs=2, tried=2, accepted=2, rejected={})}
        layout = Layout.of_body(body.name, body.parameter_spec)
        write_dataset(tmp_path / name, records, layout, kind="synthetic", classes=counts)
    representation = Representation(body.name, body.parameter_spec)
    ones = torch.ones(representation.size)
    for name in ("a", "b"):
        network = Denoiser(representation.tokens, Schedule.of("cosine"), NetworkSettings(32, 1, 2, 48))
        save_prior(tmp_path / name, ContactPrior(representation, Statistics(0 * ones, ones), network), "cosine")
    return "--data", "one", "--data", "two"


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[Priors, Part]]:
    """What is measured, a pair at a time; every prior is better than the one before."""
    done: list[tuple[Priors, Part]] = []

    def measure(asked: Priors, body, part: Part) -> list[BenchmarkRow]:
        if len(done) == STOP["after"]:
            raise KeyboardInterrupt
        done.append((asked, part))
        return [
            BenchmarkRow(
                p.id, p.interaction, p.group, part.seed, arm.name,
                {metric: 50.0 - 3.0 * k + 0.5 * len(p.id) for metric in MAIN_METRICS},
            )
            for k, arm in enumerate(asked.arms)
            for p in part.pairs
        ]  # fmt: skip

    STOP["after"] = -1
    monkeypatch.setattr(Priors, "measure", measure)
    monkeypatch.setattr(batches_module, "BATCH", 1)
    monkeypatch.setattr(evaluate_pairs, "cache_dir", lambda: tmp_path / "cache")
    return done


STOP = {"after": -1}


def test_the_choices_are_those_of_the_modules_that_load_late():
    assert tuple(evaluate_prior.METHODS.split(",")) == prior_arms.HEARD
    assert tuple(evaluate_prior.RECIPES.split(",")) == prior_arms.RECIPES
    assert get_args(InitialFamily) == evaluate_prior.FAMILIES


def test_priors_are_compared_printed_and_written(run, batches, data):
    result = run(
        "eval", "prior", *data, "--prior", "lab/0=a", "--prior", "lab/1=b", "--prior", "both=b",
        "--methods", "keypoints",
        "--family", "second", "--times", "80,30,20,5", "--factor", "2", "--sigmas", "0.2,1,0.3,0.05,0.1,0.2",
        "--out", "bench",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    said = " ".join(result.stdout.split())
    assert "--times 80,30,20,5 --sigmas 0.2,1,0.3,0.05,0.1,0.2 --prior lab/0=a --prior lab/1=b --prior both=b" in said
    assert [part.pairs[0].id for _, part in batches] == ["one-0", "one-1", "two-0", "two-1"]
    recipe = batches[0][0].recipes["ours"]
    assert (recipe.guidance.factor, recipe.guidance.penetration_times, recipe.pull.translation) == (2.0, (20, 5), 0.05)
    assert batches[0][1].settings.initial.family == "second"
    row = next(line for line in result.stdout.splitlines() if line.startswith("dev-unseen  keypoints  both   lab"))
    assert "-4.5 [-6.0, -3.0]" in row  # `both` is 6 better than one training of `lab`, 3 than the other
    written = sorted(path.name for path in Path("bench").iterdir())
    assert written == sorted([".work", *evaluate_folder.TABLES])
    assert Path("bench/plot.png").read_bytes().startswith(b"\x89PNG")
    content = json.loads(Path("bench/table.json").read_text())
    chosen = [
        c for c in content["prior_comparisons"] if (c["prior"], c["against"], c["part"]) == ("lab", "none", "seen")
    ]
    assert chosen[0]["found"]["difference"] == pytest.approx(-4.5)
    assert content["trainings"][0]["means"].keys() == {"0", "1"}
    with open("bench/table.csv") as file:
        assert {row["method"] for row in csv.DictReader(file)} == {
            "keypoints", "keypoints+lab/0", "keypoints+lab/1", "keypoints+both",
        }  # fmt: skip


def test_a_killed_evaluation_goes_on_and_ends_with_the_same_bytes(run, batches, data):
    options = ("eval", "prior", *data, "--prior", "lab=a", "--recipe", "ours,buddi")
    assert run(*options, "--out", "whole").exit_code == 0
    assert len(batches) == 4
    STOP["after"] = 6
    stopped = run(*options, "--out", "parts")
    assert stopped.exit_code == 130
    assert "--resume" in stopped.stderr
    STOP["after"] = -1
    assert run(*options, "--out", "parts", "--resume").exit_code == 0
    assert len(batches) == 8, "nothing is measured twice"
    for name in evaluate_folder.TABLES:
        if name != "timing.json":
            assert Path("whole", name).read_bytes() == Path("parts", name).read_bytes(), name
    assert run(*options, "--out", "parts", "--resume").exit_code == 0
    assert len(batches) == 8


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--prior", "lab"), "lab/0=priors/lab-0"),
        (("--prior", "lab=nothing"), "There is no prior in the folder"),
        (("--prior", "lab=nothing"), "know the words shipped and none"),
        (("--prior", "lab=a", "--recipe", "ours,start", "--start-steps", "0"), "expected at least 1"),
        (("--prior", "lab=a", "--recipe", "theirs"), "ours, buddi, start"),
        (("--prior", "lab=a", "--methods", "oracle"), "keypoints, contacts"),
        (("--prior", "lab=a", "--times", "1,2,3"), "expected 4 whole numbers"),
        (("--prior", "lab=a", "--times", "1,2,3,1000"), "0 to 999"),
        (("--prior", "lab=a", "--sigmas", "1,1,0,1,1"), "expected 6 numbers above 0"),
        (("--prior", "lab=a", "--seed", "1"), "--seed says how pairs are made"),
        (("--prior", "lab=a", "--out", ".", "--overwrite"), "would delete the data set"),
    ],
)
def test_wrong_options_are_named_before_anything_is_measured(run, batches, data, arguments, told: str):
    result = run("eval", "prior", *data, *arguments)
    assert result.exit_code == 2, result.output
    assert told in " ".join(result.stderr.split())
    assert batches == []
    assert Path("one/dataset.json").is_file()
