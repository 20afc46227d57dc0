"""A pair of bodies as one row of numbers that does not change when both are moved together.

Everything is expressed in A's root frame: A's orientation and translation are taken out, and are no part of the row.
What is left are tokens, one per person and quantity: the body's own numbers of A and of B, then the orientation (6D)
and the translation (metres) of B as A sees them. Joint angles stay angles: `ParameterSpec` bounds them, so they do not
wrap around, and their numbers are continuous already. Shape stays logits.

Gravity is unknown in a photo. The direction of the camera's up in A's root frame (`up`) is kept apart from the row, as
something a network may be told. So is the line of sight to A (`view`): along it a photo hardly tells how far B is.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.protocol import ParameterSpec
from apu.errors import InputError
from apu.prior.rotation_6d import columns_of_matrix, matrix_of_columns, matrix_of_rotvec, rotvec_of_matrix

VERSION = 1
"""Rises when a row changes its meaning."""

PERSONS = ("A", "B")
COLUMNS = ("first_x", "first_y", "first_z", "second_x", "second_y", "second_z")
UP = (0.0, -1.0, 0.0)
"""In the camera frame, and in the level frame of synthetic pairs: y points down in both."""

Kind = Literal["own", "orientation", "translation"]
Bodies = Mapping[str, Float[Tensor, "n 2 _"]]


@dataclass(frozen=True)
class Token:
    """One quantity of one person.

    Attributes:
        person: 0 for A, 1 for B.
        parameter: its name in the body's spec.
        kind: `own`: numbers of the body itself; `orientation`, `translation`: of B as A sees them.
        start, stop: its columns in a row.
    """

    person: int
    parameter: str
    kind: Kind
    start: int
    stop: int

    @property
    def size(self) -> int:
        """Numbers in the row."""
        return self.stop - self.start

    @property
    def columns(self) -> slice:
        """Of the row."""
        return slice(self.start, self.stop)


@dataclass(frozen=True)
class RootFrame:
    """Where A is: what a row leaves out.

    Attributes:
        orientation: (n, 3) rotation vectors of A, radians.
        translation: (n, 3) A's root joint, metres.
    """

    orientation: Float[Tensor, "n 3"]
    translation: Float[Tensor, "n 3"]

    @staticmethod
    def origin(like: Float[Tensor, "n _"]) -> "RootFrame":
        """A upright at the origin, for as many pairs as there are rows, of their dtype."""
        return RootFrame(like.new_zeros(len(like), 3), like.new_zeros(len(like), 3))


@dataclass(frozen=True)
class Representation:
    """Rows of pairs of one body model.

    Attributes:
        body_model: its name, with version.
        spec: of its parameters.
    """

    body_model: str
    spec: Mapping[str, ParameterSpec]

    def __post_init__(self) -> None:
        for role in ("orientation", "translation"):
            names = [name for name, one in self.spec.items() if one.role == role]
            if len(names) != 1:
                raise InputError(
                    "A prior needs a body with one place in the world.",
                    where=f"body model {self.body_model}",
                    expected=f"one parameter with the role `{role}`",
                    got=", ".join(names) or "none",
                    remedy="give a body model as `apu.body.protocol` describes it.",
                )

    @cached_property
    def orientation(self) -> str:
        """Name of the parameter with this role."""
        return next(name for name, one in self.spec.items() if one.role == "orientation")

    @cached_property
    def translation(self) -> str:
        """Name of the parameter with this role."""
        return next(name for name, one in self.spec.items() if one.role == "translation")

    @cached_property
    def own(self) -> tuple[str, ...]:
        """Parameters of the body itself, in the order of the spec."""
        return tuple(name for name in self.spec if name not in (self.orientation, self.translation))

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """A's own, B's own, then B's orientation and translation."""
        tokens: list[Token] = []

        def add(person: int, name: str, kind: Kind, size: int) -> None:
            start = tokens[-1].stop if tokens else 0
            tokens.append(Token(person, name, kind, start, start + size))

        for person in (0, 1):
            for name in self.own:
                add(person, name, "own", self.spec[name].size)
        add(1, self.orientation, "orientation", 6)
        add(1, self.translation, "translation", 3)
        return tuple(tokens)

    @property
    def size(self) -> int:
        """Numbers in a row."""
        return self.tokens[-1].stop

    @cached_property
    def digest(self) -> str:
        """Changes when the numbers of a row change their meaning."""
        tokens = [
            [PERSONS[t.person], t.parameter, t.kind, *(COLUMNS if t.kind == "orientation" else self._names(t))]
            for t in self.tokens
        ]
        text = json.dumps([VERSION, self.body_model, tokens])
        return hashlib.sha256(text.encode()).hexdigest()

    def _names(self, token: Token) -> tuple[str, ...]:
        return tuple(self.spec[token.parameter].names)

    def frame(self, bodies: Bodies) -> RootFrame:
        """Where A is."""
        return RootFrame(bodies[self.orientation][:, 0], bodies[self.translation][:, 0])

    def encode(self, bodies: Bodies) -> Float[Tensor, "n d"]:
        """Rows of pairs; differentiable.

        Args:
            bodies: name -> (n, 2, size) parameters of A and B.
        """
        seen, offset = self.relation(bodies)
        own = [bodies[name][:, person] for person in (0, 1) for name in self.own]
        return torch.cat([*own, columns_of_matrix(seen), offset], -1)

    def relation(self, bodies: Bodies) -> tuple[Float[Tensor, "n 3 3"], Float[Tensor, "n 3"]]:
        """Rotation and place of B in A's root frame; differentiable.

        Args:
            bodies: name -> (n, 2, size) parameters of A and B.
        """
        turn, place = matrix_of_rotvec(bodies[self.orientation]), bodies[self.translation]
        offset = (turn[:, 0].mT @ (place[:, 1] - place[:, 0])[..., None])[..., 0]
        return turn[:, 0].mT @ turn[:, 1], offset

    def decode(self, rows: Float[Tensor, "n d"], frame: RootFrame) -> dict[str, Float[Tensor, "n 2 _"]]:
        """The pairs again, A where the frame says; orientations of B are rotation vectors not longer than pi.

        Args:
            rows: as `encode` gives them, or as a network made them up.
            frame: of A.
        """
        turn = matrix_of_rotvec(frame.orientation)
        seen, offset = self.relative(rows)
        place = frame.translation + (turn @ offset[..., None])[..., 0]
        found = {name: torch.stack([rows[:, t.columns] for t in self._of(name)], 1) for name in self.own}
        found[self.orientation] = torch.stack([frame.orientation, rotvec_of_matrix(turn @ seen)], 1)
        found[self.translation] = torch.stack([frame.translation, place], 1)
        return {name: found[name] for name in self.spec}

    def relative(self, rows: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "n 3 3"], Float[Tensor, "n 3"]]:
        """Rotation and place of B in A's root frame, out of rows."""
        orientation, translation = self.tokens[-2:]
        return matrix_of_columns(rows[:, orientation.columns]), rows[:, translation.columns]

    def _of(self, name: str) -> list[Token]:
        return [t for t in self.tokens if t.parameter == name]

    def up(self, bodies: Bodies) -> Float[Tensor, "n 3"]:
        """The camera's up as A sees it, a unit vector: how A is tilted, but not how A is turned about the vertical."""
        turn = matrix_of_rotvec(bodies[self.orientation][:, 0])
        return (turn.mT @ turn.new_tensor(UP)[:, None])[..., 0]

    def view(self, bodies: Bodies) -> Float[Tensor, "n 3"]:
        """Whence the camera looks at A, as A sees it: a unit vector from the camera on.

        Args:
            bodies: in the frame of their camera, which stands at its origin.
        """
        turn, place = matrix_of_rotvec(bodies[self.orientation][:, 0]), bodies[self.translation][:, 0]
        return (turn.mT @ torch.nn.functional.normalize(place, dim=-1)[..., None])[..., 0]

    def within_bounds(self, bodies: Bodies) -> dict[str, Float[Tensor, "n 2 _"]]:
        """The same pairs with every number inside the bounds of the spec."""
        return {
            name: torch.maximum(torch.minimum(value, self.spec[name].upper.to(value)), self.spec[name].lower.to(value))
            for name, value in bodies.items()
        }
