"""Option values that need parsing: pairs of people and their ages."""

from typing import Literal, get_args

import click

AgeGroup = Literal["adult", "child", "unknown"]
"""As in `apu.scene.pair`, repeated here because that module loads torch; a test compares the two."""


class PairType(click.ParamType):
    """`0,1`: two different people, by their numbers in the photo."""

    name = "I,J"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Parse one pair; click calls this also with values that are parsed already."""
        if isinstance(value, tuple):
            return value
        first, comma, second = str(value).partition(",")
        if not comma or not first.strip().isdecimal() or not second.strip().isdecimal():
            self.fail(f"expected two people's numbers as I,J, e.g. 0,1; got {value!r}.", param, ctx)
        if int(first) == int(second):
            self.fail(f"expected two different people, e.g. 0,1; got {value!r}.", param, ctx)
        return int(first), int(second)


class AgesType(click.ParamType):
    """`A=adult,B=child`: the age group of either or both people of a pair."""

    name = "A=AGE,B=AGE"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[AgeGroup, AgeGroup]:
        """Parse the ages of A and B; who is not named stays unknown."""
        if isinstance(value, tuple):
            return value
        groups = {group: group for group in get_args(AgeGroup)}
        ages: dict[str, AgeGroup] = {"A": "unknown", "B": "unknown"}
        for entry in str(value).split(","):
            person, _, age = (part.strip() for part in entry.partition("="))
            if person.upper() not in ages or age.lower() not in groups:
                expected = f"A=AGE, B=AGE or both, where AGE is {', '.join(groups)}"
                self.fail(f"expected {expected}, e.g. A=adult,B=child; got {value!r}.", param, ctx)
            ages[person.upper()] = groups[age.lower()]
        return ages["A"], ages["B"]
