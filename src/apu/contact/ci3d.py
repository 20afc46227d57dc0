"""The 75 region numbers of FlickrCI3D and CHI3D, in our region names.

Nobody has published names for these numbers. The descriptions below are those of ProsePose's scripts, put into our
words; reading each of them as a *set* of our regions is our own judgement:

- Where two numbers have the same description (two `fingers` a hand, two `upper back` a side, two fronts of the right
  upper thigh), and where descriptions overlap (`shin` and `lower leg`), it is not known which of them is which, so each
  stands for all that they can mean. Where a surface has one number, `foot`, it stands for top and sole.
- `left elbow front` (34) is called "back" there. But 11 is the back of that elbow already, and the right elbow has a
  front (44), so we read it as the front.
- `hand` (17, 27) is what palms and fingers (with numbers of their own) leave: the back of the hand.

The reading is symmetric under a mirror, but for the front of the thigh: on the left, ProsePose has one `upper` (45) and
one `lower` (20); on the right, two `upper` (19, 46). A user's official region file would decide all of this.
"""

from apu.body.region_names import CENTRAL_REGIONS
from apu.errors import InputError

CI3D_NAMES: tuple[str, ...] = (
    "left upper belly", "left foot", "left shoulder back", "left fingers", "right upper belly",  # 0
    "left forearm front", "right upper arm back", "right upper chest", "right forearm back", "right buttock",  # 5
    "right lower back", "left elbow back", "right knee back", "right middle back", "left neck back",  # 10
    "left upper thigh back", "right knee front", "left hand", "right lower leg back", "right upper thigh front",  # 15
    "left lower thigh front", "left lower leg back", "right shin front", "right palm", "right elbow back",  # 20
    "left shin front", "right fingers", "right hand", "right lower thigh back", "right shoulder back",  # 25
    "left knee back", "right shoulder front", "right forearm front", "left fingers", "left elbow front",  # 30
    "left middle back", "right shin back", "right upper arm front", "right upper back", "left head back",  # 35
    "right fingers", "left upper back", "right foot", "right neck back", "right elbow front",  # 40
    "left upper thigh front", "right upper thigh front", "right neck front", "left lower back", "left upper arm front",
    "pelvis front", "right head front", "right head back", "left lower thigh back", "left neck front",  # 50
    "right upper thigh back", "left shin back", "left upper arm back", "right lower chest", "left upper chest",  # 55
    "left lower leg front", "left lower chest", "right lower leg front", "right upper back", "left knee front",  # 60
    "right foot", "left head front", "left foot", "right lower belly", "left forearm back",  # 65
    "left upper back", "left buttock", "left palm", "left shoulder front", "left lower belly",  # 70
)  # fmt: skip
"""Description of each number."""

_SURFACES: dict[str, tuple[str, ...]] = {
    "fingers": ("fingers_palm", "fingers_back"),
    "palm": ("hand_palm",),
    "hand": ("hand_back",),
    "upper back": ("shoulder_blade", "upper_back"),
    "lower leg front": ("upper_calf_front", "lower_calf_front"),
    "shin front": ("upper_calf_front", "lower_calf_front"),
    "lower leg back": ("upper_calf_back", "lower_calf_back"),
    "shin back": ("upper_calf_back", "lower_calf_back"),
    "foot": ("foot_top", "foot_sole"),
    "right upper thigh front": ("upper_thigh_front", "lower_thigh_front"),
}
"""What is not simply a region of ours, by description, with side or without."""


def ci3d_regions(number: int) -> frozenset[str]:
    """Our regions for a region number of FlickrCI3D.

    Args:
        number: 0 to 74.

    Raises:
        InputError: there is no such region.
    """
    name = CI3D_NAMES[_checked(number)]
    if name.replace(" ", "_") in CENTRAL_REGIONS:
        return frozenset({name.replace(" ", "_")})
    side, _, rest = name.partition(" ")
    surfaces = _SURFACES.get(name) or _SURFACES.get(rest) or (rest.replace(" ", "_"),)
    return frozenset(f"{side}_{surface}" for surface in surfaces)


def ci3d_label(number: int) -> str:
    """Short description for people to read, e.g. `CI3D 23 right palm`. Raises InputError as `ci3d_regions`."""
    return f"CI3D {number} {CI3D_NAMES[_checked(number)]}"


def _checked(number: int) -> int:
    if not 0 <= number < len(CI3D_NAMES):
        raise InputError(
            "There is no such FlickrCI3D region.",
            expected=f"a number from 0 to {len(CI3D_NAMES) - 1}",
            got=number,
            remedy="check that the annotation is in the 75-region numbering.",
        )
    return number
