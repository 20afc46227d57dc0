"""`apu synth` with chunks that cost nothing; `tests/dataset` has the tests of the making itself."""

import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import pytest

from apu.cli import synth_run
from apu.cli.synth import SPLITS
from apu.cli.synth_progress import SynthProgress
from apu.dataset import synthesis
from apu.dataset.layout import Layout
from apu.dataset.quota import ChunkCount, Plan
from apu.dataset.record import ClassCount
from apu.dataset.synthetic.chunk import Chunk, ChunkResult
from apu.scene.true_pair import Split

GROUPS = {"handshake": "seen", "high_five": "dev-unseen", "hug": "seen", "lift": "test-unseen"}
FAKE = Path(__file__).parents[1] / "dataset" / "fake_world.py"


class StubWorld:
    """Makes two random pairs a chunk; of class `lift` none; and stops after some chunks when told to."""

    def __init__(self) -> None:
        spec = importlib.util.spec_from_file_location("stub_world", FAKE)
        assert spec is not None
        assert spec.loader is not None
        self.fake = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.fake)
        self.chunks: list[Chunk] = []
        self.stop_after = 10_000
        self.layout: Layout | None = None

    def make_chunk(self, chunk: Chunk) -> ChunkResult:
        if len(self.chunks) >= self.stop_after:
            raise KeyboardInterrupt
        self.chunks.append(chunk)
        if chunk.interaction == "lift":
            return ChunkResult((), 8, {"balance": 5, "contact": 3})
        id = f"{chunk.split}-{chunk.interaction}-{chunk.number}"
        pairs = [self.fake.random_pair(f"{id}-{i}", i, self.layout, chunk.interaction, chunk.split) for i in range(2)]
        return ChunkResult(tuple(pairs), 8, {"contact": 6})


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, body) -> StubWorld:
    stub = StubWorld()
    stub.layout = Layout.of_body(body.name, body.parameter_spec)
    monkeypatch.setattr(synthesis, "make_chunk", stub.make_chunk)
    classes = {name: SimpleNamespace(name=name, group=group) for name, group in GROUPS.items()}
    monkeypatch.setattr(synth_run, "interactions", lambda: classes)
    return stub


HUGS = ("--split", "train", "--classes", "hug,handshake")


def test_the_splits_are_those_of_true_pairs():
    assert get_args(Split) == SPLITS


def test_a_data_set_is_made_and_its_candidates_are_told(run, world: StubWorld):
    result = run("synth", "out", *HUGS, "--pairs", "5", "--seed", "7")
    assert result.exit_code == 0, result.output
    assert [line.split() for line in result.stdout.splitlines()[1:3]] == [
        ["handshake", "seen", "3", "16", "4", "(25%)", "contact", "12"],
        ["hug", "seen", "2", "8", "2", "(25%)", "contact", "6"],
    ]
    assert result.stdout.splitlines()[-1] == "5 synthetic pairs in out/"
    assert "5 of 5 pairs" in result.stderr
    info = json.loads(Path("out/dataset.json").read_text())
    assert info["settings"] == {"split": "train", "seed": 7, "quotas": {"handshake": 3, "hug": 2}, "mocap": None}
    assert {chunk.seed for chunk in world.chunks} == {7}


@pytest.mark.parametrize(
    ("split", "classes"),
    [
        ("train", ["handshake", "hug"]),
        ("validation", ["handshake", "high_five", "hug"]),
        ("test", ["handshake", "hug", "lift"]),
    ],
)
def test_all_classes_of_the_split_share_the_pairs_by_default(world: StubWorld, split, classes: list[str]):
    asked = synth_run.asked_for(split, 100, 0, None, None)
    assert list(asked.quotas) == classes
    assert sum(asked.quotas.values()) == 100
    assert max(asked.quotas.values()) - min(asked.quotas.values()) <= 1


def test_an_interrupted_run_says_how_to_go_on_and_does(run, world: StubWorld):
    world.stop_after = 2
    result = run("synth", "out", *HUGS, "--pairs", "8")
    assert result.exit_code == 130
    assert "4 of 8 pairs are made. To go on: the same command with --resume." in result.stderr
    refused = run("synth", "out", *HUGS, "--pairs", "8")
    assert refused.exit_code == 2
    assert "--resume" in refused.stderr
    world.stop_after = 10_000
    assert run("synth", "out", *HUGS, "--pairs", "8", "--resume").exit_code == 0
    assert len(world.chunks) == len(set(world.chunks)) == 4


def test_a_finished_data_set_is_left_alone(run, world: StubWorld):
    assert run("synth", "out", *HUGS, "--pairs", "4").exit_code == 0
    before = Path("out/dataset.json").read_bytes()
    result = run("synth", "out", *HUGS, "--pairs", "4", "--resume")
    assert "finished already" in result.stdout
    other = run("synth", "out", *HUGS, "--pairs", "6", "--resume")
    assert other.exit_code == 2
    assert "settings.quotas" in other.stderr
    assert Path("out/dataset.json").read_bytes() == before
    assert run("synth", "out", *HUGS, "--pairs", "6", "--overwrite").exit_code == 0
    assert json.loads(Path("out/dataset.json").read_text())["pairs"] == 6


def test_a_class_that_yields_nothing_is_named_with_its_reasons(run, world: StubWorld):
    result = run("synth", "out", "--split", "test", "--classes", "lift", "--pairs", "4")
    assert result.exit_code == 1
    assert "`lift` yields no more" in result.stderr
    assert "rejected: balance 60, contact 36" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--split", "train", "--pairs", "4", "--classes", "hugg"), "'hugg'"),
        (("--split", "train", "--pairs", "4", "--classes", ","), "No class is named"),
        (("--split", "train", "--pairs", "4", "--mocap", "nothing.npz"), "motion capture file is not there"),
        (("--split", "all", "--pairs", "4"), "'train', 'validation', 'test'"),
        (("--split", "train", "--pairs", "0"), "--pairs"),
        (("--split", "train", "--pairs", "4", "--overwrite", "--resume"), "give one of them"),
    ],
)
def test_wrong_options_are_named_before_anything_is_written(run, world: StubWorld, arguments, told: str):
    result = run("synth", "out", *arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert not Path("out").exists()


def test_speed_counts_only_what_was_made_now():
    lines: list[str] = []
    shown = SynthProgress(10, lines.append)
    plan = Plan({"hug": 10})
    plan.put("hug", 0, ChunkCount(4, 8, {}))
    shown(plan, False)
    assert shown.line(60.0) == "4 of 10 pairs"
    plan.put("hug", 1, ChunkCount(3, 8, {}))
    shown(plan, True)
    assert shown.line(60.0) == "7 of 10 pairs, 3 a minute, about 60 s left"
    assert lines == []  # not every chunk is worth a line
    plan.put("hug", 2, ChunkCount(5, 8, {}))
    shown(plan, True)
    assert lines[0].startswith("10 of 10 pairs, ")


def test_the_table_sorts_reasons_by_their_number():
    count = ClassCount(group="seen", pairs=1, tried=10, accepted=1, rejected={"bounds": 2, "contact": 7})
    row = synth_run.rejection_table({"hug": count}).splitlines()[1]
    assert row.endswith("1 (10%)   contact 7, bounds 2")
