"""Which numbers a body has: the shape of the parameter columns of a data set."""

from collections.abc import Mapping
from dataclasses import dataclass

from apu.body.protocol import ParameterSpec


@dataclass(frozen=True)
class Layout:
    """The parameters of one body model, in the order of their columns.

    Attributes:
        body_model: its name, with version.
        parameters: name -> what each number is.
    """

    body_model: str
    parameters: Mapping[str, tuple[str, ...]]

    @staticmethod
    def of_body(name: str, spec: Mapping[str, ParameterSpec]) -> "Layout":
        """The layout of a `BodyModel` with this name and `parameter_spec`."""
        return Layout(name, {parameter: tuple(one.names) for parameter, one in spec.items()})

    def sizes(self) -> dict[str, int]:
        """Numbers per body of each parameter."""
        return {name: len(names) for name, names in self.parameters.items()}
