"""The system on one page: a photo's people are posed, its contacts are asked for, and its pairs are united.

perceive -> choose pairs -> describe -> first fit -> annotate -> unite -> judge -> save
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch

from apu.ask.annotator import Annotator
from apu.ask.proximity import ProximityAnnotator
from apu.ask.sides import with_first_fit
from apu.body.load import load_body
from apu.body.protocol import BodyModel
from apu.contact.annotated_pair import AnnotatedPair, contacts_of
from apu.contact.files import read_contact_file
from apu.errors import ApuError, InputError, ModelFileError
from apu.pose.enrich import enrich_people
from apu.pose.initial import initial_bodies
from apu.pose.keypoint_files import read_merged_keypoints
from apu.pose.optional_detectors import people_in_photo
from apu.pose.overrides import check_no_detector, override_keypoints
from apu.pose.pairs import choose_pairs, require_two_people
from apu.pose.photo_file import read_photo
from apu.pose.wanted_pairs import wanted_pairs
from apu.progress import Progress, silent
from apu.scene.annotation import Annotation
from apu.scene.camera import Camera
from apu.scene.pair import PairObservation
from apu.scene.person import Person
from apu.scene.photo import Photo
from apu.scene.results import FitOptions, Pair, PairResult, PhotoResult
from apu.show.result_folder import save_result
from apu.unite.fittable import check_finite, check_fittable
from apu.unite.solve import look, unite
from apu.unite.verdict import judge

if TYPE_CHECKING:
    from apu.prior.named import NamedPrior

__all__ = ["FitOptions", "PairResult", "PhotoResult", "fit", "perceive", "save"]

Result = TypeVar("Result")
PAIRS_AT_ONCE = 16
"""Pairs of a photo that are united in one batch; bounds the memory."""


def fit(
    photo: Path | str | Photo,
    options: FitOptions | None = None,
    progress: Progress = silent,
    *,
    annotator: Annotator | None = None,
    body: BodyModel | None = None,
) -> PhotoResult:
    """Turn a photo into pairs of bodies that touch.

    Args:
        photo: image file, or one that was read.
        options: the standard ones when left out.
        progress: told where the work stands.
        annotator: says what touches, where no contact file does; the one of the options, or `proximity`, when left out.
        body: the body model, e.g. `apu.body.smplx.SmplxBody.load()`; the one of the options when left out.

    Raises:
        InputError: the photo, a file or an option is wrong, or there are not two people.
        ProviderError: the annotator's provider answers no request of ours, e.g. because of the key.
        ModelFileError: a model file cannot be fetched or prepared.
    """
    options = options or FitOptions()
    torch.manual_seed(options.seed)
    if annotator is None and options.annotator:
        from apu.ask.lvlm import lvlm_annotator  # nobody else needs what it loads

        annotator = lvlm_annotator(options.annotator, samples=options.samples)
    began = time.perf_counter()
    photo = photo if isinstance(photo, Photo) else read_photo(Path(photo))
    progress("loading the body model")
    body, prior = load_models(options, progress, body=body)
    loaded = time.perf_counter()
    progress("finding people")
    people = perceive(photo, options, progress)
    candidates = choose_pairs(people)
    annotated = read_contact_file(options.contacts, photo.name, [p.box for p in people]) if options.contacts else []
    pairs = wanted_pairs(options, people, candidates, annotated)
    found = people
    people, notes = _with_hints(photo, found, pairs, progress)
    perceived = time.perf_counter()

    camera = Camera.of_image(photo.width, photo.height, focal_px=photo.focal_px)
    known = {"ages": options.ages, "shared_floor": options.shared_floor}
    seen = {(a, b): PairObservation(photo.name, camera, (people[a], people[b]), **known) for a, b in pairs}
    described = _described(annotator, photo, found, seen, annotated, progress)
    asked = time.perf_counter()

    initial = initial_bodies(options.init, body, camera, people) if options.init else {}

    def unite_some(some: Sequence[Pair]) -> list[PairResult]:
        observations = [
            replace(seen[a, b], initial=(initial.get(a), initial.get(b)), words=described[a, b].words) for a, b in some
        ]
        return _unite_batch(body, prior, photo, observations, described, annotator, progress)

    results, failures = _all_or_each(unite_some, pairs)
    seconds = {"load": loaded - began, "perceive": perceived - loaded, "ask": asked - perceived}
    seconds = {**seconds, "unite": time.perf_counter() - asked}
    fitted = sorted({i for pair in pairs for i in pair})
    notes += tuple(f"person {i}: {people[i].note}" for i in fitted if people[i].note)
    notes += ((prior.note,) if prior else ()) + tuple(one.note for one in described.values() if one.note)
    versions = {"prior": prior.sha256} if prior else {}
    return PhotoResult(photo, people, tuple(candidates), tuple(results), tuple(failures), seconds, notes, versions)


def perceive(photo: Photo, options: FitOptions, progress: Progress = silent) -> tuple[Person, ...]:
    """Find the photo's people, or read them from the keypoint files; single people as the user says.

    Raises:
        InputError: a file cannot be read, an option does not fit, or there are not two people.
        ModelFileError: the detector, or its package, is not there.
    """
    if options.keypoints:
        check_no_detector(options)
        people = read_merged_keypoints(options.keypoints, photo.name)
    else:
        people = people_in_photo(
            photo, options.detector, options.detector_weights, options.person_boxes, progress=progress
        )
    people = override_keypoints(people, options.person_keypoints, photo.name)
    require_two_people(people, photo.name)
    return tuple(people)


def load_models(
    options: FitOptions, progress: Progress = silent, *, body: BodyModel | None = None
) -> tuple[BodyModel, "NamedPrior | None"]:
    """The body, and the learned prior that guides the fit, if one is named.

    Args:
        options: name both.
        progress: told where the work stands.
        body: instead of the options'.

    Raises:
        ModelFileError: a file of the body is missing, or cannot be fetched or prepared.
        InputError: a file is not what it should be, or the prior is for other bodies.
    """
    body = body or load_body(options.body, options.body_file, progress)
    if options.prior is None:
        return body, None
    from apu.prior.named import named_prior  # nobody else needs what it loads

    return body, named_prior(options.prior, body, options.seed)


def _with_hints(
    photo: Photo, people: Sequence[Person], pairs: Sequence[Pair], progress: Progress
) -> tuple[tuple[Person, ...], tuple[str, ...]]:
    """People of the wanted pairs with a guess at their depth, feet and masks; without it where it cannot be had."""
    try:
        return tuple(enrich_people(photo, people, {i for pair in pairs for i in pair}, progress=progress)), ()
    except ModelFileError as error:
        return tuple(people), (f"no depth hints: {error.what}",)


def _described(
    annotator: Annotator | None,
    photo: Photo,
    people: Sequence[Person],
    seen: Mapping[Pair, PairObservation],
    annotated: Sequence[AnnotatedPair],
    progress: Progress,
) -> dict[Pair, Annotation]:
    """What the contact file says of each pair, else what the annotator tells by the photo alone."""
    described = {pair: Annotation(contacts_of(annotated, pair)) for pair in seen}
    left = [pair for pair, one in described.items() if one.contacts is None]
    if annotator is not None and left:
        progress(f"asking {annotator.name}")
        described |= zip(left, annotator.describe(photo, people, [seen[pair] for pair in left]), strict=True)
    return described


def _unite_batch(
    body: BodyModel,
    prior: "NamedPrior | None",
    photo: Photo,
    observations: Sequence[PairObservation],
    described: Mapping[Pair, Annotation],
    annotator: Annotator | None,
    progress: Progress,
) -> list[PairResult]:
    """First fit, contacts, the two bodies of every pair, and whether they can be trusted."""
    for observation in observations:
        check_fittable(observation)
    progress("first fit")
    first = look(body, observations)
    guess = ProximityAnnotator(body.surface)
    contacts, answers = [], []
    for observation, estimate in zip(observations, first.estimates, strict=True):
        told = with_first_fit(described[observation.indices], observation, estimate)
        answers.append(told.answer)
        known = told.contacts
        if known is None and annotator is not None:
            known = annotator.annotate(photo, observation, estimate)
        contacts.append(guess.annotate(photo, observation, estimate) if known is None else known)
    fits = unite(body, first, contacts, progress=progress, guidance=prior.guidance if prior else None)
    for observation, one in zip(observations, fits, strict=True):
        check_finite(observation, one)
    return [
        PairResult(o, replace(f, verdict=judge(o, f, body.surface)), answer)
        for o, f, answer in zip(observations, fits, answers, strict=True)
    ]


def save(
    result: PhotoResult,
    folder: Path,
    *,
    overwrite: bool = False,
    options: FitOptions | None = None,
    video: bool = False,
    body: BodyModel | None = None,
) -> list[Path]:
    """Write the result folder and give back its files: one pair into it, several into `pair_I_J` below it.

    With `video`, each pair also gets a picture in which the camera goes once round it. `options` and `body` are those
    that `fit` was given.

    Raises:
        OutputError: it holds something already and `overwrite` is not set, or it cannot be written.
        InputError: the bodies of the result are of another model.
    """
    options = options or FitOptions()
    body = body or load_body(options.body, options.body_file)
    _check_same_body(result, body)
    return save_result(result, options, folder, body.surface, body.parameter_spec, overwrite=overwrite, video=video)


def _all_or_each(
    work: Callable[[Sequence[Pair]], list[Result]], pairs: Sequence[Pair]
) -> tuple[list[Result], list[tuple[Pair, str]]]:
    """Work on many pairs at once; where that fails, on each by itself, so that one bad pair costs no other."""
    done: list[Result] = []
    failures: list[tuple[Pair, str]] = []
    batches = [pairs[start : start + PAIRS_AT_ONCE] for start in range(0, len(pairs), PAIRS_AT_ONCE)]
    while batches:
        batch = batches.pop(0)
        try:
            done += work(batch)
        except (ApuError, RuntimeError, ArithmeticError, ValueError) as error:
            if len(batch) > 1:
                batches = [[pair] for pair in batch] + batches
            else:
                failures.append((batch[0], str(error) or type(error).__name__))
    return done, failures


def _check_same_body(result: PhotoResult, body: BodyModel) -> None:
    others = {pair.fit.body_model for pair in result.pairs} - {body.name}
    if others:
        raise InputError(
            "The results are of another body model.",
            where="body",
            expected=", ".join(sorted(others)),
            got=body.name,
            remedy="give `save` the options, or the body, that `fit` was given.",
        )
