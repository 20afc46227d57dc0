"""`apu eval` with methods and detectors that cost nothing; `tests/evaluate` has the tests of the measuring."""

import csv
import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from apu.cli import evaluate_folder, evaluate_pairs, evaluate_photos
from apu.cli.evaluate import KEYPOINTS
from apu.cli.evaluate_options import TESTED_SPLITS
from apu.dataset import synthesis
from apu.dataset.layout import Layout
from apu.dataset.record import ClassCount, PairRecord
from apu.dataset.store import write_dataset
from apu.dataset.synthetic.chunk import ChunkResult
from apu.evaluate import report, synthetic_benchmark
from apu.evaluate.annotated_photos import KeypointSource
from apu.evaluate.methods import METHODS
from apu.evaluate.rows import BenchmarkRow
from apu.scene.true_pair import Split, TruePair

POSED = Path(__file__).parents[1] / "dataset" / "posed_pairs.py"
CLASSES = ("hug", "push")


@pytest.fixture(scope="module")
def pairs(body) -> list[TruePair]:
    """Four pairs of two classes, by turns; their contacts are not measured."""
    spec = importlib.util.spec_from_file_location("posed_pairs_of_eval", POSED)
    assert spec is not None
    assert spec.loader is not None
    posed = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(posed)
    one = posed.posed_pair(body, 0, "hug")
    return [
        replace(one, id=f"test-{CLASSES[i % 2]}-{i}", interaction=CLASSES[i % 2], split="test", seed=4)
        for i in range(4)
    ]


class StubMeasures:
    """Answers for a batch at once, and stops after some batches when told to."""

    def __init__(self) -> None:
        self.batches = []
        self.stop_after = 10_000

    def evaluate(self, body, part, methods) -> list[BenchmarkRow]:
        if len(self.batches) >= self.stop_after:
            raise KeyboardInterrupt
        self.batches.append((tuple(p.id for p in part.pairs), part.seed))
        return [
            BenchmarkRow(
                p.id, p.interaction, p.group, part.seed, m,
                {"pair_pa_mpjpe_mm": 50.0 + 10 * k + len(p.id) + part.seed},
                seconds=float(len(self.batches)),
            )
            for k, m in enumerate(methods)
            for p in part.pairs
        ]  # fmt: skip


@pytest.fixture
def measures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> StubMeasures:
    stub = StubMeasures()
    monkeypatch.setattr(synthetic_benchmark, "evaluate_batch", stub.evaluate)
    monkeypatch.setattr(evaluate_pairs, "cache_dir", lambda: tmp_path / "cache")
    return stub


@pytest.fixture
def data(run, pairs, body, tmp_path: Path) -> str:
    """A data set of these pairs."""
    counts = {name: ClassCount(group="seen", pairs=2, tried=2, accepted=2, rejected={}) for name in CLASSES}
    records = [PairRecord.from_true_pair(pair, {}) for pair in pairs]
    layout = Layout.of_body(body.name, body.parameter_spec)
    write_dataset(tmp_path / "data", records, layout, kind="synthetic", classes=counts)
    return "data"


def tables(folder: str) -> dict[str, bytes]:
    return {name: (Path(folder) / name).read_bytes() for name in evaluate_folder.TABLES if name != "timing.json"}


def test_what_the_options_repeat_is_as_in_the_modules_that_load_late():
    assert set(TESTED_SPLITS) == set(get_args(Split)) - {"train"}
    assert set(KEYPOINTS) == {*get_args(KeypointSource), "both"}
    assert evaluate_folder.TABLES == report.FILES


def test_a_benchmark_is_printed_and_written(run, measures: StubMeasures, data: str):
    result = run("eval", "synthetic", "--data", data, "--methods", "oracle,keypoints", "--out", "bench")
    assert result.exit_code == 0, result.output
    for told in ("synthetic", "split: test", "base poses: analytic 8", "generator seed: 4", "observation seeds: 0, 1"):
        assert told in result.stdout
    command = "apu eval synthetic --pairs 200 --data data --observation-seeds 0,1 --methods keypoints,oracle"
    assert f"command: {command}" in result.stdout
    assert sorted(path.name for path in Path("bench").iterdir()) == sorted([".work", *evaluate_folder.TABLES])
    content = json.loads(Path("bench/table.json").read_text())
    assert content["command"] == command
    assert content["overall"]["oracle"]["pair_pa_mpjpe_mm"]["n"] == 4
    with open("bench/table.csv") as file:
        assert len(list(csv.DictReader(file))) == 4 * 2 * 2
    assert "s/pair" not in Path("bench/table.md").read_text()


def test_an_interrupted_benchmark_goes_on_and_ends_with_the_same_bytes(run, measures: StubMeasures, data: str):
    options = ("eval", "synthetic", "--data", data, "--methods", "keypoints")
    assert run(*options, "--out", "whole").exit_code == 0
    measures.stop_after = len(measures.batches) + 1
    stopped = run(*options, "--out", "bench")
    assert stopped.exit_code == 130
    assert "--resume" in stopped.stderr
    assert not Path("bench/table.json").exists()
    refused = run(*options, "--out", "bench")
    assert refused.exit_code == 2
    assert "--resume to go on" in refused.stderr
    measures.stop_after = 10_000
    assert run(*options, "--out", "bench", "--resume").exit_code == 0
    assert tables("bench") == tables("whole")
    assert [seed for _, seed in measures.batches] == [0, 1, 0, 1]


def test_a_finished_benchmark_is_not_computed_again_unless_it_is_overwritten(run, measures: StubMeasures, data: str):
    options = ("eval", "synthetic", "--data", data, "--methods", "keypoints", "--out", "bench")
    assert run(*options).exit_code == 0
    assert run(*options, "--resume").exit_code == 0
    assert len(measures.batches) == 2
    assert run(*options, "--overwrite").exit_code == 0
    assert len(measures.batches) == 4


def test_without_a_folder_the_work_is_kept_in_the_cache(run, measures: StubMeasures, data: str):
    options = ("eval", "synthetic", "--data", data, "--methods", "keypoints", "--observation-seeds", "7")
    for _ in range(2):
        assert run(*options).exit_code == 0
    assert [seed for _, seed in measures.batches] == [7]
    assert sorted(path.name for path in Path().iterdir()) == ["cache", "data"]


def test_pairs_and_classes_choose_from_the_beginning(run, measures: StubMeasures, data: str):
    options = ("eval", "synthetic", "--data", data, "--methods", "init", "--observation-seeds", "0")
    assert run(*options, "--pairs", "3").exit_code == 0
    assert run(*options, "--classes", "push", "--per-class").exit_code == 0
    assert [ids for ids, _ in measures.batches] == [
        ("test-hug-0", "test-push-1", "test-hug-2"),
        ("test-push-1", "test-push-3"),
    ]


def test_classes_are_printed_when_that_is_asked_for(run, measures: StubMeasures, data: str):
    options = ("eval", "synthetic", "--data", data, "--methods", "init")
    assert "By class" not in run(*options).stdout
    assert "By class" in run(*options, "--per-class").stdout


def test_the_test_set_is_made_once(run, measures: StubMeasures, pairs, monkeypatch: pytest.MonkeyPatch):
    made = []

    def make_chunk(chunk):
        made.append(chunk)
        mine = [p for p in pairs if p.interaction == chunk.interaction]
        return ChunkResult(tuple(replace(p, id=f"{p.id}-{chunk.number}") for p in mine), 8, {"contact": 6})

    monkeypatch.setattr(synthesis, "make_chunk", make_chunk)
    options = ("eval", "synthetic", "--pairs", "4", "--classes", "hug,push", "--methods", "init", "--seed", "9")
    result = run(*options, "--out", "bench")
    assert result.exit_code == 0, result.output
    assert {(chunk.split, chunk.seed) for chunk in made} == {("test", 9)}
    assert "--split test --seed 9 --classes hug,push" in result.stdout
    assert Path("bench/data/dataset.json").is_file()
    chunks = len(made)
    assert run(*options, "--out", "bench", "--resume").exit_code == 0
    other = run(*options, "--split", "validation", "--out", "bench", "--resume")
    assert other.exit_code == 2
    assert len(made) == chunks


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--methods", "keypoint"), METHODS[1]),
        (("--methods", ","), "nothing"),
        (("--classes", "hugg"), "'hugg'"),
        (("--observation-seeds", "0,0"), "different seeds"),
        (("--observation-seeds", "-1"), "different seeds"),
        (("--seed", "1"), "--seed says how pairs are made"),
        (("--split", "test"), "--split says how pairs are made"),
        (("--resume",), "name it with --out"),
        (("--out", "x", "--resume", "--overwrite"), "give one of them"),
        (("--out", ".", "--overwrite"), "would delete the data set"),
        (("--out", "data"), "other things in it"),
    ],
)
def test_wrong_options_are_named_before_anything_is_measured(run, measures, data: str, arguments, told: str):
    result = run("eval", "synthetic", "--data", data, *arguments)
    assert result.exit_code == 2, result.output
    assert told in result.stderr
    assert measures.batches == []
    assert Path("data/dataset.json").is_file()


def test_what_is_no_data_set_is_called_so(run, measures):
    result = run("eval", "synthetic", "--data", "nothing", "--out", "bench")
    assert result.exit_code == 2
    assert "no finished data set" in result.stderr
    assert not Path("bench").exists()


def test_photos_that_are_missing_are_named(run):
    result = run("eval", "photos", "nothing", "--out", "bench")
    assert result.exit_code == 2
    assert "annotated photos are not there" in result.stderr
    assert not Path("bench").exists()


def test_photos_are_told_with_their_losses_and_without_3d_errors(run, photos, monkeypatch: pytest.MonkeyPatch):
    def measured(body, photos, sources, **options):
        values = {"pcc_5cm_percent": 75.0, "part_f1_10mm_percent": 40.0}
        return [
            BenchmarkRow("a:0,1", "a", "embedded", 0, "embedded:mindist", values),
            BenchmarkRow("b:0,1", "b", "embedded", 0, "embedded:mindist", {}, "annotated person 1 was not found"),
        ]

    monkeypatch.setattr(evaluate_photos, "evaluate_photos", measured)
    monkeypatch.setattr(evaluate_photos, "annotated_photos", lambda folder: [])
    result = run("eval", "photos", "in", "--keypoints", "embedded", "--out", "bench")
    assert result.exit_code == 0, result.output
    assert "lower bound" in " ".join(result.stdout.split())
    assert "lost: b:0,1, embedded keypoints: annotated person 1 was not found" in result.stdout
    assert "command: apu eval photos in --keypoints embedded" in result.stdout
    assert sorted(path.name for path in Path("bench").iterdir()) == [
        "table.csv", "table.json", "table.md", "timing.json",
    ]  # fmt: skip
    assert "mpjpe" not in Path("bench/table.csv").read_text()
