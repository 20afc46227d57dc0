"""`apu eval prior`: what contact priors are worth to the fit."""

from typing import Generic, Literal, TypeVar

import click

from apu.cli.evaluate_options import DATA_OPTION, check_folders, folder_options, jobs_option, pair_options
from apu.cli.group import ApuCommand

FAMILIES = ("bev", "second")
"""As in `apu.dataset.synthetic.observation_settings`, which needs no loading for the help; a test compares the two."""
RECIPES = "ours,buddi,start"
METHODS = "keypoints,contacts"
"""As in `apu.evaluate.prior_arms`, which loads torch; a test compares them."""

N = TypeVar("N", int, float)


class NumbersType(click.ParamType, Generic[N]):
    """`1,2,3,4`: as many numbers as there are letters in the name.

    Args:
        name: as the help shows it, e.g. `A,B,C,D`.
        kind: int for numbers from 0 on, float for finite ones above 0.
    """

    def __init__(self, name: str, kind: type[N]) -> None:
        self.name, self._kind = name, kind

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[N, ...]:
        """Parse the numbers; click calls this also with values that are parsed already."""
        if isinstance(value, tuple):
            return value
        count = len(self.name.split(","))
        try:
            found = tuple(self._kind(part) for part in str(value).split(","))
        except ValueError:
            found = ()
        allowed = [one >= 0 if self._kind is int else 0 < one < float("inf") for one in found]
        if len(found) != count or not all(allowed):
            what = "whole numbers, 0 or more" if self._kind is int else "numbers above 0"
            self.fail(f"expected {count} {what}, parted by commas; got {value!r}.", param, ctx)
        return found


@click.command("prior", cls=ApuCommand, short_help="What contact priors are worth to the fit.")
@click.option(
    "--prior", "priors", multiple=True, required=True, metavar="NAME=DIR",
    help="A prior of apu train; may be given again. NAME/0, NAME/1: trainings of several seeds.",
)  # fmt: skip
@pair_options(104, "validation", DATA_OPTION)
@click.option(
    "--methods", default=METHODS, show_default=True, metavar="A,B", help="Without contacts, and with answers."
)
@click.option(
    "--recipe", default="ours", show_default=True, metavar="A,B", help=f"How the fit hears a prior: of {RECIPES}."
)
@click.option("--family", type=click.Choice(FAMILIES), default="bev", show_default=True, help="Errors of estimates.")
@click.option("--factor", type=click.FloatRange(0, min_open=True), metavar="F", help="On the prior's pull.")
@click.option(
    "--times", type=NumbersType("A,B,C,D", int), help="Noise t, from A to B in the contact stage, C to D in the last."
)
@click.option("--start-steps", type=click.IntRange(0), metavar="N", help="Of the sample to start from; 0: none.")
@click.option(
    "--sigmas", type=NumbersType("P,S,O,T,D,C", float),
    help="Standard deviations of the pull: pose, shape, orientation, place across and along the line of sight, and "
    "along it where contacts are told.",
)  # fmt: skip
@jobs_option()
@folder_options("tables, plot and rows", "an evaluation")
@click.pass_context
def command(
    ctx: click.Context,
    priors: tuple[str, ...],
    methods: str,
    recipe: str,
    family: Literal["bev", "second"],
    factor: float | None,
    times: tuple[int, ...] | None,
    start_steps: int | None,
    sigmas: tuple[float, ...] | None,
    **asked,
) -> None:
    """Fit synthetic pairs without a prior and with each, and compare them.

    Every fit starts from the same first fit. Of several trainings of a prior (NAME/0, NAME/1) the values are averaged,
    and intervals are over pairs and trainings. Any two priors are compared, pair by pair. Without --data, pairs are
    made first. --factor, --times, --start-steps and --sigmas change the recipes ours and start; choose them on the
    validation split.

    \b
    Examples:
      apu eval prior --data data/val --prior lab=p/lab --prior both=p/both
      apu eval prior --prior lab/0=p/lab-0 --prior lab/1=p/lab-1 --out lab
      apu eval prior --prior lab=p/lab --recipe ours,buddi --methods keypoints
    """
    check_folders(ctx)
    from apu.cli.evaluate_pairs import AskedPairs
    from apu.cli.evaluate_prior_run import AskedPriors, run

    run(AskedPairs(**asked), AskedPriors(priors, methods, recipe, family, factor, times, start_steps, sigmas))
