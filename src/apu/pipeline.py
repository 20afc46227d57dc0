"""The system on one page: a photo's people are posed, its contacts are asked for, and its pairs are united.

    perceive -> choose pairs -> first fit -> annotate -> unite -> save
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

import torch

from apu.ask.annotator import Annotator
from apu.ask.proximity import ProximityAnnotator
from apu.body.anny import AnnyBody
from apu.body.protocol import BodyModel
from apu.contact.contact import ContactMap
from apu.contact.files import AnnotatedPair, read_contact_file
from apu.errors import ApuError, ContactFileError, InputError
from apu.pose.detect import detect_people
from apu.pose.keypoint_files import read_keypoints
from apu.pose.pairs import check_pairs, choose_pairs, require_two_people
from apu.pose.photo_file import read_photo
from apu.progress import Progress, silent
from apu.scene.camera import Camera
from apu.scene.pair import AgeGroup, Fit, PairObservation
from apu.scene.person import Person
from apu.scene.photo import Photo
from apu.show.files import pair_folder, prepare_folder, remove_results, save_pair, save_people, save_run
from apu.show.report import RunInfo
from apu.unite.problem import fittable
from apu.unite.solve import look, unite

Pair = tuple[int, int]
PAIRS_AT_ONCE = 16
"""Pairs of a photo that are united in one batch; bounds the memory."""


@dataclass(frozen=True)
class FitOptions:
    """What a user may ask of a fit.

    Attributes:
        pairs: people's numbers (A, B); when empty, the annotated pairs, else the closest one.
        all_pairs: every pair that may touch.
        keypoints: file that replaces the detector.
        contacts: file that replaces the guess of `proximity`.
        ages: of A and B, where known.
        seed: of all random numbers.
    """

    pairs: tuple[Pair, ...] = ()
    all_pairs: bool = False
    keypoints: Path | None = None
    contacts: Path | None = None
    ages: tuple[AgeGroup, AgeGroup] = ("unknown", "unknown")
    seed: int = 0


@dataclass(frozen=True)
class PairResult:
    """One pair and its two bodies."""

    observation: PairObservation
    fit: Fit


@dataclass(frozen=True)
class PhotoResult:
    """All that came out of one photo.

    Attributes:
        photo: as it was read.
        people: all that were found in it.
        candidates: pairs that may touch, the closest first.
        pairs: the fitted ones.
        failures: the pairs that failed, and why.
        seconds: step -> wall time.
    """

    photo: Photo
    people: tuple[Person, ...]
    candidates: tuple[Pair, ...]
    pairs: tuple[PairResult, ...]
    failures: tuple[tuple[Pair, str], ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)


def fit(
    path: Path, options: FitOptions | None = None, progress: Progress = silent, *, annotator: Annotator | None = None
) -> PhotoResult:
    """Turn a photo into pairs of bodies that touch.

    Args:
        path: image file.
        options: the standard ones when left out.
        progress: told where the work stands.
        annotator: says what touches where no contact file does; `proximity` when left out.

    Raises:
        InputError: the photo, a file or an option is wrong, or there are not two people.
        ModelFileError: a model file cannot be fetched or prepared.
    """
    options, clock = options or FitOptions(), _Clock()
    torch.manual_seed(options.seed)

    progress("finding people")
    photo, people = perceive(path, options, progress)
    clock.lap("perceive")

    progress("loading the body model")
    body = _anny(progress)
    clock.lap("body model")

    progress("choosing pairs")
    candidates = choose_pairs(people)
    annotated = _read_contacts(options, photo, people)
    pairs = _wanted(options, people, candidates, annotated)
    observations, failures = _observe(photo, people, pairs, options.ages)

    annotator = annotator or ProximityAnnotator(body.surface)
    results: list[PairResult] = []
    for start in range(0, len(observations), PAIRS_AT_ONCE):
        some = observations[start : start + PAIRS_AT_ONCE]
        done, failed = _each_if_not_all(
            lambda batch: _unite_batch(body, photo, batch, annotated, annotator, progress), some
        )
        results += done
        failures += failed
    clock.lap("unite")
    return PhotoResult(photo, people, tuple(candidates), tuple(results), tuple(failures), clock.seconds)


def perceive(path: Path, options: FitOptions, progress: Progress = silent) -> tuple[Photo, tuple[Person, ...]]:
    """Read the photo and find its people, or read them from the keypoint file."""
    photo = read_photo(path)
    if options.keypoints:
        people = read_keypoints(options.keypoints, photo.name)
    else:
        people = detect_people(photo, progress=progress)
    require_two_people(people, photo.name)
    return photo, tuple(people)


def _unite_batch(
    body: BodyModel, photo: Photo, observations: Sequence[PairObservation], annotated: Sequence[AnnotatedPair],
    annotator: Annotator, progress: Progress,
) -> list[PairResult]:  # fmt: skip
    """First fit, contacts, and the two bodies of every pair."""
    progress("first fit")
    first = look(body, observations)
    contacts = [
        _given(annotated, o) or annotator.annotate(photo, o, estimate)
        for o, estimate in zip(observations, first.estimates, strict=True)
    ]
    fits = unite(body, first, contacts, progress=progress)
    return [PairResult(o, f) for o, f in zip(observations, fits, strict=True)]


def save(
    result: PhotoResult, folder: Path, *, overwrite: bool = False, options: FitOptions | None = None
) -> list[Path]:
    """Write the result folder: one pair into it, several into `pair_I_J` below it.

    Raises:
        OutputError: it holds something already and `overwrite` is not set, or it cannot be written.
    """
    prepare_folder(folder, overwrite)
    remove_results(folder)
    info = _run_info(result, options or FitOptions())
    body = _anny(silent)
    files = [save_people(folder, result.photo, result.people)]
    for pair in result.pairs:
        place = folder if len(result.pairs) == 1 else pair_folder(folder, pair.observation)
        files += save_pair(
            place, result.photo, result.people, pair.observation, pair.fit, body.surface, info,
            spec=body.parameter_spec,
        )  # fmt: skip
    if len(result.pairs) != 1:
        files.append(save_run(folder, result.photo, result.people, [(p.observation, p.fit) for p in result.pairs], info))
    return files


@cache
def _anny(progress: Progress) -> AnnyBody:
    return AnnyBody.load(progress)


def _read_contacts(options: FitOptions, photo: Photo, people: Sequence[Person]) -> list[AnnotatedPair]:
    if options.contacts is None:
        return []
    return read_contact_file(options.contacts, photo.name, [p.box for p in people])


def _wanted(
    options: FitOptions, people: Sequence[Person], candidates: Sequence[Pair], annotated: Sequence[AnnotatedPair]
) -> list[Pair]:
    """The user's pairs, else all, else the annotated ones, else the closest."""
    named = [a.people for a in annotated if a.people is not None]
    if options.pairs:
        check_pairs(options.pairs, people)
        chosen = list(options.pairs)
    elif named:
        chosen = named
    elif options.all_pairs:
        chosen = list(candidates)
    else:
        chosen = list(candidates[:1])
    if not chosen:
        raise InputError(
            "No two people in the photo are close enough to touch.",
            expected="two people whose keypoint boxes overlap",
            got=f"{len(people)} people apart from each other",
            remedy="name two people with --pair I,J if they do touch.",
        )
    for pair in chosen:
        if named and not any(set(pair) == set(a) for a in named):
            raise ContactFileError(
                "The contact file says nothing about a pair.",
                where=options.contacts,
                expected=f"an entry for people {pair[0]} and {pair[1]}",
                got="entries for " + ", ".join(f"{i},{j}" for i, j in named),
                remedy="name one of its pairs with --pair, or leave --contacts out.",
            )
    return chosen


def _given(annotated: Sequence[AnnotatedPair], observation: PairObservation) -> ContactMap | None:
    """The contact file's word on a pair, with its A as A."""
    a, b = (p.index for p in observation.people)
    for one in annotated:
        if one.people in (None, (a, b)):
            return one.contacts
        if one.people == (b, a):
            return one.contacts.swapped()
    return None


def _observe(
    photo: Photo, people: Sequence[Person], pairs: Sequence[Pair], ages: tuple[AgeGroup, AgeGroup]
) -> tuple[list[PairObservation], list[tuple[Pair, str]]]:
    camera = Camera.of_image(photo.width, photo.height, focal_px=photo.focal_px)
    observations: list[PairObservation] = []
    failures: list[tuple[Pair, str]] = []
    for i, j in pairs:
        observation = PairObservation(photo.name, camera, (people[i], people[j]), ages)
        why = fittable(observation)
        if why is None:
            observations.append(observation)
        else:
            failures.append(((i, j), why))
    return observations, failures


def _each_if_not_all(
    work: Callable[[Sequence[PairObservation]], list[PairResult]], observations: Sequence[PairObservation]
) -> tuple[list[PairResult], list[tuple[Pair, str]]]:
    """Work on all pairs at once; when that fails, on each by itself, so that one bad pair costs no other."""
    if len(observations) > 1:
        try:
            return work(observations), []
        except (ApuError, RuntimeError, ArithmeticError, ValueError):
            pass
    done: list[PairResult] = []
    failures: list[tuple[Pair, str]] = []
    for one in observations:
        try:
            done += work([one])
        except (ApuError, RuntimeError, ArithmeticError, ValueError) as error:
            a, b = one.people
            failures.append(((a.index, b.index), str(error) or type(error).__name__))
    return done, failures


def _run_info(result: PhotoResult, options: FitOptions) -> RunInfo:
    sources = sorted({p.fit.contacts.source for p in result.pairs})
    note = "contacts: " + (", ".join(sources) or "none")
    if "proximity" in sources:
        note += " (a guess from the first fit; no person or language model looked)"
    return RunInfo(
        seed=options.seed,
        options=asdict(options),
        seconds=sum(result.seconds.values()),
        contacts_note=note,
        focal_source="exif" if result.photo.focal_px else "assumed field of view of 60 degrees",
    )


class _Clock:
    """Wall time of each step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.perf_counter()

    def lap(self, step: str) -> None:
        """The step that just ended."""
        now = time.perf_counter()
        self.seconds[step], self._since = now - self._since, now
