"""`apu fit`: photos in, a folder of meshes for each out."""

from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from apu.body.smplx_place import find_smplx, named_smplx
from apu.cli.asking import Asking, asking_options, confirm, samples_option
from apu.cli.companions import check_shared, with_files_of
from apu.cli.group import ApuCommand
from apu.cli.options import AgeGroup, AgesType, BodyKind, Box, BoxType, Detector, PairType, PersonFileType, prior_option
from apu.cli.output import check_folder
from apu.cli.photos import chosen_photos
from apu.cli.progress import shown_progress
from apu.cli.request import Request, printable
from apu.cli.resume import check_place, sweep, why_again
from apu.prior.shipped import Shipped

if TYPE_CHECKING:
    from apu.progress import Progress
    from apu.scene.photo import Photo

LARGE_BYTES = 8_000_000
"""Photo files above may hold hundreds of megapixels."""

FILE = click.Path(path_type=Path)
SEVERAL_OUT = Path("apu_results")
"""Where the results of several photos go."""


@click.command("fit", cls=ApuCommand)
@click.argument("photos", nargs=-1, required=True, metavar="PHOTOS...")
@click.option("--out", type=FILE, metavar="DIR", help="Folder for the results.  [default: <photo>_apu, or apu_results]")
@click.option("--pair", "pairs", type=PairType(), multiple=True, help="Fit these two people; may be repeated.")
@click.option("--all-pairs", is_flag=True, help="Fit every pair of people who may touch.")
@click.option(
    "--keypoints",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="OpenPose or COCO keypoints instead of the detector's; may be repeated, the preferred file first.",
)
@click.option(
    "--detector",
    type=click.Choice(get_args(Detector)),
    default="movenet",
    show_default=True,
    help="Who finds the people; all but movenet are optional packages.",
)
@click.option("--detector-weights", type=FILE, metavar="PATH", help="Its weights.  [default: fetched]")
@click.option("--person-box", "boxes", type=BoxType(), multiple=True, help="Look for a person here; may be repeated.")
@click.option(
    "--person-keypoints",
    "person_keypoints",
    type=PersonFileType(),
    multiple=True,
    help="Keypoints of person I alone; may be repeated.",
)
@click.option(
    "--init",
    type=FILE,
    metavar="FILE",
    help="Another program's bodies as a start: BEV, 4D-Humans, Multi-HMR, SAM 3D Body, SMPL-X.",
)
@click.option("--contacts", type=FILE, metavar="FILE", help="Our JSON, FlickrCI3D's or CHI3D's, not guessed contacts.")
@click.option("--annotator", metavar="MODEL", help="Language model that says what touches; see apu ask.")
@samples_option
@asking_options
@click.option(
    "--body", type=click.Choice(get_args(BodyKind)), default="anny", show_default=True, help="The body model."
)
@click.option(
    "--body-file",
    type=FILE,
    metavar="PATH",
    help="Your SMPL-X file or folder.  [default: $APU_SMPLX, config.toml]",
)
@prior_option
@click.option("--age", "ages", type=AgesType(), default="A=unknown,B=unknown", help="Who is adult or child, if known.")
@click.option("--shared-floor", is_flag=True, help="Both people have a foot on one level floor.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random numbers.")
@click.option("--video", is_flag=True, help="Also make a picture that turns once round the pair.")
@click.option("--overwrite", is_flag=True, help="Write into a folder that holds results already.")
@click.option("--resume", is_flag=True, help="Keep what is finished; fit what is missing, failed or changed.")
def command(
    photos: tuple[str, ...],
    out: Path | None,
    pairs: tuple[tuple[int, int], ...],
    all_pairs: bool,
    keypoints: tuple[Path, ...],
    detector: Detector,
    detector_weights: Path | None,
    boxes: tuple[Box, ...],
    person_keypoints: tuple[tuple[int, Path], ...],
    init: Path | None,
    contacts: Path | None,
    annotator: str | None,
    samples: int,
    store: Path | None,
    budget: float | None,
    yes: bool,
    allow_http: bool,
    body: BodyKind,
    body_file: Path | None,
    prior: Path | Shipped | None,
    ages: tuple[AgeGroup, AgeGroup],
    shared_floor: bool,
    seed: int,
    video: bool,
    overwrite: bool,
    resume: bool,
) -> None:
    """Turn PHOTOS into pairs of 3D meshes that touch.

    PHOTOS are files, folders, or patterns in quotes. The results of one photo lie in its folder. Those of several get
    a sub-folder each, beside a page that shows all of them; a photo that fails does not stop the others. For several
    photos, --keypoints, --contacts and --init take folders with a file for each photo, called as it is.

    With several --keypoints, joints that the first file lacks come from the next; docs/keypoints.md has the rules, and
    says what the other detectors need.

    People are numbered from 0; the numbers are printed, and drawn in panel.png. Without --pair or --all-pairs the
    closest pair is fitted, or every pair that --contacts annotates. In a pair I,J, person I is called A and J is B.

    Contacts come from --contacts, else from the language model that --annotator names, else they are guessed from what
    is close (proximity). With --annotator, a picture of each pair is sent to that model's provider.

    --body smplx fits SMPL-X instead of Anny. Its files are not ours to give: docs/smplx.md says where to get them and
    where they are looked for. --prior takes a folder of apu train, for the same body.

    \b
    Examples:
      apu fit photo.jpg
      apu fit photo.jpg --pair 1,0 --age A=adult,B=child --out hug
      apu fit photo.jpg --keypoints photo_keypoints.json --contacts contacts.json
      apu fit photo.jpg --keypoints vitpose.json --keypoints openpose.json
      apu fit photo.jpg --detector vitpose --detector-weights models/vitpose
      apu fit photo.jpg --annotator openai:MODEL --budget 1
      apu fit photo.jpg --body smplx --body-file models/smplx
      apu fit photo.jpg --person-box 120,40,310,480 --person-box 260,60,470,480
      apu fit holiday/ 'party/**/*.jpg' --out results --resume
    """
    if pairs and all_pairs:
        raise click.UsageError("--pair and --all-pairs exclude each other; give one of them.")
    if overwrite and resume:
        raise click.UsageError("--overwrite does all again, --resume only what is missing; give one of them.")

    chosen = chosen_photos(photos)
    request = Request(
        pairs=pairs,
        all_pairs=all_pairs,
        keypoints=keypoints,
        detector=detector,
        detector_weights=detector_weights,
        contacts=contacts,
        annotator=annotator,
        samples=samples,
        person_boxes=boxes,
        person_keypoints=person_keypoints,
        init=init,
        body=body,
        body_file=_body_file(body, body_file),
        prior=prior,
        ages=ages,
        shared_floor=shared_floor,
        seed=seed,
    )
    asking = Asking(store, budget, allow_http, yes)
    if chosen.several:
        _fit_several(chosen.photos, request, asking, out or SEVERAL_OUT, overwrite, resume, video)
    else:
        photo = chosen.photos[0]
        _fit_one(photo, request, asking, out or Path(f"{photo.stem}_apu"), overwrite, resume, video)


def _body_file(body: BodyKind, file: Path | None) -> Path | None:
    """The place of SMPL-X as it is recorded, also where a variable or `config.toml` names it.

    Raises:
        ModelFileError: the model is not there.
    """
    if body != "smplx":
        if file is not None:
            raise click.UsageError("--body-file is for --body smplx; the other body is read from no file.")
        return None
    find_smplx(file)
    return named_smplx(file)


def _fit_one(
    photo: Path, request: Request, asking: Asking, out: Path, overwrite: bool, resume: bool, video: bool
) -> None:
    request = with_files_of(request, photo, [photo])
    check_folder(out, overwrite=overwrite or resume)
    if resume:
        check_place(out)
        if why_again(out, photo, request, video=video) is None:
            click.echo(f"Results in {printable(out)}/ are finished already.")
            return
        sweep(out)
    with shown_progress() as progress:
        read = _read_if_large(photo, progress)
        progress("loading the libraries")
        from apu.cli.run import annotator_of, check_models, fit_and_save, report

        check_models(request)
        annotator = annotator_of(request, asking)
        result, files = fit_and_save(
            read, request, out, progress, overwrite=overwrite or resume, video=video, annotator=annotator
        )
    report(result, out, files)


def _read_if_large(photo: Path, progress: "Progress") -> "Path | Photo":
    """A large photo is read before the libraries are loaded: its decoder needs the memory that they will take."""
    if not photo.is_file() or photo.stat().st_size < LARGE_BYTES:
        return photo
    progress("reading the photo")
    from apu.pose.photo_file import read_photo

    return read_photo(photo)


def _fit_several(
    photos: tuple[Path, ...],
    request: Request,
    asking: Asking,
    out: Path,
    overwrite: bool,
    resume: bool,
    video: bool,
) -> None:
    for option, given in (("--person-box", request.person_boxes), ("--person-keypoints", request.person_keypoints)):
        if given:
            raise click.UsageError(f"{option} is for one photo, but there are {len(photos)}; fit them one by one.")
    check_shared(request, several=len(photos) > 1)
    if request.annotator:
        least = request.samples * len(photos)
        told = f"{request.annotator} will be asked at least {least} times about {len(photos)} photos."
        confirm(least, told, yes=asking.yes)
    from apu.cli.batch import Batch, fit_several

    fit_several(Batch(photos, request, out, overwrite, resume, video, asking))
