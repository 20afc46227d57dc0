"""Draw the 75 regions, front and back, on an adult and a child: python examples/03_show_regions.py PICTURE.png."""

import colorsys
import sys
from pathlib import Path

import numpy as np
import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts, default_parameters
from apu.geometry.views import OrthographicView
from apu.show.canvas import blank, paste, save_png
from apu.show.palette import PAPER
from apu.show.render import Mesh, over, render

SIZE, PIXELS_PER_M = (300, 620), 310.0
AGES = (0.72, 0.25)  # an adult and a child of about five


def main(picture: Path) -> None:
    body = AnnyBody.load()
    surface = body.surface
    parameters = default_parameters(body.parameter_spec, (len(AGES),))
    age = body.parameter_spec["shape"].names.index("age")
    parameters["shape"][:, age] = torch.logit(torch.tensor(AGES))
    vertices = body.forward(parameters, Parts(vertices="all")).vertices
    assert vertices is not None
    colors = region_colors(len(surface.region_names))[surface.region_of_vertex.numpy()]
    canvas = blank(2 * len(AGES) * SIZE[0], SIZE[1], PAPER)
    for i, points in enumerate(vertices.numpy()):
        mesh = Mesh(points, surface.faces.numpy(), colors, np.zeros(len(surface.faces), np.int64))
        middle = (points.min(0) + points.max(0)) / 2
        for back, right in enumerate(((1.0, 0.0, 0.0), (-1.0, 0.0, 0.0))):
            view = OrthographicView(right, (0.0, 1.0, 0.0), tuple(map(float, middle)), PIXELS_PER_M, *SIZE)
            paste(canvas, over(blank(*SIZE, PAPER), render(mesh, view)), (2 * i + back) * SIZE[0], 0)
    save_png(canvas, picture)


def region_colors(count: int) -> np.ndarray:
    """Neighbouring numbers get hues far apart; left and right of one region differ in lightness."""
    half = count // 2
    rows = []
    for i in range(count):
        hue = ((i % half) * 0.618034) % 1.0
        rows.append(colorsys.hls_to_rgb(hue, 0.62 if i < half else 0.42, 0.65))
    return np.array(rows, dtype=np.float32)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
