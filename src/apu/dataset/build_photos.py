"""Pseudo ground truth out of photos: each is one piece of work, and the pipeline does it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from apu import pipeline
from apu.ask.annotator import Annotator
from apu.ask.lvlm import lvlm_annotator
from apu.body.anny import AnnyBody
from apu.body.protocol import BodyModel
from apu.cache import sha256_file
from apu.dataset.build import FAILED, Built, Entry
from apu.dataset.build_record import Acceptance, Origin, fitted_records
from apu.errors import ApuError, ModelFileError, OutputError
from apu.scene.results import FitOptions, PairResult
from apu.scene.true_pair import Split

KIND = "photo"
UNANSWERED = "no answer"


class BuildStopped(ApuError):
    """The annotator can be asked no more."""

    stops_run = True


@dataclass(frozen=True)
class PhotoPiece:
    """One photo.

    Attributes:
        photo: the file; it counts by its bytes.
        name: of the file, by which contact and keypoint files know it.
        options: of the fit; files in it count by their bytes.
        split: of its pairs.
        acceptance: which fits are taken.
    """

    photo: Path
    name: str
    options: FitOptions
    split: Split = "train"
    acceptance: Acceptance = field(default_factory=Acceptance)

    def lost(self, reason: str) -> tuple[Entry, ...]:
        """See `apu.dataset.build.Piece`."""
        return (Entry(self.name, why=FAILED, detail=reason),)


@dataclass(frozen=True)
class AskedHow:
    """How the annotator of the options is asked, by each process.

    Attributes:
        store: file of all answers; None for the one in the cache folder.
        budget_usd: what a process may spend; None for no limit.
        allow_http: let pictures go to another machine unencrypted.
    """

    store: Path | None = None
    budget_usd: float | None = None
    allow_http: bool = False


@dataclass(frozen=True)
class PhotoBuild:
    """Does one photo; picklable.

    Attributes:
        versions: that the records name.
        asked_how: where there is an annotator.
    """

    versions: tuple[tuple[str, str], ...]
    asked_how: AskedHow = AskedHow()

    def __call__(self, piece: PhotoPiece) -> Built:
        """Fit the photo's pairs; whatever is wrong with it is its own affair."""
        name = piece.options.annotator
        annotator = None if name is None else _annotator(name, piece.options.samples, self.asked_how)
        try:
            result = pipeline.fit(piece.photo, piece.options, annotator=annotator)
        except (ModelFileError, OutputError):
            raise
        except (ApuError, RuntimeError, ArithmeticError, ValueError) as error:
            if isinstance(error, ApuError) and error.stops_run:
                raise BuildStopped(f"The run has stopped: {error}") from None  # travels between processes
            return Built((), piece.lost(str(error) or type(error).__name__))
        sha256 = sha256_file(piece.photo)
        lost = [Entry(_id(sha256, pair), why=FAILED, detail=why) for pair, why in result.failures]
        silent = [pair for pair in result.pairs if pair.answer is not None and pair.answer.status != "answered"]
        lost += [Entry(_id(sha256, p.indices), why=UNANSWERED, detail=_told(p)) for p in silent]
        fitted = [pair for pair in result.pairs if pair not in silent]
        return self._built(piece, sha256, fitted, lost)

    def _built(self, piece: PhotoPiece, sha256: str, pairs: Sequence[PairResult], lost: Sequence[Entry]) -> Built:
        body, accept = _body(), piece.acceptance
        seen = [pair.observation for pair in pairs]
        judged = [accept.judged(body, o, pair.fit) for o, pair in zip(seen, pairs, strict=True)]
        origins = [_origin(piece, sha256, pair) for pair in pairs]
        records = fitted_records(body, seen, judged, origins, dict(self.versions))
        reasons = [accept.why_not(record, fit.verdict) for record, fit in zip(records, judged, strict=True)]
        entries = [Entry(r.id, "", *why) for r, why in zip(records, reasons, strict=True)]
        return Built(tuple(records), (*entries, *lost))


def _origin(piece: PhotoPiece, sha256: str, pair: PairResult) -> Origin:
    return Origin(
        id=_id(sha256, pair.indices),
        kind=KIND,
        split=piece.split,
        source={"photo": piece.name, "people": list(pair.indices)},
        seeds={"fit": piece.options.seed},
        answers=[] if pair.answer is None else [_answer(pair)],
        image={"sha256": sha256},
    )


def _answer(pair: PairResult) -> dict[str, Any]:
    """What the annotator said; its wall time and its cost stay with the store."""
    assert pair.answer is not None
    said = asdict(pair.answer)
    for name in ("seconds", "attempts", "cost_usd", "input_tokens", "output_tokens"):
        del said[name]
    return {"id": said.pop("key"), **said}


def _told(pair: PairResult) -> str:
    assert pair.answer is not None
    return ": ".join(filter(None, [pair.answer.model, pair.answer.status, pair.answer.problem]))


def _id(sha256: str, pair: tuple[int, int]) -> str:
    return f"{sha256[:24]}-{pair[0]}-{pair[1]}"


@cache
def _annotator(model: str, samples: int, how: AskedHow) -> Annotator:
    return lvlm_annotator(model, store=how.store, budget_usd=how.budget_usd, allow_http=how.allow_http, samples=samples)


@cache
def _body() -> BodyModel:
    return AnnyBody.load()
