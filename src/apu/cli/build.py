"""`apu build`: a data set of fitted pairs, out of photos or of simulated observations of synthetic pairs."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from apu.cli.asking import asking_options, samples_option
from apu.cli.group import ApuCommand
from apu.cli.options import prior_option
from apu.cli.request import printable
from apu.cli.synth import SPLITS
from apu.dataset.folder import check_same, prepare

if TYPE_CHECKING:
    from apu.dataset.synthetic.observation_settings import InitialFamily
    from apu.prior.shipped import Shipped
    from apu.scene.true_pair import Split

FILE = click.Path(path_type=Path)
FAMILIES = ("bev", "second")
"""As in `apu.dataset.synthetic.observation_settings`, which needs no loading for the help; a test compares the two."""

OF_PHOTOS = (
    "keypoints",
    "init",
    "contacts",
    "annotator",
    "samples",
    "store",
    "budget",
    "allow_http",
    "yes",
    "all_pairs",
    "split",
)
OF_SYNTHETIC = ("pairs", "classes", "answers", "trusted", "family")


@click.command("build", cls=ApuCommand, short_help="Make a data set of fitted pairs.")
@click.argument("photos", nargs=-1, metavar="[PHOTOS...]")
@click.option("--out", type=FILE, required=True, metavar="DIR", help="Folder of the data set.")
@click.option("--synthetic", type=FILE, metavar="DATASET", help="Observe and fit these synthetic pairs; no PHOTOS.")
@click.option("--pairs", type=click.IntRange(1), metavar="N", help="Only the first N synthetic pairs.")
@click.option("--classes", metavar="A,B", help="Only synthetic pairs of these classes.")
@click.option(
    "--answers", type=click.IntRange(0, 9), default=1, show_default=True, metavar="K", help="Simulated, of each pair."
)
@click.option("--trusted", is_flag=True, help="Check simulated answers by keypoints, as apu fit does.")
@click.option(
    "--family", type=click.Choice(FAMILIES), default="bev", show_default=True, help="Errors of simulated estimates."
)
@click.option(
    "--keypoints",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="Keypoints of the photos, instead of the detector's; may be repeated, the preferred file first.",
)
@click.option("--init", type=FILE, metavar="DIR", help="Another program's bodies for the photos, e.g. BEV's.")
@click.option("--contacts", type=FILE, metavar="FILE", help="Our JSON or FlickrCI3D's, instead of guessed contacts.")
@click.option("--annotator", metavar="MODEL", help="Language model that says what touches; see apu ask.")
@samples_option
@asking_options
@prior_option
@click.option("--all-pairs", is_flag=True, help="Every pair of a photo's people who may touch.")
@click.option("--split", type=click.Choice(SPLITS), default="train", show_default=True, help="Of the photos' pairs.")
@click.option("--min-chance", type=click.FloatRange(0, 1), metavar="P", help="Least chance of an accurate fit.")
@click.option("--no-verdict", is_flag=True, help="Take every fit whose bodies touch.")
@click.option("--accepted", type=click.IntRange(1), metavar="N", help="Stop when N pairs are accepted.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, metavar="S", help="Of random numbers.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, metavar="J", help="Processes.")
@click.option("--overwrite", is_flag=True, help="Replace a data set that lies there.")
@click.option("--resume", is_flag=True, help="Go on with one that was interrupted.")
@click.pass_context
def command(
    ctx: click.Context,
    photos: tuple[str, ...],
    out: Path,
    synthetic: Path | None,
    pairs: int | None,
    classes: str | None,
    answers: int,
    trusted: bool,
    family: "InitialFamily",
    keypoints: tuple[Path, ...],
    init: Path | None,
    contacts: Path | None,
    annotator: str | None,
    samples: int,
    store: Path | None,
    budget: float | None,
    yes: bool,
    allow_http: bool,
    prior: "Path | Shipped | None",
    all_pairs: bool,
    split: "Split",
    min_chance: float | None,
    no_verdict: bool,
    accepted: int | None,
    seed: int,
    jobs: int,
    overwrite: bool,
    resume: bool,
) -> None:
    """Fit the pairs of PHOTOS, or of a synthetic data set, and keep the good ones as a data set.

    PHOTOS are files, folders, or patterns in quotes, as for apu fit. With --synthetic, cameras, keypoints, initial
    estimates and answers are simulated for each pair, and the pairs are fitted without their truth.

    A fit is taken when every rule of the verdict holds and the bodies touch. One of the rules is the chance of an
    accurate fit, known where both people have initial estimates and somebody said what touches; --min-chance sets its
    limit. Fits that are not taken lie in rejected.parquet, and rejected.jsonl says why.

    The same input, options and versions give the same files, whatever --jobs is, and however often the run was killed
    and resumed.

    \b
    Examples:
      apu build --synthetic data/train --out data/wild --jobs 8
      apu build --synthetic data/train --out data/wild --accepted 1200
      apu build photos/ --init bev/ --annotator openai:MODEL --out data/photos
    """
    if overwrite and resume:
        raise click.UsageError("--overwrite begins again, --resume goes on; give one of them.")
    if bool(photos) == (synthetic is not None):
        raise click.UsageError("Give either PHOTOS or --synthetic DATASET.")
    if no_verdict and min_chance is not None:
        raise click.UsageError("--min-chance sets a limit of the verdict; --no-verdict asks none. Give one of them.")
    _check_given(ctx, OF_PHOTOS if synthetic else OF_SYNTHETIC, "PHOTOS" if synthetic else "--synthetic")
    from apu.cli import build_run

    accept = build_run.acceptance(min_chance, verdict=not no_verdict)
    if synthetic is not None:
        job = build_run.of_synthetic(
            synthetic, accept, accepted, pairs=pairs, classes=classes, answers=answers, trusted=trusted,
            family=family, seed=seed, prior=prior,
        )  # fmt: skip
    else:
        from apu.cli.asking import Asking

        job = build_run.of_photos(
            photos, accept, accepted, keypoints=keypoints, init=init, contacts=contacts, annotator=annotator,
            samples=samples, asking=Asking(store, budget, allow_http, yes), all_pairs=all_pairs, split=split, seed=seed,
            prior=prior, jobs=jobs,
        )  # fmt: skip
    if prepare(out, overwrite=overwrite, resume=resume) == "finished":
        check_same(out, dict(job.asked.settings), dict(job.asked.versions))
        click.echo(f"The data set in {printable(out)}/ is finished already.")
        return
    build_run.make(out, job, jobs)


def _check_given(ctx: click.Context, foreign: tuple[str, ...], only_with: str) -> None:
    """Refuse options that would do nothing."""
    given = [name for name in foreign if ctx.get_parameter_source(name) != click.core.ParameterSource.DEFAULT]
    if given:
        raise click.UsageError(f"--{given[0].replace('_', '-')} is for {only_with} only.")
