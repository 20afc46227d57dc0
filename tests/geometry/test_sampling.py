"""Farthest points: the same every time, spread out, never twice."""

import numpy as np
import pytest

from apu.geometry.sampling import farthest_points


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(500, 3))


def test_the_same_points_are_chosen_every_time(points):
    assert np.array_equal(farthest_points(points, 40), farthest_points(points.copy(), 40))


def test_no_point_is_chosen_twice(points):
    assert len(set(farthest_points(points, 40).tolist())) == 40


def test_fewer_points_are_the_first_of_more(points):
    assert np.array_equal(farthest_points(points, 10), farthest_points(points, 40)[:10])


def test_the_first_is_nearest_to_the_mean(points):
    distance = np.linalg.norm(points - points.mean(0), axis=1)
    assert farthest_points(points, 1)[0] == distance.argmin()


def test_each_is_the_farthest_from_those_before_it(points):
    chosen = farthest_points(points, 20)
    for i in range(1, 20):
        gaps = np.linalg.norm(points[:, None] - points[chosen[:i]], axis=2).min(1)
        assert gaps[chosen[i]] == pytest.approx(gaps.max())


def test_the_chosen_are_spread_wider_than_a_random_choice(points):
    def closest(index: np.ndarray) -> float:
        gaps = np.linalg.norm(points[index][:, None] - points[index], axis=2)
        return float(gaps[gaps > 0].min())

    random = np.random.default_rng(1).choice(500, 40, replace=False)
    assert closest(farthest_points(points, 40)) > 3 * closest(random)


@pytest.mark.parametrize(("available", "asked", "given"), [(5, 9, 5), (5, 5, 5), (0, 3, 0), (1, 1, 1)])
def test_never_more_than_there_are(available, asked, given):
    assert len(farthest_points(np.random.default_rng(2).normal(size=(available, 3)), asked)) == given


def test_asking_for_none_gives_none(points):
    assert len(farthest_points(points, 0)) == 0


def test_of_points_at_one_place_each_is_chosen_once():
    assert sorted(farthest_points(np.zeros((4, 3)), 4).tolist()) == [0, 1, 2, 3]
