"""A vision-language model that is asked what touches what, simulated: the truth with the errors such models make.

Each item of error (this contact missed, this one's sides flipped, this one invented, A and B exchanged) has a stream of
random numbers of its own. With probability `shared` all k answers use the item's common draw, otherwise each answer
draws for itself; so the rates are exact in every answer, and how much a vote can mend is set by one number.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from apu.body.protocol import Surface
from apu.contact.contact import ContactMap
from apu.contact.end import End
from apu.dataset.synthetic.coarse_contacts import CoarseContact, coarse_contacts, contact_of
from apu.dataset.synthetic.invented_contacts import InventedContacts
from apu.dataset.synthetic.observation_settings import AnswerSettings
from apu.dataset.synthetic.random_streams import Streams
from apu.errors import InputError
from apu.scene.true_pair import TruePair

SOURCE = "simulated"

WIDER: Mapping[str, str] = {
    "upper arm": "arm", "elbow": "arm", "forearm": "arm", "thigh": "leg", "knee": "leg", "lower leg": "leg",
    "shoulder front": "shoulder", "shoulder back": "shoulder", "waist front": "waist", "waist back": "waist",
    "buttocks": "hip",
}  # fmt: skip
"""Part -> the wider word that an answer may have instead; all its regions are among the wider word's."""

MOST_INVENTED = 0.9
MOST_MISSED = 0.95


@dataclass(frozen=True)
class AnsweredContact:
    """One contact of an answer, and where it comes from.

    Attributes:
        a, b: as answered; of A and of B as the answer has them.
        truth: the true contact that it stems from; None for an invented one.
        errors: those that were made: `side of a`, `side of b` (both, when the pair of sides is flipped), `wider a`,
            `wider b`, `people` (A and B exchanged), `invented`. `a` and `b` in these words are those of the truth.
    """

    a: End
    b: End
    truth: CoarseContact | None
    errors: frozenset[str]


@dataclass(frozen=True)
class SimulatedAnswer:
    """One answer of a simulated model.

    Attributes:
        contacts: true ones first, the most extended first; then invented ones.
        model: its name.
        number: from 0, of the k answers.
    """

    contacts: tuple[AnsweredContact, ...]
    model: str
    number: int

    def contact_map(self) -> ContactMap:
        """The answer as the fit takes it; what the answer says twice counts once."""
        distinct = {(c.a, c.b): contact_of(c.a, c.b, SOURCE) for c in self.contacts}
        return ContactMap(tuple(distinct.values()), SOURCE)


@dataclass(frozen=True)
class SimulatedAnswers:
    """k answers about one pair.

    Attributes:
        truth: the true contacts, the most extended first; what a perfect answer would say.
        answers: k of them.
    """

    truth: tuple[CoarseContact, ...]
    answers: tuple[SimulatedAnswer, ...]

    def true_map(self) -> ContactMap:
        """The perfect answer; source `truth`."""
        return ContactMap(tuple(contact_of(c.a, c.b, "truth") for c in self.truth), "truth")


def simulate_answers(
    truth: TruePair, surface: Surface, k: int, seed: int, settings: AnswerSettings | None = None
) -> SimulatedAnswers:
    """What a model says about a pair when it is asked k times. The first answers do not depend on k.

    Args:
        truth: the pair.
        surface: of its body model.
        k: answers.
        seed: of the observation.
        settings: defaults are the project's default noise.

    Raises:
        InputError: k is negative.
    """
    return answers_about(truth.id, coarse_contacts(truth, surface), k, seed, settings)


def answers_about(
    name: str, everything: tuple[CoarseContact, ...], k: int, seed: int, settings: AnswerSettings | None = None
) -> SimulatedAnswers:
    """What a model says when the contacts are known in an annotator's words.

    Args:
        name: of the pair; with the seed, it sets all randomness.
        everything: all that touches, the most extended first.
        k: answers.
        seed: of the observation.
        settings: defaults are the project's default noise.

    Raises:
        InputError: k is negative.
    """
    settings = settings or AnswerSettings()
    if k < 0:
        raise InputError("A model cannot be asked so often.", expected="0 answers or more", got=k, remedy="ask once.")
    true = everything[: settings.most]
    if not settings.on:
        perfect = tuple(AnsweredContact(c.a, c.b, c, frozenset()) for c in true)
        return SimulatedAnswers(true, tuple(SimulatedAnswer(perfect, settings.model, i) for i in range(k)))
    items = _Items(Streams(seed, name), settings, k)
    told = [_told(contact, items, f"contact {contact.a.label} - {contact.b.label}") for contact in true]
    invented = _invented(everything, max(1, len(true)), items)
    exchanged = items.chance("people")[:, 0] < items.rate(settings.swapped)
    answers = []
    for i in range(k):
        contacts = [row[i] for row in (*told, *invented)]
        found = tuple(_exchanged(c) if exchanged[i] else c for c in contacts if c is not None)
        answers.append(SimulatedAnswer(found, settings.model, i))
    return SimulatedAnswers(true, tuple(answers))


def with_true_sides(answer: SimulatedAnswer) -> SimulatedAnswer:
    """The answer with the true sides wherever it speaks of a true contact; every other error stays."""
    return replace(answer, contacts=tuple(_true_sides(c) for c in answer.contacts))


class _Items:
    """The draws of one model about one pair."""

    def __init__(self, streams: Streams, settings: AnswerSettings, k: int) -> None:
        self._streams, self.settings, self.k = streams, settings, k

    def rate(self, rate: float) -> float:
        return rate * self.settings.error_factor

    def chance(self, item: str, width: int = 1) -> Float[np.ndarray, "k w"]:
        """Uniform numbers of an item for every answer, the same for all with probability `shared`."""
        draw = self._streams(f"answers/{self.settings.model}/{item}")
        shared = draw.random() < self.settings.shared
        common = draw.random(width)
        own = draw.random((self.k, width))
        return np.broadcast_to(common, own.shape) if shared else own


def _told(true: CoarseContact, items: _Items, name: str) -> list[AnsweredContact | None]:
    """A true contact as each answer has it; None where it is missed."""
    missed = items.chance(f"{name}/missed")[:, 0] < min(items.rate(items.settings.missed), MOST_MISSED)
    side, wider = items.chance(f"{name}/side", 2), items.chance(f"{name}/wider", 2)
    out: list[AnsweredContact | None] = []
    for i in range(items.k):
        errors = _side_errors(true, side[i], items) | _wider_errors(true, wider[i], items)
        a = true.a.flipped() if "side of a" in errors else true.a
        b = true.b.flipped() if "side of b" in errors else true.b
        a = End(WIDER[a.part], a.side) if "wider a" in errors else a
        b = End(WIDER[b.part], b.side) if "wider b" in errors else b
        out.append(None if missed[i] else AnsweredContact(a, b, true, frozenset(errors)))
    return out


def _side_errors(true: CoarseContact, chance: Float[np.ndarray, " 2"], items: _Items) -> set[str]:
    """Both ends flipped or one of them; together at most always."""
    settings = items.settings
    if true.a.sided and true.b.sided:
        wrong = settings.both_flipped + settings.one_flipped
        scale = min(items.settings.error_factor, 1 / wrong if wrong > 0 else 1.0)
        if chance[0] < scale * settings.both_flipped:
            return {"side of a", "side of b"}
        if chance[0] < scale * wrong:
            return {"side of a"} if chance[1] < 0.5 else {"side of b"}
        return set()
    flipped = chance[0] < items.rate(settings.sided_flipped)
    return {f"side of {which}" for which, end in (("a", true.a), ("b", true.b)) if end.sided and flipped}


def _wider_errors(true: CoarseContact, chance: Float[np.ndarray, " 2"], items: _Items) -> set[str]:
    return {
        f"wider {which}"
        for which, end, draw in (("a", true.a, chance[0]), ("b", true.b, chance[1]))
        if end.part in WIDER and draw < items.rate(items.settings.wider)
    }


def _invented(everything: tuple[CoarseContact, ...], slots: int, items: _Items) -> list[list[AnsweredContact | None]]:
    """Contacts that no answer should have. As many slots as true contacts, each with one chance or more, such that the
    invented ones are the wanted share of all that are answered."""
    share = min(items.rate(items.settings.invented), MOST_INVENTED)
    missed = min(items.rate(items.settings.missed), MOST_MISSED)
    rate = (1 - missed) * share / (1 - share)
    tries = max(1, int(np.ceil(rate)))
    choose = InventedContacts(everything)
    out = []
    for slot in range(slots * tries):
        draws = items.chance(f"invented {slot}", 4)
        row: list[AnsweredContact | None] = []
        for chance in draws:
            a, b = choose(float(chance[1]), float(chance[2]), float(chance[3]))
            exists = chance[0] < rate / tries
            row.append(AnsweredContact(a, b, None, frozenset({"invented"})) if exists else None)
        out.append(row)
    return out


def _exchanged(contact: AnsweredContact) -> AnsweredContact:
    return AnsweredContact(contact.b, contact.a, contact.truth, contact.errors | {"people"})


def _true_sides(contact: AnsweredContact) -> AnsweredContact:
    if contact.truth is None:
        return contact
    true = contact.truth.a, contact.truth.b
    side_a, side_b = (end.side for end in (true[::-1] if "people" in contact.errors else true))
    errors = contact.errors - {"side of a", "side of b"}
    return AnsweredContact(contact.a.on_side(side_a), contact.b.on_side(side_b), contact.truth, errors)
