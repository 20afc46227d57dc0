"""Spoilt copies of sound files, the same ones for the same seed. Also used by `benchmarks/mutations.py`."""

import io
import json
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy

import numpy as np
from PIL import Image

from apu.body.joints import joint_names
from apu.pose.bev import SMPL_JOINTS

VALUES: tuple[object, ...] = (
    *(float("nan"), float("inf"), -1, 0, 0.5, 1e300, -(10**400), True, None),
    *("", "x", "left hand", "\ud800", [], {}, [[]], [0, 1], {"a": 1}),
)
"""What a value in JSON is replaced with."""


class TooSlow(BaseException):
    """Not an `Exception`, so that no reader takes it for damage in its file."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TooSlow` in the block when it takes longer."""

    def stop(*_: object) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def mutated(data: bytes, seed: int) -> bytes:
    """A copy with one to four changes: of its bytes, or, in two of three JSON and npz files, of what they mean."""
    chance = random.Random(seed)
    of_meaning = {b"{": _other_json, b"P": _other_arrays}.get(data[:1])
    if of_meaning and chance.random() < 2 / 3:
        return of_meaning(data, chance)
    for _ in range(chance.randint(1, 4)):
        change = chance.choice((_flip, _overwrite, _truncate, _delete, _repeat, _insert, _blank))
        data = change(data, chance) if data else data
    return data


def _flip(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _overwrite(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data))
    new = chance.choice((b"\x00", b"\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", chance.randbytes(4)))
    return data[:place] + new + data[place + len(new) :]


def _truncate(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def _delete(data: bytes, chance: random.Random) -> bytes:
    start, length = chance.randrange(len(data)), chance.randint(1, 40)
    return data[:start] + data[start + length :]


def _repeat(data: bytes, chance: random.Random) -> bytes:
    start, length = chance.randrange(len(data)), chance.randint(1, 200)
    return data[:start] + data[start : start + length] * chance.randint(2, 5) + data[start + length :]


def _insert(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + chance.randbytes(chance.randint(1, 8)) + data[place:]


def _blank(data: bytes, chance: random.Random) -> bytes:
    start, length = chance.randrange(len(data)), chance.randint(1, 64)
    return data[:start] + bytes(min(length, len(data) - start)) + data[start + length :]


def _other_json(data: bytes, chance: random.Random) -> bytes:
    """One to three values are replaced, taken out, or doubled."""
    record = json.loads(data)
    for _ in range(chance.randint(1, 3)):
        holder, key = _some_place(record, chance)
        if holder is None:
            continue
        what = chance.random()
        if what < 0.6:
            holder[key] = deepcopy(chance.choice(VALUES))
        elif what < 0.8:
            del holder[key]
        elif isinstance(holder, list):
            holder.insert(key, deepcopy(holder[key]))
        else:
            holder[f"{key}2"] = deepcopy(holder[key])
    return json.dumps(record).encode()


def _some_place(record, chance: random.Random):
    """A container in the record and a key in it; deep ones as likely as shallow ones."""
    holder, key = None, None
    while isinstance(record, dict | list) and record and (holder is None or chance.random() < 0.75):
        holder, key = record, chance.choice(list(record) if isinstance(record, dict) else range(len(record)))
        record = record[key]
    return holder, key


def _other_arrays(data: bytes, chance: random.Random) -> bytes:
    """One to three arrays of our own BEV file get other numbers, shapes, types or names."""
    with np.load(io.BytesIO(data), allow_pickle=True) as file:  # made here, by `bev`
        results = dict(file["results"].item())
    for _ in range(chance.randint(1, 3)):
        name = chance.choice(list(results))
        array = np.array(results[name], copy=True)
        if array.dtype != np.float32 or array.size == 0:
            continue
        place = tuple(chance.randrange(size) for size in array.shape)
        change = chance.choice(("number", "number", "number", "shape", "type", "gone", "short"))
        if change == "number":
            array[place] = chance.choice((np.nan, np.inf, -1e30, 1e6, 0.0, -1.0, 50.0))
        results[name] = {
            "number": array,
            "shape": array.reshape(-1),
            "type": chance.choice((array.astype(str), array.astype(">f8"), array.astype(object), "x", None)),
            "gone": array[:0],
            "short": array[:1],
        }[change]
        if change == "gone" and chance.random() < 0.5:
            del results[name]
    out = io.BytesIO()
    np.savez(out, results=np.array(results, dtype=object))
    return out.getvalue()


# ---- sound files

PLACES = (100.0, 120.0)
"""Left ends of the two people, pixels."""
BOXES = tuple((x, 40.0, x + 32.0, 232.0) for x in PLACES)


def image(kind: str) -> bytes:
    """A small picture with structure, in one of Pillow's formats."""
    rows, columns = np.mgrid[0:48, 0:64]
    pixels = np.stack([rows * 5, columns * 4, rows * columns % 256], axis=2).astype(np.uint8)
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(file, kind, **({"exif": exif} if kind in ("JPEG", "WEBP", "PNG") else {}))
    return file.getvalue()


def skeleton(x: float) -> list[float]:
    """25 joints, x, y, confidence, of somebody 200 pixels tall."""
    return [value for i in range(25) for value in (x + 8.0 * (i % 5), 40.0 + 8 * i, 0.9)]


def openpose() -> bytes:
    people = [{"person_id": [-1], "pose_keypoints_2d": skeleton(x), "face_keypoints_2d": []} for x in PLACES]
    return json.dumps({"version": 1.3, "people": people}).encode()


def coco() -> bytes:
    entries = [
        {"image_id": image, "id": image, "keypoints": skeleton(x)[:51], "score": 0.9, "bbox": [0, 0, 9, 9]}
        for image in (1, 2)
        for x in PLACES
    ]
    images = [{"id": 1, "file_name": "hug.jpg"}, {"id": 2, "file_name": "kiss.jpg"}]
    return json.dumps({"images": images, "annotations": entries, "categories": []}).encode()


def contacts() -> bytes:
    listed = [
        {"a": "left hand", "b": ["upper back", "left_shoulder_blade"], "weight": 0.5},
        {"a": "both hands", "b": "waist front", "label_a": "hands", "label_b": "", "source": "me", "weight": 1.0},
    ]
    return json.dumps({"version": 1, "people": [0, 1], "source": "me", "contacts": listed}).encode()


def signatures() -> bytes:
    signature = {"person_ids": [0, 1], "smplx": {"region_id": [[23, 41], [17, 66]]}, "ghum": {"region_id": []}}
    return json.dumps({"hug": {"bbxes": list(map(list, BOXES)), "ci_sign": [signature]}, "kiss": {}}).encode()


def bev() -> bytes:
    """Two people as `simple_romp` writes them."""
    chance = np.random.default_rng(0)
    pixels = np.full((2, 71, 2), 100.0)
    for name, index in SMPL_JOINTS.items():
        joint = joint_names("body25").index(name)
        pixels[:, index] = [skeleton(x)[3 * joint : 3 * joint + 2] for x in PLACES]
    results = {
        "smpl_thetas": chance.normal(0, 0.2, (2, 72)).astype(np.float32),
        "smpl_betas": chance.normal(0, 0.2, (2, 11)).astype(np.float32),
        "cam_trans": np.array([[0, 0, 3], [0.3, 0, 3]], np.float32),
        "joints": chance.normal(0, 0.3, (2, 71, 3)).astype(np.float32),
        "pj2d_org": pixels.astype(np.float32),
        "center_confs": np.ones((2, 1), np.float32),
    }
    file = io.BytesIO()
    np.savez(file, results=np.array(results, dtype=object))
    return file.getvalue()


SOUND: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: image("JPEG"),
    "png": lambda: image("PNG"),
    "webp": lambda: image("WEBP"),
    "tiff": lambda: image("TIFF"),
    "gif": lambda: image("GIF"),
    "openpose": openpose,
    "coco": coco,
    "contacts": contacts,
    "signatures": signatures,
    "bev": bev,
}
"""Kind of file -> a sound one. The people of all of them are the same two."""
