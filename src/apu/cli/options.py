"""Option values that need parsing: pairs of people, their ages, their boxes, and files of one of them."""

import math
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, get_args

import click

from apu.prior.shipped import Shipped, prior_of_word

AgeGroup = Literal["adult", "child", "unknown"]
"""As in `apu.scene.pair`, repeated here because that module loads torch; a test compares the two."""

BodyKind = Literal["anny", "smplx"]
"""As in `apu.body.load`, repeated for the same reason."""

Detector = Literal["movenet", "vitpose", "rtmpose", "rtmo"]
"""As in `apu.scene.results`, repeated for the same reason."""

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels of the upright photo."""


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
                close = get_close_matches(age.lower(), groups, n=1) if age.lower() not in groups else []
                hint = f" Did you mean '{close[0]}'?" if close else ""
                self.fail(f"expected {expected}, e.g. A=adult,B=child; got {value!r}.{hint}", param, ctx)
            ages[person.upper()] = groups[age.lower()]
        return ages["A"], ages["B"]


class BoxType(click.ParamType):
    """`X0,Y0,X1,Y1`: where a person is, in pixels of the upright photo."""

    name = "X0,Y0,X1,Y1"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Box:
        """Parse one box; whether it lies in the photo is seen when the photo is read."""
        if isinstance(value, tuple):
            return value
        try:
            x0, y0, x1, y1 = (float(number) for number in str(value).split(","))
        except ValueError:
            self.fail(f"expected four numbers of pixels, e.g. 120,40,310,480; got {value!r}.", param, ctx)
        if not (all(map(math.isfinite, (x0, y0, x1, y1))) and x0 < x1 and y0 < y1):
            self.fail(f"expected the top left and then the bottom right corner; got {value!r}.", param, ctx)
        return x0, y0, x1, y1


class PriorType(click.ParamType):
    """A folder, or one of the words `shipped` and `none`."""

    name = "DIR"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path | Shipped | None:
        """Parse the word; click calls this also with values that are parsed already."""
        return value if isinstance(value, Path) else prior_of_word(str(value))


prior_option = click.option(
    "--prior",
    type=PriorType(),
    default="shipped",
    show_default=True,
    help="Contact prior that guides the fit: `shipped`, a folder of apu train, or `none`.",
)
"""Of the commands that fit."""


class PersonFileType(click.ParamType):
    """`I=FILE`: a file that tells of person I alone."""

    name = "I=FILE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, Path]:
        """Parse a person's number and the path."""
        if isinstance(value, tuple):
            return value
        number, equals, file = str(value).partition("=")
        if not equals or not number.strip().isdecimal() or not file.strip():
            self.fail(f"expected a person's number and a file, e.g. 1=her_keypoints.json; got {value!r}.", param, ctx)
        return int(number), Path(file.strip())
