"""Simulated annotators: how often which models are asked, and how their answers become one map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from apu.contact.body_points import BodyPoints
from apu.contact.impossible import in_order, people_order, possible_contacts
from apu.contact.named_contact import NamedContact
from apu.contact.votes import Answered, pool
from apu.dataset.synthetic.answers import SOURCE, SimulatedAnswer
from apu.dataset.synthetic.observation_settings import AnswerSettings
from apu.evaluate.trusted_answers import named_contacts

RHOS = (0.0, 0.3, 0.6, 0.9)
"""Shares of the errors that all answers of a model have in common."""
KS = (1, 3, 5)
WORSE = 1.5
"""Factor on all rates of error of the second model."""

TRUTH = "truth"
SINGLE = "1 answer, rho 0.6"
"""What all others are compared with."""


@dataclass(frozen=True)
class SimulatedAnnotator:
    """One or two models, asked several times.

    Attributes:
        name: in tables.
        words: what it is.
        models: (settings, how often it is asked).
        weighted: whether models are weighted by how reliable they are on other pairs.
        checked: whether A and B of every answer are checked, and what the image denies is removed.
    """

    name: str
    words: str
    models: tuple[tuple[AnswerSettings, int], ...]
    weighted: bool = False
    checked: bool = False


def simulated_annotators(errors: AnswerSettings | None = None) -> tuple[SimulatedAnnotator, ...]:
    """All that are measured.

    Args:
        errors: of the better model; its `shared` and `model` do not count.
    """
    good = replace(errors or AnswerSettings(), model="good")
    bad = replace(good, model="worse", error_factor=good.error_factor * WORSE)
    truth = SimulatedAnnotator(TRUTH, "a perfect answer: a check", ((replace(good, on=False), 1),))
    curve = [
        SimulatedAnnotator(
            f"{k} answer{'s' if k > 1 else ''}, rho {rho:g}",
            f"a model with the default errors, asked {k} times; {100 * rho:.0f} % of its errors come in every answer",
            ((replace(good, shared=rho), k),),
        )
        for rho in RHOS
        for k in KS
    ]
    usual = AnswerSettings().shared
    both = ((replace(good, shared=usual), 3), (replace(bad, shared=usual), 2))
    one = replace(good, shared=usual)
    checks = "exchanged people are put right, impossible contacts removed"
    return (
        truth,
        *curve,
        SimulatedAnnotator("1 answer, checked", f"as `{SINGLE}`; {checks}", ((one, 1),), checked=True),
        SimulatedAnnotator("5 answers, checked", f"as `5 answers, rho {usual:g}`; {checks}", ((one, 5),), checked=True),
        SimulatedAnnotator("worse, 1 answer", f"a model with {WORSE:g} times the errors", ((both[1][0], 1),)),
        SimulatedAnnotator("worse, 5 answers", "the same, asked 5 times", ((both[1][0], 5),)),
        SimulatedAnnotator("3 good + 2 worse", "both models, every answer with one vote", both),
        SimulatedAnnotator(
            "3 good + 2 worse, weighted", "votes weighted by reliability on the other pairs", both, True
        ),
    )


def said_by(
    answers: Sequence[tuple[SimulatedAnswer, ...]],
    reliability: Mapping[str, float] | None = None,
    checked_by: tuple[BodyPoints, BodyPoints] | None = None,
) -> tuple[NamedContact, ...]:
    """What an annotator says about a pair: a single answer as it is, several of them pooled by votes.

    Args:
        answers: of each model.
        reliability: model -> weight beside others; all alike when left out.
        checked_by: keypoints of A and B, by which every answer's order of people and the contacts' possibility are
            checked; unchecked when left out.
    """
    flat = [(answer.model, named_contacts(answer)) for some in answers for answer in some]
    if checked_by is not None:
        flat = [(model, in_order(said, people_order(said, *checked_by))) for model, said in flat]
    if len(flat) == 1:
        contacts = flat[0][1]
    else:
        weights = reliability or {}
        contacts = pool([Answered(said, model, weights.get(model, 1.0)) for model, said in flat], SOURCE).named()
    return contacts if checked_by is None else possible_contacts(contacts, *checked_by)[0]
