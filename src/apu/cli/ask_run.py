"""Runs `apu ask`: finds people, asks about pairs, writes files. Loads torch: import it inside the command.

Photos are read twice, once to know what will be asked and what it costs, and once to ask: so the pictures of a large
run never have to be held together.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import click

from apu.ask.batch import Batches
from apu.ask.cost import Estimate, estimate
from apu.ask.heard import Heard, heard
from apu.ask.lvlm import default_store, provider_of, runner_of
from apu.ask.model_name import ModelName, parse_model_name
from apu.ask.pair_image import PairImageOptions
from apu.ask.pair_question import AskOptions, Label, pair_questions
from apu.ask.perturbation import labelled
from apu.ask.provider import Provider
from apu.ask.question import EncodedImage, Question
from apu.ask.replay import replayed
from apu.ask.run_limits import RunLimits
from apu.ask.store import Store
from apu.ask.store_records import SETTLED
from apu.ask.trust import TrustOptions, trusted
from apu.cli.ask_batch import batches_of, collect, forget, submit
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

Mode = Literal["ask", "replay", "submit", "collect", "forget"]
"""Ask now; understand stored replies again; hand questions in as a batch; fetch the answers of batches; give batches
up."""


@dataclass(frozen=True)
class Job:
    """What the user asks for; see the options of `apu ask`."""

    photos: tuple[Path, ...]
    several: bool
    request: Request
    models: tuple[str, ...]
    out: Path
    asking: Asking
    options: AskOptions
    samples: int
    trust: TrustOptions
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
    names = {model: parse_model_name(model, allow_http=job.asking.allow_http) for model in job.models}
    providers = {model: provider_of(name) for model, name in names.items() if job.mode == "ask"}
    for photo_name in folder_names(job.photos).values():
        check_unchanged(job.out, photo_name)
    failures: dict[str, str] = {}
    with Store(job.asking.store or default_store()) as store, shown_progress() as progress:
        in_batches = job.mode in ("submit", "collect", "forget")
        batches = {model: batches_of(model, name, store) for model, name in names.items() if in_batches}
        if job.mode == "forget":
            for model, of_model in batches.items():
                forget(of_model, model, store, yes=job.asking.yes)
            return
        seen = _look(job, failures, progress)
        asked: list[Asked] = []
        told = {model: _estimate(job, name, store, seen, asked, failures, model) for model, name in names.items()}
        asked_now = sum(one.requests for one in told.values())
        stopped = None
        if job.mode == "replay":
            for one in asked:
                replayed(store, one.label.key)
        elif job.mode == "collect":
            for of_model in batches.values():
                collect(of_model)
        elif job.mode == "submit":
            confirm(asked_now, _told(told, asked_now), yes=job.asking.yes)
            stopped = _submitted(job, store, seen, failures, names, batches)
        elif asked_now:
            confirm(asked_now, _told(told, asked_now), yes=job.asking.yes)
            shown = _counted(progress, f"asking {', '.join(job.models)}", asked_now)
            stopped = _asked(job, store, seen, asked, failures, names, providers, shown)
        photos = _collected(job, store, seen, asked, stopped or "there is no answer in the store")
    write_answers(job, photos)
    print_answers(photos, failures, job.out, asked_now if job.mode == "ask" else None)
    _finish(job, photos, failures, stopped)


def _told(estimates: Mapping[str, Estimate], requests: int) -> str:
    """Number and cost in words, for each model where there are several."""
    if len(estimates) == 1:
        return str(next(iter(estimates.values())))
    return f"{requests} requests. " + "; ".join(f"{model}: {one}" for model, one in estimates.items())


def _submitted(
    job: Job,
    store: Store,
    seen: list[Seen],
    failures: dict[str, str],
    names: Mapping[str, ModelName],
    batches: Mapping[str, Batches],
) -> str | None:
    """Hand in what is not answered, model by model; give back why some was not, if some was not."""
    stopped = [
        submit(batches[model], name, _open(job, store, seen, failures, model), job.asking.budget_usd)
        for model, name in names.items()
    ]
    return next(filter(None, stopped), None)


def _asked(
    job: Job,
    store: Store,
    seen: list[Seen],
    asked: Sequence[Asked],
    failures: dict[str, str],
    names: Mapping[str, ModelName],
    providers: Mapping[str, Provider],
    progress: Progress,
) -> str | None:
    """Ask what is not answered, model by model, within one budget; give back why some was not, if some was not."""
    limits = _limits(job)
    try:
        for model, name in names.items():
            run = runner_of(name, providers[model], store, limits).run(
                _open(job, store, seen, failures, model), progress
            )
            if run.stopped is not None:
                return run.stopped
            if limits.budget_usd is not None:
                limits = replace(limits, budget_usd=max(0.0, limits.budget_usd - (run.cost_usd or 0.0)))
    except KeyboardInterrupt:
        kept = sum(_is_settled(store, one.label.key) for one in asked)
        told_so = f"Interrupted. {kept} of {len(asked)} answers are kept; the same command asks for the rest."
        raise KeyboardInterrupt(told_so) from None
    return None


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


def _questions(
    job: Job, seen: Iterable[Seen], failures: dict[str, str], model: str
) -> Iterator[tuple[Asked, Question]]:
    """Every question to a model; a pair that cannot be shown is recorded, unless its photo is the only one."""
    for one in seen:
        photo = read_photo(one.photo)
        for pair in one.pairs:
            try:
                for question in pair_questions(photo, one.people, pair, model, job.options, job.samples):
                    yield Asked(one, pair, Label.of(question)), question
            except InputError as error:
                if not job.several:
                    raise
                failures[one.name] = f"pair {pair[0]},{pair[1]}: {describe(error)}"


def _estimate(
    job: Job,
    name: ModelName,
    store: Store,
    seen: list[Seen],
    asked: list[Asked],
    failures: dict[str, str],
    model: str,
) -> Estimate:
    """What the questions to a model that have no answer will cost; adds all its questions to `asked`."""

    def waiting() -> Iterator[Question]:
        for one, question in _questions(job, seen, failures, model):
            asked.append(one)
            if not _is_settled(store, one.label.key):
                yield question

    return estimate(waiting(), name, batch=job.mode == "submit")


def _open(job: Job, store: Store, seen: list[Seen], failures: dict[str, str], model: str) -> Iterator[Question]:
    return (q for one, q in _questions(job, seen, failures, model) if not _is_settled(store, one.label.key))


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


def _collected(job: Job, store: Store, seen: list[Seen], asked: Iterable[Asked], why_not: str) -> list[AskedPhoto]:
    """What the store says of every pair of every photo."""
    answers: dict[tuple[str, tuple[int, int]], list[Heard]] = {}
    for one in asked:
        answer = heard(one.label, one.pair, store.answer(one.label.key), why_not)
        answers.setdefault((one.seen.name, one.pair), []).append(answer)
    photos = []
    for one in seen:
        people = {person.index: person for person in one.people}
        pairs = [
            AskedPair(
                pair, tuple(mine), trusted(mine, (people[pair[0]], people[pair[1]]), job.trust), _images(store, mine)
            )
            for pair in one.pairs
            if (mine := answers.get((one.name, pair)))
        ]
        photos.append(AskedPhoto(one.photo, one.name, one.sha256, tuple(pairs)))
    return photos


def _images(store: Store, answers: Iterable[Heard]) -> dict[str, EncodedImage]:
    """View -> its picture; another order of the vocabulary changes no picture."""
    found = {}
    for one in answers:
        view = replace(labelled(one.record.perturbation), shuffled=None).label
        if view not in found and (image := store.image(one.record.image_sha256)) is not None:
            found[view] = image
    return found


def _finish(job: Job, photos: list[AskedPhoto], failures: dict[str, str], stopped: str | None) -> None:
    for name, why in failures.items():
        click.secho(printable(f"{name}: {why}"), fg="red", err=True)
    if stopped is not None:
        click.secho(f"Stopped: {stopped}. The same command goes on from here.", fg="red", err=True)
    waits = job.mode in ("submit", "collect")
    statuses = {one.record.status for photo in photos for pair in photo.pairs for one in pair.answers}
    if failures or statuses - ({"answered", "pending"} if waits else {"answered"}):
        click.get_current_context().exit(FAILED)
