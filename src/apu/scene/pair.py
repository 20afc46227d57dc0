"""Two people of one photo who are to be united: what is seen of them, and what comes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from apu.contact.contact import ContactMap
from apu.scene.camera import Camera
from apu.scene.estimate import InitialBody
from apu.scene.person import Person
from apu.scene.verdict import Verdict

AgeGroup = Literal["adult", "child", "unknown"]

Posture = Literal["standing", "sitting", "kneeling", "lying", "other", "unknown"]
"""How somebody holds the body, in an annotator's word."""


@dataclass(frozen=True)
class PairWords:
    """What an annotator says of the two people themselves. It is weighed against the keypoints, and rules nothing out.

    Attributes:
        ages, postures: of A and B.
    """

    ages: tuple[AgeGroup, AgeGroup] = ("unknown", "unknown")
    postures: tuple[Posture, Posture] = ("unknown", "unknown")


NO_WORDS = PairWords()


@dataclass(frozen=True)
class PairObservation:
    """What is known of a pair before it is united.

    Attributes:
        photo: the photo's name.
        camera: of the whole photo.
        people: A and B.
        ages: the user's word on their ages; the other age group is ruled out.
        initial: other programs' estimates of A and B; one more start each, not the last word.
        words: an annotator's; of a person whose age the user knows, its word on that is not heard.
        shared_floor: the user's word that both have a foot on one level floor, and that the camera does not roll.
    """

    photo: str
    camera: Camera
    people: tuple[Person, Person]
    ages: tuple[AgeGroup, AgeGroup] = ("unknown", "unknown")
    initial: tuple[InitialBody | None, InitialBody | None] = (None, None)
    words: PairWords = NO_WORDS
    shared_floor: bool = False

    @property
    def indices(self) -> tuple[int, int]:
        """Numbers of A and B in the photo."""
        a, b = self.people
        return a.index, b.index


@dataclass(frozen=True)
class StageRecord:
    """How one stage of the optimisation went.

    Attributes:
        name: e.g. `joints`, `contact`, `penetration`.
        iterations: steps taken.
        stop: why it ended, e.g. `converged`, `iteration limit`.
        seconds: wall time of the stage; shared by the pairs of a batch.
        terms: last value of every loss term, weighted.
    """

    name: str
    iterations: int
    stop: str
    seconds: float
    terms: Mapping[str, float]


@dataclass(frozen=True)
class ContactResult:
    """What became of one contact.

    Attributes:
        before_m, after_m: region distance (`apu.contact.distance`) at stage 0 and after the fit, metres.
        trust: share of its weight that the fit left it (`apu.unite.plausible`); 0 for one that was not used.
    """

    before_m: float
    after_m: float
    trust: float = 1.0


@dataclass(frozen=True)
class Fit:
    """Two bodies for one pair. All tensors in the camera frame, metres, person axis first.

    Attributes:
        body_model: name of the model the parameters belong to.
        parameters: name -> (2, size).
        vertices: (2, v, 3).
        joints: (2, 25, 3) BODY_25.
        first_vertices: (2, v, 3) after stage 0, before any contact was used.
        contacts: the map that was used.
        contact_results: one per contact.
        reprojection_percent: mean error over the keypoints with confidence > 0.3, per person, in percent of the
            keypoint box diagonal.
        penetration_max_m: deepest point of either body inside the other.
        penetration_volume_cm3: estimate of the volume that both fill (`apu.unite.penetration`).
        heights_m: standing heights.
        attributes: name -> values of A and B, e.g. `age` in (0, 1).
        hypothesis: which start was chosen, per person, and why.
        stages: one record per stage.
        verdict: whether the fit can be trusted; None until it is judged.
    """

    body_model: str
    parameters: Mapping[str, Float[Tensor, "2 size"]]
    vertices: Float[Tensor, "2 v 3"]
    joints: Float[Tensor, "2 25 3"]
    first_vertices: Float[Tensor, "2 v 3"]
    contacts: ContactMap
    contact_results: tuple[ContactResult, ...]
    reprojection_percent: tuple[float, float]
    penetration_max_m: float
    penetration_volume_cm3: float
    heights_m: tuple[float, float]
    attributes: Mapping[str, tuple[float, float]]
    hypothesis: Mapping[str, object]
    stages: tuple[StageRecord, ...] = field(default_factory=tuple)
    verdict: Verdict | None = None
