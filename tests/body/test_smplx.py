"""SMPL-X behind the protocol: the published formula, the kid template, exact parts, derivatives, and Anny's angles."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from synthetic_smplx import anny_asset, layout_of, random_arrays, random_kid, write_model

from apu.body.anny import AnnyBody
from apu.body.joints import JOINT_SETS, joint_names
from apu.body.protocol import BodyModel, Parts, default_parameters
from apu.body.region_names import REGION_NAMES
from apu.body.smplx import SmplxBody
from apu.body.smplx_asset import SMPLX_JOINTS, SMPLX_PARENTS
from apu.body.smplx_skinning import rotations
from apu.errors import InputError

POSES = {"global_orient": 3, "body_pose": 63, "jaw_pose": 3, "leye_pose": 3, "reye_pose": 3, "left_hand_pose": 45,
         "right_hand_pose": 45}  # fmt: skip


@pytest.fixture(scope="module", params=["adult", "with kid"])
def random_body(request, tmp_path_factory) -> SmplxBody:
    kid = random_kid() if request.param == "with kid" else None
    folder = write_model(tmp_path_factory.mktemp("smplx"), random_arrays(), kid)
    return SmplxBody.load(folder, torch.float64, layout_of())


@pytest.fixture(scope="module")
def anny_like(body64: AnnyBody) -> SmplxBody:
    """Anny's own skin in its zero pose, on SMPL-X's 55 joints."""
    return SmplxBody(anny_asset(body64), torch.float64)


def people(body: SmplxBody, *batch: int, seed: int = 0) -> dict[str, torch.Tensor]:
    """Anybody in any pose within the bounds."""
    random = torch.Generator().manual_seed(seed)
    spec = body.parameter_spec
    found = default_parameters(spec, batch, body.dtype)
    share = torch.rand(*batch, spec["pose"].size, generator=random, dtype=body.dtype)
    found["pose"] = spec["pose"].lower + share * (spec["pose"].upper - spec["pose"].lower)
    for name in ("orientation", "translation", "shape"):
        found[name] = found[name] + torch.randn(*batch, spec[name].size, generator=random, dtype=body.dtype)
    return found


# ---- the published formula, written independently with numpy loops


def matrix(vector: np.ndarray) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    return Rotation.from_rotvec(vector).as_matrix()


def oracle(arrays, kid, smplx, i: int) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and joints of body `i`; 4 x 4 matrices along the tree, one vertex and one joint after the other."""
    v = arrays["v_template"].copy()
    for k in range(10):
        v += smplx["betas"][i, k] * arrays["shapedirs"][:, :, k]
        v += smplx["expression"][i, k] * arrays["shapedirs"][:, :, 10 + k]
    if kid is not None:
        v += smplx["kid_weight"][i, 0] * (kid - kid.mean(0) - arrays["v_template"])
    joints = arrays["J_regressor"] @ v
    turn = [matrix(r) for r in np.concatenate([smplx[name][i] for name in POSES]).reshape(55, 3)]
    feature = np.concatenate([(r - np.eye(3)).ravel() for r in turn[1:]])
    v = v + arrays["posedirs"] @ feature
    world = []
    for j, parent in enumerate(SMPLX_PARENTS):
        local = np.eye(4)
        local[:3, :3] = turn[j]
        local[:3, 3] = joints[j] - (joints[parent] if j else 0)
        world.append(local if j == 0 else world[parent] @ local)
    skinned = np.zeros_like(v)
    for j in range(55):
        back = np.eye(4)
        back[:3, 3] = -joints[j]
        moved = np.c_[v, np.ones(len(v))] @ (world[j] @ back).T
        skinned += arrays["weights"][:, [j]] * moved[:, :3]
    return skinned + smplx["transl"][i], np.stack([w[:3, 3] for w in world]) + smplx["transl"][i]


def test_skinning_equals_an_independent_implementation(random_body):
    random = np.random.default_rng(5)
    sizes = POSES | {"betas": 10, "expression": 10, "transl": 3} | ({"kid_weight": 1} if random_body.asset.kid else {})
    smplx = {name: random.normal(size=(3, size)) for name, size in sizes.items()}
    kid = random_kid() if random_body.asset.kid else None
    vertices, joints = random_body.skinned({k: torch.from_numpy(v) for k, v in smplx.items()})
    single = SmplxBody(random_body.asset).skinned({k: torch.from_numpy(v) for k, v in smplx.items()})[0]
    for i in range(3):
        wanted, wanted_joints = oracle(random_arrays(), kid, smplx, i)
        assert np.abs(vertices[i].numpy() - wanted).max() < 1e-11
        assert np.abs(joints[i].numpy() - wanted_joints).max() < 1e-11
        assert np.abs(single[i].numpy() - wanted).max() < 1e-5


def test_400_shape_directions_have_their_expressions_at_300(tmp_path):
    arrays = random_arrays(shapes=400)
    few = dict(arrays, shapedirs=arrays["shapedirs"][..., [*range(10), *range(300, 310)]])
    bodies = [
        SmplxBody.load(write_model(tmp_path / n, a), torch.float64, layout_of())
        for n, a in (("v11", arrays), ("v10", few))
    ]
    smplx = {"betas": torch.ones(1, 10), "expression": torch.full((1, 10), 2.0)}
    assert torch.equal(bodies[0].skinned(smplx)[0], bodies[1].skinned(smplx)[0])


def test_adult_and_kid_are_the_ends_of_one_line(tmp_path):
    arrays, kid = random_arrays(), random_kid()
    body = SmplxBody.load(write_model(tmp_path, arrays, kid), torch.float64, layout_of())
    at = {w: body.skinned({"kid_weight": torch.tensor([[w]])})[0][0].numpy() for w in (0.0, 0.25, 1.0)}
    assert np.abs(at[0.0] - arrays["v_template"]).max() < 1e-12
    assert np.abs(at[1.0] - (kid - kid.mean(0))).max() < 1e-12
    assert np.abs(at[0.25] - (0.75 * at[0.0] + 0.25 * at[1.0])).max() < 1e-12


def test_without_the_kid_template_there_is_no_age(tmp_path):
    body = SmplxBody.load(write_model(tmp_path, random_arrays()), torch.float64, layout_of())
    assert body.name.startswith("smplx-")
    assert body.parameter_spec["shape"].size == 10
    assert body.attributes(people(body, 2)) == {}
    with pytest.raises(InputError, match="does not fit"):
        body.skinned({"kid_weight": torch.zeros(1, 1)})


# ---- as a BodyModel


def test_it_follows_the_protocol(random_body, anny_like):
    assert isinstance(anny_like, BodyModel)
    assert list(random_body.parameter_spec) == ["orientation", "translation", "pose", "shape"]
    assert torch.allclose(random_body.skinning_weights.sum(1), torch.ones(160, dtype=torch.float64))


def test_parameters_are_smplx_parameters_in_other_words(random_body):
    """`forward` goes through folded tables of 22 joints, `skinned` through all 55: both must pose the same body."""
    p = people(random_body, 4)
    posed = random_body.forward(p, Parts("body25", "all"))
    vertices, joints = random_body.skinned(random_body.to_smplx(p))
    assert (posed.vertices - vertices).abs().max() < 1e-12
    names = joint_names("body25")
    for name in ("left_wrist", "right_knee", "left_ankle", "right_elbow"):
        assert (posed.joints[:, names.index(name)] - joints[:, SMPLX_JOINTS.index(name)]).abs().max() < 1e-12
    assert (posed.joints[:, 0] - vertices[:, random_body.asset.landmarks["nose"]]).abs().max() < 1e-12
    assert (joints[:, 0] - p["translation"]).abs().max() < 1e-12


@pytest.mark.parametrize("joint_set", JOINT_SETS)
def test_parts_are_exact(random_body, joint_set):
    p = people(random_body, 2, 3)
    whole = random_body.forward(p, Parts(joint_set, "all"))
    some = torch.tensor([5, 150, 5, 0])
    part = random_body.forward(p, Parts(joint_set, some))
    alone = random_body.forward(p, Parts(joint_set))
    only = random_body.forward(p, Parts(None, some))
    assert whole.vertices.shape == (2, 3, 160, 3)
    assert whole.joints.shape == (2, 3, len(joint_names(joint_set)), 3)
    assert (part.vertices - whole.vertices[..., some, :]).abs().max() < 1e-12
    assert (only.vertices - part.vertices).abs().max() < 1e-12
    assert (alone.joints - whole.joints).abs().max() < 1e-12
    assert alone.vertices is None
    assert only.joints is None


@pytest.mark.parametrize("shape", [True, False])
def test_the_jacobian_is_that_of_finite_differences(random_body, shape):
    p = people(random_body, 2, seed=3)
    if random_body.asset.kid:
        p["shape"][:, 10] = torch.tensor([-1.0, -0.5])  # away from the kink at the adult
    joints, jacobian = random_body.joints_and_jacobian(p, "body25", shape)
    assert (joints - random_body.forward(p, Parts("body25")).joints).abs().max() < 1e-12
    step, columns = 1e-6, []
    for name in ("translation", "pose", "shape") if shape else ("translation", "pose"):
        for i in range(p[name].shape[1]):
            ends = []
            for sign in (1, -1):
                q = {k: v.clone() for k, v in p.items()}
                q[name][:, i] += sign * step
                ends.append(random_body.forward(q, Parts("body25")).joints)
            columns.append((ends[0] - ends[1]) / (2 * step))
    assert (jacobian[..., 3:] - torch.stack(columns, -1)).abs().max() < 1e-7
    arm = joints - p["translation"][:, None]
    for i in range(3):
        axis = torch.eye(3, dtype=torch.float64)[i].expand_as(arm)
        assert (jacobian[..., i] - torch.linalg.cross(axis, arm)).abs().max() < 1e-12


def test_gradients_pass_through_the_mesh(random_body):
    small = {k: v.requires_grad_() for k, v in people(random_body, 1, seed=4).items()}
    if random_body.asset.kid:
        with torch.no_grad():
            small["shape"][:, 10] = -1.0
    weight = torch.randn(12, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    names = list(small)

    def value(*numbers: torch.Tensor) -> torch.Tensor:
        vertices = random_body.forward(dict(zip(names, numbers, strict=True)), Parts(None, torch.arange(12))).vertices
        return (weight * vertices).sum()

    assert torch.autograd.gradcheck(value, tuple(small.values()), eps=1e-6, atol=1e-6)


def test_no_bodies_are_no_error(random_body):
    p = people(random_body, 0, 2)
    assert random_body.forward(p, Parts("coco17", "all")).vertices.shape == (0, 2, 160, 3)
    assert random_body.joints_and_jacobian(p, "coco17")[1].shape[:4] == (0, 2, 17, 3)


def test_single_precision_is_enough(random_body):
    p = people(random_body, 3)
    single = SmplxBody(random_body.asset).forward({k: v.float() for k, v in p.items()}, Parts("body25", "all"))
    double = random_body.forward(p, Parts("body25", "all"))
    assert single.vertices.dtype == torch.float32
    assert (single.vertices - double.vertices).abs().max() < 1e-5


def test_betas_of_another_length_are_an_error(random_body):
    p = people(random_body, 2)
    p["shape"] = p["shape"][:, :7]
    with pytest.raises(InputError, match="shape"):
        random_body.forward(p, Parts("body25"))
    with pytest.raises(InputError, match="betas"):
        random_body.skinned({"betas": torch.zeros(1, 16)})


@pytest.mark.parametrize("size", [0.0, 1e-9, 1e-4, 1.0, 3.1, math.pi])
def test_rotations_are_those_of_scipy(size):
    vectors = torch.nn.functional.normalize(torch.randn(5, 3, dtype=torch.float64), dim=-1) * size
    assert np.abs(rotations(vectors).numpy() - matrix(vectors.numpy())).max() < 1e-14


# ---- Anny's skin on SMPL-X's joints is Anny


def test_the_same_angles_pose_the_same_body(anny_like, body64):
    """Joints that both rigs have, in poses of every kind; what lies between them is bent at fewer bones."""
    adult = default_parameters(body64.parameter_spec, (40,), torch.float64)
    random = torch.Generator().manual_seed(1)
    spec = body64.parameter_spec["pose"]
    noise = torch.randn(40, spec.size, generator=random, dtype=torch.float64)
    adult["pose"] = (spec.default + spec.scale * noise).clamp(spec.lower, spec.upper)
    adult["orientation"] = torch.randn(40, 3, generator=random, dtype=torch.float64)
    same = {**default_parameters(anny_like.parameter_spec, (40,), torch.float64)}
    same |= {name: adult[name] for name in ("orientation", "translation", "pose")}
    apart = (anny_like.forward(same, Parts("body25")).joints - body64.forward(adult, Parts("body25")).joints).norm(
        dim=-1
    )
    assert float(apart.mean()) < 0.025
    assert float(apart.max()) < 0.12


def test_a_t_pose_finds_its_way_to_the_zero_pose(anny_like, body64):
    """The rest pose of the file does not matter: a body stored with raised arms stands as one stored with bent ones."""
    angles = {f"{side}_{name}": value for side in ("left", "right") for name, value in
              (("shoulder_abduction", 0.85), ("elbow_flexion", -0.74))}  # fmt: skip
    raised = SmplxBody(anny_asset(body64, angles), torch.float64)
    p = default_parameters(anny_like.parameter_spec, (1,), torch.float64)
    a, b = (one.forward(p, Parts("body25")).joints[0] for one in (raised, anny_like))
    names = joint_names("body25")
    for side in ("left", "right"):
        for top, end in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle")):
            i, j = names.index(f"{side}_{top}"), names.index(f"{side}_{end}")
            one, other = a[j] - a[i], b[j] - b[i]
            assert float(torch.rad2deg(torch.acos((one @ other / one.norm() / other.norm()).clamp(-1, 1)))) < 6


def test_a_person_at_rest_stands_upright_and_faces_the_camera(anny_like):
    p = default_parameters(anny_like.parameter_spec, (1,), torch.float64)
    joints = dict(zip(joint_names("body25"), anny_like.forward(p, Parts("body25")).joints[0], strict=True))
    assert joints["nose"][1] < joints["left_hip"][1] < joints["left_ankle"][1]
    assert joints["left_shoulder"][0] > joints["right_shoulder"][0] + 0.2
    assert joints["nose"][2] < joints["left_ear"][2] - 0.05
    assert joints["left_big_toe"][2] < joints["left_heel"][2] - 0.1


@pytest.mark.parametrize(
    ("angle", "joint", "axis", "sign"),
    [("hip_flexion", "knee", 2, -1), ("knee_flexion", "ankle", 2, 1), ("shoulder_abduction", "elbow", 1, -1),
     ("shoulder_flexion", "elbow", 2, -1), ("hip_abduction", "knee", 0, 1)],
)  # fmt: skip
@pytest.mark.parametrize("side", ["left", "right"])
def test_angles_do_what_their_names_say(anny_like, side, angle, joint, axis, sign):
    p = default_parameters(anny_like.parameter_spec, (2,), torch.float64)
    p["pose"][1, anny_like.parameter_spec["pose"].names.index(f"{side}_{angle}")] += 0.5
    joints = anny_like.forward(p, Parts("body25")).joints
    i = joint_names("body25").index(f"{side}_{joint}")
    outward = (1 if side == "left" else -1) if axis == 0 else 1
    assert float(joints[1, i, axis] - joints[0, i, axis]) * sign * outward > 0.05


def test_age_takes_an_adult_to_a_child(anny_like, body64):
    p = default_parameters(anny_like.parameter_spec, (4,), torch.float64)
    ages = torch.tensor([0.001, 0.22, 2 / 3, 0.9], dtype=torch.float64)
    p["shape"][:, 10] = torch.logit(ages)
    heights = anny_like.height(p)
    assert torch.allclose(anny_like.attributes(p)["age"], ages)
    assert float(heights[0]) < 0.8
    assert float(heights[0]) < float(heights[1]) < float(heights[2])
    assert float(heights[2]) == pytest.approx(float(heights[3]))
    standing = anny_like.skinned({"betas": torch.zeros(1, 10)})[0][0, :, 1]
    assert float(heights[3]) == pytest.approx(float(standing.max() - standing.min()))


def test_regions_are_those_of_anny_on_the_same_skin(anny_like, body64):
    surface = anny_like.surface
    assert surface.region_names == REGION_NAMES
    same = surface.region_of_vertex == body64.surface.region_of_vertex
    assert float(same.double().mean()) > 0.93
    assert set(surface.region_of_vertex.tolist()) == set(range(75))


def test_what_others_collide_with_is_closed(anny_like, body64):
    skin = anny_like.surface.collision_faces
    assert {tuple(f) for f in skin.tolist()} == {tuple(f) for f in body64.surface.collision_faces.tolist()}
