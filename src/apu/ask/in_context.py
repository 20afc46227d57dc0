"""In-context examples: pictures of our own bodies with the answers that are true of them."""

import json
from dataclasses import dataclass
from importlib import resources

from apu.ask.answer import PairAnswer
from apu.ask.question import EncodedImage
from apu.errors import InputError

EXAMPLE_NAMES: tuple[str, ...] = ("hug", "near_miss", "hold_hands", "hidden_hand")
"""In the order in which they are shown: the first two are one of contact and one of none, so that either count of
examples has both. `training/make_ask_examples.py` makes them."""

COUNTS = (0, 2, 4)


@dataclass(frozen=True)
class InContextExample:
    """One example.

    Attributes:
        name: of its two files.
        image: the picture, with marks as `apu.ask.pair_image` draws them.
        answer: what is true of it.
    """

    name: str
    image: EncodedImage
    answer: PairAnswer

    @property
    def reply(self) -> str:
        """The answer as a model should write it."""
        return self.answer.as_json()


def in_context_examples(count: int) -> tuple[InContextExample, ...]:
    """The first examples, always in one order.

    Args:
        count: 0, 2 or 4.

    Raises:
        InputError: another count.
    """
    if count not in COUNTS:
        raise InputError(
            "There are not so many in-context examples.",
            where="count of examples",
            expected="0, 2 or 4",
            got=count,
            remedy="choose one of these.",
        )
    folder = resources.files("apu.ask") / "examples"
    return tuple(
        InContextExample(
            name,
            EncodedImage((folder / f"{name}.jpg").read_bytes(), "image/jpeg"),
            PairAnswer.model_validate(json.loads((folder / f"{name}.json").read_bytes()), strict=False),
        )
        for name in EXAMPLE_NAMES[:count]
    )
