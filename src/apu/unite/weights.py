"""Every number the objective is made of. Units: metres, radians; keypoint errors in box diagonals.

A term of the form 1/2 (x / sigma)^2 is the negative logarithm of a Gaussian, so the weights can be read as beliefs.
The values are ours, not the paper's, which gives none: hand-set on two photos, then changed where synthetic validation
pairs (docs/synthetic.md) said so.
"""

from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True)
class KeypointWeights:
    """2D evidence.

    Attributes:
        sigma: noise of a keypoint of confidence 1, box diagonals.
        robust: errors well beyond this stop pulling (Geman-McClure scale), box diagonals.
        min_confidence: keypoints below are ignored.
        sure_confidence: keypoints above are trusted fully; detectors' confidences of good keypoints differ.
        joint: factors for joints whose definition differs between detectors and bodies.
    """

    sigma: float = 0.0158
    robust: float = 0.15
    min_confidence: float = 0.2
    sure_confidence: float = 0.7
    joint: dict[str, float] = field(
        default_factory=lambda: {
            "nose": 1.0, "left_eye": 0.5, "right_eye": 0.5, "left_ear": 0.5, "right_ear": 0.5,
            "left_hip": 0.6, "right_hip": 0.6, "neck": 0.0, "mid_hip": 0.0,
            "left_big_toe": 0.4, "right_big_toe": 0.4, "left_small_toe": 0.3, "right_small_toe": 0.3,
            "left_heel": 0.4, "right_heel": 0.4,
        }
    )  # fmt: skip


@dataclass(frozen=True)
class PriorWeights:
    """What a body is before it is seen.

    Attributes:
        pose: factor on 1/2 ((angle - start) / scale)^2.
        density: factor on the log density of the pose in motion capture, for people without an estimate
            (`apu.unite.usual_pose`).
        bound_sigma: how far an angle may leave its anatomical bounds, radians.
        lean_sigma: forward or backward lean of the whole body against the image's vertical, radians.
        tilt_sigma: sideways lean, radians; the image shows it, so it is hardly held.
        shape: factor on 1/2 ((logit - start) / scale)^2.
        hint_sigma_m: error of a guessed joint depth relative to the hips; larger than one joint alone would have,
            because the errors of all joints of a guess hang together.
        hint_robust_m: guesses that are off by much more stop pulling.
        depth_robust_m: estimated depths that are off by much more stop pulling.
        gap_sigma_m: distance in depth between the roots of two people who touch.
        gap_error_m: error of that distance where other programs have estimated both people; it is known better than
            either depth, because errors of the scale are common to both.
        gap_robust_m: gaps that are off by much more stop pulling.
        capsule_sigma_m: overlap of the capsules around two people's bones.
        self_sigma_m: overlap of the capsules around a person's own forearms and trunk (`apu.unite.self_overlap`);
            infinite leaves the term out.
        floor_sigma_m: height of the lowest foot of the one above that of the other, where both are said to stand on one
            floor; covers a camera that looks up or down, keypoint noise and a lifted heel.
        floor_robust_m: feet that are farther apart than that by much stop pulling.
        near_m: joints nearer to the camera than this are pushed away.
        near_sigma_m: how hard.
    """

    pose: float = 1.0
    density: float = 0.05
    bound_sigma: float = 0.09
    lean_sigma: float = 0.15
    tilt_sigma: float = 0.6
    shape: float = 1.0
    hint_sigma_m: float = 0.35
    hint_robust_m: float = 0.4
    depth_robust_m: float = 0.6
    gap_sigma_m: float = 0.4
    gap_error_m: float = 0.2
    gap_robust_m: float = 0.6
    capsule_sigma_m: float = 0.02
    self_sigma_m: float = 0.02
    floor_sigma_m: float = 0.05
    floor_robust_m: float = 0.2
    near_m: float = 0.6
    near_sigma_m: float = 0.1


@dataclass(frozen=True)
class FirstFitWeights:
    """Stage 0.

    Attributes:
        steps: most Levenberg-Marquardt steps, without shape and again with it.
        starts_of_each_kind: starts of each posture and age of a person that are kept after the steps without shape.
        hypotheses: pair hypotheses that live on to the contact stage.
    """

    steps: int = 15
    starts_of_each_kind: int = 1
    hypotheses: int = 4


class Reach(NamedTuple):
    """Geman-McClure scales of contact distances: a contact farther than this hardly pulls any more.

    Attributes:
        certain_m: of contacts whose source is not doubted.
        doubtful_m: of all others. Long while hypotheses compete, where a far contact may be the one that knows the
            depth; short at the end: what still lies far away when the bodies touch elsewhere is most often wrong.
    """

    certain_m: float
    doubtful_m: float


@dataclass(frozen=True)
class StageWeights:
    """One mesh stage. Pairs of numbers are annealed from the first to the second over the first 75 % of the steps.

    Attributes:
        steps: most iterations.
        rate: step size of Adam, radians, metres and logits alike.
        tolerance: the stage ends when the objective has fallen by less than this share over `window` steps.
        window: see `tolerance`.
        contact: factor on the soft contact loss, 1 / m^2.
        contact_tau_m: temperature of the soft minimum.
        contact_reach_m, doubtful_reach_m: both parts of `Reach`.
        penetration: factor on the integral of squared depth over the sunken skin, 1 / cm^4. It starts low: deep
            overlaps after the contact stage would otherwise throw the bodies apart.
        place_rate: factor on the step of the place (x / z, y / z, log z). A step of the whole rate is 5 cm at 3 m; when
            penetration sets in, bodies fly apart at such steps and do not come back.
        frozen: parameters that the stage leaves as they are, e.g. `orientation`, which BUDDI never optimises.
    """

    steps: int
    rate: float
    tolerance: float
    window: int
    contact: tuple[float, float]
    contact_tau_m: tuple[float, float]
    contact_reach_m: tuple[float, float]
    doubtful_reach_m: tuple[float, float]
    penetration: tuple[float, float] = (0.0, 0.0)
    place_rate: float = 1.0
    frozen: tuple[str, ...] = ()


CONTACT_STAGE = StageWeights(
    steps=60,
    rate=0.03,
    tolerance=2e-3,
    window=20,
    contact=(100.0, 400.0),
    contact_tau_m=(0.05, 0.01),
    contact_reach_m=(0.6, 0.2),
    doubtful_reach_m=(0.6, 0.4),
)
PENETRATION_STAGE = StageWeights(
    steps=110,
    rate=0.015,
    tolerance=1e-3,
    window=20,
    contact=(400.0, 20000.0),
    contact_tau_m=(0.01, 0.005),
    contact_reach_m=(0.2, 0.1),
    doubtful_reach_m=(0.1, 0.03),
    penetration=(0.0005, 0.1),
    place_rate=0.25,
    frozen=("shape",),
)


@dataclass(frozen=True)
class GuidanceWeights:
    """How a learned prior is heard, where there is one. Chosen on validation pairs (docs/prior.md).

    At little noise a prior sees where the bodies are, and leaves them there. How far apart in depth two people stand is
    what keypoints do not tell, so the noise is large: the answer then follows from the estimates and the line of sight.

    Attributes:
        factor: on its loss, which is a negative logarithm in the same units as the other terms.
        contact_times, penetration_times: noise of its target at the first step of each stage, and when the stage
            settles; in steps of the prior's schedule.
        refresh: steps after which a target is renewed.
        penetration: factor on the penetration term of pairs without told contacts: bodies which a prior has put where
            they touch press on each other. Beside contacts that term has its weight already.
        start_steps: sampler steps of the pair that replaces the start of the contact stage; 0 starts from the first
            fit's hypotheses.
    """

    factor: float = 1.0
    contact_times: tuple[int, int] = (800, 700)
    penetration_times: tuple[int, int] = (600, 500)
    refresh: int = 50
    penetration: float = 3.0
    start_steps: int = 0


@dataclass(frozen=True)
class UniteWeights:
    """All stages of a fit.

    Attributes:
        keypoints, priors, first: of the single-person terms and the first fit.
        contact, penetration: of the two mesh stages.
        finalists: hypotheses of a pair that see the last stage, at most, where contacts are told.
        finalist_margin: by how much they may cost more than the cheapest after the contact stage.
        across_sigma_m: how far apart the regions of a right contact may seem in the picture (`apu.unite.plausible`).
        guidance: of a learned prior; without one it does nothing.
    """

    keypoints: KeypointWeights = field(default_factory=KeypointWeights)
    priors: PriorWeights = field(default_factory=PriorWeights)
    first: FirstFitWeights = field(default_factory=FirstFitWeights)
    contact: StageWeights = CONTACT_STAGE
    penetration: StageWeights = PENETRATION_STAGE
    finalists: int = 2
    finalist_margin: float = 5.0
    across_sigma_m: float = 0.06
    guidance: GuidanceWeights = field(default_factory=GuidanceWeights)
