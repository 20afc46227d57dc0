import numpy as np
import pytest
import trimesh

from apu.show.palette import PAPER, TILE
from apu.show.sheet import SheetRow, pair_sheet

TILE_PX = (60, 80)


def box(size: float, at: tuple[float, float, float]) -> trimesh.Trimesh:
    return trimesh.creation.box((size, size, size)).apply_translation(at)


FACES = np.asarray(box(1, (0, 0, 0)).faces)


def row(touching: bool = False, shift: float = 0.0, title: str = "pair") -> SheetRow:
    """A at the left and B at the right, half a metre apart, both on the floor and one metre high."""
    vertices = np.stack([box(1.0, (x + shift, -0.5, 0)).vertices for x in (-0.75, 0.75)]).astype(np.float32)
    mask = np.full(vertices.shape[1], touching)
    return SheetRow(title, vertices, (mask, mask))


def warm(pixels: np.ndarray) -> np.ndarray:
    return pixels[..., 0].astype(int) - pixels[..., 2] > 40


def cold(pixels: np.ndarray) -> np.ndarray:
    return pixels[..., 2].astype(int) - pixels[..., 0] > 40


def tiles(sheet: np.ndarray) -> list[np.ndarray]:
    top = sheet.shape[0] - TILE_PX[1] - 8
    return [sheet[top : top + TILE_PX[1], 8 + i * TILE_PX[0] : 8 + (i + 1) * TILE_PX[0]] for i in range(3)]


def test_a_is_left_of_b_from_the_front_and_right_of_b_from_behind():
    front, _, behind = tiles(pair_sheet([row()], FACES, tile_px=TILE_PX))
    columns = np.arange(TILE_PX[0])
    for picture, sign in ((front, 1), (behind, -1)):
        a, b = (np.average(columns, weights=side(picture).sum(0)) for side in (warm, cold))
        assert sign * (b - a) > 5


def test_from_the_side_the_body_at_larger_x_hides_the_other():
    _, side, _ = tiles(pair_sheet([row()], FACES, tile_px=TILE_PX))
    assert cold(side).any()
    assert not warm(side).any()


def test_bodies_stand_on_the_floor_line():
    front, *_ = tiles(pair_sheet([row()], FACES, tile_px=TILE_PX))
    lowest = np.nonzero((warm(front) | cold(front)).any(1))[0].max()
    beside = front[:, 0]  # the floor reaches beyond the bodies
    floor = np.nonzero(np.abs(beside.astype(int) - (np.array(TILE) * 255)).max(1) > 30)[0]
    assert len(floor)
    assert abs(floor.min() - lowest) <= 2


def test_touching_vertices_are_darker():
    plain, painted = (pair_sheet([row(touching)], FACES, tile_px=TILE_PX) for touching in (False, True))
    assert painted[40:].mean() < plain[40:].mean()


def test_where_the_pair_stands_does_not_matter():
    here, there = (tiles(pair_sheet([row(shift=x)], FACES, tile_px=TILE_PX)) for x in (0.0, 5.0))
    for a, b in zip(here, there, strict=True):
        changed = np.abs(a.astype(int) - b).max(-1) > 8
        assert changed.mean() < 0.02


@pytest.mark.parametrize(("pairs", "columns", "shape"), [(1, 2, (1, 1)), (3, 2, (2, 2)), (4, 4, (1, 4))])
def test_pairs_stand_in_lines_and_columns(pairs: int, columns: int, shape: tuple[int, int]):
    sheet = pair_sheet([row()] * pairs, FACES, columns=columns, tile_px=TILE_PX)
    assert sheet.shape == (22 + 16 + shape[0] * (TILE_PX[1] + 22 + 8), 8 + shape[1] * (3 * TILE_PX[0] + 8), 3)


def test_titles_are_written_and_long_ones_cut():
    short = pair_sheet([row(title="a")], FACES, tile_px=TILE_PX)
    long = pair_sheet([row(title="word " * 100)], FACES, tile_px=TILE_PX)
    assert short.shape == long.shape
    assert (long[38:60] != short[38:60]).any()
    assert (long[:, -8:] == (np.array(PAPER) * 255).astype(np.uint8)).all()


def test_a_body_that_is_not_a_number_is_left_out():
    broken = row()
    broken.vertices[1] = np.nan
    front, *_ = tiles(pair_sheet([broken], FACES, tile_px=TILE_PX))
    assert warm(front).any()
    assert not cold(front).any()
