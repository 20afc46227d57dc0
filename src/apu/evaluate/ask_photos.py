"""Annotators on photos whose contacts people have annotated (FlickrCI3D), side by side.

`annotation` is the truth itself, and must be perfect. The simulated ones make the project's errors on the annotation.
`proximity` looks at a first fit. Others are folders of contact files, as `apu ask` writes them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apu.ask.proximity import ProximityAnnotator
from apu.body.protocol import BodyModel, Surface
from apu.contact.annotated_pair import AnnotatedPair, contacts_of
from apu.contact.contact import ContactMap
from apu.contact.end import end_of_region
from apu.contact.files import read_contact_file
from apu.contact.named_contact import NamedContact
from apu.contact.votes import FEW_SAY_SO
from apu.dataset.synthetic.answers import answers_about
from apu.dataset.synthetic.coarse_contacts import CoarseContact, region_areas
from apu.dataset.synthetic.observation_settings import AnswerSettings
from apu.errors import ContactFileError, InputError, PeopleError
from apu.evaluate.annotated_photos import AnnotatedPhoto, KeypointSource
from apu.evaluate.ask_agreement import TrueContact
from apu.evaluate.ask_annotators import said_by
from apu.evaluate.ask_benchmark import asked_row
from apu.evaluate.ask_rows import AskRow, Subject, ask_row, lost_ask_row
from apu.evaluate.named_of_map import denoised_map
from apu.evaluate.photos_benchmark import found_people, observed_pairs
from apu.evaluate.recovery import Lost, all_or_each
from apu.pipeline import FitOptions, perceive
from apu.pose.photo_file import read_photo
from apu.progress import Progress, silent
from apu.scene.camera import Camera
from apu.scene.pair import PairObservation
from apu.scene.photo import Photo
from apu.unite.fittable import check_fittable
from apu.unite.solve import look

ANNOTATION, PROXIMITY = "annotation", "proximity"
SIMULATED = {"simulated, 1 answer": 1, "simulated, 5 answers": 5}

PHOTO_ANNOTATORS: Mapping[str, str] = {
    ANNOTATION: "the annotation itself: a check, which must be perfect as said",
    PROXIMITY: "contacts guessed from a first fit (a heuristic)",
    "simulated, 1 answer": "the annotation with the default errors of a simulated model",
    "simulated, 5 answers": "five such answers, pooled by votes",
}


@dataclass(frozen=True)
class Negative:
    """Two people of a photo who do not touch: places in the annotation's boxes."""

    image: Path
    boxes: tuple[tuple[float, float, float, float], ...]
    people: tuple[int, int]


def measure_on_photos(
    body: BodyModel,
    photos: Sequence[AnnotatedPhoto],
    source: KeypointSource,
    folders: Mapping[str, Path],
    negatives: Sequence[Negative] = (),
    seed: int = 0,
    least_weight: float = FEW_SAY_SO,
    progress: Progress = silent,
) -> list[AskRow]:
    """Ask every annotator about every annotated pair.

    Args:
        body: the body model.
        photos: annotated ones.
        source: of the keypoints, also of those that the folders' numbers of people are about.
        folders: name of an annotator -> where its `NAME_contacts.json` lie.
        negatives: pairs that do not touch; only folders are asked about them.
        seed: of the simulated errors.
        least_weight: contacts below it count only for calibration.
        progress: told where the work stands.

    Raises:
        InputError: a file is wrong.
    """
    rows: list[AskRow] = []
    total = len(photos) + len(negatives)
    for i, one in enumerate(photos):
        progress(one.image.stem, i / total)
        photo = read_photo(one.image)
        seen = observed_pairs(body, photo, one, source, False)
        for pair, observation in zip(one.pairs, seen, strict=True):
            subject = _subject(photo, pair, seed)
            rows += _photo_rows(body, photo, pair, observation, subject, folders, least_weight)
    for i, negative in enumerate(negatives):
        progress(negative.image.stem, (len(photos) + i) / total)
        rows += _negative_rows(negative, source, folders, seed, least_weight)
    return rows


def annotated_truth(annotated: ContactMap) -> tuple[TrueContact, ...]:
    """The annotated contacts, those between the same parts as one."""
    groups: dict[tuple[frozenset[str], frozenset[str]], set[tuple[str, str]]] = {}
    for contact in annotated.contacts:
        ends = _labels(contact.regions_a), _labels(contact.regions_b)
        groups.setdefault(ends, set()).update(TrueContact.of(contact).pairs)
    return tuple(TrueContact(frozenset(pairs)) for pairs in groups.values())


def annotated_in_words(annotated: ContactMap, surface: Surface) -> tuple[CoarseContact, ...]:
    """The annotation as an annotator would say it: by parts, the most extended first.

    Args:
        annotated: contacts of regions; one that may be several parts is taken as the first by name.
        surface: of the body model, for areas.
    """
    area = dict(zip(surface.region_names, region_areas(surface).tolist(), strict=True))
    groups: dict[tuple[str, str], tuple[CoarseContact, set[str], set[str]]] = {}
    for contact in annotated.contacts:
        first = [min(regions) for regions in (contact.regions_a, contact.regions_b)]
        a, b = (end_of_region(region) for region in first)
        found = groups.setdefault((a.label, b.label), (CoarseContact(a, b, 0.0, 0.0), set(), set()))
        found[1].update(contact.regions_a)
        found[2].update(contact.regions_b)
    out = []
    for one, *sides in groups.values():
        size = min(sum(area[region] for region in sorted(regions)) for regions in sides)
        out.append(CoarseContact(one.a, one.b, size, 0.0))
    return tuple(sorted(out, key=lambda c: (-c.area_m2, c.a.label, c.b.label)))


def read_negatives(file: Path, images: Path) -> list[Negative]:
    """The pairs without contact of a `FlickrCI3D_classification` file: those whose `contact_type` is 0.

    Args:
        file: photo -> {`bbxes`, `ci_classif`: [{`person_ids`, `contact_type`}]}; 1 (uncertain) and 2 (contact) are not
            read, nor are photos that are not there.
        images: folder of the photos.

    Raises:
        InputError: the file is missing, or something else.
    """
    try:
        record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8-sig"))
        out = []
        for name, entry in sorted(record.items()):
            image = next((p for end in (".png", ".jpg", ".jpeg") if (p := images / f"{name}{end}").is_file()), None)
            boxes = tuple((float(b[0]), float(b[1]), float(b[2]), float(b[3])) for b in entry["bbxes"])
            for one in entry["ci_classif"]:
                a, b = one["person_ids"]
                if one["contact_type"] == 0 and image is not None:
                    out.append(Negative(image, (boxes[a], boxes[b]), (int(a), int(b))))
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise InputError(
            "The file of pairs without contact cannot be read.",
            where=file,
            expected="FlickrCI3D_classification: photo -> bbxes and ci_classif with person_ids and contact_type",
            got=" ".join(f"{type(error).__name__}: {error}".split())[:200],
            remedy="check the path, or leave --negatives out.",
        ) from error
    return out


def _subject(photo: Photo, pair: AnnotatedPair, seed: int) -> Subject:
    name = f"{photo.name}:{','.join(map(str, pair.people or ()))}"
    return Subject(name, photo.name, "annotated", seed, annotated_truth(pair.contacts))


def _labels(regions: frozenset[str]) -> frozenset[str]:
    return frozenset(end_of_region(region).label for region in regions)


def _photo_rows(
    body: BodyModel, photo: Photo, pair: AnnotatedPair, observation: PairObservation | Lost, subject: Subject,
    folders: Mapping[str, Path], least_weight: float,
) -> list[AskRow]:  # fmt: skip
    seen = None if isinstance(observation, Lost) else observation
    rows = [_map_row(subject, ANNOTATION, pair.contacts, seen, least_weight)]
    if seen is None:
        assert isinstance(observation, Lost)
        rows.append(lost_ask_row(subject, PROXIMITY, observation.reason))
    else:
        (guessed,) = all_or_each(lambda some: [_proximity(body, photo, one) for one in some], [seen])
        rows.append(
            lost_ask_row(subject, PROXIMITY, guessed.reason)
            if isinstance(guessed, Lost)
            else _map_row(subject, PROXIMITY, guessed, seen, least_weight)
        )
    words = annotated_in_words(pair.contacts, body.surface)
    answers = answers_about(subject.pair, words, max(SIMULATED.values()), subject.seed, AnswerSettings()).answers
    for name, k in SIMULATED.items():
        said: tuple[NamedContact, ...] = said_by([answers[:k]])
        rows.append(asked_row(subject, name, said, seen, least_weight))
    for name, folder in folders.items():
        told = _told(folder, photo.name, seen)
        rows.append(
            lost_ask_row(subject, name, told.reason)
            if isinstance(told, Lost)
            else _map_row(subject, name, told, seen, least_weight)
        )
    return rows


def _map_row(
    subject: Subject, name: str, said: ContactMap, seen: PairObservation | None, least_weight: float
) -> AskRow:
    return ask_row(subject, name, said, said if seen is None else denoised_map(said, seen), least_weight)


def _proximity(body: BodyModel, photo: Photo, seen: PairObservation) -> ContactMap:
    check_fittable(seen)
    first = look(body, [seen])
    return ProximityAnnotator(body.surface).annotate(photo, seen, first.estimates[0])


def _told(folder: Path, photo: str, seen: PairObservation | None) -> ContactMap | Lost:
    """What a folder of contact files says of a pair."""
    if seen is None:
        return Lost("The people of the pair were not found, so their numbers in the answers are not known.")
    file = folder / f"{photo}_contacts.json"
    if not file.is_file():
        return Lost(f"There is no {file.name}: the annotator has not answered.")
    highest = max(seen.indices) + 1
    try:
        pairs = read_contact_file(file, photo, [(0.0, 0.0, 1.0, 1.0)] * max(highest, _people_in(file)))
    except ContactFileError as error:
        return Lost.of(error)
    found = contacts_of(pairs, seen.indices)
    a, b = seen.indices
    return Lost(f"{file.name} says nothing of people {a} and {b}.") if found is None else found


def _people_in(file: Path) -> int:
    """One more than the largest number of a person in a contact file; other people of the photo do not matter here."""
    try:
        record = json.loads(file.read_text(encoding="utf-8-sig"))
        entries = record.get("pairs", [record])
        return 1 + max((int(person) for entry in entries for person in entry.get("people") or ()), default=1)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return 0


def _negative_rows(
    negative: Negative, source: KeypointSource, folders: Mapping[str, Path], seed: int, least_weight: float
) -> list[AskRow]:
    """Whether folders say any contact of two people who do not touch."""
    photo = read_photo(negative.image)
    pair = f"{photo.name}:{','.join(map(str, negative.people))}"
    subject = Subject(pair, photo.name, "not touching", seed, ())
    keypoints = negative.image.parent.parent / "vitpose" / f"{photo.name}_keypoints.json"
    try:
        people = perceive(photo, FitOptions(keypoints=(keypoints,) if source == "vitpose" else ()))
    except PeopleError as error:
        return [lost_ask_row(subject, name, Lost.of(error).reason) for name in folders]
    matched = found_people(negative.boxes, people)
    rows = []
    for name, folder in folders.items():
        seen = None
        if len(matched) == 2:
            a, b = people[matched[0]], people[matched[1]]
            seen = PairObservation(photo.name, Camera.of_image(photo.width, photo.height), (a, b))
        told = _told(folder, photo.name, seen)
        rows.append(
            lost_ask_row(subject, name, told.reason)
            if isinstance(told, Lost)
            else _map_row(subject, name, told, seen, least_weight)
        )
    return rows


def words_of(folders: Mapping[str, Path]) -> dict[str, str]:
    """Annotator -> what it is."""
    return {**PHOTO_ANNOTATORS, **dict.fromkeys(folders, "contact files, as `apu ask` writes them")}


def people_not_found(rows: Sequence[AskRow]) -> int:
    """Pairs whose people the source of keypoints did not find."""
    return sum(one.row.method == PROXIMITY and bool(one.row.lost) for one in rows)
