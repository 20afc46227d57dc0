"""Crumbs of a labelling are absorbed by what surrounds them, and nothing else changes."""

import numpy as np
import pytest

from apu.body.region_islands import absorb_islands, patches

SIDE = 12


def square() -> np.ndarray:
    """Faces of a grid of SIDE x SIDE vertices."""
    corner = (np.arange(SIDE - 1)[:, None] * SIDE + np.arange(SIDE - 1)).ravel()
    one = np.stack([corner, corner + 1, corner + SIDE], 1)
    two = np.stack([corner + 1, corner + SIDE + 1, corner + SIDE], 1)
    return np.concatenate([one, two])


@pytest.fixture
def halves() -> np.ndarray:
    """Label 0 on the left half of the grid, 1 on the right."""
    return (np.arange(SIDE * SIDE) % SIDE >= SIDE // 2).astype(np.int64)


def test_a_sound_labelling_stays_as_it_is(halves):
    assert np.array_equal(absorb_islands(halves, square()), halves)


def test_a_crumb_takes_the_label_around_it(halves):
    crumbed = halves.copy()
    crumbed[[3 * SIDE + 2, 3 * SIDE + 3, 4 * SIDE + 2]] = 1
    assert np.array_equal(absorb_islands(crumbed, square()), halves)


def test_a_wide_crumb_is_eaten_ring_by_ring(halves):
    grid = np.zeros((SIDE, SIDE), np.int64)
    grid[:, 9:] = 1
    wide = grid.copy()
    wide[3:6, 2:5] = 1  # 9 vertices, a quarter of the biggest patch of label 1
    assert np.array_equal(absorb_islands(wide.ravel(), square(), kept_share=0.3), grid.ravel())
    assert np.array_equal(absorb_islands(wide.ravel(), square(), kept_share=0.2), wide.ravel())


def test_a_shell_of_its_own_keeps_its_label(halves):
    faces = np.concatenate([square(), [[144, 145, 146]]])
    labels = np.concatenate([halves, [1, 1, 1]])
    assert np.array_equal(absorb_islands(labels, faces), labels)


def test_no_label_disappears(halves):
    labels = halves.copy()
    labels[70] = 2  # the only one of its kind
    assert set(absorb_islands(labels, square()).tolist()) == {0, 1, 2}


def test_the_given_labels_are_not_changed(halves):
    crumbed = halves.copy()
    crumbed[26] = 1
    kept = crumbed.copy()
    absorb_islands(crumbed, square())
    assert np.array_equal(crumbed, kept)


def test_patches_are_the_connected_parts_of_each_label(halves):
    halves[26] = 1
    found = patches(halves, square())
    assert len(np.unique(found)) == 3
    assert (found == found[26]).sum() == 1
