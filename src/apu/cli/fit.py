"""`apu fit`: one photo in, one folder of meshes out."""

from pathlib import Path

import click

from apu.cli.options import AgeGroup, AgesType, PairType
from apu.cli.output import check_folder
from apu.cli.progress import shown_progress

FILE = click.Path(path_type=Path)


@click.command("fit")
@click.argument("photo", type=FILE)
@click.option("--out", type=FILE, metavar="DIR", help="Folder for the results.  [default: <photo>_apu]")
@click.option("--pair", "pairs", type=PairType(), multiple=True, help="Fit these two people; may be repeated.")
@click.option("--all-pairs", is_flag=True, help="Fit every pair of people who may touch.")
@click.option("--keypoints", type=FILE, metavar="FILE", help="OpenPose or COCO keypoints instead of the detector's.")
@click.option("--contacts", type=FILE, metavar="FILE", help="Our JSON or FlickrCI3D's, instead of guessed contacts.")
@click.option("--age", "ages", type=AgesType(), default="A=unknown,B=unknown", help="Who is adult or child, if known.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random numbers.")
@click.option("--overwrite", is_flag=True, help="Write into a folder that holds results already.")
def command(
    photo: Path,
    out: Path | None,
    pairs: tuple[tuple[int, int], ...],
    all_pairs: bool,
    keypoints: Path | None,
    contacts: Path | None,
    ages: tuple[AgeGroup, AgeGroup],
    seed: int,
    overwrite: bool,
) -> None:
    """Turn PHOTO into two 3D meshes that touch.

    People are numbered from 0; the numbers are printed, and drawn in panel.png. Without --pair or --all-pairs the
    closest pair is fitted, or every pair that --contacts annotates. In a pair I,J, person I is called A and J is B.

    \b
    Examples:
      apu fit photo.jpg
      apu fit photo.jpg --pair 1,0 --age A=adult,B=child --out hug
      apu fit photo.jpg --keypoints photo_keypoints.json --contacts contacts.json
    """
    if pairs and all_pairs:
        raise click.UsageError("--pair and --all-pairs exclude each other; give one of them.")

    out = out or Path(f"{photo.stem}_apu")
    check_folder(out, overwrite=overwrite)
    with shown_progress() as progress:
        progress("loading the libraries")
        from apu.cli.run import FitOptions, fit_and_save, report

        options = FitOptions(
            pairs=pairs, all_pairs=all_pairs, keypoints=keypoints, contacts=contacts, ages=ages, seed=seed
        )
        result, files = fit_and_save(photo, options, out, progress, overwrite=overwrite)
    report(result, out, files)
