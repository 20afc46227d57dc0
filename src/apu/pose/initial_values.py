"""Numbers out of a foreign estimate: of the right shape, finite, of sensible size; whatever else is said plainly."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from apu.errors import InputError

MOST_PEOPLE = 1000
NEAREST_M = 0.01
"""Joints nearer to the camera than this, or behind it, appear nowhere."""

Shape = tuple[int | None, ...]
"""None stands for any size."""


@dataclass(frozen=True)
class Fields:
    """The entries of one file, or of one person in it.

    Attributes:
        values: name -> what the file holds.
        path: the file, for errors.
        inside: where in the file the entries lie, e.g. `results`; "" for the file itself.
        remedy: what to do about an entry that makes no sense.
    """

    values: Mapping[str, Any]
    path: Path
    inside: str = ""
    remedy: str = "export the estimate again, or leave --init out."

    def __contains__(self, key: str) -> bool:
        return self.values.get(key) is not None

    def first_of(self, *keys: str) -> str:
        """The first of these names that the file has; the first of all when it has none."""
        return next((key for key in keys if key in self), keys[0])

    def numbers(self, key: str, *shapes: Shape, largest: float = np.inf) -> Float[np.ndarray, "..."]:
        """One entry as float32 numbers.

        Args:
            key: its name.
            shapes: any of these will do; every shape with none.
            largest: absolute values above it are refused.

        Raises:
            InputError: it is missing, no numbers, of another shape, not finite, or too large.
        """
        value = self.values.get(key)
        wanted = "numbers of shape " + " or ".join(map(shape_text, shapes)) if shapes else "numbers"
        if isinstance(value, int | float | list | tuple | np.generic) and not isinstance(value, bool):
            value = value if (made := _array_of(value)) is None else made
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
            found = "nothing" if value is None else type(value).__name__
            raise self.bad(key, wanted, found if not isinstance(value, np.ndarray) else f"type {value.dtype}")
        if shapes and not any(_fits(value.shape, shape) for shape in shapes):
            raise self.bad(key, wanted, f"shape {value.shape}")
        with np.errstate(over="ignore", invalid="ignore"):
            numbers = value.astype(np.float32)
            wrong = ~(np.abs(numbers) <= largest) | ~np.isfinite(numbers)
        if wrong.any():
            place = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise self.bad(key, "a finite number of sensible size", f"{value[place]}", place)
        return numbers

    def number(self, key: str, largest: float = np.inf) -> float:
        """One entry as a single number. Raises InputError as `numbers`, and where there are several."""
        value = self.numbers(key, (), (1,), (1, 1), largest=largest)
        return float(value.reshape(-1)[0])

    def bad(self, key: str, expected: object, got: object, place: tuple[int, ...] = ()) -> InputError:
        """The error of an entry that makes no sense."""
        name = f"{key}{list(place)}" if place else f'"{key}"'
        inside = f"{self.inside}, {name}" if place or not self.inside else f"{self.inside}[{name}]"
        return InputError(
            "A field of the initial estimate file makes no sense.",
            where=f"{self.path}, {inside.removeprefix(', ')}",
            expected=expected,
            got=got,
            remedy=self.remedy,
        )


def check_people(count: int, path: Path) -> None:
    """Refuse a file of more people than a photo has. Raises InputError."""
    if count > MOST_PEOPLE:
        raise InputError(
            "The initial estimate file holds too many people.",
            where=path,
            expected=f"at most {MOST_PEOPLE} people, those of one photo",
            got=count,
            remedy="give a file of one photo; of a video, one frame of it.",
        )


def shape_text(shape: Shape) -> str:
    """As errors write it: (N, 3)."""
    return "(" + ", ".join("N" if n is None else str(n) for n in shape) + (",)" if len(shape) == 1 else ")")


def _fits(shape: tuple[int, ...], wanted: Shape) -> bool:
    return len(shape) == len(wanted) and all(n in (None, m) for n, m in zip(wanted, shape, strict=True))


def _array_of(value: Any) -> np.ndarray | None:
    try:
        made = np.array(value)
    except (ValueError, OverflowError):
        return None
    return made if made.dtype.kind in "fiu" else None
