"""Batches are parted, addressed, kept, lost and ordered in one way, whatever is asked of them."""

import ast
import importlib.util
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.dataset.engine import SerialEngine
from apu.errors import InputError
from apu.evaluate import batches
from apu.evaluate.ablation import Ablation
from apu.evaluate.ablation_variants import chosen_variants
from apu.evaluate.batches import (
    BATCH,
    MEASURING,
    Batch,
    Benchmark,
    Part,
    Question,
    Work,
    benchmark_versions,
    digest,
    run_benchmark,
    versions_of,
    work_folder,
)
from apu.evaluate.prior_arms import arms_of, recipes
from apu.evaluate.prior_benchmark import Priors
from apu.evaluate.rows import BenchmarkRow
from apu.evaluate.synthetic_benchmark import Methods
from apu.evaluate.verdict_benchmark import Verdict
from apu.scene.true_pair import TruePair

POSED = Path(__file__).parents[1] / "dataset" / "posed_pairs.py"
QUESTIONS = (
    Methods(("init", "keypoints")), Ablation(chosen_variants(["hard"])), Verdict(("1", "oracle")),
    Priors(arms_of([], ["keypoints"]), recipes(["ours"])),
)  # fmt: skip


@pytest.fixture(scope="module")
def pairs(body: AnnyBody) -> tuple[TruePair, ...]:
    """Three pairs whose contacts are not measured."""
    spec = importlib.util.spec_from_file_location("posed_pairs_of_batches", POSED)
    assert spec is not None
    assert spec.loader is not None
    posed = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(posed)
    return tuple(replace(posed.posed_pair(body, i, "hug"), interaction="hug", split="test") for i in range(3))


def without_seconds(rows: list[BenchmarkRow]) -> list[tuple]:
    """Rows as they can be compared: NaN is unlike itself."""
    return [
        (r.pair, r.interaction, r.group, r.seed, r.method, r.lost, sorted((n, repr(v)) for n, v in r.values.items()))
        for r in rows
    ]


def many(pairs: tuple[TruePair, ...], count: int) -> tuple[TruePair, ...]:
    return tuple(replace(pairs[0], id=f"pair-{i:02d}") for i in range(count))


def test_batches_have_at_most_eight_pairs_in_their_order_for_every_seed(pairs):
    found = Benchmark(many(pairs, 11), (3, 5), Methods(("init",))).batches()
    assert [(b.seed, len(b.pairs)) for b in found] == [(3, BATCH), (3, 3), (5, BATCH), (5, 3)]
    assert [id for b in found[:2] for id, _ in b.pairs] == [f"pair-{i:02d}" for i in range(11)]


def test_work_is_addressed_by_pairs_seed_and_question(pairs, tmp_path: Path):
    def places(**changes) -> list[Path]:
        asked = replace(Benchmark(pairs, (0,), Methods(("init", "keypoints"))), **changes)
        return [work_folder(tmp_path, asked.question).place(batch) for batch in asked.batches()]

    pose = {name: value + 0.1 if name == "pose" else value for name, value in pairs[0].parameters.items()}
    nearer = (replace(pairs[0], parameters=pose), *pairs[1:])
    assert places() == places()
    others = [places(seeds=(1,)), places(pairs=nearer), places(pairs=pairs[::-1])]
    others += [places(question=one) for one in (Methods(("init",)), *QUESTIONS[1:])]
    assert len({str(one) for one in [places(), *others]}) == 8


def test_work_is_addressed_by_the_bytes_of_the_modules_that_a_question_names(pairs, tmp_path: Path):
    files = [tmp_path / f"{name}.py" for name in "abc"]
    for file, text in zip(files, ("x = 1", "x = 2", "x = 1"), strict=True):
        file.write_text(text)

    def place(**sources: tuple[Path, ...]) -> tuple[Path, dict[str, str]]:
        @dataclass(frozen=True)
        class Sourced(Methods):
            pass

        Sourced.sources = sources
        question = Sourced(("init",))
        batch = Benchmark(pairs, (0,), question).batches()[0]
        return work_folder(tmp_path, question).place(batch), versions_of(question)

    plain, versions = place()
    assert versions == benchmark_versions()
    found = [place(mine=(file,)) for file in files[:2]]
    assert len({plain, *(one for one, _ in found)}) == 3
    assert [set(named) - set(versions) for _, named in found] == [{"mine"}] * 2
    assert found[0][1]["mine"] != found[1][1]["mine"]


def test_the_digest_of_a_pair_sees_its_last_bit(pairs):
    moved = {**pairs[0].parameters, "translation": pairs[0].parameters["translation"].nextafter(torch.tensor(9.0))}
    assert digest(replace(pairs[0], parameters=moved)) != digest(pairs[0]) == digest(replace(pairs[0]))


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: type(one).__name__)
def test_a_batch_of_every_question_comes_whole_to_another_process(question: Question, pairs, tmp_path: Path):
    batch = Benchmark(pairs, (0,), question).batches()[0]
    again, work = pickle.loads(pickle.dumps((batch, Work({p.id: p for p in pairs}))))
    assert again == batch
    assert work_folder(tmp_path, again.question).place(again) == work_folder(tmp_path, question).place(batch)
    assert set(work.pairs) == {p.id for p in pairs}


@dataclass(frozen=True)
class Told(Question):
    """Rows that say what they were asked; what is wrong with it stands in `wrong`."""

    methods: ClassVar[tuple[str, ...]] = ("b", "a")  # type: ignore[assignment]
    wrong: str = ""

    def measure(self, body, part: Part) -> list[BenchmarkRow]:
        return [
            BenchmarkRow(p.id, o.id, p.group, part.seed, method, {"x": float(len(part.pairs))})
            for p, o in zip(part.pairs, part.others, strict=True)
            for method in sorted(self.methods)
        ]

    def check(self) -> None:
        if self.wrong:
            raise InputError(self.wrong, where="here", expected="x", got="y")


def test_rows_come_in_the_order_of_pairs_seeds_and_methods_and_say_what_was_asked(pairs, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(batches, "BATCH", 2)
    rows = run_benchmark(Benchmark(pairs, (7, 3), Told()), tmp_path, SerialEngine())
    assert [(r.pair, r.seed, r.method) for r in rows] == [(p.id, s, m) for p in pairs for s in (7, 3) for m in "ba"]
    assert [r.values["x"] for r in rows[::4]] == [2, 2, 1]
    assert all(r.interaction != r.pair for r in rows), "the control is given another pair's answer"


def test_a_question_that_would_spoil_every_batch_is_refused_before_the_first(pairs, tmp_path: Path):
    with pytest.raises(InputError, match="no sense"):
        run_benchmark(Benchmark(pairs, (0,), Told("It makes no sense.")), tmp_path / "work", SerialEngine())
    assert not (tmp_path / "work").exists()


def stopping(work: Callable[[Batch], tuple[BenchmarkRow, ...]], at: int) -> tuple[list[Batch], Callable]:
    """The batches that are asked for, and the work, which is killed at one of them."""
    calls: list[Batch] = []

    def killed(batch: Batch) -> tuple[BenchmarkRow, ...]:
        calls.append(batch)
        if len(calls) == at:
            raise KeyboardInterrupt
        return work(batch)

    return calls, killed


def test_a_killed_run_that_is_resumed_ends_with_the_same_rows(pairs, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(batches, "BATCH", 1)
    asked = Benchmark(pairs[1:], (1,), Methods(("init",)))
    whole = run_benchmark(asked, tmp_path / "whole", SerialEngine())
    calls, killed = stopping(Work({p.id: p for p in asked.pairs}), at=2)
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(asked, tmp_path / "killed", SerialEngine(), killed)
    told = []
    resumed = run_benchmark(
        asked, tmp_path / "killed", SerialEngine(), killed, lambda done, total: told.append((done, total))
    )
    assert len(calls) == 2 + 1  # one batch was taken over
    assert told == [(1, 2), (2, 2)]
    assert without_seconds(resumed) == without_seconds(whole)
    assert [(r.pair, r.seed) for r in whole] == [(p.id, 1) for p in asked.pairs]


def test_a_batch_that_cannot_be_computed_is_lost_and_not_kept(pairs, tmp_path: Path):
    def broken(batch: Batch):
        raise TypeError("a mistake")

    asked = Benchmark(pairs[:1], (0,), Told())
    rows = run_benchmark(asked, tmp_path, SerialEngine(), broken)
    assert [(r.method, r.lost) for r in rows] == [("b", "TypeError: a mistake"), ("a", "TypeError: a mistake")]
    assert not any(row.lost for row in run_benchmark(asked, tmp_path, SerialEngine()))


def test_every_module_that_a_question_needs_is_in_its_address():
    room = Path(batches.__file__).parent
    asking = {file.stem for one in QUESTIONS for files in one.sources.values() for file in files if file.parent == room}
    needed, new = set(), {type(one).__module__.rpartition(".")[2] for one in QUESTIONS}
    while new:
        needed |= new
        trees = [ast.parse((room / f"{name}.py").read_text()) for name in new]
        targets = {n.module or "" for tree in trees for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        new = {t.rpartition(".")[2] for t in targets if t.startswith("apu.evaluate.")} - needed
    told_otherwise = {
        "ablation_variants",  # a variant is a part of the question
        "findings", "bootstrap",  # `methods` takes names from there
        "rows",  # a file that can no longer be read is computed again
    }  # fmt: skip
    assert needed - told_otherwise == {*MEASURING, *asking}
