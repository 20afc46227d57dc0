"""Builds the data set of `apu build`. Loads torch: import it inside the command only."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import torch

from apu.body.anny import AnnyBody
from apu.cache import sha256_file
from apu.cli.asking import Asking, confirm
from apu.cli.build_progress import shown_build
from apu.cli.companions import check_shared, with_files_of
from apu.cli.photos import chosen_photos
from apu.cli.request import Request, printable
from apu.contact.contact import ContactMap
from apu.dataset.build import Asked, Built, Report, build
from apu.dataset.build_photos import AskedHow, PhotoBuild, PhotoPiece
from apu.dataset.build_record import Acceptance
from apu.dataset.build_synthetic import SyntheticBuild, first_answer, pair_name, pieces_of
from apu.dataset.build_versions import build_versions
from apu.dataset.engine import LocalEngine, SerialEngine
from apu.dataset.layout import Layout
from apu.dataset.meshes import body_of
from apu.dataset.store import PairStore
from apu.dataset.synthetic.answers import SimulatedAnswer
from apu.dataset.synthetic.observation_settings import InitialFamily, InitialSettings, ObservationSettings
from apu.dataset.work import plain
from apu.errors import InputError, PhotoError
from apu.evaluate.trusted_answers import Trust, trusted_map
from apu.prior.named import NamedPrior, named_prior
from apu.prior.shipped import Shipped
from apu.scene.estimate import Estimate
from apu.scene.pair import PairObservation
from apu.scene.results import FitOptions
from apu.scene.true_pair import ClassGroup, Split


@dataclass(frozen=True)
class Job:
    """What is to be built, and by what."""

    asked: Asked
    pieces: Sequence[Any]
    function: Callable[[Any], Built]


def acceptance(min_chance: float | None, *, verdict: bool) -> Acceptance:
    """Which fits are taken."""
    return Acceptance(verdict, min_chance)


def of_synthetic(
    folder: Path, accept: Acceptance, accepted: int | None, *, pairs: int | None, classes: str | None, answers: int,
    trusted: bool, family: InitialFamily, seed: int,
    prior: Path | Shipped | None,
) -> Job:  # fmt: skip
    """Fits to observations of synthetic pairs.

    Raises:
        InputError: the data set is damaged, not synthetic, or of another body, or has no such class.
    """
    store = PairStore(folder)
    body = body_of(store.info.body_model)
    if store.info.kind != "synthetic":
        raise InputError(
            "Only synthetic pairs can be observed.",
            where=folder,
            expected="a data set of kind `synthetic`",
            got=f"kind `{store.info.kind}`",
            remedy="name one that `apu synth` has made.",
        )
    guiding = named_prior(prior, body, seed) if prior is not None else None  # refused before anything is done
    wanted = _classes(store, classes)
    records = [record for record in store.records() if record.interaction in wanted][:pairs]
    settings = ObservationSettings(initial=InitialSettings(family=family))
    if trusted and not answers:
        raise InputError("There is no answer to check.", where="--trusted", remedy="leave it out, or raise --answers.")
    trust = Trust(answers, "relation and 3D", order=True, possible=True)
    contacts_of = partial(_trusted, trust=trust) if trusted or answers > 1 else first_answer
    name = str(sorted(asdict(trust).items())) if trusted or answers > 1 else first_answer.__name__
    pieces = pieces_of(
        [pair_name(record) for record in records],
        seed=seed, answers=answers, contacts_of=name, settings=settings, acceptance=accept,
        prior=guiding and guiding.folder,
    )  # fmt: skip
    told = {
        "synthetic": _digest([piece.pairs for piece in pieces]),
        "source": dict(store.info.settings),
        "pairs": len(records),
        "answers": answers,
        "contacts_of": name,
        "observation": plain(settings),
        **_common(accept, accepted, seed, guiding),
    }
    groups: dict[str, ClassGroup] = {r.interaction: r.group for r in records if r.group is not None}
    versions = build_versions()
    asked = Asked("simulated", Layout.of_body(body.name, body.parameter_spec), versions, told, groups, accepted)
    return Job(asked, pieces, SyntheticBuild({r.id: r.to_true_pair() for r in records}, versions, contacts_of))


def of_photos(
    photos: Sequence[str], accept: Acceptance, accepted: int | None, *, keypoints: tuple[Path, ...], init: Path | None,
    contacts: Path | None, annotator: str | None, samples: int, asking: Asking, all_pairs: bool, split: Split,
    seed: int, prior: Path | Shipped | None, jobs: int,
) -> Job:  # fmt: skip
    """Fits of photos; of photos with the same bytes only the first.

    Raises:
        InputError: a photo, a file or an option is wrong.
    """
    chosen = chosen_photos(photos).photos
    request = Request(
        all_pairs=all_pairs, keypoints=keypoints, contacts=contacts, annotator=annotator, samples=samples, init=init,
        seed=seed, prior=prior,
    )  # fmt: skip
    check_shared(request, several=len(chosen) > 1)
    if annotator:
        told = f"{annotator} will be asked at least {samples * len(chosen)} times about {len(chosen)} photos."
        confirm(samples * len(chosen), told, yes=asking.yes)
    distinct = {_sha256(photo): photo for photo in reversed(chosen)}
    first = [photo for photo in chosen if photo in distinct.values()]
    pieces = [
        PhotoPiece(
            photo.absolute(),
            photo.name,
            FitOptions(
                **{name: _absolute(value) for name, value in vars(with_files_of(request, photo, first)).items()}
            ),
            split,
            accept,
        )
        for photo in first
    ]
    body = AnnyBody.load()
    guiding = named_prior(prior, body, seed) if prior is not None else None
    told = {
        "photos": _digest([plain(piece) for piece in pieces]),
        "pieces": len(pieces),
        "annotator": annotator,
        "samples": samples,
        "all_pairs": all_pairs,
        "split": split,
        **_common(accept, accepted, seed, guiding),
    }
    versions = build_versions()
    asked = Asked("photo", Layout.of_body(body.name, body.parameter_spec), versions, told, {}, accepted)
    share = None if asking.budget_usd is None else asking.budget_usd / jobs
    how = AskedHow(asking.store, share, asking.allow_http)
    return Job(asked, pieces, PhotoBuild(tuple(versions.items()), how))


def make(out: Path, job: Job, jobs: int) -> None:
    """Build it, show the progress, and say what became of the pairs.

    Raises:
        KeyboardInterrupt: with a message that says how to go on.
    """
    torch.set_num_threads(1)  # as in the processes of an engine: sums must not depend on --jobs
    engine = SerialEngine() if jobs == 1 else LocalEngine(jobs)
    with shown_build(job.asked.wanted) as shown:
        try:
            report = build(out, job.asked, job.pieces, engine, job.function, shown)
        except KeyboardInterrupt:
            told = f"{shown.done} of {len(job.pieces)} pieces are done"
            raise KeyboardInterrupt(f"Interrupted. {told}. To go on: the same command with --resume.") from None
    click.echo(_summary(report, job.asked.wanted))
    click.echo(f"\n{report.info.pairs} {report.info.kind} pairs in {printable(out)}/")
    click.echo("  rejected.jsonl  why the others are not among them; their bodies are in rejected.parquet")


def _summary(report: Report, wanted: int | None) -> str:
    why = Counter(entry.why for entry in report.entries if not entry.taken)
    lines = [f"{report.info.pairs} of {len(report.entries)} pairs are accepted"]
    if wanted is not None and report.info.pairs < wanted:
        lines[0] += f"; {wanted} were asked for, but there are no more"
    return "\n".join([*lines, *(f"  {count:>5}  {name}" for name, count in why.most_common())])


def _trusted(
    answers: Sequence[SimulatedAnswer], seen: PairObservation, estimate: Estimate, *, trust: Trust
) -> ContactMap:
    return trusted_map(answers, seen, trust, estimate)


def _common(accept: Acceptance, accepted: int | None, seed: int, prior: NamedPrior | None) -> dict[str, Any]:
    guided = None if prior is None else {"name": prior.name, "sha256": prior.sha256}
    return {"acceptance": asdict(accept), "accepted": accepted, "seed": seed, "prior": guided}


def _classes(store: PairStore, classes: str | None) -> set[str]:
    known = {row["interaction"] for row in store.rows(["interaction"])}
    names = known if classes is None else {name.strip() for name in classes.split(",") if name.strip()}
    if not names or names - known:
        raise InputError(
            "The data set has no pair of this class." if names else "There is no pair to observe.",
            where=store.folder,
            expected=f"one or more of {', '.join(sorted(known))}" if known else "a pair",
            got=", ".join(sorted(names - known)) or "none",
            remedy="`apu dataset stats` lists the classes.",
        )
    return names


def _absolute(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_absolute, value))
    return value.absolute() if isinstance(value, Path) else value


def _sha256(photo: Path) -> str:
    if not photo.is_file():
        raise PhotoError("The photo is not there.", where=photo, expected="an image file", remedy="check the path.")
    return sha256_file(photo)


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()
