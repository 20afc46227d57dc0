"""How far the 75 regions agree between bodies: Anny's other rigs and meshes, ages, builds. Prints area-weighted shares.

The labels of the default rig on a young adult (age 2/3) are the measure; each other rig or shape is labelled afresh
from its own names, weights and rest pose. The rigs are built with the `anny` package, ten to thirty seconds each.

    python benchmarks/regions.py [rig ...]
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from apu.body.anny_prepare import quick_blend_shapes
from apu.body.region_names import REGION_NAMES
from apu.body.regions import label_regions
from apu.geometry.normals import face_normals

DEFAULT = "anny-notoes-noeyes"
RIGS = ("anny", "makehuman", "mixamo", "game_engine", "cmu_mb", "soma")
SHAPES: dict[str, dict[str, float]] = {
    "young adult": {"age": 2 / 3},
    "baby": {"age": 0.0},
    "child of 5": {"age": 0.244},
    "elder": {"age": 1.0},
    "heavy": {"age": 2 / 3, "weight": 1.0},
    "thin": {"age": 2 / 3, "weight": 0.0},
}
COARSE_ENDS = ("_front", "_back", "_palm", "_top", "_sole")


def build(rig: str, scratch: Path):
    import anny
    from anny import paths

    paths.set_anny_cache_path(scratch)
    with quick_blend_shapes():
        return anny.Anny(rig=rig, topology="anny", skinning_method="lbs")


def labelled(model, shape: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and the area of each vertex."""
    with torch.no_grad():
        out = model(phenotype_kwargs=shape)
    vertices, faces = out["vertices"][0].double().numpy(), model.get_triangular_faces().numpy()
    labels = label_regions(
        vertices,
        faces,
        model.dense_vertex_bone_weights.double().numpy(),
        list(model.bone_labels),
        list(model.bone_parents),
        out["bone_poses"][0, :, :3, 3].double().numpy(),
    )
    size = np.linalg.norm(face_normals(vertices, faces), axis=1) / 2
    return labels, np.bincount(faces.ravel(), np.repeat(size / 3, 3), minlength=len(vertices))


def coarse(labels: np.ndarray) -> np.ndarray:
    """Limbs by side and segment, torso front and back: neighbours along a limb and aspects are one."""
    names = []
    for name in REGION_NAMES:
        for end in COARSE_ENDS:
            name = name.removesuffix(end)
        for word in ("upper_", "lower_", "middle_"):
            name = name.replace(word, "")
        names.append(name)
    return np.unique(np.array(names), return_inverse=True)[1][labels]


def main() -> int:
    rigs = sys.argv[1:] or RIGS
    with tempfile.TemporaryDirectory(prefix="apu-regions-") as scratch:
        reference = build(DEFAULT, Path(scratch))
        expected, _ = labelled(reference, SHAPES["young adult"])
        print(f"{'rig':22}{'shape':14}{'fine %':>8}{'coarse %':>10}{'regions':>9}")
        for rig in (DEFAULT, *rigs):
            model = reference if rig == DEFAULT else build(rig, Path(scratch))
            for shape, numbers in SHAPES.items():
                labels, area = labelled(model, numbers)
                fine, rough = (
                    100 * area[a == b].sum() / area.sum()
                    for a, b in ((labels, expected), (coarse(labels), coarse(expected)))
                )
                print(f"{rig:22}{shape:14}{fine:8.1f}{rough:10.1f}{len(np.unique(labels)):9}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
