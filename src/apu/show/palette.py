"""The colours of every picture: A is warm, B is cool, and each has a strong colour for where it touches.

The four colours differ in lightness as well as in hue, so they stay apart for colour-blind eyes and in grey print.
"""

from collections.abc import Collection

import numpy as np
from jaxtyping import Float

from apu.body.protocol import Surface

Color = tuple[float, float, float]
"""Red, green, blue in [0, 1], sRGB."""

PERSON_NAMES = ("A", "B")
BODY_COLORS: tuple[Color, Color] = ((0.96, 0.69, 0.47), (0.53, 0.74, 0.93))
CONTACT_COLORS: tuple[Color, Color] = ((0.78, 0.08, 0.27), (0.10, 0.20, 0.62))
LINE_COLORS: tuple[Color, Color] = ((0.93, 0.49, 0.13), (0.13, 0.52, 0.90))
OTHERS_COLOR: Color = (0.62, 0.64, 0.67)

PAPER: Color = (1.0, 1.0, 1.0)
TILE: Color = (0.955, 0.96, 0.968)
GRID: Color = (0.875, 0.885, 0.90)
INK: Color = (0.13, 0.15, 0.18)
FAINT_INK: Color = (0.42, 0.45, 0.49)
REACHED_COLOR: Color = (0.05, 0.55, 0.42)
MISSED_COLOR: Color = (0.85, 0.45, 0.05)


def painted(surface: Surface, regions: Collection[str], person: int) -> Float[np.ndarray, "v 3"]:
    """(v, 3) colours of one body: its own, and its contact colour on the named regions.

    Args:
        surface: the skin; region names that it lacks are passed over.
        regions: names to paint.
        person: 0 for A, 1 for B.
    """
    colors = np.tile(np.asarray(BODY_COLORS[person], dtype=np.float32), (len(surface.rest_vertices), 1))
    touched = np.array([name in regions for name in surface.region_names], dtype=bool)
    if touched.any():
        region = surface.region_of_vertex.detach().cpu().numpy()
        colors[touched[region]] = CONTACT_COLORS[person]
    return colors
