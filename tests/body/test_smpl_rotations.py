"""Rotations of SMPL in our angles and back: identities, exact round trips, mirror images, bodies, refusals."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import roma
import torch

sys.path.insert(0, str(Path(__file__).parent))
from synthetic_smplx import anny_asset

from apu.body.anny import AnnyBody
from apu.body.anny_pose import DOFS, dof_axes, mirror_matrix
from apu.body.joints import joint_names
from apu.body.pose_density import PoseDensity
from apu.body.protocol import Parts
from apu.body.smpl_rotations import anny_to_smplx_rotations, smpl_rotations_to_pose, t_pose_joints
from apu.body.smplx import SmplxBody
from apu.body.smplx_asset import SMPLX_JOINTS, SMPLX_PARENTS
from apu.body.smplx_pose import pose_tables
from apu.errors import InputError

People = Callable[..., dict[str, torch.Tensor]]
FLIP = torch.diag(torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64))
MIRROR = torch.diag(torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64))
OTHER_SIDE = [SMPLX_JOINTS.index(n.replace("left_", "@").replace("right_", "left_").replace("@", "right_"))
              for n in SMPLX_JOINTS[:22]]  # fmt: skip


def t_pose(count: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    zero = torch.zeros(count, 22, 3, dtype=torch.float64)
    return zero[:, 0], zero[:, 1:]


def plausible(body: AnnyBody, count: int, seed: int = 0) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    pose, _ = PoseDensity.load(dtype=torch.float64).sample(count, random)
    turn = torch.randn(count, 3, generator=random, dtype=torch.float64)
    shape = body.parameter_spec["shape"].default.double().expand(count, -1)
    return {"orientation": turn, "translation": torch.zeros_like(turn), "pose": pose, "shape": shape}


def rough(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Rotations that our angles cannot follow: every joint turns about any axis."""
    random = torch.Generator().manual_seed(seed)
    joints = 0.35 * torch.randn(count, 22, 3, generator=random, dtype=torch.float64)
    return joints[:, 0], joints[:, 1:]


def accumulated(body_pose: torch.Tensor) -> torch.Tensor:
    turns = roma.rotvec_to_rotmat(body_pose)
    chain = [torch.eye(3, dtype=turns.dtype).expand(len(turns), 3, 3)]
    for j in range(1, 22):
        chain.append(chain[SMPLX_PARENTS[j]] @ turns[:, j - 1])
    return torch.stack(chain, 1)


def turned_apart(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Degrees between rotation vectors, whatever their branch."""
    return roma.rotmat_geodesic_distance(roma.rotvec_to_rotmat(a), roma.rotvec_to_rotmat(b)).rad2deg()


def test_the_t_pose_stretches_the_arms_sideways_and_faces_along_z_with_y_up(body64: AnnyBody):
    found = smpl_rotations_to_pose(body64, *t_pose())
    joints = body64.forward(found, Parts("body25")).joints
    assert joints is not None
    at = dict(zip(joint_names("body25"), joints[0], strict=True))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        arm = at[f"{side}_wrist"] - at[f"{side}_shoulder"]
        leg = at[f"{side}_ankle"] - at[f"{side}_hip"]
        assert arm @ arm.new_tensor([sign, 0.0, 0.0]) > 0.98 * arm.norm()
        assert leg @ leg.new_tensor([0.0, -1.0, 0.0]) > 0.98 * leg.norm()
    assert at["nose"][2] > at["left_ear"][2] + 0.05


def test_the_t_pose_maps_to_itself_up_to_knees_that_do_not_stand_outwards(body64: AnnyBody):
    found = smpl_rotations_to_pose(body64, *t_pose())
    back = anny_to_smplx_rotations(body64, found)["body_pose"].unflatten(-1, (21, 3))
    assert turned_apart(accumulated_vectors(back), torch.zeros(1, 22, 3, dtype=torch.float64)).max() < 5.0
    again = smpl_rotations_to_pose(body64, t_pose()[0], back)
    assert (again["pose"] - found["pose"]).abs().max() < 1e-6


def accumulated_vectors(body_pose: torch.Tensor) -> torch.Tensor:
    return roma.rotmat_to_rotvec(accumulated(body_pose))


def test_poses_within_the_bounds_come_back_exactly(body64: AnnyBody):
    people = plausible(body64, 40)
    told = anny_to_smplx_rotations(body64, people)
    found = smpl_rotations_to_pose(body64, told["global_orient"], told["body_pose"].unflatten(-1, (21, 3)))
    assert (found["pose"] - people["pose"]).abs().max() < 1e-4
    assert turned_apart(found["orientation"], people["orientation"]).max() < 1e-4


def test_joints_of_any_pose_within_the_bounds_come_back_nearly_always(body64: AnnyBody, random_people: People):
    people = random_people(40)
    told = anny_to_smplx_rotations(body64, people)
    found = smpl_rotations_to_pose(body64, told["global_orient"], told["body_pose"].unflatten(-1, (21, 3)),
                                   people["shape"])  # fmt: skip
    found["translation"] = people["translation"]
    a, b = (body64.forward(p, Parts("body25")).joints for p in (people, found))
    assert a is not None
    assert b is not None
    apart = (a - b).norm(dim=-1).amax(1)
    assert (apart < 1e-3).double().mean() > 0.9


def test_a_second_round_trip_changes_nothing_for_rotations_that_the_angles_cannot_follow(body64: AnnyBody):
    first = smpl_rotations_to_pose(body64, *rough(20))
    told = anny_to_smplx_rotations(body64, first)
    second = smpl_rotations_to_pose(body64, told["global_orient"], told["body_pose"].unflatten(-1, (21, 3)))
    again = anny_to_smplx_rotations(body64, second)
    apart = turned_apart(*(accumulated_vectors(t["body_pose"].unflatten(-1, (21, 3))) for t in (told, again)))
    assert apart.mean() < 1.0


def test_wrists_head_and_chest_make_up_for_what_the_joints_before_them_cannot_do(body64: AnnyBody):
    orient, pose = rough(10, seed=1)
    found = smpl_rotations_to_pose(body64, orient, 0.5 * pose)
    told = anny_to_smplx_rotations(body64, found)["body_pose"].unflatten(-1, (21, 3))
    apart = roma.rotmat_geodesic_distance(accumulated(told), accumulated(0.5 * pose)).rad2deg()
    rows = [SMPLX_JOINTS.index(name) for name in ("head", "left_wrist", "right_wrist")]
    assert apart[:, rows].max() < 3.0
    assert apart[:, SMPLX_JOINTS.index("spine3")].max() < 3.0


def test_turning_the_whole_body_changes_its_orientation_alone(body64: AnnyBody):
    orient, pose = rough(6)
    turn = roma.random_rotmat(6, dtype=torch.float64)
    still = smpl_rotations_to_pose(body64, orient, pose)
    turned = smpl_rotations_to_pose(body64, roma.rotmat_to_rotvec(turn @ roma.rotvec_to_rotmat(orient)), pose)
    assert (still["pose"] - turned["pose"]).abs().max() < 1e-6
    both = [roma.rotvec_to_rotmat(p["orientation"]) for p in (still, turned)]
    assert (turn @ both[0] - both[1]).abs().max() < 1e-9


def test_mirrored_rotations_give_the_mirrored_pose(body64: AnnyBody):
    orient, pose = rough(8, seed=2)
    joints = torch.cat([orient[:, None], pose], 1)
    mirrored = roma.rotmat_to_rotvec(MIRROR @ roma.rotvec_to_rotmat(joints[:, OTHER_SIDE]) @ MIRROR)
    a = smpl_rotations_to_pose(body64, orient, pose)
    b = smpl_rotations_to_pose(body64, mirrored[:, 0], mirrored[:, 1:])
    assert (a["pose"] @ mirror_matrix().double().T - b["pose"]).abs().max() < 1e-5
    turned = MIRROR @ roma.rotvec_to_rotmat(a["orientation"]) @ MIRROR
    assert (turned - roma.rotvec_to_rotmat(b["orientation"])).abs().max() < 1e-9


def test_a_person_who_faces_the_camera_has_orientation_zero(body64: AnnyBody):
    facing = roma.rotmat_to_rotvec(FLIP)[None]
    found = smpl_rotations_to_pose(body64, facing, t_pose()[1])
    assert found["orientation"].abs().max() < 1e-9


def test_the_axes_of_the_t_pose_are_annys_own(body64: AnnyBody):
    """Otherwise the same angle would turn about another axis on the way to SMPL."""
    tables = pose_tables(t_pose_joints(), torch.zeros(0, dtype=torch.float64))
    ours = (tables.bend + tables.pronate).sum(1)
    theirs = dof_axes(body64.joint_names, body64._zero_pose_heads) @ FLIP
    assert (ours - theirs).abs().max() < 1e-3, [d.name for d in DOFS]


def test_bones_of_anny_turn_as_the_joints_of_smpl_are_told_to(body64: AnnyBody):
    """Between two poses, by the motion of Anny's own bones: an oracle that knows nothing of SMPL."""
    a, b = plausible(body64, 5, seed=3), plausible(body64, 5, seed=5)
    tables = body64.tables(Parts(vertices="all"))
    bones = [body64.joint_names.index(n) for n in ("head", "wrist.L", "foot.R", "lowerarm02.R", "lowerleg01.L")]
    joints = [SMPLX_JOINTS.index(n) for n in ("head", "left_wrist", "right_ankle", "right_elbow", "left_knee")]
    ours = [body64.pose(p, tables).rotation[:, bones] for p in (a, b)]
    theirs = []
    for p in (a, b):
        told = anny_to_smplx_rotations(body64, p)
        root = roma.rotvec_to_rotmat(told["global_orient"])[:, None]
        theirs.append((root @ accumulated(told["body_pose"].unflatten(-1, (21, 3))))[:, joints])
    assert (ours[1] @ ours[0].mT - theirs[1] @ theirs[0].mT).abs().max() < 1e-3


def test_both_bodies_take_the_same_angles_for_the_same_rotations(body64: AnnyBody):
    like = SmplxBody(anny_asset(body64), torch.float64)
    people = plausible(body64, 10, seed=4)
    told = anny_to_smplx_rotations(like, {**people, "shape": people["shape"]})
    found = smpl_rotations_to_pose(like, told["global_orient"], told["body_pose"].unflatten(-1, (21, 3)))
    assert (found["pose"] - people["pose"]).abs().max() < 1e-4
    expected = like.to_smplx({**people, "shape": like.parameter_spec["shape"].default.expand(10, -1)})
    assert (told["body_pose"] - expected["body_pose"]).abs().max() < 1e-9


def test_smpls_hands_are_left_out_and_the_shape_is_handed_on(body64: AnnyBody):
    orient, pose = rough(3)
    shape = torch.randn(3, 6, dtype=torch.float64)
    with_hands = torch.cat([pose, torch.ones(3, 2, 3, dtype=torch.float64)], 1)
    a, b = (smpl_rotations_to_pose(body64, orient, p, shape) for p in (pose, with_hands))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert torch.equal(a["shape"], shape)
    assert a["translation"].abs().max() == 0


def test_batch_axes_are_kept_on_the_way_to_smplx(body64: AnnyBody, random_people: People):
    told = anny_to_smplx_rotations(body64, random_people(2, 3))
    assert told["global_orient"].shape == (2, 3, 3)
    assert told["body_pose"].shape == (2, 3, 63)


def test_a_body_comes_out_the_same_alone_and_among_others(body64: AnnyBody):
    orient, pose = rough(12)
    together = smpl_rotations_to_pose(body64, orient, pose)["pose"]
    alone = torch.cat([smpl_rotations_to_pose(body64, orient[i : i + 1], pose[i : i + 1])["pose"] for i in range(12)])
    assert (together - alone).abs().max() < 1e-9


def test_nobody_gives_nobody(body64: AnnyBody):
    found = smpl_rotations_to_pose(body64, *t_pose(0))
    assert {name: value.shape[0] for name, value in found.items()} == dict.fromkeys(body64.parameter_spec, 0)


@pytest.mark.parametrize(
    ("orient", "pose", "shape", "where"),
    [
        (torch.zeros(2, 3), torch.zeros(2, 20, 3), None, "body_pose"),
        (torch.full((2, 3), torch.nan), torch.zeros(2, 21, 3), None, "global_orient"),
        (torch.zeros(2, 3), torch.full((2, 21, 3), torch.inf), None, "body_pose"),
        (torch.zeros(2, 3), torch.zeros(2, 21, 3), torch.zeros(2, 10), "shape"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(body: AnnyBody, orient, pose, shape, where: str):
    with pytest.raises(InputError) as error:
        smpl_rotations_to_pose(body, orient, pose, shape)
    assert error.value.where == where
    assert error.value.remedy
