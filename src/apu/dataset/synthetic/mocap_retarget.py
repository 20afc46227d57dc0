"""Motion capture frames in Anny's 47 angles: the same directions of limbs, whatever the proportions.

Levenberg-Marquardt on unit directions between joints, with the bounds of the angles and a weak pull to the relaxed
pose for what directions leave open; hands follow in closed form. Objective, rules and numbers are ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.anny import AnnyBody
from apu.body.joints import joint_names
from apu.body.protocol import Parts, default_parameters
from apu.dataset.synthetic.mocap import LEVEL, Mocap, world
from apu.errors import InputError

JOINT_SET = "body25"
SIGMA = 0.02
"""Of a direction, radians."""
LOOSER = {"trunk": 2.0, "face": 3.0, "ears": 3.0, "foot": 2.0, "hips": 2.0, "shoulders": 2.0}
PELVIS_SIGMA = 0.12
"""Of the orientation against the skeleton's root, radians: the rest poses of both are alike."""
PRIOR = 0.5
"""Weight of the pull to the relaxed pose, against `ParameterSpec.scale`."""
STIFFER = {"ankle_inversion": 10.0}
"""Angles that the skeleton hardly measures: factor on that pull."""
WRIST_SHARE = 0.6
"""How much of the skeleton's wrist bend is kept: markers lie off the bones, and hands that hang would flare."""
BOUND_SIGMA = 0.03
STEPS, SETTLED = 25, 1e-3
"""At most so many steps; fewer when everybody's cost falls by less than this share."""
BATCH = 256

_LIMBS = {
    "upper_arm": ("shoulder", "elbow", "Arm", "ForeArm"),
    "forearm": ("elbow", "wrist", "ForeArm", "Hand"),
    "thigh": ("hip", "knee", "UpLeg", "Leg"),
    "shin": ("knee", "ankle", "Leg", "Foot"),
}


@dataclass(frozen=True)
class Direction:
    """A direction between two (means of) joints of ours, and which way it shall point."""

    name: str
    start: tuple[str, ...]
    end: tuple[str, ...]
    target: Float[Tensor, "n 3"]


def retarget_frames(
    body: AnnyBody, mocap: Mocap, indices: Sequence[int]
) -> tuple[Float[Tensor, "n 47"], Float[Tensor, "n 3"]]:
    """Frames as poses of our body.

    Args:
        body: the body.
        mocap: the frames, on a skeleton whose joints have the names of the CMU database.
        indices: `n` frames.

    Returns:
        (n, 47) pose, radians, within the bounds; (n, 3) tilt: orientation without yaw, a rotation vector of the level
        frame whose y is zero.

    Raises:
        InputError: the skeleton lacks a joint.
    """
    pieces = [_retargeted(body, mocap, list(indices[i : i + BATCH])) for i in range(0, len(indices), BATCH)]
    if not pieces:
        return torch.zeros(0, body.parameter_spec["pose"].size), torch.zeros(0, 3)
    return torch.cat([p for p, _ in pieces]), without_yaw(torch.cat([o for _, o in pieces]))


def direction_errors(
    body: AnnyBody, mocap: Mocap, indices: Sequence[int], pose: Float[Tensor, "n 47"], tilt: Float[Tensor, "n 3"]
) -> dict[str, Float[Tensor, " n"]]:
    """Angle between every limb of the retargeted body and of the frame, radians; the best yaw is taken.

    The best yaw is that of the line through the hips.
    """
    p = {**default_parameters(body.parameter_spec, (len(pose),)), "pose": pose, "orientation": tilt}
    wanted = _directions(body, mocap, indices)
    found, _ = body.joints_and_jacobian(p, JOINT_SET, shape=False)
    ours = {d.name: _unit(found, d)[0] for d in wanted}
    hips = next(d.target for d in wanted if d.name == "hips")
    yaw = _heading(ours["hips"]) - _heading(hips)
    turn = roma.rotvec_to_rotmat(torch.stack([torch.zeros_like(yaw), yaw, torch.zeros_like(yaw)], -1))
    return {
        d.name: torch.atan2(
            torch.linalg.cross(v := (turn @ d.target[..., None])[..., 0], ours[d.name]).norm(dim=-1),
            (v * ours[d.name]).sum(-1),
        )
        for d in wanted
    }


def without_yaw(orientation: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
    """The tilt of an orientation: a rotation vector without y, from which a turn about y from the left leads to it."""
    x, y, z, w = roma.rotvec_to_unitquat(orientation).unbind(-1)
    zero = torch.zeros_like(y)
    length = torch.hypot(y, w).clamp_min(1e-12)
    back = torch.stack([zero, -y / length, zero, w / length], -1)
    tilt = roma.unitquat_to_rotvec(roma.quat_product(back, torch.stack([x, y, z, w], -1)))
    return tilt * torch.tensor([1.0, 0.0, 1.0]).to(tilt)  # rounding alone is left in y


def _heading(v: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
    """Yaw about y (down) of a direction, from the x axis."""
    return torch.atan2(-v[..., 2], v[..., 0])


def _retargeted(body: AnnyBody, mocap: Mocap, indices: list[int]) -> tuple[Tensor, Tensor]:
    spec = body.parameter_spec["pose"]
    _, turns = world(mocap, indices)
    root = turns[:, 0]
    p = default_parameters(body.parameter_spec, (len(indices),))
    p["orientation"] = roma.rotmat_to_rotvec(root)
    p = _solved(body, p, _directions(body, mocap, indices), root)
    p["pose"] = p["pose"].clamp(spec.lower, spec.upper)
    for side in ("left", "right"):
        _set_hand(body, p, side, turns[:, mocap.joint_names.index(f"{side.title()}FingerBase")])
    return p["pose"].clamp(spec.lower, spec.upper), p["orientation"]


def _directions(body: AnnyBody, mocap: Mocap, indices: Sequence[int]) -> list[Direction]:
    """What shall point where. Limbs as their joints lie; trunk, head and feet as their bones are turned from rest."""
    places, turns = world(mocap, indices)
    names = {name: i for i, name in enumerate(mocap.joint_names)}
    needed = ["LeftFingerBase", "RightFingerBase", "Head"]
    needed += [f"{s}{e}" for s in ("Left", "Right") for e in ("Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot")]
    if missing := [n for n in needed if n not in names]:
        raise InputError("The skeleton lacks joints.", expected=", ".join(needed), got=f"no {', '.join(missing)}")

    def line(start: str, end: str) -> Tensor:
        return places[:, names[end]] - places[:, names[start]]

    found = []
    for side in ("left", "right"):
        for limb, (start, end, a, b) in _LIMBS.items():
            towards = line(side.title() + a, side.title() + b)
            found.append(Direction(f"{side}_{limb}", (f"{side}_{start}",), (f"{side}_{end}",), towards))
    found.append(Direction("hips", ("right_hip",), ("left_hip",), line("RightUpLeg", "LeftUpLeg")))
    found.append(Direction("shoulders", ("right_shoulder",), ("left_shoulder",), line("RightArm", "LeftArm")))
    rest = _rest(body)
    for side in ("left", "right"):
        toes = (f"{side}_big_toe", f"{side}_small_toe")
        heel, turn = (f"{side}_heel",), turns[:, names[f"{side.title()}Foot"]]
        found.append(Direction(f"{side}_foot", heel, toes, turn @ _between(rest, heel, toes)))
    ears, head = ("left_ear", "right_ear"), turns[:, names["Head"]]
    found.append(Direction("face", ears, ("nose",), head @ _between(rest, ears, ("nose",))))
    found.append(Direction("ears", ears[1:], ears[:1], head @ _between(rest, ears[1:], ears[:1])))
    found.append(_trunk(mocap, places, turns, names, rest))
    return [Direction(d.name, d.start, d.end, d.target / d.target.norm(dim=-1, keepdim=True)) for d in found]


def _trunk(
    mocap: Mocap, places: Tensor, turns: Tensor, names: dict[str, int], rest: Float[Tensor, "25 3"]
) -> Direction:
    """Hips to shoulders, less by how much this line leans in the two skeletons' rest poses."""
    lower, upper = [names["LeftUpLeg"], names["RightUpLeg"]], [names["LeftArm"], names["RightArm"]]
    at_rest = torch.zeros(len(mocap.parents), 3)
    for joint in range(1, len(mocap.parents)):
        at_rest[joint] = at_rest[mocap.parents[joint]] + torch.from_numpy(mocap.offsets[joint]) * LEVEL
    theirs = at_rest[upper].mean(0) - at_rest[lower].mean(0)
    ours = _between(rest, ("mid_hip",), ("neck",))
    lean = torch.atan2(-ours[2], -ours[1]) - torch.atan2(-theirs[2], -theirs[1])
    align = roma.rotvec_to_rotmat(torch.stack([lean, 0 * lean, 0 * lean]))
    line = places[:, upper].mean(1) - places[:, lower].mean(1)
    root = turns[:, 0]
    return Direction("trunk", ("mid_hip",), ("neck",), (root @ align @ root.mT @ line[..., None])[..., 0])


def _rest(body: AnnyBody) -> Float[Tensor, "25 3"]:
    """Our joints with all angles zero."""
    p = {n: torch.zeros_like(v) for n, v in default_parameters(body.parameter_spec, (1,)).items() if n != "shape"}
    p["shape"] = body.parameter_spec["shape"].default[None]
    return body.joints_and_jacobian(p, JOINT_SET, shape=False)[0][0]


def _between(joints: Float[Tensor, "25 3"], start: tuple[str, ...], end: tuple[str, ...]) -> Float[Tensor, " 3"]:
    order = joint_names(JOINT_SET)
    return joints[[order.index(n) for n in end]].mean(0) - joints[[order.index(n) for n in start]].mean(0)


def _selector(d: Direction) -> Float[Tensor, " 25"]:
    """d @ joints = end - start."""
    order = joint_names(JOINT_SET)
    row = torch.zeros(len(order))
    for names, sign in ((d.end, 1.0), (d.start, -1.0)):
        for name in names:
            row[order.index(name)] += sign / len(names)
    return row


def _unit(joints: Float[Tensor, "n 25 3"], d: Direction) -> tuple[Float[Tensor, "n 3"], Float[Tensor, "n 1"]]:
    v = torch.einsum("k,nkc->nc", _selector(d), joints)
    length = v.norm(dim=-1, keepdim=True)
    return v / length, length


def _solved(
    body: AnnyBody, p: dict[str, Tensor], wanted: list[Direction], root: Float[Tensor, "n 3 3"]
) -> dict[str, Tensor]:
    damping = torch.full((len(root),), 1e-2)
    cost, hessian, gradient = _linearised(body, p, wanted, root)
    for _ in range(STEPS):
        diagonal = hessian.diagonal(dim1=-2, dim2=-1)
        step = torch.linalg.solve(hessian + torch.diag_embed(damping[:, None] * diagonal + 1e-6), -gradient)
        turn, bend = step.clamp(-0.6, 0.6).split([3, step.shape[-1] - 3], -1)
        tried = {**p, "orientation": roma.rotvec_composition([turn, p["orientation"]]), "pose": p["pose"] + bend}
        new = _linearised(body, tried, wanted, root)
        better = new[0] < cost
        p = {name: torch.where(better[:, None], tried[name], p[name]) for name in p}
        hessian = torch.where(better[:, None, None], new[1], hessian)
        gradient = torch.where(better[:, None], new[2], gradient)
        settled = bool((better & (cost - new[0] < SETTLED * cost)).all())
        cost = torch.where(better, new[0], cost)
        damping = torch.where(better, damping * 0.3, damping * 5.0).clamp(1e-6, 1e6)
        if settled:
            break
    return p


def _linearised(
    body: AnnyBody, p: dict[str, Tensor], wanted: list[Direction], root: Float[Tensor, "n 3 3"]
) -> tuple[Float[Tensor, " n"], Float[Tensor, "n m m"], Float[Tensor, "n m"]]:
    """Cost, Gauss-Newton matrix and gradient by orientation and pose."""
    joints, jacobian = body.joints_and_jacobian(p, JOINT_SET, shape=False)
    jacobian = torch.cat([jacobian[..., :3], jacobian[..., 6:]], -1)
    rows, errors = [], []
    for d in wanted:
        unit, length = _unit(joints, d)
        moved = torch.einsum("k,nkcm->ncm", _selector(d), jacobian) / length[..., None]
        across = moved - unit[..., None] * (unit[:, None] @ moved)
        sigma = SIGMA * LOOSER.get(d.name.removeprefix("left_").removeprefix("right_"), 1.0)
        rows.append(across / sigma)
        errors.append((unit - d.target) / sigma)
    away = roma.rotmat_to_rotvec(roma.rotvec_to_rotmat(p["orientation"]) @ root.mT) / PELVIS_SIGMA
    row = torch.zeros(len(root), 3, jacobian.shape[-1])
    row[:, :, :3] = torch.eye(3) / PELVIS_SIGMA
    a, e = torch.cat([*rows, row], 1), torch.cat([*errors, away], 1)
    spec = body.parameter_spec["pose"]
    beyond = torch.relu(p["pose"] - spec.upper) - torch.relu(spec.lower - p["pose"])
    pull = [next((v for end, v in STIFFER.items() if name.endswith(end)), 1.0) for name in spec.names]
    off, stiff = p["pose"] - spec.default, PRIOR * torch.tensor(pull) / spec.scale.square()
    cost = 0.5 * (e.square().sum(-1) + (stiff * off.square()).sum(-1) + (beyond / BOUND_SIGMA).square().sum(-1))
    gradient, hessian = (a.mT @ e[..., None])[..., 0], a.mT @ a
    gradient[:, 3:] += stiff * off + beyond / BOUND_SIGMA**2
    hessian.diagonal(dim1=-2, dim2=-1)[:, 3:] += stiff + (beyond != 0) / BOUND_SIGMA**2
    return cost, hessian, gradient


def _set_hand(body: AnnyBody, p: dict[str, Tensor], side: str, turn: Float[Tensor, "n 3 3"]) -> None:
    """Forearm pronation and wrist angles that turn the hand as the skeleton's hand bone is turned.

    At the skeleton's rest (arms stretched sideways, palms down) the fingers point along x and the thumb points ahead.
    """
    suffix, out = (".L", 1.0) if side == "left" else (".R", -1.0)
    still = {n: v[:1] for n, v in default_parameters(body.parameter_spec, (1,)).items()}
    still["pose"] = torch.zeros_like(still["pose"])
    tables = body.tables(Parts(vertices="all"))
    bones = [body.joint_names[b] for b in tables.bones.tolist()]
    at = body.pose(still, tables).position[0]

    def place(bone: str) -> Tensor:
        return at[bones.index(bone + suffix)]

    ours = _frame(place("finger3-1") - place("wrist"), place("finger2-1") - place("finger5-1"))
    theirs = _frame(torch.tensor([out, 0.0, 0.0]), torch.tensor([0.0, 0.0, -1.0]))
    forearm = body.pose(p, body.tables(Parts(JOINT_SET)))
    order = [body.joint_names[b] for b in body.tables(Parts(JOINT_SET)).bones.tolist()]
    below = forearm.rotation[:, order.index("lowerarm01" + suffix)]
    local = below.mT @ turn @ theirs @ ours.T
    axis = place("wrist") - place("lowerarm01")
    axis = out * axis / axis.norm()
    quat = roma.rotmat_to_unitquat(local)
    twist = 2 * torch.atan2(quat[:, :3] @ axis, quat[:, 3])
    twist = torch.remainder(twist + torch.pi, 2 * torch.pi) - torch.pi
    swing = WRIST_SHARE * roma.rotmat_to_rotvec(roma.rotvec_to_rotmat(-twist[:, None] * axis) @ local)
    names = body.parameter_spec["pose"].names
    for name, value in (
        ("forearm_pronation", twist),
        ("wrist_flexion", -swing[:, 0]),
        ("wrist_lift", -out * swing[:, 2]),
        ("wrist_turn", -out * swing[:, 1]),
    ):
        p["pose"][:, names.index(f"{side}_{name}")] = value


def _frame(along: Float[Tensor, " 3"], across: Float[Tensor, " 3"]) -> Float[Tensor, "3 3"]:
    """Columns: `along`, `across` made square to it, and their cross product."""
    first = along / along.norm()
    second = across - first * (first @ across)
    second = second / second.norm()
    return torch.stack([first, second, torch.linalg.cross(first, second)], 1)
