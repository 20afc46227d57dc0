"""The files of `apu ask`: `NAME_contacts.json`, which a fit reads, and `NAME_answers.json`, with all that was said.

| field of the answers | type | meaning |
|---|---|---|
| `schema_version` | 1 | rises when a field changes its meaning |
| `photo` | string | file name without its ending |
| `photo_sha256` | string | of the photo's bytes |
| `models` | list of string | as they were asked for |
| `contacts_sha256` | string or null | of the contact file that was written with this one |
| `pairs[].people` | list of 2 integer | numbers of A and B |
| `pairs[].images` | list of string | the pictures that were sent, with `--save-images` |
| `pairs[].trust` | object or null | how the answers became contacts; as in the contact file |
| `pairs[].answers[]` | object | as `pairs[].answer` in `run.json`, without `trust` |
| `pairs[].answers[].said` | object or null | the answer as it was understood, for A, B, left and right of the photo |
| `pairs[].answers[].note` | string | why it has no contacts, else empty |
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apu.ask.heard import Heard
from apu.ask.question import EncodedImage
from apu.cache import written_whole
from apu.errors import OutputError
from apu.scene.annotation import Annotation
from apu.show.files import contacts_of_pairs, write_json
from apu.show.report import plain

if TYPE_CHECKING:
    from apu.cli.ask_run import Job

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class AskedPair:
    """A pair that was asked about.

    Attributes:
        people: numbers of A and B.
        answers: of each model, one for each sample.
        annotation: what they mean together.
        images: name of the view (`plain`, `swapped`, ...) -> the picture, where it is in the store.
    """

    people: tuple[int, int]
    answers: tuple[Heard, ...]
    annotation: Annotation
    images: Mapping[str, EncodedImage]


@dataclass(frozen=True)
class AskedPhoto:
    """A photo whose pairs were asked about.

    Attributes:
        photo: the file.
        name: how its files begin.
        sha256: of the photo.
        pairs: in order.
    """

    photo: Path
    name: str
    sha256: str
    pairs: tuple[AskedPair, ...]


def check_unchanged(out: Path, name: str) -> None:
    """Refuse to replace a contact file that somebody has changed, before anything is asked.

    Raises:
        OutputError: it was not written like this by an earlier run.
    """
    target = _contact_file(out, name)
    present = _sha256(target)
    if present is None:
        return
    try:
        ours = json.loads(_answer_file(out, name).read_bytes()).get("contacts_sha256")
    except (OSError, ValueError, AttributeError, RecursionError):
        ours = None
    if ours != present:
        raise OutputError(
            "A contact file would be replaced that was not written like this by an earlier run.",
            where=target,
            expected="no file, or one that nobody has changed",
            got="a file that was changed by hand, or that is of somebody else",
            remedy="move it away, or name another folder with --out.",
        )


def write_answers(job: "Job", photos: Sequence[AskedPhoto]) -> None:
    """Write the files of all photos, and replace those of an earlier run.

    Raises:
        OutputError: a file cannot be written.
    """
    for photo in photos:
        images = {pair.people: _save_images(job.out, photo.name, pair) for pair in photo.pairs if job.save_images}
        maps = {pair.people: found for pair in photo.pairs if (found := pair.annotation.contacts) is not None}
        target = _contact_file(job.out, photo.name)
        if maps:
            write_json(target, contacts_of_pairs(maps, {pair.people: _trust(pair) for pair in photo.pairs}))
        else:
            target.unlink(missing_ok=True)  # of an earlier run; what it says is not known any more
        write_json(_answer_file(job.out, photo.name), _record(job.models, photo, images, _sha256(target)))


def _record(
    models: Sequence[str], photo: AskedPhoto, images: Mapping[tuple[int, int], list[str]], contacts_sha256: str | None
) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "photo": plain(photo.photo.stem),
        "photo_sha256": photo.sha256,
        "models": plain(models),
        "contacts_sha256": contacts_sha256,
        "pairs": [
            {
                "people": list(pair.people),
                "images": images.get(pair.people, []),
                "trust": plain(_trust(pair)),
                "answers": [_answer(one) for one in pair.answers],
            }
            for pair in photo.pairs
        ],
    }


def _answer(one: Heard) -> dict[str, Any]:
    record = asdict(one.record)
    del record["trust"]  # of all answers together, so it stands at the pair
    return {
        **plain(record),
        "said": None if one.said is None else plain(one.said.model_dump(mode="json")),
        "note": plain(one.note),
    }


def _trust(pair: AskedPair) -> Mapping[str, object] | None:
    return None if pair.annotation.answer is None else pair.annotation.answer.trust


def _save_images(out: Path, name: str, pair: AskedPair) -> list[str]:
    """Write each picture; the plain one is called by the pair alone."""
    a, b = pair.people
    names = []
    for view, image in pair.images.items():
        ending = "png" if image.media_type == "image/png" else "jpg"
        target = out / f"{name}_pair_{a}_{b}{'' if view == 'plain' else '_' + view}.{ending}"
        with written_whole(target) as path:
            path.write_bytes(image.data)
        names.append(plain(target.name))
    return names


def _contact_file(out: Path, name: str) -> Path:
    return out / f"{name}_contacts.json"


def _answer_file(out: Path, name: str) -> Path:
    return out / f"{name}_answers.json"


def _sha256(file: Path) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
