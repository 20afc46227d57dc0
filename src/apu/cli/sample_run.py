"""Draws the pairs of `apu sample`. Loads torch: import it inside the command only."""

from collections.abc import Sequence
from pathlib import Path

import click
import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.anny import AnnyBody
from apu.body.protocol import BodyModel, Parts
from apu.cache import written_whole
from apu.cli.output import check_folder
from apu.cli.request import printable
from apu.cli.run import use_threads
from apu.cli.sample_sheet import on_the_floor, sheet_row, touching
from apu.contact.contact import ContactMap
from apu.dataset.prior_pairs import contact_map_of
from apu.dataset.record import PairRecord
from apu.dataset.store import PairStore
from apu.errors import InputError
from apu.prior.checkpoint import load_prior
from apu.prior.contact_prior import ContactPrior
from apu.prior.sampling import SamplingSettings, sample
from apu.scene.pair import Fit
from apu.show.canvas import save_png
from apu.show.glb import write_glb
from apu.show.sheet import pair_sheet

SHEET = "samples.png"


@torch.no_grad()
def draw(
    folder: Path,
    out: Path,
    count: int,
    like: tuple[Path, str] | None,
    given: Sequence[str],
    steps: int,
    eta: float,
    seed: int,
    *,
    overwrite: bool,
) -> None:
    """Draw, write the files, and say where they are.

    Raises:
        InputError: the prior or the pair cannot be used.
        OutputError: the folder cannot take the files.
    """
    use_threads()
    check_folder(out, overwrite=overwrite)
    body = AnnyBody.load()
    prior = load_prior(folder, body)
    pair = None if like is None else PairStore(like[0]).with_ids([like[1]])[0]
    settings = SamplingSettings(steps, eta, seed=seed)
    found = sample(prior, settings=settings, **_told(prior, pair, given, count))
    vertices = on_the_floor(body, found)
    maps = [touching(body, one) for one in vertices]
    for number, (one, contacts) in enumerate(zip(vertices, maps, strict=True)):
        parameters = {name: value[number] for name, value in found.items()}
        with written_whole(out / f"pair-{number:03d}.glb") as temporary:
            write_glb(temporary, _as_fit(body, parameters, one, contacts), body.surface)
    words = f"drawn from {folder.name}" + (f", given {', '.join(given)} of {like[1]}" if like else "")
    rows = [sheet_row(body, *drawn, f"{number:03d}") for number, drawn in enumerate(zip(vertices, maps, strict=True))]
    with written_whole(out / SHEET) as temporary:
        save_png(pair_sheet(rows, body.surface.faces.cpu().numpy(), heading=words), temporary)
    click.echo(f"{count} pairs in {printable(out)}/: {SHEET}, and a GLB file of each")


def _told(prior: ContactPrior, pair: PairRecord | None, given: Sequence[str], count: int) -> dict:
    if pair is None:
        return {"count": count}

    def repeated(bodies: dict[str, list[list[float]]]) -> dict[str, Float[Tensor, "n 2 _"]]:
        return {name: torch.tensor([value] * count) for name, value in bodies.items()}

    if "initial" in given and pair.initial is None:
        raise InputError(
            "The pair has no initial estimates.",
            where=f"pair {pair.id}",
            expected="a record with `initial`",
            got="none",
            remedy="leave `--given initial` out, or name a pair of a data set that has them.",
        )
    contacts = [contact_map_of(pair)] * count if "contacts" in given else ()
    initial = repeated(pair.initial) if "initial" in given and pair.initial else None
    own = {name: value[:, 0] for name, value in repeated(pair.parameters).items()} if "a" in given else None
    return {"condition": prior.condition(count, initial, contacts=contacts), "given_a": own}


def _as_fit(
    body: BodyModel, parameters: dict[str, Tensor], vertices: Float[Tensor, "2 v 3"], contacts: ContactMap
) -> Fit:
    """A sample in the words of a result, for the writer of GLB files; no photo, so nothing was measured in one."""
    joints = body.forward(parameters, Parts("body25")).joints
    assert joints is not None
    heights = body.height(parameters).tolist()
    unknown = float("nan")
    return Fit(
        body_model=body.name,
        parameters=parameters,
        vertices=vertices,
        joints=joints,
        first_vertices=vertices,
        contacts=contacts,
        contact_results=(),
        reprojection_percent=(unknown, unknown),
        penetration_max_m=unknown,
        penetration_volume_cm3=unknown,
        heights_m=(heights[0], heights[1]),
        attributes={},
        hypothesis={},
        stages=(),
    )
