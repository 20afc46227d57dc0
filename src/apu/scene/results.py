"""What a user may ask of one photo, and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from apu.body.load import BodyKind
from apu.errors import InputError
from apu.scene.annotation import AnswerRecord
from apu.scene.pair import AgeGroup, Fit, PairObservation
from apu.scene.person import Box, Person
from apu.scene.photo import Photo

Pair = tuple[int, int]
"""Numbers of A and B in the photo."""

Detector = Literal["movenet", "vitpose", "rtmpose", "rtmo"]
"""Who finds the people of a photo: the embedded detector, or an optional one (`apu.pose.optional_detectors`)."""


@dataclass(frozen=True)
class FitOptions:
    """What a user may ask of a fit.

    Attributes:
        pairs: the pairs to fit; when empty, the annotated ones, else the closest one.
        all_pairs: every pair that may touch.
        keypoints: files that replace the detector, the preferred one first.
        detector: who finds the people, where no file does.
        detector_weights: file or folder of the detector's weights; its own source when left out.
        contacts: file that replaces the annotator, for the pairs that it has.
        annotator: language model that says what touches, e.g. `openai:NAME` (`apu.ask.model_name`); `proximity` guesses
            when left out.
        samples: answers of that model about each pair, asked for in different forms; they vote.
        person_boxes: where people are that the detector is to look for, x0, y0, x1, y1 in pixels.
        person_keypoints: (person's number, keypoint file) that replaces one person's keypoints.
        init: file with initial estimates of the bodies, or a folder of such files, one per person.
        body: the body model.
        body_file: the user's SMPL-X, its file or folder; see `apu.body.smplx_place` when left out.
        prior: folder of a contact prior for that body (`apu train`), which guides the fit; `shipped` for the one that
            comes with us, where there is one for the body; None for none.
        ages: of A and B, where known.
        shared_floor: both people of every pair have a foot on one level floor (`apu.unite.losses.shared_floor`).
        seed: of all random numbers.
    """

    pairs: tuple[Pair, ...] = ()
    all_pairs: bool = False
    keypoints: tuple[Path, ...] = ()
    detector: Detector = "movenet"
    detector_weights: Path | None = None
    contacts: Path | None = None
    annotator: str | None = None
    samples: int = 1
    person_boxes: tuple[Box, ...] = ()
    person_keypoints: tuple[tuple[int, Path], ...] = ()
    init: Path | None = None
    body: BodyKind = "anny"
    body_file: Path | None = None
    prior: Path | Literal["shipped"] | None = "shipped"
    ages: tuple[AgeGroup, AgeGroup] = ("unknown", "unknown")
    shared_floor: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.keypoints, tuple):
            raise InputError(
                "Keypoint files are given as a tuple.",
                where="FitOptions.keypoints",
                expected="paths, the preferred file first; () for none",
                got=repr(self.keypoints),
                remedy='write FitOptions(keypoints=(Path("photo_keypoints.json"),)).',
            )


@dataclass(frozen=True)
class PairResult:
    """One pair, its two bodies, and the answer of the language model that was asked, if one was."""

    observation: PairObservation
    fit: Fit
    answer: AnswerRecord | None = None

    @property
    def indices(self) -> Pair:
        """Numbers of A and B in the photo."""
        return self.observation.indices


@dataclass(frozen=True)
class PhotoResult:
    """All that came out of one photo.

    Attributes:
        photo: as it was read.
        people: all that were found in it.
        candidates: pairs that may touch, the closest first.
        pairs: the fitted ones.
        failures: the pairs that failed, and why.
        seconds: step -> wall time.
        notes: what the user should know of how it was done, e.g. that a model was missing.
        versions: of what it was made with beside body and libraries, e.g. the digest of the prior.
    """

    photo: Photo
    people: tuple[Person, ...]
    candidates: tuple[Pair, ...]
    pairs: tuple[PairResult, ...]
    failures: tuple[tuple[Pair, str], ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
