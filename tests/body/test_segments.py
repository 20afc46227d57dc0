"""Bones are understood from their names and their place in the tree, in the common rigs."""

import pytest

from apu.body.segments import read_bones


def chain(*names: str) -> tuple[list[str], list[int]]:
    """Each bone hangs on the one before it."""
    return list(names), list(range(-1, len(names) - 1))


@pytest.mark.parametrize(
    ("names", "segments"),
    [
        # SMPL: a sided hip is the thigh, a shoulder the upper arm
        (("pelvis", "left_hip", "left_knee", "left_ankle", "left_foot"), "torso thigh shank foot foot"),
        (("spine3", "left_collar", "left_shoulder", "left_elbow", "left_wrist", "left_hand"),
         "torso torso upper_arm forearm hand hand"),
        # Mixamo: Leg is the shank, Shoulder the collar bone
        (("mixamorig:Hips", "mixamorig:LeftUpLeg", "mixamorig:LeftLeg", "mixamorig:LeftFoot", "mixamorig:LeftToeBase"),
         "torso thigh shank foot foot"),
        (("mixamorig:Spine2", "mixamorig:LeftShoulder", "mixamorig:LeftArm", "mixamorig:LeftForeArm",
          "mixamorig:LeftHand", "mixamorig:LeftHandThumb1"), "torso torso upper_arm forearm hand finger"),
        # SOMA: Leg is the thigh, Shin the shank
        (("Hips", "LeftLeg", "LeftShin", "LeftFoot"), "torso thigh shank foot"),
        # CMU: a sided hip joint on which the thigh hangs is the pelvis
        (("Hips", "LHipJoint", "LeftUpLeg", "LeftLeg", "LeftFoot"), "torso torso thigh shank foot"),
        # Unreal: twist bones belong to their limb; `ball` is a toe
        (("pelvis", "thigh_l", "calf_l", "foot_l", "ball_l"), "torso thigh shank foot foot"),
        (("clavicle_l", "upperarm_l", "upperarm_twist_01_l"), "torso upper_arm upper_arm"),
        # Anny
        (("root", "pelvis.L", "upperleg01.L", "upperleg02.L", "lowerleg01.L", "foot.L"),
         "torso torso thigh thigh shank foot"),
        (("wrist.L", "metacarpal1.L", "finger2-1.L"), "hand hand finger"),
        # what hangs on a head belongs to it, whatever it is called; a middle spine is no finger
        (("neck", "head", "jaw", "left_eye"), "neck head head head"),
        (("spine", "middle_spine"), "torso torso"),
    ],
)  # fmt: skip
def test_common_rigs_are_understood(names, segments):
    assert read_bones(*chain(*names)).segments == tuple(segments.split())


@pytest.mark.parametrize(
    ("name", "side"),
    [("left_hip", "left"), ("mixamorig:RightArm", "right"), ("LHipJoint", "left"), ("thigh_r", "right"),
     ("upperarm01.L", "left"), ("Hips", None), ("root", None), ("RightHandRing1", "right"), ("spine_03", None)],
)  # fmt: skip
def test_sides_are_read_from_names(name, side):
    assert read_bones([name], [-1]).sides == (side,)


def test_a_nameless_child_has_its_parents_side_and_segment():
    bones = read_bones(["thigh_l", "bone_17"], [-1, 0])
    assert bones.segments == ("thigh", "thigh")
    assert bones.sides == ("left", "left")


def test_children_may_come_before_their_parents():
    bones = read_bones(["left_foot", "left_ankle", "left_knee", "left_hip", "pelvis"], [1, 2, 3, 4, -1])
    assert bones.segments == ("foot", "foot", "shank", "thigh", "torso")


def test_fingers_are_ranked_from_the_thumb():
    names = ["hand_l", "thumb_01_l", "index_01_l", "middle_01_l", "ring_01_l", "pinky_01_l"]
    bones = read_bones(names, [-1, 0, 0, 0, 0, 0])
    assert [bones.finger_rank(i) for i in range(6)] == [None, 0, 1, 2, 3, 4]
    assert bones.chain_starts("finger", "left") == [1, 2, 3, 4, 5]
