"""`apu eval verdict` with fits that cost nothing; `tests/evaluate/test_verdict_benchmark.py` has the rest."""

import csv
import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import pytest

from apu.cli import evaluate_folder, evaluate_pairs
from apu.dataset.layout import Layout
from apu.dataset.record import ClassCount, PairRecord
from apu.dataset.store import write_dataset
from apu.evaluate.batches import Part
from apu.evaluate.rows import BenchmarkRow
from apu.evaluate.verdict_benchmark import ACCEPTED, CHANCE_PERCENT, CLUE, ERROR, Verdict, method_name

POSED = Path(__file__).parents[1] / "dataset" / "posed_pairs.py"


@pytest.fixture
def data(body, tmp_path: Path) -> str:
    """A data set of four pairs."""
    spec = importlib.util.spec_from_file_location("posed_pairs_of_eval_verdict", POSED)
    assert spec is not None
    assert spec.loader is not None
    posed = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(posed)
    pair = replace(posed.posed_pair(body, 0, "hug"), interaction="hug", split="validation", seed=4)
    records = [PairRecord.from_true_pair(replace(pair, id=f"p-{i}"), {}) for i in range(4)]
    counts = {"hug": ClassCount(group="seen", pairs=4, tried=4, accepted=4, rejected={})}
    write_dataset(
        tmp_path / "data", records, Layout.of_body(body.name, body.parameter_spec), kind="synthetic", classes=counts
    )
    return "data"


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Part]:
    """What is measured; the first two of four pairs are accurate, the first and the third are accepted."""
    done: list[Part] = []

    def judge(asked: Verdict, body, part: Part) -> list[BenchmarkRow]:
        done.append(part)
        return [
            BenchmarkRow(
                p.id, p.interaction, p.group, part.seed, method_name(kind),
                {ERROR: 20.0 if i < 2 else 500.0, ACCEPTED: float(i % 2 == 0), CHANCE_PERCENT: 90.0 - 20 * i,
                 f"{CLUE}depth: x": 1.5},
            )
            for kind in asked.answers
            for i, p in enumerate(part.pairs)
        ]  # fmt: skip

    monkeypatch.setattr(Verdict, "measure", judge)
    monkeypatch.setattr(evaluate_pairs, "cache_dir", lambda: tmp_path / "cache")
    return done


def test_verdicts_are_printed_and_written_and_not_computed_again(run, batches, data):
    options = ("eval", "verdict", data, "--answers", "0.50,shuffled", "--out", "bench")
    result = run(*options)
    assert result.exit_code == 0, result.output
    told = " ".join(result.stdout.split())
    assert "command: apu eval verdict data --pairs 104 --observation-seeds 0 --answers 0.5,shuffled" in told
    row = next(line.split() for line in result.stdout.splitlines() if line.startswith("noise x 0.5"))
    assert row[3:6] == ["4", "50.0", "50.0"]
    written = sorted(path.name for path in Path("bench").iterdir())
    assert written == sorted([".work", *evaluate_folder.TABLES])
    content = json.loads(Path("bench/table.json").read_text())
    assert [one["method"] for one in content["verdict"]] == ["noise x 0.5", "shuffled"]
    assert content["verdict"][0]["precision"] == 0.5
    assert content["verdict"][0]["curve"]["risk"] == pytest.approx([0, 0, 1 / 3, 1 / 2])
    assert f"{CLUE}depth: x" not in content["overall"]["shuffled"]
    with open("bench/table.csv") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 4 * 2
    assert lines[0][f"{CLUE}depth: x"] == "1.5"
    before = {name: Path("bench", name).read_bytes() for name in evaluate_folder.TABLES}
    assert run(*options, "--resume").exit_code == 0
    assert len(batches) == 1
    assert {name: Path("bench", name).read_bytes() for name in evaluate_folder.TABLES} == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("data", "--answers", "1,loud"), "factors of the default noise"),
        (("data", "--split", "test"), "--split says how pairs are made"),
        (("data", "--resume"), "name it with --out"),
        (("data", "--out", ".", "--overwrite"), "would delete the data set"),
    ],
)
def test_wrong_options_are_named_before_anything_is_measured(run, batches, data, arguments, told: str):
    result = run("eval", "verdict", *arguments)
    assert result.exit_code == 2, result.output
    assert told in " ".join(result.stderr.split())
    assert batches == []
