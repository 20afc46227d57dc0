"""Draw the bodies of a result folder without the photo: python examples/02_render_bodies.py FOLDER PICTURE.png."""

import json
import sys
from pathlib import Path

import numpy as np

from apu.geometry.views import PerspectiveView, side_view, top_view
from apu.show.canvas import blank, paste, save_png
from apu.show.palette import BODY_COLORS, CONTACT_COLORS, PAPER
from apu.show.render import Mesh, over, render, with_shadow

SIZE = 620
SHADOW = (0.45, 0.47, 0.52)


def main(folder: Path, picture: Path) -> None:
    with np.load(folder / "pair.npz", allow_pickle=False) as file:
        pair = {name: file[name] for name in file.files}
    contacts = json.loads((folder / "contacts.json").read_text())["contacts"]
    mesh = pair_mesh(pair, [{region for c in contacts for region in c[side]} for side in "ab"])
    points = mesh.vertices
    views = (front_view(points), side_view(points, SIZE, SIZE), top_view(points, SIZE, SIZE))
    canvas = blank(len(views) * SIZE, SIZE, PAPER)
    for i, view in enumerate(views):
        drawn = render(mesh, view)
        tile = with_shadow(blank(SIZE, SIZE, PAPER), drawn[..., 3], SHADOW)
        paste(canvas, over(tile, drawn), i * SIZE, 0)
    save_png(canvas, picture)


def pair_mesh(pair: dict[str, np.ndarray], touched: list[set[str]]) -> Mesh:
    """Both bodies, the regions that touch in the stronger colour."""
    vertices, faces, names = pair["vertices"], pair["faces"], pair["region_names"][pair["regions"]]
    colors = [
        np.where(np.isin(names, list(touched[person]))[:, None], CONTACT_COLORS[person], BODY_COLORS[person])
        for person in (0, 1)
    ]
    return Mesh(
        vertices.reshape(-1, 3),
        np.concatenate([faces, faces + vertices.shape[1]]),
        np.concatenate(colors).astype(np.float32),
        np.repeat(np.arange(2), len(faces)),
    )


def front_view(points: np.ndarray) -> PerspectiveView:
    """As the camera sees them, filling the picture."""
    flat = points[:, :2] / points[:, 2:]
    low, high = flat.min(0), flat.max(0)
    focal = 0.84 * SIZE / float((high - low).max())
    x, y = SIZE / 2 - focal * (low + high) / 2
    return PerspectiveView(focal, (float(x), float(y)), SIZE, SIZE)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
