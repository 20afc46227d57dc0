"""`apu eval`: how good reconstructions are, on the synthetic world and on photos with annotated contacts."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from apu.cli import evaluate_prior
from apu.cli.evaluate_options import (
    FOLDER,
    SINGLE_DATA_OPTION,
    check_folders,
    folder_options,
    jobs_option,
    pair_options,
)
from apu.cli.group import ApuCommand
from apu.cli.options import prior_option

if TYPE_CHECKING:
    from apu.prior.shipped import Shipped

ANSWERS = ("contacts", "oracle", "both")
KEYPOINTS = ("embedded", "vitpose", "both")


@click.group("eval", short_help="Measure reconstructions against the truth.")
def command() -> None:
    """Measure how good reconstructions are.

    \b
    Example:
      apu eval synthetic --pairs 200 --out benchmark
    """


@command.command("synthetic", cls=ApuCommand, short_help="On synthetic pairs, whose true bodies are known.")
@pair_options(200, "test", SINGLE_DATA_OPTION, seeds="0,1")
@click.option("--methods", metavar="A,B", help="The usual ones when left out; docs/evaluate.md has all.")
@jobs_option()
@click.option("--per-class", is_flag=True, help="Print the table of classes too.")
@folder_options("tables, plot and rows", "a benchmark")
@click.pass_context
def synthetic(ctx: click.Context, methods: str | None, per_class: bool, **asked) -> None:
    """Fit synthetic pairs with every method, and measure the results against the true bodies.

    Keypoints, initial estimates and contact answers are simulated, with hand-set errors; all numbers are about
    this synthetic world. The same options and versions give the same tables, whatever --jobs is, and however often the
    run was killed and resumed; wall times are kept apart. Without --out, the work is kept in the cache, so that the
    same command goes on by itself.

    \b
    Examples:
      apu eval synthetic --pairs 200 --observation-seeds 0,1 --jobs 8 --out bench
      apu eval synthetic --methods keypoints,contacts,oracle --classes hug
      apu eval synthetic --data data/test --out bench --resume
    """
    check_folders(ctx)
    from apu.cli.evaluate_pairs import AskedPairs
    from apu.cli.evaluate_synthetic import run

    run(AskedPairs(**asked), methods, per_class=per_class)


@command.command("ablation", cls=ApuCommand, short_help="What each term, stage and loss of the fit is worth.")
@pair_options(32, "validation")
@click.option("--variants", metavar="A,B", help="All when left out; they are described in the results.")
@click.option(
    "--answers",
    type=click.Choice(ANSWERS),
    default="both",
    show_default=True,
    help="Noisy answers, the true map, both.",
)
@jobs_option()
@folder_options("tables and rows", "an ablation")
@click.pass_context
def ablation(ctx: click.Context, variants: str | None, answers: str, **asked) -> None:
    """Fit synthetic pairs with one thing of the fit changed at a time, and compare with the whole.

    Each term and stage is left out, and each alternative contact loss put in, with noisy answers and with the true
    contact map. DATA are data sets of `apu synth`; without one, pairs are made first. Choices are made on the
    validation split, so it is the default. A pair takes a minute or two, with all variants and both kinds of answers.

    \b
    Examples:
      apu eval ablation --pairs 32 --jobs 8 --out ablation
      apu eval ablation data/val --variants hard,chamfer --answers contacts
      apu eval ablation data/val --out ablation --resume
    """
    check_folders(ctx)
    from apu.cli.evaluate_ablation import run
    from apu.cli.evaluate_pairs import AskedPairs

    run(AskedPairs(**asked), variants, answers)


@command.command("verdict", cls=ApuCommand, short_help="How far the verdict can be trusted.")
@pair_options(104, "test")
@click.option(
    "--answers",
    default="0,0.5,1,1.5,shuffled,oracle",
    show_default=True,
    metavar="A,B",
    help="Factors of the answers' noise, and controls.",
)
@prior_option
@jobs_option()
@folder_options("tables, plot and rows", "a benchmark")
@click.pass_context
def verdict(ctx: click.Context, answers: str, prior: "Path | Shipped | None", **asked) -> None:
    """Judge fits of synthetic pairs, and compare the verdicts with the truth.

    Every pair is fitted with simulated answers of growing noise (factors of the default rates of error), with the
    answer about another pair (shuffled), and with the true contact map (oracle). DATA are data sets of `apu synth`;
    without one, pairs are made first. A pair takes about 15 seconds with all answers.

    \b
    Examples:
      apu eval verdict data/test --pairs 200 --jobs 8 --out verdict
      apu eval verdict --split validation --pairs 16 --answers 1,shuffled
      apu eval verdict data/test --out verdict --resume
    """
    check_folders(ctx)
    from apu.cli.evaluate_pairs import AskedPairs
    from apu.cli.evaluate_verdict import run

    run(AskedPairs(**asked), answers, prior)


command.add_command(evaluate_prior.command)


@command.command("photos", cls=ApuCommand, short_help="On photos with annotated contacts.")
@click.argument("folder", type=FOLDER, metavar="FOLDER")
@click.option(
    "--keypoints", type=click.Choice(KEYPOINTS), default="both", show_default=True, help="Who finds the people."
)
@click.option("--bev", is_flag=True, help="BEV's estimates as further starts of the fits.")
@folder_options("tables and rows", "a benchmark", resumed=False)
def photos(folder: Path, keypoints: str, bev: bool, out: Path | None, overwrite: bool) -> None:
    """Fit the annotated pairs of photos, and measure contacts, penetration and 2D error.

    FOLDER has images/NAME.png and interaction_contact_signature.json (FlickrCI3D), and, where they are wanted,
    vitpose/NAME_keypoints.json and bev/NAME_0.08.npz. There is no 3D truth for photos, so nothing is said of 3D errors.
    Pairs whose people are not found are counted as lost.

    \b
    Example:
      apu eval photos data/photos --out bench
    """
    from apu.cli.evaluate_photos import run

    run(folder, keypoints, use_bev=bev, out=out, overwrite=overwrite)


@command.command("ask", cls=ApuCommand, short_help="How good annotators of contacts are.")
@pair_options(200, "validation")
@click.option("--photos", type=FOLDER, metavar="DIR", help="Photos with annotated contacts, instead of pairs.")
@click.option(
    "--answers", multiple=True, metavar="NAME=DIR", help="Contact files about the photos; may be given again."
)
@click.option(
    "--keypoints",
    type=click.Choice(KEYPOINTS[:2]),
    default="embedded",
    show_default=True,
    help="Who finds the people of photos.",
)
@click.option("--negatives", type=FOLDER, metavar="FILE", help="FlickrCI3D_classification: pairs without contact.")
@click.option(
    "--min-weight",
    type=click.FloatRange(0, 1),
    default=0.2,
    show_default=True,
    metavar="W",
    help="Contacts below count only for calibration.",
)
@jobs_option("Processes that make pairs.")
@folder_options("tables, plot and contacts", "a benchmark", resumed=False)
@click.pass_context
def ask(
    ctx: click.Context,
    photos: Path | None,
    answers: tuple[str, ...],
    keypoints: str,
    negatives: Path | None,
    min_weight: float,
    **asked,
) -> None:
    """Compare what annotators say with the contacts that are true. Nothing is fitted but for `proximity`.

    On synthetic pairs, models with simulated errors are asked once, three and five times, with more and less of
    their errors in common, and two models together; and it is measured how often keypoints find the true sides. DATA
    are data sets of `apu synth`; without one, pairs are made first.

    With --photos, the annotation (FlickrCI3D) is the truth: for `proximity`, for simulated errors, and for every
    --answers, whose folder has the NAME_contacts.json that `apu ask` writes. People have the numbers that
    the same --keypoints give them.

    \b
    Examples:
      apu eval ask data/val --pairs 260 --out trust
      apu eval ask --photos data/photos --answers gpt=answers --out trust
    """
    check_folders(ctx)
    out, overwrite = asked["out"], asked["overwrite"]
    if photos is None and (answers or negatives is not None):
        raise click.UsageError("--answers and --negatives are about photos; name their folder with --photos.")
    if photos is not None and asked["data"]:
        raise click.UsageError("--photos and data sets are measured one at a time.")
    if overwrite and out is not None and photos is not None and photos.resolve().is_relative_to(out.resolve()):
        raise click.UsageError("--overwrite would delete the photos; name another folder with --out.")
    from apu.cli import evaluate_ask
    from apu.cli.evaluate_pairs import AskedPairs

    which = evaluate_ask.Which(out=out, overwrite=overwrite, min_weight=min_weight)
    if photos is not None:
        evaluate_ask.run_photos(which, photos, answers, keypoints, negatives)
    else:
        evaluate_ask.run_synthetic(which, AskedPairs(**asked))
