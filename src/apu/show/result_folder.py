"""From all results of a photo to the files of its folder."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from apu.body.protocol import ParameterSpec, Surface
from apu.scene.results import FitOptions, PhotoResult
from apu.show.files import pair_folder, prepare_folder, remove_results, save_pair, save_people, save_run
from apu.show.report import RunInfo


def save_result(
    result: PhotoResult,
    options: FitOptions,
    folder: Path,
    surface: Surface,
    spec: Mapping[str, ParameterSpec],
    *,
    overwrite: bool,
    video: bool = False,
) -> list[Path]:
    """Write one pair into the folder, or several into `pair_I_J` below it.

    Args:
        result: of one photo.
        options: what was asked for.
        folder: made where it is missing.
        surface: the skin that the fits' vertices belong to.
        spec: of the body model; names the parameters.
        overwrite: replace earlier results.
        video: also write `turntable.gif` of each pair.

    Raises:
        OutputError: the folder holds something and `overwrite` is not set, or it cannot be written.
    """
    prepare_folder(folder, overwrite)
    remove_results(folder)
    info = _run_info(result, options)
    files = [save_people(folder, result.photo, result.people)]
    for pair in result.pairs:
        place = folder if len(result.pairs) == 1 else pair_folder(folder, pair.observation)
        files += save_pair(
            place, result.photo, result.people, pair.observation, pair.fit, surface, info, spec=spec, video=video
        )
    if len(result.pairs) != 1:
        all_pairs = [(pair.observation, pair.fit) for pair in result.pairs]
        files.append(save_run(folder, result.photo, result.people, all_pairs, info))
    return files


def _run_info(result: PhotoResult, options: FitOptions) -> RunInfo:
    sources = sorted({pair.fit.contacts.source for pair in result.pairs})
    note = f"contacts: {', '.join(sources) or 'none'}"
    answers = {pair.indices: pair.answer for pair in result.pairs if pair.answer is not None}
    if "proximity" in sources:
        looked = "the language model gave no answer" if answers else "no person or language model looked"
        note += f" (a guess from the first fit; {looked})"
    return RunInfo(
        seed=options.seed,
        options=asdict(options),
        seconds=sum(result.seconds.values()),
        failures=result.failures,
        notes=result.notes,
        answers=answers,
        versions=result.versions,
        contacts_note=note,
        focal_source="exif" if result.photo.focal_px else "assumed field of view of 60 degrees",
    )
