import math

import pytest

from apu.evaluate.findings import find, pair_values
from apu.evaluate.rows import BenchmarkRow

METRIC = "pair_pa_mpjpe_mm"


def row(pair: str, method: str, value: float | None, seed: int = 0, interaction: str = "hug", group: str = "seen"):
    values = {} if value is None else {METRIC: value, "other_mm": 2 * value}
    return BenchmarkRow(pair, interaction, group, seed, method, values, "" if values else "RuntimeError: no")


ROWS = [
    row("p", "keypoints", 100.0),
    row("p", "oracle", 60.0),
    row("q", "keypoints", 200.0, interaction="kick", group="test-unseen"),
    row("q", "oracle", 120.0, interaction="kick", group="test-unseen"),
    row("q", "keypoints", 220.0, 1, "kick", "test-unseen"),
    row("q", "oracle", None, 1, "kick", "test-unseen"),
]


def test_observations_of_a_pair_are_averaged_before_pairs_are():
    found = find(ROWS)
    assert found.methods == ("keypoints", "oracle")
    assert found.overall["keypoints"][METRIC].mean == pytest.approx((100 + 210) / 2)
    assert found.overall["oracle"]["other_mm"].mean == pytest.approx(180)
    assert pair_values(ROWS, METRIC) == {"keypoints": [100.0, 210.0], "oracle": [60.0, 120.0]}


def test_groups_and_classes_have_their_own_pairs_and_the_main_metrics():
    found = find(ROWS)
    assert list(found.groups) == ["seen", "test-unseen"]
    assert found.groups["test-unseen"]["keypoints"][METRIC].mean == 210
    assert list(found.classes["hug"]["oracle"]) == [METRIC]
    assert found.classes["kick"]["oracle"][METRIC].coverage_percent == 50


def test_methods_are_compared_on_common_observations_only():
    found = find(ROWS)
    assert list(found.comparisons) == ["keypoints"]  # nobody ran mindist
    against = found.comparisons["keypoints"]["oracle"][METRIC]
    assert against.difference == pytest.approx(((60 - 100) + (120 - 200)) / 2)
    assert against.ratio == pytest.approx(180 / 300)
    assert "keypoints" not in found.comparisons["keypoints"]


def test_lost_rows_are_handed_on():
    assert [(one.pair, one.seed, one.method) for one in find(ROWS).lost] == [("q", 1, "oracle")]


def test_a_method_that_lost_everything_is_told_with_its_coverage():
    found = find([*ROWS, row("p", "mindist", None), row("q", "mindist", None, interaction="kick")])
    one = found.overall["mindist"][METRIC]
    assert (one.n, one.undefined, one.lost, one.coverage_percent) == (0, 0, 2, 0)
    assert math.isnan(one.mean)
    assert math.isnan(found.comparisons["mindist"]["oracle"][METRIC].difference)


def test_nothing_but_lost_rows_still_gives_findings():
    found = find([row("p", "keypoints", None)])
    assert found.overall["keypoints"][METRIC].lost == 1
    assert found.classes["hug"]["keypoints"][METRIC].lost == 1
