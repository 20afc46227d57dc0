"""The 75 surface regions: complete, mirror-symmetric, front in front and palm inside, and the same on other bodies."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
import roma
import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts, default_parameters
from apu.body.region_names import CENTRAL_REGIONS, REGION_NAMES, SIDED_REGIONS, mirrored
from apu.body.regions import label_regions
from apu.errors import InputError
from apu.geometry.normals import face_normals, vertex_normals

LEFT, DOWN, BACK = np.eye(3)
"""Camera axes of a body that faces the camera: x to its left, y down, z behind it."""


@dataclass(frozen=True)
class Rest:
    """A skinned body at rest, as `label_regions` takes it."""

    vertices: np.ndarray
    faces: np.ndarray
    weights: np.ndarray
    joint_names: list[str]
    parents: list[int]
    joint_positions: np.ndarray

    def labels(self) -> np.ndarray:
        return label_regions(
            self.vertices, self.faces, self.weights, self.joint_names, self.parents, self.joint_positions
        )

    @property
    def area(self) -> np.ndarray:
        """(v,) a third of the adjacent faces'."""
        size = np.linalg.norm(face_normals(self.vertices, self.faces), axis=1) / 2
        return np.bincount(self.faces.ravel(), np.repeat(size / 3, 3), minlength=len(self.vertices))

    def agreement(self, first: np.ndarray, second: np.ndarray) -> float:
        """Share of the surface that has the same label."""
        return float(self.area[first == second].sum() / self.area.sum())


@pytest.fixture(scope="module")
def rest_of(body64: AnnyBody) -> Callable[..., Rest]:
    """Phenotypes in (0, 1) and angles (radians) -> the body, zero pose, at the origin; by default a young adult."""

    def rest(**numbers: float) -> Rest:
        spec = body64.parameter_spec
        people = {k: torch.zeros_like(v) for k, v in default_parameters(spec, (1,), torch.float64).items()}
        for name, value in ({"age": 2 / 3} | numbers).items():
            if name in spec["shape"].names:
                value = min(max(value, 1e-3), 1 - 1e-3)
                people["shape"][0, spec["shape"].names.index(name)] = math.log(value / (1 - value))
            else:
                people["pose"][0, spec["pose"].names.index(name)] = value
        motion = body64.pose(people, body64.tables(Parts(vertices="all")))
        return Rest(
            motion.points[0].numpy(),
            body64.asset.faces.numpy(),
            body64.skinning_weights.numpy(),
            list(body64.joint_names),
            list(body64.parents),
            motion.position[0].numpy(),
        )

    return rest


@pytest.fixture(scope="module")
def adult(rest_of) -> Rest:
    return rest_of()


@pytest.fixture(scope="module")
def labels(body: AnnyBody) -> np.ndarray:
    """As they are kept with the prepared body."""
    return body.asset.region_of_vertex.numpy()


def mean_normal(rest: Rest, labels: np.ndarray, region: str) -> np.ndarray:
    mine = labels == REGION_NAMES.index(region)
    mean = (vertex_normals(rest.vertices, rest.faces)[mine] * rest.area[mine, None]).sum(0)
    return mean / np.linalg.norm(mean)


# ---- names


def test_there_are_75_regions_each_named_once():
    assert len(REGION_NAMES) == len(set(REGION_NAMES)) == 2 * len(SIDED_REGIONS) + len(CENTRAL_REGIONS) == 75


@pytest.mark.parametrize("region", REGION_NAMES)
def test_mirroring_a_name_twice_gives_it_back(region):
    assert mirrored(region) in REGION_NAMES
    assert mirrored(mirrored(region)) == region
    assert (mirrored(region) == region) == (region in CENTRAL_REGIONS)


# ---- on the default body


def test_every_region_is_there_and_every_vertex_has_one(body, labels):
    assert labels.shape == (body.vertex_count,)
    assert set(labels.tolist()) == set(range(75))
    assert np.bincount(labels).min() >= 10


def test_the_labels_kept_with_the_body_are_those_of_the_rules(adult, labels):
    assert adult.agreement(adult.labels(), labels) > 0.9999


def test_every_region_has_a_few_patches_at_most(body, labels):
    """One patch, or one per finger and a shell of its own for eyes and mouth."""
    from apu.body.region_islands import patches

    patch = patches(labels, body.asset.faces.numpy())
    for region, name in enumerate(REGION_NAMES):
        count = len(np.unique(patch[labels == region]))
        allowed = 7 if "fingers" in name else 12 if "head" in name else 2
        assert count <= allowed, name


def test_left_and_right_are_mirror_images(adult, labels):
    from scipy.spatial import cKDTree

    distance, partner = cKDTree(adult.vertices).query(adult.vertices * [-1, 1, 1])
    assert distance.max() < 1e-4
    image = np.array([REGION_NAMES.index(mirrored(name)) for name in REGION_NAMES])
    agree = image[labels[partner]] == labels
    off_midline = np.abs(adult.vertices[:, 0]) > 1e-3  # the midline itself must be on some side
    assert adult.area[agree].sum() / adult.area.sum() > 0.98
    assert adult.area[agree & off_midline].sum() / adult.area[off_midline].sum() > 0.999


def test_left_regions_are_on_the_persons_left(adult, labels):
    for region, name in enumerate(REGION_NAMES):
        x = float(adult.vertices[labels == region, 0].mean())
        if name.startswith("left_"):
            assert x > 0, name
        elif name.startswith("right_"):
            assert x < 0, name
        else:
            assert abs(x) < 0.01, name


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("part", [r.removesuffix("_front") for r in SIDED_REGIONS if r.endswith("_front")])
def test_front_regions_face_forwards_and_back_regions_backwards(adult, labels, side, part):
    front, back = (mean_normal(adult, labels, f"{side}_{part}_{aspect}") for aspect in ("front", "back"))
    assert front @ -BACK > 0.5
    assert back @ BACK > 0.45
    assert front @ back < 0.35


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("region", "direction"),
    [
        *[(name, -BACK) for name in ("upper_chest", "lower_chest", "upper_belly", "lower_belly")],
        *[(name, BACK) for name in ("shoulder_blade", "upper_back", "middle_back", "lower_back", "buttock")],
        ("foot_sole", DOWN),
        ("foot_top", -DOWN),
    ],
)
def test_trunk_and_feet_face_where_their_names_say(adult, labels, side, region, direction):
    assert mean_normal(adult, labels, f"{side}_{region}") @ direction > 0.6


def test_the_bands_of_trunk_and_limbs_lie_in_order(adult, labels):
    for chain in (
        ("head_front", "neck_front", "upper_chest", "lower_chest", "upper_belly", "lower_belly", "upper_thigh_front",
         "lower_thigh_front", "knee_front", "upper_calf_front", "lower_calf_front", "foot_sole"),
        ("head_back", "neck_back", "shoulder_blade", "upper_back", "middle_back", "lower_back", "buttock",
         "upper_thigh_back", "lower_thigh_back", "knee_back", "upper_calf_back", "lower_calf_back", "foot_sole"),
        ("shoulder_front", "upper_arm_front", "elbow_front", "forearm_front", "hand_palm", "fingers_palm"),
        ("shoulder_back", "upper_arm_back", "elbow_back", "forearm_back", "hand_back", "fingers_back"),
    ):  # fmt: skip
        heights = [adult.vertices[labels == REGION_NAMES.index(f"left_{name}"), 1].mean() for name in chain]
        assert heights == sorted(heights), chain


# ---- hands: the first version had palm and back changed


@pytest.mark.parametrize("side", ["left", "right"])
def test_palm_and_back_of_the_hand_are_opposite(adult, labels, side):
    for part in ("hand", "fingers"):
        palm, back = (mean_normal(adult, labels, f"{side}_{part}_{aspect}") for aspect in ("palm", "back"))
        assert palm @ back < -0.85
    hand, fingers = (mean_normal(adult, labels, f"{side}_{part}_palm") for part in ("hand", "fingers"))
    assert hand @ fingers > 0.8


@pytest.mark.parametrize("side", ["left", "right"])
def test_fingers_curl_towards_the_palm(adult, labels, side):
    """The fingers of a resting hand are a little bent; where they bend to is the palm, whatever the labels say."""
    palm = mean_normal(adult, labels, f"{side}_hand_palm")
    at = dict(zip(adult.joint_names, adult.joint_positions, strict=True))
    suffix = side[0].upper()
    for finger in (2, 3, 4, 5):
        first, second, third = (at[f"finger{finger}-{i}.{suffix}"] for i in (1, 2, 3))
        near, far = second - first, third - second
        curl = far / np.linalg.norm(far) - near / np.linalg.norm(near)
        assert curl @ palm > 0.05


@pytest.mark.parametrize("side", ["left", "right"])
def test_palms_of_hanging_arms_face_the_thighs(adult, labels, side):
    assert mean_normal(adult, labels, f"{side}_hand_palm") @ LEFT * (-1 if side == "left" else 1) > 0.4


# ---- on other bodies; see benchmarks/regions.py for numbers and for Anny's other rigs


@pytest.mark.parametrize(
    ("numbers", "least"),
    [
        ({"age": 0.0}, 0.86),
        ({"age": 0.244}, 0.90),
        ({"age": 0.5}, 0.94),
        ({"age": 1.0}, 0.93),
        ({"weight": 0.97}, 0.97),
        ({"weight": 0.03}, 0.96),
        ({"gender": 0.97}, 0.91),
        ({"gender": 0.03}, 0.91),
        ({"height": 0.97}, 0.91),
    ],
    ids=lambda value: "_".join(f"{k}_{v}" for k, v in value.items()) if isinstance(value, dict) else str(value),
)
def test_bodies_of_all_ages_and_builds_get_nearly_the_same_labels(rest_of, adult, labels, numbers, least):
    other = rest_of(**numbers).labels()
    assert set(other.tolist()) == set(range(75))
    assert adult.agreement(other, labels) > least


@pytest.mark.parametrize("abduction", [-0.45, 0.9])
def test_arms_may_hang_or_be_spread(rest_of, adult, labels, abduction):
    arms = {f"{side}_shoulder_abduction": abduction for side in ("left", "right")}
    assert adult.agreement(rest_of(**arms).labels(), labels) > 0.99


@pytest.mark.parametrize("seed", range(3))
def test_any_right_handed_frame_and_any_unit_give_the_same_labels(adult, labels, seed):
    random = np.random.default_rng(seed)
    turn = roma.random_rotmat(generator=torch.Generator().manual_seed(seed)).double().numpy()
    scale, shift = random.uniform(0.01, 100.0), random.normal(size=3) * 10
    other = replace(
        adult,
        vertices=adult.vertices @ turn.T * scale + shift,
        joint_positions=adult.joint_positions @ turn.T * scale + shift,
    )
    assert adult.agreement(other.labels(), labels) > 0.999


def test_a_mirrored_body_has_the_mirrored_labels(rest_of, adult, labels):
    """A mirror turns left into right: faces are wound the other way, and the bones change their names."""
    swap = str.maketrans({"L": "R", "R": "L"})
    mirror = np.array([-1.0, 1.0, 1.0])
    other = replace(
        adult,
        vertices=adult.vertices * mirror,
        faces=np.ascontiguousarray(adult.faces[:, ::-1]),
        joint_names=[name[:-1] + name[-1].translate(swap) if name[-2] == "." else name for name in adult.joint_names],
        joint_positions=adult.joint_positions * mirror,
    )
    image = np.array([REGION_NAMES.index(mirrored(name)) for name in REGION_NAMES])
    assert adult.agreement(image[other.labels()], labels) > 0.98


# ---- on other rigs: Anny's bones under the names of common ones, merged where those have fewer

LIMB_BONES = (
    "pelvis", "upperleg01", "upperleg02", "lowerleg01", "lowerleg02", "foot",
    "clavicle", "shoulder01", "upperarm01", "upperarm02", "lowerarm01", "lowerarm02", "wrist",
)  # fmt: skip
LIMBS = {
    "smplx": ("pelvis", "{s}_hip", "{s}_hip", "{s}_knee", "{s}_knee", "{s}_ankle",
              "{s}_collar", "{s}_collar", "{s}_shoulder", "{s}_shoulder", "{s}_elbow", "{s}_elbow", "{s}_wrist"),
    "mixamo": ("Hips", "{S}UpLeg", "{S}UpLeg", "{S}Leg", "{S}Leg", "{S}Foot",
               "{S}Shoulder", "{S}Shoulder", "{S}Arm", "{S}Arm", "{S}ForeArm", "{S}ForeArm", "{S}Hand"),
    "unreal": ("pelvis", "thigh_{l}", "thigh_twist_01_{l}", "calf_{l}", "calf_twist_01_{l}", "foot_{l}",
               "clavicle_{l}", "clavicle_{l}", "upperarm_{l}", "upperarm_twist_01_{l}", "lowerarm_{l}",
               "lowerarm_twist_01_{l}", "hand_{l}"),
}  # fmt: skip
TRUNKS = {
    "smplx": ("pelvis", "spine1", "spine1", "spine2", "spine2", "spine3", "neck", "neck", "neck", "head"),
    "mixamo": ("Hips", "Spine", "Spine", "Spine1", "Spine1", "Spine2", "Neck", "Neck", "Neck", "Head"),
    "unreal": ("pelvis", "spine_01", "spine_01", "spine_02", "spine_02", "spine_03", "neck_01", "neck_01", "neck_01",
               "head"),
}  # fmt: skip
FINGERS = {
    "smplx": "{s}_{finger}{joint}",
    "mixamo": "{S}Hand{Finger}{joint}",
    "unreal": "{finger}_0{joint}_{l}",
    "none": None,
}
TRUNK_BONES = ("root", "spine05", "spine04", "spine03", "spine02", "spine01", "neck01", "neck02", "neck03", "head")
FINGER_NAMES = ("thumb", "index", "middle", "ring", "pinky")


def renamed(rig: str, bone: str, with_fingers: bool) -> str:
    prefix = "mixamorig:" if rig == "mixamo" else ""
    if bone in TRUNK_BONES:
        return prefix + TRUNKS[rig][TRUNK_BONES.index(bone)]
    bare, _, side = bone.partition(".")
    words = {"s": {"L": "left", "R": "right"}[side], "S": {"L": "Left", "R": "Right"}[side], "l": side.lower()}
    if bare.startswith("finger") and with_fingers:
        finger = FINGER_NAMES[int(bare[6]) - 1]
        return prefix + FINGERS[rig].format(**words, finger=finger, Finger=finger.title(), joint=bare[-1])
    if bare.startswith(("finger", "metacarpal")):
        bare = "wrist"
    return prefix + LIMBS[rig][LIMB_BONES.index(bare)].format(**words)


def merged(rest: Rest, rig: str, with_fingers: bool) -> Rest:
    """The same body on a rig with other names: a merged bone is where its first part is, and has all their weight."""
    new = [renamed(rig, bone, with_fingers) for bone in rest.joint_names]
    names = list(dict.fromkeys(new))
    place = np.array([names.index(name) for name in new])
    first = [new.index(name) for name in names]
    weights = np.zeros((len(rest.vertices), len(names)))
    np.add.at(weights.T, place, rest.weights.T)

    def parent(bone: int) -> int:
        above = rest.parents[bone]
        while above >= 0 and place[above] == place[bone]:
            above = rest.parents[above]
        return -1 if above < 0 else int(place[above])

    return replace(
        rest,
        weights=weights,
        joint_names=names,
        parents=[parent(bone) for bone in first],
        joint_positions=rest.joint_positions[first],
    )


@pytest.mark.parametrize("rig", LIMBS)
def test_other_rigs_names_give_nearly_the_same_labels(adult, labels, rig):
    assert adult.agreement(merged(adult, rig, with_fingers=True).labels(), labels) > 0.97


def test_a_rig_without_finger_bones_still_has_palms_and_fingers(adult, labels):
    found = merged(adult, "smplx", with_fingers=False).labels()
    assert set(found.tolist()) == set(range(75))
    assert adult.agreement(found, labels) > 0.93


def test_bones_may_come_in_any_order(adult, labels):
    order = np.random.default_rng(0).permutation(len(adult.joint_names))
    place = np.argsort(order)
    other = replace(
        adult,
        weights=adult.weights[:, order],
        joint_names=[adult.joint_names[i] for i in order],
        parents=[-1 if adult.parents[i] < 0 else int(place[adult.parents[i]]) for i in order],
        joint_positions=adult.joint_positions[order],
    )
    assert adult.agreement(other.labels(), labels) > 0.9999


# ---- what cannot be labelled


def test_a_skeleton_without_legs_is_refused_and_the_missing_bone_named(adult):
    names = [name.replace("upperleg", "tentacle").replace("lowerleg", "tentacle") for name in adult.joint_names]
    with pytest.raises(InputError) as caught:
        replace(adult, joint_names=names).labels()
    assert "left thigh" in str(caught.value)


def test_joints_at_one_place_are_refused(adult):
    with pytest.raises(InputError, match="no direction"):
        replace(adult, joint_positions=np.zeros_like(adult.joint_positions)).labels()


def test_parents_of_another_rig_are_refused(adult):
    with pytest.raises(InputError) as caught:
        replace(adult, parents=adult.parents[:-1]).labels()
    assert "parents" in str(caught.value)
    assert "shape (74,)" in str(caught.value)
    assert "shape (73,)" in str(caught.value)
