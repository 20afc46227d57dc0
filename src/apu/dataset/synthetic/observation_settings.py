"""What stands between the true bodies of the synthetic world and what a program gets to see of them.

Hand-set numbers, not fitted to any real camera, detector, mesh estimator or language model. Every rate may be set to
0 by itself. Part by part, the random numbers are independent (`apu.dataset.synthetic.random_streams`).
"""

from dataclasses import dataclass, field
from typing import Literal

InitialFamily = Literal["bev", "second"]


@dataclass(frozen=True)
class CameraSettings:
    """Where the pair is looked at from.

    Defaults: 1000 x 1000 pixels, 60 degrees, from 2.5 to 5 m and 0.8 to 1.8 m high, one photo in ten cropped.

    Attributes:
        on: off means from the front, 3.5 m away, 1.3 m high, the pair in the middle of the picture.
        width, height: pixels.
        distance_m: smallest and largest distance at 60 degrees of a pair about as large as a standing adult; it grows
            with the pair and with the focal length, so that the pair is about as large in the picture.
        height_m: lowest and highest place of the camera above the floor.
        field_of_view_deg, field_of_view_spread_deg: mean and standard deviation over the longer side. Whoever fits
            knows the true focal length, as from a photo's EXIF.
        off_centre: standard deviation of the pair's place, as a share of the picture's size.
        cropped: share of the photos whose lower edge cuts the pair; they are taken from half as far.
        cut: smallest and largest share of the pair's height that a crop cuts off; at least 60 % of either person's
            height stay.
        least_unhidden: of a person's twelve limb joints in the picture, this share is not behind the other person.
        tries: turns about the vertical that are tried for it; after them the best one is taken.
    """

    on: bool = True
    width: int = 1000
    height: int = 1000
    distance_m: tuple[float, float] = (2.5, 5.0)
    height_m: tuple[float, float] = (0.8, 1.8)
    field_of_view_deg: float = 60.0
    field_of_view_spread_deg: float = 0.0
    off_centre: float = 0.08
    cropped: float = 0.10
    cut: tuple[float, float] = (0.20, 0.45)
    least_unhidden: float = 0.5
    tries: int = 16


@dataclass(frozen=True)
class KeypointSettings:
    """A detector of 2D joints. Triples: of joints that are seen, behind the own body, behind the other person.

    Defaults: 1.5 %, 3 %, 4.5 % of the keypoint box's diagonal (radial RMS); confidence 0.9, 0.65, 0.45; 5, 10, 35 % not
    found; 3 % of the limb pairs with left and right exchanged, 6 % when one of their joints is hidden by the own body;
    15 % of the joints behind the other person sit on a joint of that person's, where one of the same kind is near.

    Attributes:
        on: off means the true pixels with confidence 1.
        radial_rms: of the error, in diagonals of the person's box of joints in the picture.
        confidence, confidence_spread: mean and standard deviation.
        dropped: share of joints with confidence 0.
        swapped, swapped_hidden: share of the pairs of arms (elbow, wrist) and legs (knee to toes) whose left and right
            are exchanged, all joints of them; the second where one of these joints is hidden by the own body.
        stolen: share, see above; a stolen joint is as sure as one behind the own body.
        stolen_within: how near the other person's joint must be, in box diagonals.
        together: share of the error's variance that all joints of a face, and all of a foot, have in common.
    """

    on: bool = True
    radial_rms: tuple[float, float, float] = (0.015, 0.030, 0.045)
    confidence: tuple[float, float, float] = (0.90, 0.65, 0.45)
    confidence_spread: tuple[float, float, float] = (0.05, 0.12, 0.15)
    dropped: tuple[float, float, float] = (0.05, 0.10, 0.35)
    swapped: float = 0.03
    swapped_hidden: float = 0.06
    stolen: float = 0.15
    stolen_within: float = 0.15
    together: float = 0.7


@dataclass(frozen=True)
class InitialSettings:
    """A program that estimates meshes, such as BEV.

    Defaults of the first family, `bev`: per-person PA-MPJPE on J14 of 70 mm +- 15 mm (people below 1.5 m less, in
    proportion), orientation off by 12 +- 2.5 degrees, relative depth off by about 20 cm (18 cm, and what the other
    errors add), in 6 % of the pairs by 30 to 70 cm more; 10 % of the children taken for adults, 1 % of the adults for
    children. Pose and shape are drawn towards the mean, so the error is no mere noise around the truth. Who is taken
    for the other age group is so much farther or nearer as it takes to look as large as before.

    The `second` family is for tests of what depends on the first: heavy tails by limb, mirrored limbs, Student's t in
    depth, a common bias in scale, and no control of the PA-MPJPE, which is about 70 mm on average. Of the attributes
    below it reads `given` alone; its numbers stand in `apu.dataset.synthetic.second_family`.

    Attributes:
        given: whether the observation carries the estimates; they are made in any case.
        family: whose errors.
        pa_mpjpe_mm, pa_mpjpe_spread_mm: mean and standard deviation; a mean of 0 leaves the pose as it is.
        pull: smallest and largest weight of the mean pose against the random part of the error, which has about 0.35
            of the angles' typical deviations; both are scaled alike until the PA-MPJPE is met.
        orientation_deg, orientation_spread_deg: angle about a random axis.
        depth_m: standard deviation of the relative depth of A and B, apart from that of a wrong age.
        common_depth: standard deviation of a scale of both depths.
        gross: share of the pairs whose relative depth is off by `gross_m` more, either way.
        gross_m: smallest and largest such error.
        sideways_m: standard deviation across the line of sight at 3 m, in proportion elsewhere.
        shape: standard deviation of the shape's logits.
        shape_pull: share by which they are drawn to the default; age is not.
        child_as_adult, adult_as_child: shares of people taken for the other age group: farther or nearer, and larger
            or smaller.
    """

    given: bool = True
    family: InitialFamily = "bev"
    pa_mpjpe_mm: float = 70.0
    pa_mpjpe_spread_mm: float = 15.0
    pull: tuple[float, float] = (0.15, 0.35)
    orientation_deg: float = 12.0
    orientation_spread_deg: float = 2.5
    depth_m: float = 0.18
    common_depth: float = 0.04
    gross: float = 0.06
    gross_m: tuple[float, float] = (0.3, 0.7)
    sideways_m: float = 0.015
    shape: float = 0.2
    shape_pull: float = 0.3
    child_as_adult: float = 0.10
    adult_as_child: float = 0.01


@dataclass(frozen=True)
class AnswerSettings:
    """A vision-language model that is asked k times what touches what.

    Defaults: 35 % of the true contacts missed, 20 % of the answered ones invented; of contacts with a side at both
    ends, 30 % with both flipped and 10 % with one; of those with one side, 40 % flipped; 5 % of the answers with A and
    B exchanged; 15 % of the parts that have a wider word called by it; an error is common to all k answers with
    probability 0.6.

    Attributes:
        on: off means that every answer is the truth.
        model: name of the model. Different models draw independently.
        error_factor: factor on all rates of error: above 1 for a worse model. It does not touch `shared`.
        most: true contacts at most, the most extended ones.
        missed: share of the true contacts.
        invented: share of the answered contacts, in the long run.
        both_flipped, one_flipped: shares of the contacts with a side at both ends.
        sided_flipped: share of the contacts with a side at one end.
        swapped: share of the answers.
        wider: share of the ends.
        shared: probability that an item of error is the same in all answers.
    """

    on: bool = True
    model: str = "simulated"
    error_factor: float = 1.0
    most: int = 6
    missed: float = 0.35
    invented: float = 0.20
    both_flipped: float = 0.30
    one_flipped: float = 0.10
    sided_flipped: float = 0.40
    swapped: float = 0.05
    wider: float = 0.15
    shared: float = 0.6


@dataclass(frozen=True)
class ObservationSettings:
    """All of the observation. The defaults are the project's default noise."""

    camera: CameraSettings = field(default_factory=CameraSettings)
    keypoints: KeypointSettings = field(default_factory=KeypointSettings)
    initial: InitialSettings = field(default_factory=InitialSettings)
    answers: AnswerSettings = field(default_factory=AnswerSettings)
