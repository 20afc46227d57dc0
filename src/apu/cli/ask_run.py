"""Runs `apu ask`: finds people, asks about pairs, writes files. Loads torch: import it inside the command.

Photos are read twice, once to know what will be asked and what it costs, and once to ask: so the pictures of a large
run never have to be held together.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import click

from apu.ask.annotation_of_answer import annotation_of
from apu.ask.cost import Estimate, estimate
from apu.ask.lvlm import default_store, provider_of, runner_of
from apu.ask.model_name import ModelName, parse_model_name
from apu.ask.pair_image import PairImageOptions
from apu.ask.pair_question import AskOptions, Label, pair_question
from apu.ask.question import Question
from apu.ask.replay import replayed
from apu.ask.run_limits import RunLimits
from apu.ask.store import Store
from apu.ask.store_records import SETTLED
from apu.cli.ask_batch import batches_of, collect, submit
from apu.cli.ask_files import AskedPair, AskedPhoto, check_unchanged, write_answers
from apu.cli.ask_table import print_answers
from apu.cli.asking import Asking, confirm
from apu.cli.companions import with_files_of
from apu.cli.failures import FAILED, describe
from apu.cli.photos import folder_names
from apu.cli.progress import shown_progress
from apu.cli.request import Request, printable
from apu.cli.run import use_threads
from apu.errors import InputError, ModelFileError
from apu.pipeline import FitOptions, perceive
from apu.pose.pairs import choose_pairs
from apu.pose.photo_file import read_photo
from apu.pose.wanted_pairs import wanted_pairs
from apu.progress import Progress
from apu.scene.person import Person

Mode = Literal["ask", "replay", "submit", "collect"]
"""Ask now; understand stored replies again; hand questions in as a batch; fetch the answers of batches."""


@dataclass(frozen=True)
class Job:
    """What the user asks for; see the options of `apu ask`."""

    photos: tuple[Path, ...]
    several: bool
    request: Request
    model: str
    out: Path
    asking: Asking
    options: AskOptions
    samples: int
    mode: Mode
    save_images: bool


@dataclass(frozen=True)
class Seen:
    """A photo in which people were found.

    Attributes:
        photo: the file.
        name: how its files begin.
        sha256: of the file.
        people: all of them.
        pairs: to ask about.
    """

    photo: Path
    name: str
    sha256: str
    people: tuple[Person, ...]
    pairs: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Asked:
    """One question: about which pair of which photo."""

    seen: Seen
    pair: tuple[int, int]
    label: Label


def options_of(examples: int, mark: bool, blur: bool, long_side: int, temperature: float | None) -> AskOptions:
    """How pairs are asked about, from plain values."""
    picture = PairImageOptions(mark=mark, blur_others=blur, long_side=long_side)
    return AskOptions(picture, examples=examples, temperature=temperature)


def ask_photos(job: Job) -> None:
    """Ask about all photos, write their files and print the table; exit code 1 when something has no answer.

    Raises:
        InputError: the model's name, its key or the store is wrong; or the only photo is.
        ProviderError: no request can be answered.
        OutputError: a file cannot be written.
    """
    use_threads()
    name = parse_model_name(job.model, allow_http=job.asking.allow_http)
    provider = provider_of(name) if job.mode == "ask" else None
    for photo_name in folder_names(job.photos).values():
        check_unchanged(job.out, photo_name)
    failures: dict[str, str] = {}
    with Store(job.asking.store or default_store()) as store, shown_progress() as progress:
        batches = batches_of(job.model, name, store) if job.mode in ("submit", "collect") else None
        seen = _look(job, failures, progress)
        asked: list[Asked] = []
        told = _estimate(job, name, store, seen, asked, failures)
        stopped = None
        if job.mode == "replay":
            for one in asked:
                replayed(store, one.label.key)
        elif batches is not None and job.mode == "submit":
            confirm(told.requests, str(told), yes=job.asking.yes)
            stopped = submit(batches, name, _open(job, store, seen, failures), job.asking.budget_usd)
        elif batches is not None:
            collect(batches)
        elif provider is not None and told.requests:
            confirm(told.requests, str(told), yes=job.asking.yes)
            progress(f"asking {job.model}")
            waiting = _open(job, store, seen, failures)
            counted = _counted(progress, f"asking {job.model}", told.requests)
            try:
                stopped = runner_of(name, provider, store, _limits(job)).run(waiting, counted).stopped
            except KeyboardInterrupt:
                kept = sum(_is_settled(store, one.label.key) for one in asked)
                told_so = f"Interrupted. {kept} of {len(asked)} answers are kept; the same command asks for the rest."
                raise KeyboardInterrupt(told_so) from None
        photos = _collected(store, seen, asked, stopped or "there is no answer in the store")
    write_answers(job, photos)
    print_answers(photos, failures, job.out, told if job.mode == "ask" else None)
    _finish(job, photos, failures, stopped)


def _look(job: Job, failures: dict[str, str], progress: Progress) -> list[Seen]:
    """Find the people of every photo; a photo that fails is recorded, unless it is the only one."""
    names = folder_names(job.photos)
    seen = []
    for number, file in enumerate(job.photos):
        progress("finding people", number / len(job.photos))
        try:
            request = with_files_of(job.request, file, job.photos)
            options = FitOptions(**vars(request))
            photo = read_photo(file)
            people = perceive(photo, options)
            pairs = wanted_pairs(options, people, choose_pairs(people), [])
        except Exception as error:
            if not job.several or isinstance(error, ModelFileError):
                raise
            failures[names[file]] = describe(error)
            continue
        seen.append(Seen(file, names[file], photo.sha256, people, tuple(pairs)))
    return seen


def _questions(job: Job, seen: Iterable[Seen], failures: dict[str, str]) -> Iterator[tuple[Asked, Question]]:
    """Every question; a pair that cannot be shown is recorded, unless its photo is the only one."""
    for one in seen:
        photo = read_photo(one.photo)
        for pair in one.pairs:
            try:
                first, _ = pair_question(photo, one.people, pair, job.model, job.options)
            except InputError as error:
                if not job.several:
                    raise
                failures[one.name] = f"pair {pair[0]},{pair[1]}: {describe(error)}"
                continue
            for sample in range(job.samples):
                question = replace(first, sample=sample)
                yield Asked(one, pair, Label.of(question)), question


def _estimate(
    job: Job, name: ModelName, store: Store, seen: list[Seen], asked: list[Asked], failures: dict[str, str]
) -> Estimate:
    """What the questions without an answer will cost; fills `asked` with all of them."""

    def waiting() -> Iterator[Question]:
        for one, question in _questions(job, seen, failures):
            asked.append(one)
            if not _is_settled(store, one.label.key):
                yield question

    return estimate(waiting(), name, batch=job.mode == "submit")


def _open(job: Job, store: Store, seen: list[Seen], failures: dict[str, str]) -> Iterator[Question]:
    return (q for one, q in _questions(job, seen, failures) if not _is_settled(store, one.label.key))


def _counted(progress: Progress, shown: str, total: int) -> Progress:
    """A watcher that is told after each question, and shows the share of all."""
    done = itertools.count(1)

    def tell(stage: str, fraction: float = 0.0) -> None:
        progress(shown, next(done) / total)

    return tell


def _is_settled(store: Store, key: str) -> bool:
    known = store.answer(key)
    return known is not None and known.status in (*SETTLED, "pending")


def _limits(job: Job) -> RunLimits:
    asking = job.asking
    return RunLimits(
        concurrency=asking.concurrency or RunLimits.concurrency,
        requests_per_minute=asking.requests_per_minute,
        budget_usd=asking.budget_usd,
    )


def _collected(store: Store, seen: list[Seen], asked: list[Asked], why_not: str) -> list[AskedPhoto]:
    """What the store says of every pair of every photo."""
    photos = []
    for one in seen:
        labels = {pair: [a.label for a in asked if a.seen is one and a.pair == pair] for pair in one.pairs}
        pairs = [
            AskedPair(
                pair,
                tuple(annotation_of(label, pair, store.answer(label.key), why_not) for label in mine),
                store.image(mine[0].image_sha256),
            )
            for pair, mine in labels.items()
            if mine
        ]
        photos.append(AskedPhoto(one.photo, one.name, one.sha256, tuple(pairs)))
    return photos


def _finish(job: Job, photos: list[AskedPhoto], failures: dict[str, str], stopped: str | None) -> None:
    for name, why in failures.items():
        click.secho(printable(f"{name}: {why}"), fg="red", err=True)
    if stopped is not None:
        click.secho(f"Stopped: {stopped}. The same command goes on from here.", fg="red", err=True)
    waits = job.mode in ("submit", "collect")
    missing = [
        a
        for photo in photos
        for pair in photo.pairs
        for a in pair.annotations
        if a.answer is not None and a.answer.status != "answered" and not (waits and a.answer.status == "pending")
    ]
    if failures or missing:
        click.get_current_context().exit(FAILED)
