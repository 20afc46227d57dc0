"""The pictures of `apu dataset show`. Loads torch: import it inside the command only."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from apu.body.protocol import BodyModel
from apu.cache import written_whole
from apu.cli.run import use_threads
from apu.dataset.measure_again import spread
from apu.dataset.meshes import body_of, meshes, touching_vertices
from apu.dataset.record import PairRecord
from apu.dataset.store import PairStore
from apu.errors import InputError
from apu.show.canvas import Pixels, save_png
from apu.show.sheet import SheetRow, pair_sheet


def draw(folder: Path, ids: Sequence[str], classes: Sequence[str], count: int, out: Path) -> Iterator[tuple[Path, int]]:
    """Draw the pairs with these ids on one sheet, or some of each class on a sheet of its own.

    Returns:
        (path, number of pairs) of each picture as it is written.

    Raises:
        InputError: there is no such pair or class.
        OutputError: a picture cannot be written.
    """
    use_threads()
    store = PairStore(folder)
    body = body_of(store.info.body_model)
    sheets = {"": list(ids)} if ids else _of_classes(store, classes, count)
    for name, chosen in sheets.items():
        path = out if len(sheets) == 1 else out.with_name(f"{out.stem}_{name}{out.suffix or '.png'}")
        kind = f"{name}: {store.info.kind}" if name else str(store.info.kind)
        picture = sheet(body, store.with_ids(chosen), f"{kind} pairs in {folder.name}")
        with written_whole(path) as temporary:
            save_png(picture, temporary)
        yield path, len(chosen)


def sheet(body: BodyModel, records: Sequence[PairRecord], heading: str) -> Pixels:
    """The picture of some pairs."""
    rows = [
        SheetRow(
            f"{record.interaction}  {record.id}  {1000 * record.penetration_max_m:.0f} mm deep",
            vertices.detach().cpu().numpy(),
            touching_vertices(body.surface, record),
        )
        for batch, posed in meshes(body, records)
        for record, vertices in zip(batch, posed, strict=True)
    ]
    return pair_sheet(rows, body.surface.faces.detach().cpu().numpy(), heading=heading)


def _of_classes(store: PairStore, classes: Sequence[str], count: int) -> dict[str, list[str]]:
    of_class: dict[str, list[str]] = {}
    for row in store.rows(["id", "interaction"]):
        of_class.setdefault(row["interaction"], []).append(row["id"])
    unknown = [name for name in classes if name not in of_class]
    if unknown or not of_class:
        raise InputError(
            "The data set has no pair of this class." if unknown else "The data set is empty.",
            where=store.folder,
            expected=f"one of {', '.join(sorted(of_class))}" if of_class else "a pair to draw",
            got=", ".join(unknown) or "none",
            remedy="`apu dataset stats` lists the classes.",
        )
    wanted = dict.fromkeys(classes) or sorted(of_class)
    return {name: [of_class[name][i] for i in spread(len(of_class[name]), count)] for name in wanted}
