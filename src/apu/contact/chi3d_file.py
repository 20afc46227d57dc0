"""CHI3D's `interaction_contact_signature.json`: an entry for each recorded action, without boxes.

The person with markers is the first of every pair. The contacts are those of one annotated frame. A photo out of an
action is called by the action, or by the action, `_`, and the number of the frame: `Hug 3_000123.png`.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path, PurePath

from apu.cache import written_whole
from apu.contact.annotated_pair import AnnotatedPair
from apu.contact.contact import ContactMap
from apu.contact.file_schema import ActionSignature, validated
from apu.contact.signature_file import SOURCE, regions_touching
from apu.contact.signature_writer import SignedPhoto, region_pairs
from apu.errors import ContactFileError, InputError

SIGNATURE = "smplx_signature"
_FRAME = re.compile(r"(?P<action>.+)_(?P<frame>\d+)")


def is_of_actions(record: Mapping[str, object]) -> bool:
    """Whether a JSON object has entries of this kind."""
    return any(isinstance(entry, dict) and SIGNATURE in entry for entry in record.values())


def read_action(record: Mapping[str, object], path: Path, photo_name: str) -> list[AnnotatedPair]:
    """The one annotated pair of the action that a photo is out of, whoever its two people are.

    Args:
        record: the JSON object: action -> entry.
        path: for error messages.
        photo_name: name of the photo; see above.

    Raises:
        ContactFileError: the action is not in the file, its entry is damaged, or the frame is not of the contact.
    """
    stem = photo_name if photo_name in record else PurePath(photo_name).stem
    match = _FRAME.fullmatch(stem)
    action = stem if stem in record or match is None else match["action"]
    if action not in record:
        raise ContactFileError(
            "The photo's action is not in the contact file.",
            where=path,
            expected=f"a photo called by one of {', '.join(map(repr, list(record)[:5]))}, or by it, `_` and a frame",
            got=repr(photo_name),
            remedy="give the photo such a name, or write a contact file of your own (docs/contact_files.md).",
        )
    entry = validated(ActionSignature, record[action], path, action)
    frame = None if match is None or action == stem else int(match["frame"])
    first, last = entry.start_fr, entry.end_fr
    if frame is not None and first is not None and last is not None and not first <= frame <= last:
        raise ContactFileError(
            "The frame is none in which the two touch.",
            where=f"{path}: {action}",
            expected=f"a frame from {first} to {last}; annotated is {entry.fr_id}",
            got=f"{frame}, by the photo's name",
            remedy="take a frame of the contact.",
        )
    return [AnnotatedPair(None, ContactMap(regions_touching(entry.smplx_signature.region_id), SOURCE))]


def write_actions(path: Path, photos: Mapping[str, SignedPhoto]) -> None:
    """Write photos called `ACTION_FRAME`, of one pair each, in this layout; the file appears whole or not at all.

    Args:
        path: replaced where it exists.
        photos: name of the photo without its ending -> what is known of it. Boxes are not written.

    Raises:
        InputError: a photo is called otherwise, has several pairs, or two are of one action.
        OutputError: the file cannot be written.
    """
    record: dict[str, object] = {}
    for name, photo in photos.items():
        match = _FRAME.fullmatch(name)
        wrong = "another name" if match is None else "" if len(photo.pairs) == 1 else f"{len(photo.pairs)} pairs"
        if match is not None and match["action"] in record:
            wrong = f"a second photo of {match['action']!r}"
        if match is None or wrong:
            raise InputError(
                "A photo cannot be written as an action of CHI3D.",
                where=f"photo {name!r}",
                expected="one photo called ACTION_FRAME for each action, with one pair",
                got=wrong,
                remedy="rename the photo and fit it again, or write FlickrCI3D's layout.",
            )
        (contacts,) = photo.pairs.values()
        body = {"face_id": [], "vertex_id": [], "region_id": [list(pair) for pair in region_pairs(contacts)]}
        frame = int(match["frame"])
        frames = {"fr_id": frame, "start_fr": frame, "end_fr": frame}
        record[match["action"]] = {**frames, SIGNATURE: body, "ghum_signature": body}
    text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False)
    with written_whole(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
