"""docs/conventions.md holds for the default body: axes, left and right, what a positive angle does, heights."""

import math

import pytest
import torch

from apu.body.anny_pose import DOFS
from apu.body.joints import JOINT_SETS, joint_mapping, joint_names
from apu.body.protocol import Parts, default_parameters

X, Y, Z = range(3)


@pytest.fixture(scope="module")
def pose(body64):
    """Named angles (radians) on top of the default body -> its joints by name, metres, camera axes."""

    def posed(joint_set: str = "body25", **angles: float) -> dict[str, torch.Tensor]:
        people = default_parameters(body64.parameter_spec, (), torch.float64)
        for name, value in angles.items():
            people["pose"][body64.parameter_spec["pose"].names.index(name)] = value
        joints = body64.forward(people, Parts(joint_set)).joints
        return dict(zip(joint_names(joint_set), joints, strict=True))

    return posed


@pytest.fixture(scope="module")
def height_at(body64):
    def height(**logits: float) -> float:
        people = default_parameters(body64.parameter_spec, (), torch.float64)
        for name, value in logits.items():
            people["shape"][body64.parameter_spec["shape"].names.index(name)] = value
        return float(body64.height(people))

    return height


def logit(share: float) -> float:
    share = min(max(share, 1e-6), 1 - 1e-6)
    return math.log(share / (1 - share))


def bent(joints: dict[str, torch.Tensor], a: str, b: str, c: str) -> float:
    """Angle between the directions a-b and b-c, radians: 0 where the limb is straight."""
    first, second = joints[b] - joints[a], joints[c] - joints[b]
    return float(torch.acos(torch.nn.functional.cosine_similarity(first, second, dim=0)))


# ---- the default body


def test_the_default_body_stands_upright(pose):
    joints = pose()
    order = ("left_eye", "neck", "mid_hip", "left_knee", "left_ankle", "left_heel")
    heights = [float(joints[name][Y]) for name in order]
    assert heights == sorted(heights)  # y runs down
    assert joints["left_heel"][Y] - joints["nose"][Y] > 1.3


def test_the_default_body_faces_the_camera(pose):
    joints = pose()
    assert joints["nose"][Z] < joints["left_ear"][Z] - 0.05
    assert joints["left_big_toe"][Z] < joints["left_heel"][Z] - 0.1


def test_the_face_is_nearer_to_the_camera_than_the_back_of_the_head(body):
    surface = body.surface
    depth = surface.rest_vertices[:, Z]
    region = surface.region_of_vertex
    index = surface.region_names.index
    assert depth[region == index("left_head_front")].mean() < depth[region == index("left_head_back")].mean() - 0.05
    assert depth[region == index("left_foot_sole")].min() < depth.mean()


def test_the_persons_left_is_on_the_pictures_right(pose):
    joints = pose()
    for joint in ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "big_toe"):
        assert joints[f"left_{joint}"][X] > 0 > joints[f"right_{joint}"][X]


def test_the_default_body_is_relaxed(pose):
    """Arms hang, elbows and knees are nearly straight."""
    joints = pose()
    assert joints["left_wrist"][Y] > joints["left_elbow"][Y] > joints["left_shoulder"][Y] + 0.15
    assert bent(joints, "left_shoulder", "left_elbow", "left_wrist") < 0.7
    assert bent(joints, "left_hip", "left_knee", "left_ankle") < 0.2


def test_the_default_stands_in_front_of_the_camera(body64):
    people = default_parameters(body64.parameter_spec, (1,), torch.float64)
    assert float(body64.forward(people, Parts(vertices="all")).vertices[..., Z].min()) > 1.0


def test_half_a_turn_about_the_vertical_shows_the_back(body64):
    people = default_parameters(body64.parameter_spec, (), torch.float64)
    people["orientation"] = torch.tensor([0.0, math.pi, 0.0], dtype=torch.float64)
    joints = dict(zip(joint_names("body25"), body64.forward(people, Parts("body25")).joints, strict=True))
    assert joints["nose"][Z] > joints["left_ear"][Z] + 0.05
    assert joints["left_wrist"][X] < 0 < joints["right_wrist"][X]
    assert joints["nose"][Y] < joints["left_ankle"][Y]


# ---- angles


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("angle", "joint", "axis", "direction"),
    [
        ("shoulder_flexion", "elbow", Z, -1),  # arm forward
        ("shoulder_flexion", "wrist", Z, -1),
        ("shoulder_abduction", "elbow", Y, -1),  # arm up
        ("elbow_flexion", "wrist", Y, -1),  # hand up
        ("hip_flexion", "knee", Z, -1),  # thigh forward
        ("knee_flexion", "ankle", Z, +1),  # heel to the buttock
        ("ankle_plantarflexion", "big_toe", Y, +1),  # toes down
        ("clavicle_elevation", "shoulder", Y, -1),  # shoulder up
        ("clavicle_protraction", "shoulder", Z, -1),  # shoulder forward
    ],
)
def test_a_positive_limb_angle_does_what_its_name_says(pose, side, angle, joint, axis, direction):
    before, after = pose(), pose(**{f"{side}_{angle}": 0.4 + default_of(f"{side}_{angle}")})
    moved = (after[f"{side}_{joint}"] - before[f"{side}_{joint}"])[axis]
    assert direction * float(moved) > 0.01
    other = "right" if side == "left" else "left"
    assert torch.allclose(after[f"{other}_{joint}"], before[f"{other}_{joint}"], atol=1e-9)


def default_of(angle: str) -> float:
    return next(d.default for d in DOFS if d.name == angle)


@pytest.mark.parametrize(("side", "out"), [("left", 1), ("right", -1)])
def test_abduction_moves_a_limb_away_from_the_midline(pose, side, out):
    for angle, joint in (("shoulder_abduction", "elbow"), ("hip_abduction", "ankle")):
        before, after = pose(), pose(**{f"{side}_{angle}": 0.5})
        assert out * float((after[f"{side}_{joint}"] - before[f"{side}_{joint}"])[X]) > 0.05


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_fully_bent_knee_brings_the_heel_to_the_buttock(pose, side):
    joints = pose(**{f"{side}_knee_flexion": 2.4})
    assert float((joints[f"{side}_heel"] - joints[f"{side}_hip"]).norm()) < 0.35
    assert joints[f"{side}_heel"][Z] > joints[f"{side}_knee"][Z] + 0.2  # behind


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_fully_bent_elbow_brings_the_hand_to_the_shoulder(pose, side):
    joints = pose(**{f"{side}_elbow_flexion": 1.9})
    straight = pose(**{f"{side}_elbow_flexion": -0.75})
    assert bent(joints, f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist") > 2.3
    assert bent(straight, f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist") < 0.25
    assert float((joints[f"{side}_wrist"] - joints[f"{side}_shoulder"]).norm()) < 0.25
    assert joints[f"{side}_wrist"][Z] < joints[f"{side}_elbow"][Z]  # forward, not behind the back


@pytest.mark.parametrize("bone", ["lower_spine", "middle_spine", "upper_spine", "neck", "head"])
def test_trunk_angles_bow_forward_lean_to_the_left_and_turn_to_the_right(pose, bone):
    assert gaze(pose(**{f"{bone}_flexion": 0.3}))[Y] > gaze(pose())[Y] + 0.02
    assert gaze(pose(**{f"{bone}_twist": 0.3}))[X] < -0.02
    leaning = pose(**{f"{bone}_bend": 0.3})
    assert (leaning["left_ear"] - leaning["right_ear"])[Y] > 0.02
    if bone != "head":
        assert (leaning["nose"] - pose()["nose"])[X] > 0.01


def gaze(joints: dict[str, torch.Tensor]) -> torch.Tensor:
    """From between the ears to the nose, metres."""
    return joints["nose"] - (joints["left_ear"] + joints["right_ear"]) / 2


def test_forearm_pronation_turns_the_hand_and_moves_no_joint(pose):
    before, after = pose(), pose(left_forearm_pronation=1.0)
    assert float((after["left_elbow"] - before["left_elbow"]).norm()) < 0.02
    assert float((after["left_wrist"] - before["left_wrist"]).norm()) < 0.05


def test_bounds_contain_the_default_pose_and_every_angle_can_move(body64):
    spec = body64.parameter_spec["pose"]
    assert bool((spec.lower < spec.default).all())
    assert bool((spec.default < spec.upper).all())
    assert bool((spec.scale > 0).all())
    assert len(set(spec.names)) == spec.size == 47


def test_every_angle_moves_the_skin(body64):
    people = default_parameters(body64.parameter_spec, (47,), torch.float64)
    rest = body64.forward({k: v[:1] for k, v in people.items()}, Parts(vertices="all")).vertices
    people["pose"] = people["pose"] + 0.2 * torch.eye(47, dtype=torch.float64)
    moved = (body64.forward(people, Parts(vertices="all")).vertices - rest).norm(dim=-1).amax(1)
    assert float(moved.min()) > 0.003


# ---- joint sets


def test_joint_sets_agree_on_the_joints_they_share(body64, random_people):
    people = random_people(3)
    found = {name: body64.forward(people, Parts(name)).joints for name in JOINT_SETS}
    for source in JOINT_SETS:
        for target in JOINT_SETS:
            for i, j in enumerate(joint_mapping(source, target)):
                if j >= 0 and (joint_names(target)[i] != "neck" or source == target):
                    assert torch.allclose(found[target][:, i], found[source][:, j], atol=1e-12)


def test_openpose_neck_and_middle_hip_are_midpoints(pose):
    joints = pose()
    assert torch.allclose(joints["neck"], (joints["left_shoulder"] + joints["right_shoulder"]) / 2, atol=1e-6)
    assert torch.allclose(joints["mid_hip"], (joints["left_hip"] + joints["right_hip"]) / 2, atol=1e-6)


def test_the_neck_of_the_evaluation_set_is_above_the_shoulders_midpoint(pose):
    """LSP's neck lies at the base of the neck, not between the shoulder joints as OpenPose's."""
    assert 0.02 < float(pose()["neck"][Y] - pose("j14")["neck"][Y]) < 0.15


def test_the_head_top_is_the_highest_point(body64):
    people = default_parameters(body64.parameter_spec, (), torch.float64)
    posed = body64.forward(people, Parts("j14", "all"))
    top = posed.joints[joint_names("j14").index("head_top"), Y]
    assert float(top - posed.vertices[:, Y].min()) < 0.01


# ---- size


def test_heights_follow_age(height_at):
    baby, child, adult, elder = (height_at(age=logit(a)) for a in (0.0, 1 / 3, 2 / 3, 1.0))
    assert 0.5 < baby < 0.75
    assert 1.2 < child < 1.5
    assert 1.6 < adult < 1.9
    assert baby < child < elder < adult


def test_height_has_a_gradient_by_age_below_adulthood(body64):
    people = default_parameters(body64.parameter_spec, (2,), torch.float64)
    people["shape"][:, 1] = torch.tensor([logit(0.1), logit(0.5)])
    shape = people["shape"].requires_grad_()
    body64.height({**people, "shape": shape}).sum().backward()
    assert bool((shape.grad[:, 1] > 0.1).all())


def test_height_grows_with_the_height_attribute(height_at):
    assert height_at(height=logit(0.2)) < height_at(height=logit(0.5)) < height_at(height=logit(0.8))


def test_height_is_the_extent_of_the_standing_body(body64, random_people):
    people = random_people(64, seed=11)
    standing = {**default_parameters(body64.parameter_spec, (64,), torch.float64), "shape": people["shape"]}
    y = body64.forward(standing, Parts(vertices="all")).vertices[..., Y]
    extent = y.amax(1) - y.amin(1)
    assert torch.allclose(body64.height(people), extent, rtol=0.015)


def test_height_does_not_depend_on_the_pose(body64, random_people):
    people = random_people(4)
    other = {**random_people(4, seed=9), "shape": people["shape"]}
    assert torch.equal(body64.height(people), body64.height(other))


def test_attributes_are_shares_and_keep_the_batch(body64, random_people):
    attributes = body64.attributes(random_people(3, 2))
    assert set(attributes) == {"gender", "age", "muscle", "weight", "height", "proportions"}
    for value in attributes.values():
        assert value.shape == (3, 2)
        assert bool(((value > 0) & (value < 1)).all())


def test_the_default_adult_is_of_average_height(body64):
    people = default_parameters(body64.parameter_spec, (), torch.float64)
    assert 1.6 < float(body64.height(people)) < 1.85
    assert float(body64.attributes(people)["age"]) > 2 / 3
