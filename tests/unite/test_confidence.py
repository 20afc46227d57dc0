"""The chance of an accurate fit: a logistic regression, clipped, explained, and stored without loss."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from apu.unite.confidence import Calibration, Clue, calibration_of, chance_of, content_of, logistic, shipped

CALIBRATION = Calibration(
    clues=(Clue("depth: a", 1.0, 2.0, -0.5), Clue("depth: b", 0.0, 1.0, 0.25), Clue("contacts: c", 0.0, 0.1, 1.0)),
    intercept=0.3, clip=2.0, least_chance=0.8, accurate_mm=60.0, facts={"fits": 3},
)  # fmt: skip


def test_the_chance_is_the_logistic_regression_of_standardised_clues():
    chance = chance_of({"depth: a": 2.0, "depth: b": -1.5, "contacts: c": 0.05, "other": math.nan}, CALIBRATION)
    logit = 0.3 - 0.5 * (2.0 - 1.0) / 2.0 + 0.25 * -1.5 + 0.05 / 0.1
    assert chance.value == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-12)
    assert chance.parts == pytest.approx({"depth: a": -0.25, "depth: b": -0.375, "contacts: c": 0.5})
    assert chance.families == pytest.approx({"depth": -0.625, "contacts": 0.5})
    assert chance.against() == "depth -0.6"


def test_a_clue_counts_no_further_than_the_clip():
    known = {"depth: a": 1.0, "depth: b": 0.0}
    at, beyond = (chance_of({**known, "contacts: c": x}, CALIBRATION).value for x in (0.2, 9.0))
    assert at == beyond > chance_of({**known, "contacts: c": 0.19}, CALIBRATION).value
    assert chance_of({**known, "contacts: c": -math.inf}, CALIBRATION).parts["contacts: c"] == -2.0


def test_the_chance_is_unknown_where_a_clue_that_counts_is_unknown():
    assert math.isnan(chance_of({"depth: a": 1.0, "depth: b": 0.0}, CALIBRATION).value)
    assert math.isnan(chance_of({"depth: a": math.nan, "depth: b": 0.0, "contacts: c": 0.0}, CALIBRATION).value)


def test_a_fit_at_the_means_has_the_chance_of_the_intercept_and_nothing_against_it():
    chance = chance_of({"depth: a": 1.0, "depth: b": 0.0, "contacts: c": 0.0}, CALIBRATION)
    assert chance.value == pytest.approx(logistic(0.3))
    assert chance.against() == ""


@pytest.mark.parametrize("x", [-800.0, -3.0, 0.0, 3.0, 800.0])
def test_the_logistic_curve_is_odd_about_one_half_and_never_overflows(x: float):
    assert logistic(x) + logistic(-x) == pytest.approx(1.0)
    assert logistic(x) == pytest.approx(0.5 * (1 + math.tanh(x / 2)))


def test_a_calibration_survives_its_file():
    assert calibration_of(json.loads(json.dumps(content_of(CALIBRATION)))) == CALIBRATION
    with pytest.raises(ValueError, match="format 99"):
        calibration_of({**content_of(CALIBRATION), "format": 99})


def test_the_shipped_calibration_says_what_it_is_worth_and_asks_for_what_it_can_keep():
    shipped_one = shipped()
    crossed = shipped_one.facts["cross_validated"]
    assert 0.5 < crossed["discrimination"] < 1.0
    assert crossed["precision"] > shipped_one.facts["accurate_share"] + 0.1
    assert 0.5 < shipped_one.least_chance < 1.0
    assert set(shipped_one.facts["groups"]) == {"seen", "dev-unseen"}, "calibrated on other pairs than validation"
    assert shipped_one.accurate_mm > 0
    assert all(clue.spread > 0 for clue in shipped_one.clues)
    assert chance_of({c.name: c.mean for c in shipped_one.clues}, shipped_one).value == pytest.approx(
        logistic(shipped_one.intercept)
    )
    assert content_of(replace(shipped_one)) == content_of(shipped_one)
