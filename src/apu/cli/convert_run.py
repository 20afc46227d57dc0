"""Does the work of `apu convert`. Loads torch: import it inside the command only."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.joints import joint_names
from apu.body.load import load_body
from apu.body.mesh_to_body import MeshFit, fit_meshes
from apu.body.protocol import BodyModel, Parts
from apu.body.rigid import moved
from apu.body.smpl_file import CAMERA_FRAME, SmplParameters, read_smpl
from apu.body.smpl_rotations import SMPL_PELVIS_M, SMPLX_PELVIS_M, hips_from_pelvis, smpl_rotations_to_pose
from apu.body.smplx import SmplxBody
from apu.body.smplx_asset import BODY_JOINTS
from apu.body.smplx_pose import CAMERA_FROM_SMPLX
from apu.body.target_mesh import TargetMesh, target_mesh
from apu.cache import written_whole
from apu.cli.options import BodyKind
from apu.cli.run import use_threads
from apu.errors import InputError
from apu.progress import Progress
from apu.restricted_load import load_npz
from apu.show.mesh_file import read_meshes
from apu.show.palette import PERSON_NAMES
from apu.show.stored_pair import read_stored_pair


@dataclass(frozen=True)
class People:
    """Whom a file holds.

    Attributes:
        names: of the objects or people.
        meshes: of each; none where only rotations are known.
        start: parameters to begin with, name -> (n, size); None where only meshes are known.
    """

    names: list[str]
    meshes: list[TargetMesh]
    start: Mapping[str, Tensor] | None


def convert(
    file: Path, kind: BodyKind, out: Path, body_file: Path | None, up: str | None, progress: Progress
) -> list[str]:
    """Read, convert, write; what to say about it."""
    use_threads()
    progress("loading the body model")
    body = load_body(kind, body_file if kind == "smplx" else None, progress)
    if file.suffix.lower() == ".npz":
        arrays = load_npz(file, "body", only={"param_pose"})
        people = _pair(file, body, up) if "param_pose" in arrays else _smpl(file, body, kind, body_file, up)
    else:
        turn = np.array(CAMERA_FROM_SMPLX if up in (None, "y") else (1.0, 1.0, 1.0))
        found = read_meshes(file, turn)
        people = People([name for name, _ in found], [mesh for _, mesh in found], None)
    fit = fit_meshes(body, people.meshes, people.start, progress) if people.meshes else None
    parameters = fit.parameters if fit else people.start
    assert parameters is not None
    _write(out, body, parameters, fit)
    return [*_told(people, fit), f"Wrote {out}."]


def _pair(file: Path, body: BodyModel, up: str | None) -> People:
    """A fitted pair of another model: the angles mean the same on every body of ours."""
    if up == "y":
        raise InputError(
            "A fitted pair lies in its camera's frame.",
            where="--up",
            expected="nothing, or -y, for a pair.npz",
            got=up,
            remedy="leave --up out.",
        )
    pair = read_stored_pair(file)
    if pair.body_model.partition("-")[0].removesuffix("a") == body.name.partition("-")[0].removesuffix("a"):
        raise _same(file, pair.body_model)
    faces = pair.surface.collision_faces.numpy()
    names: list[str] = list(PERSON_NAMES)
    named = zip(names, pair.vertices, strict=True)
    meshes = [target_mesh(v.double().numpy(), faces, f"{file}, {name}") for name, v in named]
    start = {k: v for k, v in pair.parameters.items() if k in body.parameter_spec}
    shape = body.parameter_spec["shape"]
    start["shape"] = shape.default.expand(2, shape.size).clone()
    return People(names, meshes, start)


def _smpl(file: Path, body: BodyModel, kind: BodyKind, body_file: Path | None, up: str | None) -> People:
    smpl = read_smpl(file)
    if kind == "smplx":
        raise _same(file, "SMPL-X parameters")
    level = up == "y" or (up is None and not smpl.camera)
    start = smpl_rotations_to_pose(body, torch.from_numpy(smpl.global_orient), torch.from_numpy(smpl.body_pose))
    start["translation"] += _middle_of_hips(smpl) - _middle_of_own_hips(body, start)
    if level:
        start = moved(start, torch.diag(torch.tensor(CAMERA_FROM_SMPLX)), torch.zeros(3))
    names = [str(i) for i in range(len(smpl.transl))]
    if body_file is None:
        return People(names, [], start)
    return People(names, _smplx_meshes(file, smpl, body_file, level), start)


def _middle_of_hips(smpl: SmplParameters) -> Float[Tensor, "n 3"]:
    """Below the pelvis, which `transl` moves from its place at rest and `global_orient` turns the body about."""
    pelvis = SMPLX_PELVIS_M if _is_smplx(smpl) else SMPL_PELVIS_M
    turned = hips_from_pelvis(torch.from_numpy(smpl.global_orient))
    return torch.from_numpy(smpl.transl) + torch.tensor(pelvis) + turned


def _middle_of_own_hips(body: BodyModel, parameters: Mapping[str, Tensor]) -> Float[Tensor, "n 3"]:
    joints = body.forward(parameters, Parts("body25")).joints
    assert joints is not None
    return joints[:, joint_names("body25").index("mid_hip")]


def _is_smplx(smpl: SmplParameters) -> bool:
    """SMPL has two joints more: its hands."""
    return smpl.body_pose.shape[1] == BODY_JOINTS - 1


def _smplx_meshes(file: Path, smpl: SmplParameters, body_file: Path, level: bool) -> list[TargetMesh]:
    model = load_body("smplx", body_file)
    assert isinstance(model, SmplxBody)
    if not _is_smplx(smpl):
        raise InputError(
            "SMPL's parameters cannot be put on SMPL-X.",
            where=file,
            expected="body_pose of SMPL-X, 63 numbers",
            got="69 numbers, as SMPL has them",
            remedy="leave --body-file out; then the rotations alone are converted.",
        )
    if smpl.kid_weight.any() and not model.asset.kid:
        raise InputError(
            "The file is of children, and the SMPL-X model has adults only.",
            where=f"{file}: kid_weight",
            expected="kid_template.npy beside SMPLX_NEUTRAL.npz",
            got="no such file",
            remedy="put it there (docs/smplx.md), or leave --body-file out; then the rotations alone are converted.",
        )
    given = {"global_orient": smpl.global_orient, "body_pose": smpl.body_pose.reshape(-1, 63), "transl": smpl.transl}
    hands = model.asset.hand_mean.float().numpy()
    given |= {"left_hand_pose": np.tile(hands[:45], (len(smpl.transl), 1))}
    given |= {"right_hand_pose": np.tile(hands[45:], (len(smpl.transl), 1))}
    given |= {"betas": smpl.betas, **smpl.hands}
    if model.asset.kid:
        given |= {"kid_weight": smpl.kid_weight}
    vertices, _ = model.skinned({name: torch.from_numpy(np.ascontiguousarray(v)) for name, v in given.items()})
    turn = np.array(CAMERA_FROM_SMPLX if level else (1.0, 1.0, 1.0))
    faces = model.surface.collision_faces.numpy()
    return [target_mesh(v.double().numpy() * turn, faces, f"{file}, person {i}") for i, v in enumerate(vertices)]


def _write(out: Path, body: BodyModel, parameters: Mapping[str, Tensor], fit: MeshFit | None) -> None:
    posed = body.forward(parameters, Parts("body25", "all"))
    assert posed.vertices is not None
    assert posed.joints is not None
    arrays = {
        "body_model": np.array(body.name),
        "frame": np.array(CAMERA_FRAME),
        "vertices": posed.vertices.numpy(),
        "faces": body.surface.faces.numpy().astype(np.int32),
        "joints_body25": posed.joints.numpy(),
    }
    arrays |= {f"param_{name}": value.numpy() for name, value in parameters.items()}
    arrays |= {f"param_names_{name}": np.array(spec.names, np.str_) for name, spec in body.parameter_spec.items()}
    if isinstance(body, SmplxBody):
        arrays |= {name: value.numpy() for name, value in body.to_smplx(parameters).items()}
    if fit is not None:
        arrays |= {"distance_m": fit.after_m.numpy(), "start_distance_m": fit.before_m.numpy()}
    with written_whole(out) as path, path.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def _told(people: People, fit: MeshFit | None) -> list[str]:
    if fit is None:
        return [f"{len(people.names)} people by their joint rotations alone: the shape is the default one."]
    rows = zip(people.names, fit.before_m.tolist(), fit.after_m.tolist(), fit.converged.tolist(), strict=True)
    return [
        f"{name}: {1000 * before:.1f} mm -> {1000 * after:.1f} mm mean distance to the nearest surface, both ways"
        + ("" if converged else f"; not converged in {fit.steps} steps")
        for name, before, after, converged in rows
    ]


def _same(file: Path, model: str) -> InputError:
    return InputError(
        "The file is of that body model already.",
        where=file,
        expected="another body model, or a mesh",
        got=model,
        remedy="choose the other model with --to; `apu export` writes pairs in other formats.",
    )
