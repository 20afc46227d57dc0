"""Pseudo ground truth of the synthetic world: pairs are observed, answered about, united and judged, as photos are.

What comes out carries the pipeline's errors; the truth behind it is named in each record, and never used.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from apu.body.protocol import BodyModel
from apu.contact.contact import ContactMap
from apu.dataset.build import FAILED, Built, Entry
from apu.dataset.build_record import Acceptance, Origin, fitted_records
from apu.dataset.record import PairRecord
from apu.dataset.synthetic.answers import SimulatedAnswer, simulate_answers
from apu.dataset.synthetic.observation_settings import ObservationSettings
from apu.dataset.synthetic.observe import Observed, observe
from apu.errors import ApuError, ModelFileError, OutputError
from apu.prior.guidance import DiffusionGuidance
from apu.prior.named import loaded_prior
from apu.scene.estimate import Estimate
from apu.scene.pair import PairObservation
from apu.scene.true_pair import TruePair
from apu.unite.fittable import check_finite, check_fittable
from apu.unite.solve import look, unite

BATCH = 8
"""Pairs that are united together. Sums over another batch differ in their last digits, so it is no option."""

KIND = "simulated"
NO_ANSWER = ContactMap((), "none")

ContactsOf = Callable[[Sequence[SimulatedAnswer], PairObservation, Estimate], ContactMap]
"""The contacts that a fit is given: of the answers, the observation and the first fit. Picklable."""


def first_answer(answers: Sequence[SimulatedAnswer], seen: PairObservation, estimate: Estimate) -> ContactMap:
    """The first answer as it was given; where nobody is asked, no contact is known."""
    return answers[0].contact_map() if answers else NO_ANSWER


@dataclass(frozen=True)
class PairName:
    """A synthetic pair, by its content."""

    id: str
    interaction: str
    digest: str


@dataclass(frozen=True)
class SyntheticPiece:
    """Some pairs that are observed and united together.

    Attributes:
        pairs: at most `BATCH`.
        seed: of the observations and the answers.
        answers: of a simulated model, about each pair.
        contacts_of: name of what is made of the answers.
        settings: of the observations.
        acceptance: which fits are taken.
        prior: folder of the contact prior that guides the fits; it counts by its bytes.
    """

    pairs: tuple[PairName, ...]
    seed: int
    answers: int = 1
    contacts_of: str = first_answer.__name__
    settings: ObservationSettings = field(default_factory=ObservationSettings)
    acceptance: Acceptance = field(default_factory=Acceptance)
    prior: Path | None = None

    def lost(self, reason: str) -> tuple[Entry, ...]:
        """See `apu.dataset.build.Piece`."""
        return tuple(Entry(record_id(one.id, self.seed), one.interaction, FAILED, reason) for one in self.pairs)


def record_id(id: str, seed: int) -> str:
    """Of the fit to an observation of a pair."""
    return f"{id}-seen-{seed}"


def pair_name(record: PairRecord) -> PairName:
    """A pair by all that is known of it, but for the software that made it."""
    text = record.model_copy(update={"versions": {}}).model_dump_json()
    return PairName(record.id, record.interaction, hashlib.sha256(text.encode()).hexdigest())


def pieces_of(names: Sequence[PairName], **options: Any) -> list[SyntheticPiece]:
    """All pairs in their order; `options` are the other fields of a piece."""
    return [SyntheticPiece(tuple(names[i : i + BATCH]), **options) for i in range(0, len(names), BATCH)]


@dataclass(frozen=True)
class SyntheticBuild:
    """Does one piece with the default body, which is loaded once in each process; picklable.

    Attributes:
        pairs: id -> true pair, all that the pieces name.
        versions: that the records name.
        contacts_of: what is made of the answers; the pieces have its name.
    """

    pairs: Mapping[str, TruePair]
    versions: Mapping[str, str]
    contacts_of: ContactsOf = first_answer

    def __call__(self, piece: SyntheticPiece) -> Built:
        """Fit the pairs together; where that fails, each by itself, so that one bad pair costs no other."""
        pairs = [self.pairs[one.id] for one in piece.pairs]
        try:
            return self._built(piece, pairs)
        except (ModelFileError, OutputError):
            raise
        except (ApuError, RuntimeError, ArithmeticError, ValueError):
            parts = [self._alone(piece, pair) for pair in pairs]
        return Built(tuple(r for part in parts for r in part.records), tuple(e for part in parts for e in part.entries))

    def _alone(self, piece: SyntheticPiece, pair: TruePair) -> Built:
        try:
            return self._built(piece, [pair])
        except (ModelFileError, OutputError):
            raise
        except (ApuError, RuntimeError, ArithmeticError, ValueError) as error:
            reason = str(error) or type(error).__name__
            return Built((), (Entry(record_id(pair.id, piece.seed), pair.interaction, FAILED, reason),))

    def _built(self, piece: SyntheticPiece, pairs: Sequence[TruePair]) -> Built:
        body = _body()
        seen = observe(body, pairs, piece.seed, piece.settings)
        answers = [
            simulate_answers(pair, body.surface, piece.answers, piece.seed, piece.settings.answers).answers
            if piece.answers
            else ()
            for pair in pairs
        ]
        observations = [one.observation for one in seen]
        for observation in observations:
            check_fittable(observation)
        first = look(body, observations)
        maps = [self.contacts_of(*one) for one in zip(answers, observations, first.estimates, strict=True)]
        guidance = piece.prior and DiffusionGuidance(loaded_prior(piece.prior, body), seed=piece.seed)
        fits = unite(body, first, maps, guidance=guidance)
        for observation, fit in zip(observations, fits, strict=True):
            check_finite(observation, fit)
        accept = piece.acceptance
        judged = [accept.judged(body, o, fit) for o, fit in zip(observations, fits, strict=True)]
        origins = [_origin(one, said, piece.seed) for one, said in zip(seen, answers, strict=True)]
        records = fitted_records(body, observations, judged, origins, self.versions)
        reasons = [accept.why_not(record, fit.verdict) for record, fit in zip(records, judged, strict=True)]
        entries = [Entry(r.id, r.interaction, *why) for r, why in zip(records, reasons, strict=True)]
        return Built(tuple(records), tuple(entries))


def _origin(seen: Observed, answers: Sequence[SimulatedAnswer], seed: int) -> Origin:
    pair = seen.truth
    said = [
        {
            "id": f"{answer.model}-{seed}-{answer.number}",
            "model": answer.model,
            "contacts": [{"a": c.a.label, "b": c.b.label, "errors": sorted(c.errors)} for c in answer.contacts],
        }
        for answer in answers
    ]
    return Origin(
        id=record_id(pair.id, seed),
        kind=KIND,
        split=pair.split,
        source={"pair": pair.id, "initial": seen.initial[0].source},
        seeds={"observation": seed, "pair": pair.seed},
        answers=said,
        interaction=pair.interaction,
        group=pair.group,
    )


@cache
def _body() -> BodyModel:
    from apu.body.anny import AnnyBody

    return AnnyBody.load()
