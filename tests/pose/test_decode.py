"""Decoding of output maps that are painted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apu.pose.decode import STRIDE, Heads, center_peaks, decode_from_noses, decode_people, decode_skeleton
from apu.pose.skeleton import NOSE

SIZE = (40, 48)


def blank(height: int = SIZE[0], width: int = SIZE[1]) -> Heads:
    """Maps that show nobody; the heat is low but nowhere zero, as a sigmoid's is."""
    return Heads(
        np.zeros((height, width), np.float32),
        np.full((height, width, 17), 1e-4, np.float32),
        np.zeros((height, width, 17, 2), np.float32),
        np.zeros((height, width, 17, 2), np.float32),
    )


def paint(heads: Heads, cell: tuple[int, int], joints: np.ndarray, *, center: float = 0.9, heat: float = 0.8) -> None:
    """Somebody centred in a cell whose joints (17, 2) lie at (x, y) in pixels of the net's input."""
    heads.center[cell] = center
    in_cells = joints[:, ::-1] / STRIDE
    nearest = np.round(in_cells).astype(int)
    heads.regression[cell] = in_cells - cell
    for joint, (y, x) in enumerate(nearest):
        heads.heat[y, x, joint] = max(heat, heads.heat[y, x, joint])
        heads.offset[y, x, joint] = in_cells[joint] - (y, x)


def moved(joints: np.ndarray, right: float, down: float) -> np.ndarray:
    return joints + np.array([right, down], np.float32)


@pytest.fixture(scope="session")
def joints(standing) -> np.ndarray:
    return standing(80.7, 90.3, 30)[:, :2]


CELL = (22, 20)


def test_a_joint_lies_at_its_heat_peak_moved_by_the_offset(joints):
    heads = blank()
    paint(heads, CELL, joints)
    skeleton = decode_skeleton(heads, CELL)
    np.testing.assert_allclose(skeleton[:, :2], joints, atol=1e-3)
    np.testing.assert_allclose(skeleton[:, 2], 0.8)


def test_a_coarse_regression_is_corrected_by_the_heat_nearby(joints):
    heads = blank()
    paint(heads, CELL, joints)
    heads.regression[CELL] += np.random.default_rng(0).uniform(-1.2, 1.2, (17, 2))
    np.testing.assert_allclose(decode_skeleton(heads, CELL)[:, :2], joints, atol=1e-3)


def test_a_partners_stronger_joint_farther_away_is_not_taken(joints):
    heads = blank()
    paint(heads, (22, 32), moved(joints, 48, 0), heat=0.95)
    paint(heads, CELL, joints, heat=0.5)
    np.testing.assert_allclose(decode_skeleton(heads, CELL)[:, :2], joints, atol=1e-3)


def test_a_joint_without_heat_stays_near_its_regressed_place_and_is_unsure(joints):
    heads = blank()
    paint(heads, CELL, joints)
    heads.heat[:, :, 9] = 1e-4
    skeleton = decode_skeleton(heads, CELL)
    assert np.linalg.norm(skeleton[9, :2] - joints[9]) < STRIDE
    assert skeleton[9, 2] == pytest.approx(1e-4)


def test_people_come_best_first_and_none_below_the_threshold(joints):
    heads = blank()
    paint(heads, CELL, joints, center=0.5)
    paint(heads, (22, 32), moved(joints, 48, 0), center=0.7)
    paint(heads, (5, 5), joints, center=0.2)
    people = decode_people(heads, 0.25)
    assert [score for _, score in people] == pytest.approx([0.7, 0.5])
    np.testing.assert_allclose(people[1][0][:, :2], joints, atol=1e-3)


def test_a_slope_has_one_peak_and_an_empty_map_none():
    heads = blank()
    assert center_peaks(heads, 0.1) == []
    y, x = np.indices(SIZE)
    heads.center[:] = np.exp(-((y - 12) ** 2 + (x - 30) ** 2) / 40)
    assert center_peaks(heads, 0.1) == [(12, 30)]


def test_the_second_person_of_a_hug_is_found_from_the_nose(joints):
    heads, second = blank(), moved(joints, 24, -9)
    paint(heads, CELL, joints, center=0.9)
    paint(heads, (22, 21), second, center=0.6)  # next to the first: no peak of its own
    assert len(decode_people(heads, 0.25)) == 1
    found = decode_from_noses(heads, 0.2)
    assert len(found) == 2
    other = min(found, key=lambda anchored: abs(anchored.nose - second[NOSE]).sum())
    np.testing.assert_allclose(other.nose, second[NOSE], atol=STRIDE / 2)
    np.testing.assert_allclose(other.skeleton[:, :2], second, atol=1e-3)
    assert other.score == pytest.approx(0.6, rel=0.1)


def test_a_nose_that_no_centre_explains_is_nobody(joints):
    heads = blank()
    paint(heads, CELL, joints)
    heads.heat[3, 44, NOSE] = 0.99
    assert len(decode_from_noses(heads, 0.05)) == 1


@given(down=st.integers(-5, 4), right=st.integers(-5, 15))
def test_decoding_moves_with_the_picture(joints, down, right):
    heads, other, there = blank(), blank(), (CELL[0] + down, CELL[1] + right)
    paint(heads, CELL, joints)
    shift = np.array([right, down]) * STRIDE
    paint(other, there, joints + shift)
    expected = decode_skeleton(heads, CELL)[:, :2] + shift
    np.testing.assert_allclose(decode_skeleton(other, there)[:, :2], expected, atol=1e-3)
