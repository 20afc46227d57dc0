"""`apu ask`: photos in, a contact file for each out, with the answers beside it."""

from pathlib import Path
from typing import Literal, get_args

import click

from apu.cli.asking import Asking, asking_options
from apu.cli.companions import check_shared
from apu.cli.group import ApuCommand
from apu.cli.options import PairType
from apu.cli.photos import chosen_photos
from apu.cli.request import Request

FILE = click.Path(path_type=Path)
Batch = Literal["submit", "collect", "forget"]
Sides = Literal["answer", "relation", "all-four"]


@click.command("ask", cls=ApuCommand, short_help="Let a language model say which body parts touch in photos.")
@click.argument("photos", nargs=-1, required=True, metavar="PHOTOS...")
@click.option(
    "--model", "models", required=True, multiple=True, metavar="MODEL", help="Who is asked; may be repeated. See below."
)
@click.option("--out", type=FILE, default="apu_answers", show_default=True, metavar="DIR", help="Folder for the files.")
@click.option("--pair", "pairs", type=PairType(), multiple=True, help="Ask about these two; may be repeated.")
@click.option("--all-pairs", is_flag=True, help="Ask about every pair of people who may touch.")
@click.option(
    "--keypoints",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="OpenPose or COCO keypoints instead of the detector's; may be repeated, the preferred file first.",
)
@asking_options
@click.option("--concurrency", type=click.IntRange(1, 256), default=4, show_default=True, help="Requests at once.")
@click.option("--rpm", type=click.FloatRange(min=0, min_open=True), metavar="N", help="Most requests in a minute.")
@click.option("--replay", is_flag=True, help="Send nothing: understand the stored replies once more.")
@click.option("--batch", type=click.Choice(get_args(Batch)), help="Ask in batches, at half the price.")
@click.option(
    "--samples", type=click.IntRange(1, 100), default=1, show_default=True, help="Answers per pair and model."
)
@click.option(
    "--sides",
    type=click.Choice(get_args(Sides)),
    default="relation",
    show_default=True,
    help="Who decides on left and right: the answers, or keypoints.",
)
@click.option("--examples", type=click.Choice(["0", "2", "4"]), default="2", show_default=True, help="Shown before.")
@click.option("--no-marks", is_flag=True, help="Do not mark the two people in the picture.")
@click.option("--no-blur", is_flag=True, help="Do not blur other people.")
@click.option(
    "--long-side", type=click.IntRange(768, 1024), default=896, show_default=True, help="Of the picture, pixels."
)
@click.option("--temperature", type=click.FloatRange(0, 2), metavar="T", help="Sent only if given; some refuse it.")
@click.option("--save-images", is_flag=True, help="Also write the pictures as they are sent.")
def command(
    photos: tuple[str, ...],
    models: tuple[str, ...],
    out: Path,
    pairs: tuple[tuple[int, int], ...],
    all_pairs: bool,
    keypoints: tuple[Path, ...],
    store: Path | None,
    budget: float | None,
    yes: bool,
    allow_http: bool,
    concurrency: int,
    rpm: float | None,
    replay: bool,
    batch: Batch | None,
    samples: int,
    sides: Sides,
    examples: str,
    no_marks: bool,
    no_blur: bool,
    long_side: int,
    temperature: float | None,
    save_images: bool,
) -> None:
    """Ask a vision-language model which body parts touch in PHOTOS.

    A picture of each pair is cut out of the photo and SENT TO THE MODEL'S PROVIDER; other people in it are blurred.
    Every answer is kept: the same question is never paid for twice, also after Ctrl-C.

    MODEL is openai:NAME, anthropic:NAME, google:NAME, or http://HOST:PORT/v1#NAME for a server of your own. Keys come
    from the environment: OPENAI_API_KEY, ANTHROPIC_API_KEY, GOOGLE_API_KEY, APU_LVLM_API_KEY.

    All answers about a pair become one list of contacts with weights. With --samples, the same is asked in other forms:
    A and B swapped, mirrored, the words in another order. What the answers share weighs more. Keypoints then decide on
    left and right, where they are clear, and what the photo denies is removed; NAME_contacts.json tells why.

    PHOTOS are files, folders, or patterns in quotes, as in apu fit. Each gets NAME_contacts.json, which
    `apu fit --contacts` reads, and NAME_answers.json with what was said. A photo that fails does not stop the others.

    \b
    Examples:
      apu ask photo.jpg --model http://127.0.0.1:8080/v1#tiny
      apu ask holiday/ --all-pairs --model openai:MODEL --budget 5.00
      apu ask photo.jpg --model openai:MODEL --model google:MODEL --samples 3
      apu fit holiday/ --contacts apu_answers
    """
    if pairs and all_pairs:
        raise click.UsageError("--pair and --all-pairs exclude each other; give one of them.")
    if replay and batch:
        raise click.UsageError("--replay sends nothing, --batch does; give one of them.")
    models = tuple(dict.fromkeys(models))
    if batch == "submit" and budget is not None and len(models) > 1:
        raise click.UsageError("A budget of batches is one model's: hand in one --model after the other.")
    chosen = chosen_photos(photos)
    request = Request(pairs=pairs, all_pairs=all_pairs, keypoints=keypoints)
    check_shared(request, several=len(chosen.photos) > 1)
    asking = Asking(store, budget, allow_http, yes, concurrency, rpm)
    from apu.ask.trust import TrustOptions
    from apu.cli.ask_run import Job, ask_photos, options_of

    job = Job(
        photos=chosen.photos,
        several=chosen.several,
        request=request,
        models=models,
        out=out,
        asking=asking,
        options=options_of(int(examples), not no_marks, not no_blur, long_side, temperature),
        samples=samples,
        trust=TrustOptions(sides),
        mode="replay" if replay else batch or "ask",
        save_images=save_images,
    )
    ask_photos(job)
