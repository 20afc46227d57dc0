"""Simulated annotators on synthetic pairs, whose true contacts are known. Nothing is fitted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from apu.ask.person_points import image_points
from apu.body.protocol import BodyModel, Surface
from apu.contact.contact import ContactMap
from apu.contact.end import end_of_region
from apu.contact.measured import TOUCHING_M
from apu.contact.named_contact import NamedContact, contact_map
from apu.contact.reliability import reliability
from apu.contact.votes import FEW_SAY_SO
from apu.dataset.synthetic.answers import SOURCE, SimulatedAnswer, simulate_answers
from apu.dataset.synthetic.observation_settings import AnswerSettings, ObservationSettings
from apu.dataset.synthetic.observe import Observed, observe
from apu.evaluate.ask_agreement import TrueContact, judge
from apu.evaluate.ask_annotators import SimulatedAnnotator, said_by, simulated_annotators
from apu.evaluate.ask_chirality import SideCase, side_cases
from apu.evaluate.ask_rows import AskRow, Subject, ask_row
from apu.evaluate.trusted_answers import sides_decided
from apu.progress import Progress, silent
from apu.scene.pair import PairObservation
from apu.scene.true_pair import TruePair

AT_ONCE = 16
"""Pairs that are observed before progress is told."""

Counts = Mapping[str, tuple[int, int]]
"""Model -> (right sides aside, said), of one answer about one pair."""


@dataclass(frozen=True)
class AskMeasured:
    """What was measured.

    Attributes:
        rows: in the order of pairs, seeds and annotators.
        sides: of every contact of single answers with default errors: how its sides were decided.
    """

    rows: list[AskRow]
    sides: list[SideCase]


def measure_annotators(
    body: BodyModel,
    pairs: Sequence[TruePair],
    seeds: Sequence[int],
    annotators: Sequence[SimulatedAnnotator] | None = None,
    least_weight: float = FEW_SAY_SO,
    settings: ObservationSettings | None = None,
    progress: Progress = silent,
) -> AskMeasured:
    """Ask every annotator about every pair, once for each seed of the observations.

    Args:
        body: the body model.
        pairs: true ones.
        seeds: of the observations and answers.
        annotators: all simulated ones with the errors of the settings, when left out.
        least_weight: contacts below it count only for calibration.
        settings: of the observations; the default noise.
        progress: told where the work stands.
    """
    settings = settings or ObservationSettings()
    annotators = simulated_annotators(settings.answers) if annotators is None else annotators
    found: list[_Asked] = []
    sides: list[SideCase] = []
    total = len(pairs) * len(seeds)
    for seed in seeds:
        for start in range(0, len(pairs), AT_ONCE):
            some = pairs[start : start + AT_ONCE]
            for seen in observe(body, some, seed, settings):
                found.append(_asked(seen, body.surface, annotators, seed))
                sides += side_cases(seen, _single(seen.truth, body.surface, seed, settings.answers), seed)
            progress("asking", 0.8 * len(found) / total)
    totals = _totals(one.counts for one in found)
    rows: list[AskRow] = []
    for i, one in enumerate(found):
        rows += _rows(one, annotators, totals, least_weight)
        progress("judging", 0.8 + 0.2 * (i + 1) / total)
    place = {pair.id: i for i, pair in enumerate(pairs)}
    return AskMeasured(sorted(rows, key=lambda row: place[row.row.pair]), sides)


def true_contacts(truth: TruePair, most: int | None) -> tuple[TrueContact, ...]:
    """The contacts of a true pair by parts, each with the region pairs that touch.

    Args:
        truth: the pair.
        most: so many of them are wanted, the first; None for all.
    """
    groups: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for one in truth.contacts:
        if one.distance_m <= TOUCHING_M:
            ends = end_of_region(one.region_a).label, end_of_region(one.region_b).label
            groups.setdefault(ends, set()).add((one.region_a, one.region_b))
    return tuple(TrueContact(frozenset(pairs), most is None or i < most) for i, pairs in enumerate(groups.values()))


@dataclass(frozen=True)
class _Asked:
    """All answers about one observed pair."""

    subject: Subject
    seen: PairObservation
    answers: Mapping[AnswerSettings, tuple[SimulatedAnswer, ...]]
    counts: Counts


def _asked(seen: Observed, surface: Surface, annotators: Sequence[SimulatedAnnotator], seed: int) -> _Asked:
    truth = seen.truth
    times: dict[AnswerSettings, int] = {}
    for annotator in annotators:
        for settings, k in annotator.models:
            times[settings] = max(k, times.get(settings, 0))
    told = {settings: simulate_answers(truth, surface, k, seed, settings) for settings, k in times.items()}
    wanted = _wanted(truth, surface, seed)
    contacts = tuple(replace(one, wanted=_is_one_of(one, wanted)) for one in true_contacts(truth, None))
    subject = Subject(truth.id, truth.interaction, truth.group, seed, contacts)
    answers = {settings: one.answers for settings, one in told.items()}
    return _Asked(subject, seen.observation, answers, _counts(contacts, answers))


def _wanted(truth: TruePair, surface: Surface, seed: int) -> tuple[NamedContact, ...]:
    """What a perfect answer says: the most extended contacts."""
    perfect = simulate_answers(truth, surface, 0, seed, AnswerSettings(on=False))
    return tuple(NamedContact(c.a, c.b, 1.0, SOURCE) for c in perfect.truth)


def _is_one_of(true: TrueContact, named: Sequence[NamedContact]) -> bool:
    a, b = next(iter(true.pairs))
    return (end_of_region(a), end_of_region(b)) in {(c.a, c.b) for c in named}


def _single(truth: TruePair, surface: Surface, seed: int, errors: AnswerSettings) -> SimulatedAnswer:
    return simulate_answers(truth, surface, 1, seed, errors).answers[0]


def _counts(
    truth: Sequence[TrueContact], answers: Mapping[AnswerSettings, tuple[SimulatedAnswer, ...]]
) -> dict[str, tuple[int, int]]:
    """What a model's reliability is measured by: the first answer of each."""
    out: dict[str, tuple[int, int]] = {}
    for settings, some in answers.items():
        if settings.on and settings.shared == AnswerSettings().shared:
            right = judge(some[0].contact_map(), truth).right_blind
            out[settings.model] = sum(right), len(right)
    return out


def _totals(counts) -> dict[str, tuple[int, int]]:
    out: dict[str, tuple[int, int]] = {}
    for one in counts:
        for model, (right, said) in one.items():
            before = out.get(model, (0, 0))
            out[model] = before[0] + right, before[1] + said
    return out


def _rows(one: _Asked, annotators: Sequence[SimulatedAnnotator], totals: Counts, least_weight: float) -> list[AskRow]:
    own = {model: (totals[model][0] - right, totals[model][1] - said) for model, (right, said) in one.counts.items()}
    weights = {model: reliability(*counts) for model, counts in own.items()}
    a, b = (image_points(person) for person in one.seen.people)
    rows = []
    for annotator in annotators:
        answers = [tuple(islice(one.answers[settings], k)) for settings, k in annotator.models]
        said = said_by(answers, weights if annotator.weighted else None, (a, b) if annotator.checked else None)
        rows.append(asked_row(one.subject, annotator.name, said, one.seen, least_weight))
    return rows


def asked_row(
    subject: Subject, annotator: str, said: Sequence[NamedContact], seen: PairObservation | None, least_weight: float
) -> AskRow:
    """The row of an answer in words; its sides are decided by the keypoints, and stand where none were seen."""
    denoised = said if seen is None else sides_decided(said, seen, "relation").contacts
    maps: tuple[ContactMap, ContactMap] = contact_map(said, SOURCE), contact_map(denoised, SOURCE)
    return ask_row(subject, annotator, *maps, least_weight)
