"""Other forms of the question about a pair, whose answers can be brought back to the photo's A, B, left and right.

A model repeats its own mistakes when it is asked the same again. A swapped or mirrored picture, or another order of the
vocabulary, makes some of them show as disagreement, which votes (`apu.contact.votes`) then weigh.
"""

from dataclasses import dataclass

from apu.ask.answer import PairAnswer
from apu.ask.answer_contacts import unmirrored, unswapped
from apu.errors import InputError

_VIEWS = ("", "swapped", "mirrored", "")


@dataclass(frozen=True)
class Perturbation:
    """How a question differs from the plain one.

    Attributes:
        swapped: the picture calls A B, and B A.
        mirrored: the picture is mirrored; its letters are not.
        shuffled: seed of another order of the vocabulary; None for the usual one.
    """

    swapped: bool = False
    mirrored: bool = False
    shuffled: int | None = None

    @property
    def label(self) -> str:
        """E.g. `plain`, `swapped`, `mirrored+shuffled:6`. `labelled` reads it."""
        words = [word for word, on in (("swapped", self.swapped), ("mirrored", self.mirrored)) if on]
        words += [] if self.shuffled is None else [f"shuffled:{self.shuffled}"]
        return "+".join(words) or "plain"

    def undone(self, answer: PairAnswer) -> PairAnswer:
        """The answer with the photo's A, B, left and right. Its sentences stay as they are."""
        answer = unswapped(answer) if self.swapped else answer
        return unmirrored(answer) if self.mirrored else answer


def perturbation(sample: int) -> Perturbation:
    """How the answer of this number is asked for.

    0 to 3: plain, A and B swapped, mirrored, vocabulary shuffled. From 4 on the same again, each with an own order of
    the vocabulary, so that no two questions about a pair are alike.

    Raises:
        InputError: the number is negative.
    """
    if sample < 0:
        raise InputError(
            "An answer has a wrong number.",
            where="sample",
            expected="0 or more",
            got=sample,
            remedy="count the answers about a pair from 0.",
        )
    view = _VIEWS[sample % len(_VIEWS)]
    return Perturbation(view == "swapped", view == "mirrored", sample if sample >= len(_VIEWS) - 1 else None)


def labelled(label: str) -> Perturbation:
    """The perturbation of a label; raises InputError for a text that is none."""
    words = label.split("+")
    seed = words[-1].removeprefix("shuffled:")
    found = Perturbation("swapped" in words, "mirrored" in words, int(seed) if seed.isdecimal() else None)
    if found.label != label:
        raise InputError(
            "A question has an unknown perturbation.",
            where="perturbation",
            expected="e.g. plain, swapped, mirrored, shuffled:3",
            got=repr(label[:40]),
            remedy="take the label as it was recorded.",
        )
    return found
