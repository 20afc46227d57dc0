"""`apu eval ablation` with fits that cost nothing; `tests/evaluate/test_ablation.py` has the tests of the variants."""

import csv
import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import pytest

from apu.cli import evaluate_folder, evaluate_pairs
from apu.cli.evaluate import ANSWERS as CHOICES
from apu.dataset.layout import Layout
from apu.dataset.record import ClassCount, PairRecord
from apu.dataset.store import write_dataset
from apu.evaluate.ablation import Ablation
from apu.evaluate.ablation_variants import ANSWERS, VARIANTS, method_name
from apu.evaluate.batches import Part
from apu.evaluate.rows import BenchmarkRow
from apu.scene.true_pair import TruePair

POSED = Path(__file__).parents[1] / "dataset" / "posed_pairs.py"


@pytest.fixture(scope="module")
def pair(body) -> TruePair:
    spec = importlib.util.spec_from_file_location("posed_pairs_of_eval_ablation", POSED)
    assert spec is not None
    assert spec.loader is not None
    posed = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(posed)
    return replace(posed.posed_pair(body, 0, "hug"), interaction="hug", split="validation", seed=4)


@pytest.fixture
def data(pair: TruePair, body, tmp_path: Path) -> tuple[str, str]:
    """Two data sets of two pairs each."""
    for name in ("one", "two"):
        records = [PairRecord.from_true_pair(replace(pair, id=f"{name}-{i}"), {}) for i in range(2)]
        counts = {"hug": ClassCount(group="seen", pairs=2, tried=2, accepted=2, rejected={})}
        layout = Layout.of_body(body.name, body.parameter_spec)
        write_dataset(tmp_path / name, records, layout, kind="synthetic", classes=counts)
    return "one", "two"


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[Ablation, Part]]:
    """What is measured; every variant is by its place worse than the whole fit."""
    done: list[tuple[Ablation, Part]] = []

    def ablate(asked: Ablation, body, part: Part) -> list[BenchmarkRow]:
        done.append((asked, part))
        return [
            BenchmarkRow(
                p.id, p.interaction, p.group, part.seed, method_name(v, a),
                {"pair_pa_mpjpe_mm": 50.0 + 3 * k + 0.01 * i, "penetration_worst_mm": 10.0},
            )
            for k, v in enumerate(asked.variants)
            for a in asked.answers
            for i, p in enumerate(part.pairs)
        ]  # fmt: skip

    monkeypatch.setattr(Ablation, "measure", ablate)
    monkeypatch.setattr(evaluate_pairs, "cache_dir", lambda: tmp_path / "cache")
    return done


def test_the_choices_are_those_of_the_module_that_loads_late():
    assert (*ANSWERS, "both") == CHOICES


def test_an_ablation_is_printed_and_written_and_not_computed_again(run, batches, data):
    options = ("eval", "ablation", *data, "--variants", "hard,no bounds", "--out", "bench")
    result = run(*options)
    assert result.exit_code == 0, result.output
    assert (
        "command: apu eval ablation one two --pairs 32 --observation-seeds 0 --variants 'hard,no bounds'"
        in " ".join(result.stdout.split())
    )
    assert [tuple(p.id for p in part.pairs) for _, part in batches] == [("one-0", "one-1", "two-0", "two-1")]
    row = next(line for line in result.stdout.splitlines() if line.startswith("contacts  no bounds"))
    assert "+3.0 [+3.0, +3.0] *" in row
    written = sorted(path.name for path in Path("bench").iterdir())
    assert written == sorted([".work", *(n for n in evaluate_folder.TABLES if n != "plot.png")])
    content = json.loads(Path("bench/table.json").read_text())
    assert content["comparisons"]["oracle: full"]["oracle: hard"]["pair_pa_mpjpe_mm"]["difference"] == 6.0
    with open("bench/table.csv") as file:
        assert len(list(csv.DictReader(file))) == 4 * 3 * 2
    before = Path("bench/table.md").read_bytes()
    assert run(*options, "--resume").exit_code == 0
    assert len(batches) == 1
    assert Path("bench/table.md").read_bytes() == before


def test_without_names_every_variant_is_fitted_and_the_work_is_kept_in_the_cache(run, batches, data):
    for _ in range(2):
        assert run("eval", "ablation", "one", "--pairs", "1", "--answers", "oracle").exit_code == 0
    assert len(batches) == 1
    assert list(batches[0][0].variants) == list(VARIANTS)
    assert batches[0][0].answers == ("oracle",)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("one", "--variants", "harder"), "no annealed temperature"),
        (("one", "one"), "one-0 twice"),
        (("one", "--seed", "1"), "--seed says how pairs are made"),
        (("one", "--resume"), "name it with --out"),
        (("one", "--out", ".", "--overwrite"), "would delete the data set"),
        (("one", "--answers", "all"), "'contacts', 'oracle', 'both'"),
    ],
)
def test_wrong_options_are_named_before_anything_is_measured(run, batches, data, arguments, told: str):
    result = run("eval", "ablation", *arguments)
    assert result.exit_code == 2, result.output
    assert told in " ".join(result.stderr.split())
    assert batches == []
    assert Path("one/dataset.json").is_file()
