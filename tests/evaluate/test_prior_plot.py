"""The picture of `apu eval prior` has a panel for what was measured, and none for what was not."""

from pathlib import Path

import pytest

from apu.evaluate.findings import COMPARED_METRICS
from apu.evaluate.prior_arms import ComparedPrior, arms_of
from apu.evaluate.prior_findings import find_priors
from apu.evaluate.prior_plot import prior_figure
from apu.evaluate.report import BenchmarkInfo
from apu.evaluate.rows import BenchmarkRow

INFO = BenchmarkInfo("Priors", "apu eval prior", {"data": "synthetic"}, {"apu": "0"})
ARMS = [ComparedPrior("lab", None, Path("lab"))]


def figure_of(heard: list[str], groups: list[str]):
    rows = [
        BenchmarkRow(f"p{i}", "hug", group, 0, arm.name, dict.fromkeys(COMPARED_METRICS, 10.0 + i), seconds=1.0)
        for arm in arms_of(ARMS, heard)
        for i, group in enumerate(groups)
    ]
    return prior_figure(INFO, find_priors(rows, arms_of(ARMS, heard)))


@pytest.mark.parametrize(
    ("heard", "titles"),
    [
        (["keypoints"], ["fit with keypoints, 95 % intervals", "against no prior"]),
        (["contacts"], ["fit with contacts, 95 % intervals", "against no prior"]),
        (
            ["keypoints", "contacts"],
            ["fit with keypoints, 95 % intervals", "fit with contacts, 95 % intervals", "against no prior"],
        ),
    ],
)
def test_every_panel_shows_something(heard: list[str], titles: list[str]):
    panels = figure_of(heard, ["seen", "dev-unseen"]).axes
    assert [panel.get_title() for panel in panels] == titles
    assert all(panel.containers for panel in panels)


@pytest.mark.parametrize(
    ("groups", "told"),
    [(["seen", "seen"], ["seen"]), (["seen", "dev-unseen"], ["all pairs", "dev-unseen", "seen"])],
)
def test_a_single_group_is_drawn_once(groups: list[str], told: list[str]):
    panel = figure_of(["keypoints"], groups).axes[0]
    legend = panel.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == told
