"""Runs `apu dataset compare`. Loads torch: import it inside the command only."""

import shlex
from pathlib import Path

import click

from apu.cli.output import check_folder
from apu.cli.request import printable
from apu.cli.run import use_threads
from apu.dataset.folder import INFO
from apu.dataset.meshes import body_of
from apu.dataset.store import PairStore
from apu.dataset.versions import versions
from apu.errors import InputError, OutputError
from apu.evaluate.diversity import DRAWS, compare
from apu.evaluate.diversity_pairs import pairs_of_store
from apu.evaluate.diversity_plot import draw_diversity
from apu.evaluate.diversity_report import as_json, diversity_tables, write_comparison
from apu.evaluate.report import PLOT, BenchmarkInfo
from apu.evaluate.rows import json_of


def run_comparison(
    folders: tuple[Path, Path], most: int, seed: int, out: Path | None, *, overwrite: bool, as_json_text: bool
) -> None:
    """Measure, print, and write the files.

    Args:
        folders: the data sets A and B.
        most: pairs that are taken of each at most.
        seed: of all draws.
        out: gets tables and plot; None for none.
        overwrite: replace those that are there.
        as_json_text: print JSON instead of tables.

    Raises:
        InputError: a data set is wrong or too small, or the two cannot be compared.
        OutputError: the folder cannot take the files.
    """
    use_threads()
    if out is not None:
        _check_out(out, overwrite=overwrite)
    stores = (PairStore(folders[0]), PairStore(folders[1]))
    _check_alike(stores)
    body = body_of(stores[0].info.body_model)
    a, b = (pairs_of_store(store, body, most, seed) for store in stores)
    found = compare(a, b, seed=seed)
    info = _info(stores, (len(a), len(b)), len({*a.ids}.intersection(b.ids)), most, seed)
    tables = diversity_tables(found, (_name(folders[0]), _name(folders[1])), (len(a), len(b)))
    if as_json_text:
        click.echo(json_of(as_json(info, found), indent=1), nl=False)
    else:
        click.echo(printable("\n".join([*info.lines(), *(f"\n{table.text()}" for table in tables)])))
    if out is not None:
        draw_diversity(out / PLOT, info, found)
        write_comparison(out, info, tables, found)
        click.echo(f"Tables and plot in {printable(out)}/", err=as_json_text)


def _info(
    stores: tuple[PairStore, PairStore], counts: tuple[int, int], shared: int, most: int, seed: int
) -> BenchmarkInfo:
    """What a reader has to know beside the numbers.

    Args:
        stores: A and B.
        counts: pairs of each that were measured.
        shared: ids that are in both.
        most, seed: as for `run_comparison`.
    """
    facts = {
        **{
            which: f"{_name(store.folder)}, {count} of {len(store)} pairs, {store.info.kind}"
            for which, store, count in zip("AB", stores, counts, strict=True)
        },
        "pairs_with_one_id_in_both": shared,
        "draws_of_the_bootstrap": DRAWS,
    }
    command = ["apu", "dataset", "compare", *(str(store.folder) for store in stores)]
    command += ["--pairs", str(most), "--seed", str(seed)]
    known = {**versions(), "body_model": stores[0].info.body_model}
    return BenchmarkInfo("The diversity of two data sets", shlex.join(command), facts, known)


def _name(folder: Path) -> str:
    return folder.resolve().name


def _check_alike(stores: tuple[PairStore, PairStore]) -> None:
    """Whether poses of the two mean the same; other schema versions are refused when a data set is opened."""
    first, second = (store.info for store in stores)
    for name in ("body_model", "parameters"):
        mine, other = getattr(first, name), getattr(second, name)
        if mine != other:
            raise InputError(
                "The data sets are of different body models.",
                where=f"{stores[1].folder}: {name}",
                expected=f"{mine}, as in {stores[0].folder}",
                got=other,
                remedy="compare data sets of one body model (`apu dataset stats` names what is in each).",
            )


def _check_out(out: Path, *, overwrite: bool) -> None:
    check_folder(out, overwrite=overwrite)
    if (out / INFO).exists():
        raise OutputError(
            "The output folder holds a data set.",
            where=out,
            expected="a folder for tables",
            got=f"{INFO} in it",
            remedy="name another folder with --out.",
        )
