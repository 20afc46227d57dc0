"""Runs `apu eval ask`. Loads torch: import it inside the command only."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, get_args

import click
import torch

from apu.body.anny import AnnyBody
from apu.cache import written_whole
from apu.cli.evaluate_folder import prepare_out
from apu.cli.evaluate_pairs import AskedPairs, benchmark_info, interruptible, ready_pairs
from apu.cli.progress import shown_progress
from apu.cli.request import printable
from apu.errors import InputError
from apu.evaluate.annotated_photos import KeypointSource, annotated_photos, check_files
from apu.evaluate.ask_annotators import SINGLE, simulated_annotators
from apu.evaluate.ask_benchmark import measure_annotators
from apu.evaluate.ask_chirality import Recovery, recoveries
from apu.evaluate.ask_findings import AskFinding, Score, Unit, f1_gains, find_annotators
from apu.evaluate.ask_photos import PHOTO_ANNOTATORS, measure_on_photos, people_not_found, read_negatives, words_of
from apu.evaluate.ask_plot import draw_annotators
from apu.evaluate.ask_rows import CONTACTS_FILE, AskRow, contacts_csv
from apu.evaluate.ask_tables import SPARSE, annotator_table, ask_tables, gain_table, recovery_table
from apu.evaluate.batches import benchmark_versions
from apu.evaluate.findings import find
from apu.evaluate.report import PLOT, BenchmarkInfo, write_report
from apu.evaluate.tables import Table

NOTE = "Simulated answers have hand-set errors: numbers of `simulated` annotators say nothing of any real model."


@dataclass(frozen=True)
class Which:
    """What both kinds of benchmark share.

    Attributes:
        out: folder of the results; None: only print.
        overwrite: replace an earlier benchmark.
        min_weight: contacts below count only for calibration.
    """

    out: Path | None
    overwrite: bool
    min_weight: float


@dataclass(frozen=True)
class Result:
    """All that is told.

    Attributes:
        info: what was measured.
        rows: of every annotator and pair.
        words: annotator -> what it is.
        unit: what is drawn for intervals.
        sparse: whether the truth is an annotation.
        baseline: whom the others are compared with; None for nobody.
        sides: of chirality denoising.
    """

    info: BenchmarkInfo
    rows: Sequence[AskRow]
    words: Mapping[str, str]
    unit: Unit
    sparse: bool = False
    baseline: str | None = None
    sides: Sequence[Recovery] = ()


def run_synthetic(which: Which, asked: AskedPairs) -> None:
    """Measure simulated annotators on synthetic pairs, print, and write the results.

    Args:
        which: see there.
        asked: which pairs.

    Raises:
        InputError: an option or a data set is wrong.
        OutputError: a folder cannot take the results.
    """
    torch.set_num_threads(1)
    pairs = ready_pairs(asked, more=(CONTACTS_FILE,))
    with interruptible(), shown_progress() as progress:
        found = measure_annotators(
            AnnyBody.load(), pairs, asked.observation_seeds, least_weight=which.min_weight, progress=progress
        )
    command = ["apu", "eval", "ask", *map(str, asked.data), "--pairs", str(asked.pairs), *asked.words()]
    known = benchmark_info(
        "Annotators on synthetic pairs", shlex.join([*command, "--min-weight", f"{which.min_weight:g}"]), asked, pairs,
        benchmark_versions(), least_weight=which.min_weight,
    )  # fmt: skip
    info = replace(known, notes=(*known.notes, NOTE))
    words = {one.name: one.words for one in simulated_annotators()}
    sides = recoveries(found.sides)
    _tell(which, Result(info, found.rows, words, lambda one: one.row.pair, baseline=SINGLE, sides=sides))


def run_photos(which: Which, folder: Path, answers: Sequence[str], keypoints: str, negatives: Path | None) -> None:
    """Measure annotators on annotated photos, print, and write the results.

    Args:
        which: see there.
        folder: of the photos.
        answers: `NAME=DIR`, where contact files lie.
        keypoints: `embedded` or `vitpose`.
        negatives: file of pairs without contact.

    Raises:
        InputError: an option or a file is wrong.
        OutputError: the folder cannot take the results.
        ModelFileError: a detector is missing.
    """
    torch.set_num_threads(1)
    folders = answer_folders(answers)
    (source,) = (one for one in get_args(KeypointSource) if one == keypoints)
    photos = annotated_photos(folder)
    check_files(photos, [source], use_bev=False)
    without = [] if negatives is None else read_negatives(negatives, folder / "images")
    if which.out is not None:
        prepare_out(which.out, overwrite=which.overwrite, resume=False, more=(CONTACTS_FILE,))
    body = AnnyBody.load()
    with shown_progress() as progress:
        rows = measure_on_photos(
            body, photos, source, folders, without, least_weight=which.min_weight, progress=progress
        )
    facts = {
        "data": "photos with annotated contacts",
        "photos": len(photos),
        "annotated_pairs": sum(len(photo.pairs) for photo in photos),
        "pairs_without_contact": len(without),
        "keypoints": source,
        "pairs_without_keypoints": people_not_found(rows),
        "least_weight": which.min_weight,
    }
    words = ["apu", "eval", "ask", "--photos", str(folder), "--keypoints", keypoints]
    words += [word for one in answers for word in ("--answers", one)]
    words += [] if negatives is None else ["--negatives", str(negatives)]
    command = shlex.join([*words, "--min-weight", f"{which.min_weight:g}"])
    versions = {**benchmark_versions(), "body_model": body.name}
    notes = (SPARSE, NOTE, "Intervals draw photos. Where the people were not found, sides stand as they were said.")
    info = BenchmarkInfo("Annotators on annotated photos", command, facts, versions, notes)
    _tell(which, Result(info, rows, words_of(folders), lambda one: one.row.interaction, sparse=True))


def answer_folders(answers: Sequence[str]) -> dict[str, Path]:
    """`NAME=DIR` as name -> folder.

    Raises:
        InputError: it is something else, a name comes twice, or the folder is missing.
    """
    out: dict[str, Path] = {}
    for one in answers:
        name, _, folder = (word.strip() for word in one.partition("="))
        if not name or not folder or name in out or name in PHOTO_ANNOTATORS or not Path(folder).is_dir():
            raise InputError(
                "Answers of an annotator are not there.",
                where="--answers",
                expected="NAME=DIR: a name of its own, and a folder of contact files",
                got=repr(one[:200]),
                remedy="write the answers with `apu ask PHOTO --model M --out DIR`.",
            )
        out[name] = Path(folder)
    return out


def _tell(which: Which, result: Result) -> None:
    """Print, and write where there is a folder."""
    found = find_annotators(result.rows, result.unit)
    gains = {} if result.baseline is None else f1_gains(result.rows, result.baseline, result.unit)
    click.echo(printable("\n".join([*result.info.lines(), *result.info.notes])))
    for table in _tables(result, found, gains, compact=True):
        click.echo()
        click.echo(printable(table.text()))
    lost = [one.row for one in result.rows if one.row.lost]
    for reason in dict.fromkeys(f"{row.pair}, {row.method}: {row.lost}" for row in lost):
        click.echo(printable(f"lost: {reason}"))
    if which.out is not None:
        _write(which.out, result, found, gains)
        click.echo(f"Tables and plot in {printable(which.out)}/")


def _tables(
    result: Result, found: Sequence[AskFinding], gains: Mapping[str, Mapping[str, Score]], *, compact: bool
) -> list[Table]:
    tables = ask_tables(found, compact=compact, sparse=result.sparse)
    if result.baseline is not None:
        tables.append(gain_table(gains, result.baseline))
    if result.sides:
        tables.append(recovery_table(result.sides, compact=compact))
    return tables


def _write(out: Path, result: Result, found: Sequence[AskFinding], gains: Mapping[str, Mapping[str, Score]]) -> None:
    """All files; table.json has the curves, too."""
    rows = [one.row for one in result.rows]
    draw_annotators(out / PLOT, result.info, found)
    with written_whole(out / CONTACTS_FILE) as temporary:
        temporary.write_text(contacts_csv(result.rows), encoding="utf-8", newline="")
    tables = [annotator_table(result.words), *_tables(result, found, gains, compact=False)]
    more = {
        "annotators": [_plain(one) for one in found],
        "f1_gains": {name: {level: asdict(s) for level, s in own.items()} for name, own in gains.items()},
        "sides": [asdict(one) for one in result.sides],
    }
    write_report(out, result.info, tables, find(rows, ()), rows, more)


def _plain(one: AskFinding) -> dict[str, Any]:
    """For JSON; of the curves, the risk at each percent of coverage."""
    percents = range(1, 101)
    curves = {
        level: {
            "brier": asdict(c.brier),
            "area": asdict(c.area),
            "risk_at_percent": [1 - c.curve.precision(percent / 100) for percent in percents],
        }
        for level, c in one.calibration.items()
    }
    return {**{name: value for name, value in asdict(one).items() if name != "calibration"}, "calibration": curves}
