"""The benchmark on photos with annotated contacts. There is no 3D truth: only contact, penetration and 2D are measured.

A pair of which a person is not found is lost, and counted.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from apu.ask.proximity import ProximityAnnotator
from apu.body.protocol import BodyModel
from apu.contact.annotated_pair import AnnotatedPair, Box
from apu.contact.box_matching import box_overlaps, match_boxes
from apu.contact.contact import ContactMap
from apu.contact.measured import measure_contacts
from apu.contact.signature_file import MIN_OVERLAP
from apu.errors import PeopleError
from apu.evaluate.annotated_contacts import annotation_rows
from apu.evaluate.annotated_photos import AnnotatedPhoto, KeypointSource
from apu.evaluate.pcc import pcc_rows
from apu.evaluate.penetration_metrics import penetration_rows
from apu.evaluate.recovery import Lost, all_or_each
from apu.evaluate.reprojection import observed_reprojection_error_percent
from apu.evaluate.rows import BenchmarkRow
from apu.pipeline import FitOptions, perceive
from apu.pose.enrich import enrich_people
from apu.pose.initial import initial_bodies
from apu.pose.photo_file import read_photo
from apu.progress import Progress, silent
from apu.scene.camera import Camera
from apu.scene.pair import Fit, PairObservation
from apu.scene.person import Person
from apu.scene.photo import Photo
from apu.unite.fittable import check_fittable
from apu.unite.solve import FirstLook, look, unite

Result = TypeVar("Result")
PhotoMethod = Literal["proximity", "mindist", "annotated"]
PHOTO_METHODS: tuple[PhotoMethod, ...] = ("proximity", "mindist", "annotated")
PHOTO_WORDS: Mapping[PhotoMethod, str] = {
    "proximity": "contacts guessed from the first fit (a heuristic)",
    "mindist": "the smallest distance between the meshes pulled to zero (BUDDI's heuristic)",
    "annotated": "the annotated contacts, by which it is then measured: how well a fit can meet them",
}


def evaluate_photos(
    body: BodyModel,
    photos: Sequence[AnnotatedPhoto],
    sources: Sequence[KeypointSource],
    *,
    use_bev: bool = False,
    progress: Progress = silent,
) -> list[BenchmarkRow]:
    """Fit every annotated pair of every photo with every method, on keypoints of every source.

    Args:
        body: the body model.
        photos: annotated ones, whose files are there.
        sources: of keypoints.
        use_bev: whether BEV's estimates are starts of the fit.
        progress: told where the work stands.

    Returns:
        Rows with the pair `NAME:I,J` (places of A and B among the annotated boxes), the photo as class, the source as
        group, and the method `SOURCE:METHOD`.

    Raises:
        InputError: a file is wrong.
        ModelFileError: a detector is missing.
    """
    rows = []
    for i, photo in enumerate(photos):
        for k, source in enumerate(sources):
            progress(f"{photo.image.stem}, {source} keypoints", (i + k / len(sources)) / len(photos))
            rows += _photo_rows(body, photo, source, use_bev)
    return rows


def score_fit(body: BodyModel, annotated: ContactMap, observation: PairObservation, fit: Fit) -> dict[str, float]:
    """What can be measured of one pair without a 3D truth.

    Args:
        body: the body model.
        annotated: its contacts.
        observation: what the fit was given.
        fit: its bodies.
    """
    vertices = fit.vertices[None]
    columns: dict[str, Float[Tensor, " p"]] = {
        **pcc_rows(body.surface, [annotated], vertices),
        **annotation_rows(measure_contacts(body.surface, vertices), [annotated]),
        **penetration_rows(body.surface, vertices),
        "reprojection_error_percent": observed_reprojection_error_percent([observation], fit.joints[None]).mean(-1),
    }
    return {name: float(column[0]) for name, column in columns.items()}


def found_people(annotated: Sequence[Box], found: Sequence[Person]) -> dict[int, int]:
    """Place of an annotated box -> place of a found person, as contact files are matched with photos."""
    return match_boxes(box_overlaps(annotated, [person.box for person in found]), MIN_OVERLAP)


def _photo_rows(body: BodyModel, one: AnnotatedPhoto, source: KeypointSource, use_bev: bool) -> list[BenchmarkRow]:
    """Rows of one photo and one source of keypoints."""
    torch.manual_seed(0)
    photo = read_photo(one.image)
    rows = []
    for pair, observation in zip(one.pairs, observed_pairs(body, photo, one, source, use_bev), strict=True):
        name = f"{photo.name}:{','.join(map(str, pair.people or ()))}"
        if isinstance(observation, Lost):
            reason = observation.reason
            rows += [BenchmarkRow(name, photo.name, source, 0, f"{source}:{m}", {}, reason) for m in PHOTO_METHODS]
            continue
        for method, result, seconds in _fitted_pair(body, photo, pair, observation):
            values, lost = ({}, result.reason) if isinstance(result, Lost) else (result, "")
            rows.append(BenchmarkRow(name, photo.name, source, 0, f"{source}:{method}", values, lost, seconds))
    return rows


def observed_pairs(
    body: BodyModel, photo: Photo, one: AnnotatedPhoto, source: KeypointSource, use_bev: bool
) -> list[PairObservation | Lost]:
    """Each annotated pair as the fit is given it, in the order of the annotation: A and B are the annotation's.

    Args:
        body: the body model.
        photo: the pixels.
        one: the photo with its annotation.
        source: of keypoints.
        use_bev: whether BEV's estimates are starts of the fit.
    """
    try:
        people = perceive(photo, FitOptions(keypoints=(one.vitpose,) if source == "vitpose" else ()))
    except PeopleError as error:
        return [Lost.of(error) for _ in one.pairs]
    matched = found_people(one.boxes, people)
    wanted = {people[matched[box]].index for pair in one.pairs for box in pair.people or () if box in matched}
    people = enrich_people(photo, people, wanted)
    camera = Camera.of_image(photo.width, photo.height, focal_px=photo.focal_px)
    initial = initial_bodies(one.bev, body, camera, people) if use_bev else {}
    seen: list[PairObservation | Lost] = []
    for pair in one.pairs:
        missing = [box for box in pair.people or () if box not in matched]
        if missing or pair.people is None:
            told = " and ".join(map(str, missing))
            seen.append(Lost(f"annotated person {told} was not found among {len(people)} people"))
            continue
        a, b = (people[matched[box]] for box in pair.people)
        starts = initial.get(a.index), initial.get(b.index)
        seen.append(PairObservation(photo.name, camera, (a, b), initial=starts))
    return seen


def _fitted_pair(
    body: BodyModel, photo: Photo, pair: AnnotatedPair, observation: PairObservation
) -> Iterator[tuple[PhotoMethod, Mapping[str, float] | Lost, float]]:
    """Method, metrics and seconds; the first fit is shared by the methods, and in everyone's time."""
    began = time.perf_counter()
    first = _attempted(lambda: _first(body, observation))
    before = time.perf_counter() - began
    for method in PHOTO_METHODS:
        if isinstance(first, Lost):
            yield method, first, before
            continue
        began = time.perf_counter()
        fit = _attempted(lambda m=method, f=first: _fit(body, photo, f, pair.contacts, m))
        seconds = before + time.perf_counter() - began
        if isinstance(fit, Lost):
            yield method, fit, seconds
        else:
            yield method, _attempted(lambda f=fit: score_fit(body, pair.contacts, observation, f)), seconds


def _first(body: BodyModel, observation: PairObservation) -> FirstLook:
    check_fittable(observation)
    return look(body, [observation])


def _fit(body: BodyModel, photo: Photo, first: FirstLook, annotated: ContactMap, method: PhotoMethod) -> Fit:
    if method == "mindist":
        return unite(body, first, [ContactMap((), "none")], contact_loss="mindist")[0]
    if method == "annotated":
        return unite(body, first, [annotated])[0]
    guessed = ProximityAnnotator(body.surface).annotate(photo, first.observations[0], first.estimates[0])
    return unite(body, first, [guessed])[0]


def _attempted(work: Callable[[], Result]) -> Result | Lost:
    """The result, or why there is none; what would happen to every pair ends the run."""
    (result,) = all_or_each(lambda _: [work()], [None])
    return result
