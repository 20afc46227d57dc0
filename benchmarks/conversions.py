"""How much is lost between bodies: rotations of SMPL, meshes of any topology, and a file of SMPL-X's layout.

    python benchmarks/conversions.py [--poses 300] [--meshes 3] [--seed 0] [--bev FOLDER]

Poses are of `apu.body.pose_density`. The SMPL-X-like body is synthetic: Anny's skin in a T-pose on 55 joints, made by
`tests/body/synthetic_smplx.py`. Without a folder of BEV's files what needs them is left out.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import roma
import torch
from torch import Tensor

from apu.body.anny import AnnyBody
from apu.body.joints import joint_names
from apu.body.mesh_to_body import fit_meshes
from apu.body.pose_density import PoseDensity
from apu.body.protocol import BodyModel, Parts, default_parameters
from apu.body.retarget import retarget
from apu.body.smpl_rotations import anny_to_smplx_rotations, smpl_rotations_to_pose
from apu.body.smplx import SmplxBody
from apu.body.smplx_asset import SMPLX_JOINTS, SMPLX_PARENTS
from apu.body.target_mesh import target_mesh
from apu.evaluate.procrustes import aligned
from apu.pose.bev import SMPL_JOINTS, BevPerson, read_bev
from apu.pose.initial_person import body25_of

ROOT = Path(__file__).resolve().parents[1]
BEV = ROOT.parent / "shared" / "data" / "photos" / "bev"
PERTURBED_RAD = 0.15
Bodies = dict[str, Tensor]


def people(body: BodyModel, count: int, seed: int) -> Bodies:
    """Plausible poses, any way up to a tilt, shapes of half the typical deviation."""
    random = torch.Generator().manual_seed(seed)
    found = default_parameters(body.parameter_spec, (count,))
    found["pose"], _ = PoseDensity.load().sample(count, random)
    found["orientation"][:, 1] = 2 * torch.pi * torch.rand(count, generator=random)
    shape = body.parameter_spec["shape"]
    found["shape"] = found["shape"] + 0.5 * shape.scale * torch.randn(count, shape.size, generator=random)
    return found


def joints_of(body: BodyModel, p: Mapping[str, Tensor]) -> Tensor:
    found = body.forward(p, Parts("body25")).joints
    assert found is not None
    return found


def mesh_of(body: BodyModel, p: Mapping[str, Tensor]) -> Tensor:
    found = body.forward(p, Parts(vertices="all")).vertices
    assert found is not None
    return found


def accumulated(local: Tensor) -> Tensor:
    """(n, 22, 3) rotation vectors -> (n, 22, 3, 3) from the body's own frame."""
    turns = roma.rotvec_to_rotmat(local)
    chain = [torch.eye(3).to(turns).expand(len(turns), 3, 3)]
    for j in range(1, 22):
        chain.append(chain[SMPLX_PARENTS[j]] @ turns[:, j])
    return torch.stack(chain, 1)


def line(name: str, values: Tensor, unit: str) -> str:
    flat = values.flatten()
    spread = (
        f"mean {flat.mean():.3g}, median {flat.quantile(0.5):.3g}, 95 % {flat.quantile(0.95):.3g}, max {flat.max():.3g}"
    )
    return f"  {name}: {spread} {unit}"


def round_trip_of_angles(body: BodyModel, count: int, seed: int) -> None:
    p = people(body, count, seed)
    told = anny_to_smplx_rotations(body, p)
    back = smpl_rotations_to_pose(body, told["global_orient"], told["body_pose"].unflatten(-1, (21, 3)), p["shape"])
    back["translation"] = p["translation"]
    print(f"Anny -> SMPL-X rotations -> Anny, {count} poses")
    print(line("angles", (back["pose"] - p["pose"]).abs().rad2deg(), "degrees"))
    print(line("joints", 1000 * (joints_of(body, back) - joints_of(body, p)).norm(dim=-1), "mm"))


def round_trip_of_rotations(body: BodyModel, bev: list[BevPerson]) -> Bodies:
    local = torch.from_numpy(np.stack([one.rotations[:22] for one in bev]))
    found = smpl_rotations_to_pose(body, local[:, 0], local[:, 1:])
    back = anny_to_smplx_rotations(body, found)
    again = torch.cat([back["global_orient"][:, None], back["body_pose"].unflatten(-1, (21, 3))], 1)
    print(f"SMPL rotations -> Anny -> SMPL rotations, {len(bev)} people of BEV")
    print(line("whole body", roma.rotvec_geodesic_distance(local[:, 0], again[:, 0]).rad2deg(), "degrees"))
    apart = roma.rotmat_geodesic_distance(accumulated(local), accumulated(again)).rad2deg()
    rows = [j for j in range(1, 22) if "foot" not in SMPLX_JOINTS[j]]
    print(line("joints against the body, without toes", apart[:, rows], "degrees"))
    for kind in ("spine3", "head", "collar", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
        some = [j for j in rows if SMPLX_JOINTS[j].endswith(kind)]
        print(f"    {kind}: mean {apart[:, some].mean():.1f}, max {apart[:, some].max():.1f} degrees")
    return found


def joints_or_rotations(body: BodyModel, bev: list[BevPerson], by_rotations: Bodies) -> None:
    told = [body25_of(one.joints_m, SMPL_JOINTS) for one in bev]
    joints = torch.from_numpy(np.stack([xyz for xyz, _ in told])).float()
    known = torch.from_numpy(np.stack([have for _, have in told])).float()
    place = torch.from_numpy(np.stack([one.translation_m for one in bev])).float()
    by_joints = retarget(body, joints + place[:, None], known, ({}, {"age": -1.3}))
    names = joint_names("body25")
    limbs = [n for n in SMPL_JOINTS if n.split("_", 1)[-1] in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")]
    rows = [names.index(n) for n in limbs]
    print(f"The same people by joints or by rotations: {len(rows)} limb joints against BEV's, aligned with scale")
    for name, p in (("by rotations, default shape", by_rotations), ("by joints", by_joints.parameters)):
        mine, theirs = joints_of(body, p)[:, rows].double(), joints[:, rows].double()
        print(line(name, 1000 * (aligned(mine, theirs) - theirs).norm(dim=-1).mean(1), "mm a person"))


def own_meshes(body: BodyModel, count: int, seed: int) -> None:
    p = people(body, count, seed)
    faces = body.surface.collision_faces.numpy()
    order = np.random.default_rng(seed).permutation(int(mesh_of(body, p).shape[1]))
    targets = [target_mesh(v.double().numpy()[order], np.argsort(order)[faces], "own") for v in mesh_of(body, p)]
    near = {name: value.clone() for name, value in p.items()}
    random = torch.Generator().manual_seed(seed)
    near["pose"] += PERTURBED_RAD * torch.randn(near["pose"].shape, generator=random)
    near["shape"] = default_parameters(body.parameter_spec, (count,))["shape"]
    for name, start in (("pose known to 0.15 rad, default shape", near), ("nothing known", None)):
        _report(f"Anny's own meshes in another vertex order, {name}", body, targets, start, mesh_of(body, p))


def _report(title: str, body: BodyModel, targets: list, start: Bodies | None, truth: Tensor | None) -> Bodies:
    fit = fit_meshes(body, targets, start)
    print(f"{title}: {len(targets)} bodies, {fit.steps} steps, {int(fit.converged.sum())} converged")
    print(line("nearest surface, both ways, start", 1000 * fit.before_m, "mm"))
    print(line("nearest surface, both ways, end", 1000 * fit.after_m, "mm"))
    if truth is not None:
        skin = torch.unique(body.surface.collision_faces)
        print(line("same vertex", 1000 * (mesh_of(body, fit.parameters) - truth)[:, skin].norm(dim=-1).mean(1), "mm"))
    return dict(fit.parameters)


def between_models(anny: AnnyBody, count: int, seed: int) -> None:
    sys.path.insert(0, str(ROOT / "tests" / "body"))
    from synthetic_smplx import anny_asset  # pyright: ignore[reportMissingImports]

    still = torch.zeros(1, 22, 3)
    t_pose = smpl_rotations_to_pose(anny, still[:, 0], still[:, 1:])["pose"][0]
    angles = dict(zip(anny.parameter_spec["pose"].names, t_pose.tolist(), strict=True))
    other = SmplxBody(anny_asset(AnnyBody(anny.asset, torch.float64), angles))
    p = people(anny, count, seed)
    start = {**p, "shape": default_parameters(other.parameter_spec, (count,))["shape"]}
    faces = anny.surface.collision_faces.numpy()
    targets = [target_mesh(v.double().numpy(), faces, "anny") for v in mesh_of(anny, p)]
    found = _report("Anny -> SMPL-X-like (synthetic), by its angles", other, targets, start, None)
    print(line("joints", 1000 * (joints_of(other, found) - joints_of(anny, p)).norm(dim=-1), "mm"))
    told = other.to_smplx(found)
    turns = told["body_pose"].unflatten(-1, (21, 3))
    start = smpl_rotations_to_pose(anny, told["global_orient"], turns)
    faces = other.surface.collision_faces.numpy()
    meshes = mesh_of(other, found)
    targets = [target_mesh(v.double().numpy(), faces, "smplx") for v in meshes]
    back = _report("... and back, SMPL-X-like -> Anny, by its rotations", anny, targets, start, None)
    print(line("joints, there and back", 1000 * (joints_of(anny, back) - joints_of(anny, p)).norm(dim=-1), "mm"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--poses", type=int, default=300)
    parser.add_argument("--meshes", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bev", type=Path, default=BEV)
    options = parser.parse_args()
    torch.set_num_threads(1)
    body = AnnyBody.load()
    round_trip_of_angles(body, options.poses, options.seed)
    bev = [one for file in sorted(options.bev.glob("*.npz")) for one in read_bev(file)]
    if bev:
        joints_or_rotations(body, bev, round_trip_of_rotations(body, bev))
    if options.meshes:
        own_meshes(body, options.meshes, options.seed)
        between_models(body, options.meshes, options.seed)


if __name__ == "__main__":
    main()
