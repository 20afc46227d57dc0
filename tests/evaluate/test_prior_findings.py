"""Trainings of several seeds are one, computed by hand; any two priors are compared on what all of them have."""

import math
from pathlib import Path

import pytest

from apu.evaluate.findings import COMPARED_METRICS
from apu.evaluate.prior_arms import Arm, ComparedPrior, arms_of, recipes
from apu.evaluate.prior_findings import ALL, combined, find_priors
from apu.evaluate.prior_tables import arm_table, prior_tables
from apu.evaluate.rows import BenchmarkRow

ERROR = "pair_pa_mpjpe_mm"
PRIORS = tuple(
    ComparedPrior(name, seed, Path(name))
    for name, seed in (("lab", 0), ("lab", 1), ("both", 0), ("both", 1), ("one", None))
)


def row(pair: str, method: str, error: float, seed: int = 0, group: str = "seen", lost: str = "") -> BenchmarkRow:
    values = {} if lost else dict.fromkeys(COMPARED_METRICS, float(error))
    return BenchmarkRow(pair, f"class of {pair}", group, seed, method, values, lost=lost, seconds=1.0)


def rows_of(errors: dict[str, list[float]], group: str = "seen") -> list[BenchmarkRow]:
    return [row(f"p{i}", method, error, group=group) for method, own in errors.items() for i, error in enumerate(own)]


ARMS = arms_of(PRIORS, ["keypoints"])
ERRORS = {
    "keypoints": [100.0, 80.0, 60.0],
    "keypoints+lab/0": [90.0, 80.0, 40.0],
    "keypoints+lab/1": [80.0, 70.0, 60.0],
    "keypoints+both/0": [70.0, 60.0, 50.0],
    "keypoints+both/1": [60.0, 62.0, 40.0],
    "keypoints+one": [100.0, 80.0, 60.0],
}


def test_the_trainings_of_a_prior_are_averaged_pair_by_pair():
    together = {(one.method, one.pair): one.values[ERROR] for one in combined(rows_of(ERRORS), ARMS)}
    assert together["keypoints+lab", "p0"] == 85.0
    assert together["keypoints+lab", "p2"] == 50.0
    assert together["keypoints+both", "p1"] == 61.0
    assert together["keypoints", "p0"] == 100.0
    assert len(together) == 4 * 3
    found = find_priors(rows_of(ERRORS), ARMS)
    assert found.findings.methods == ("keypoints", "keypoints+lab", "keypoints+both", "keypoints+one")
    assert found.findings.overall["keypoints+lab"][ERROR].mean == pytest.approx((85 + 75 + 50) / 3)


def test_any_two_priors_are_compared_in_millimetres_and_per_cent():
    found = find_priors(rows_of(ERRORS), ARMS)
    one = found.comparison("keypoints", "both", "lab", ERROR)
    assert one is not None
    lab, both = (85 + 75 + 50) / 3, (65 + 61 + 45) / 3
    assert one.found.difference == pytest.approx(both - lab)
    assert one.found.percent == pytest.approx(100 * (both / lab - 1))
    assert (one.pairs, one.seeds, one.seeds_against) == (3, 2, 2)
    assert one.found.difference_interval.low < both - lab < one.found.difference_interval.high
    same = found.comparison("keypoints", "one", "none", ERROR)
    assert same is not None
    assert vars(same.found.difference_interval) == {"low": 0.0, "high": 0.0}
    against = {(c.prior, c.against) for c in found.comparisons}
    assert against == {
        ("lab", "none"),
        ("both", "none"),
        ("one", "none"),
        ("both", "lab"),
        ("one", "lab"),
        ("one", "both"),
    }


def test_the_spread_of_the_trainings_is_told_by_hand_computed_means():
    spread = next(
        s for s in find_priors(rows_of(ERRORS), ARMS).spreads if (s.prior, s.part, s.metric) == ("lab", ALL, ERROR)
    )
    assert spread.means == {0: 70.0, 1: 70.0}
    assert spread.spread == 0.0
    other = next(
        s for s in find_priors(rows_of(ERRORS), ARMS).spreads if (s.prior, s.part, s.metric) == ("both", ALL, ERROR)
    )
    assert other.means == {0: 60.0, 1: 54.0}
    assert other.spread == pytest.approx(6 / math.sqrt(2))


def test_what_one_training_has_lost_is_lost_to_the_prior_and_to_its_comparisons():
    rows = rows_of(ERRORS)
    place = next(i for i, one in enumerate(rows) if (one.method, one.pair) == ("keypoints+lab/1", "p0"))
    rows[place] = row("p0", "keypoints+lab/1", 0.0, lost="no fit")
    found = find_priors(rows, ARMS)
    assert [one.lost for one in found.findings.lost] == ["keypoints+lab/1: no fit"]
    assert [one.method for one in found.lost] == ["keypoints+lab/1"]
    one = found.comparison("keypoints", "both", "lab", ERROR)
    assert one is not None
    assert one.pairs == 2
    assert one.found.difference == pytest.approx((61 + 45) / 2 - (75 + 50) / 2)
    unhurt = found.comparison("keypoints", "both", "none", ERROR)
    assert unhurt is not None
    assert unhurt.pairs == 3


def test_groups_and_classes_have_comparisons_of_their_own_and_observations_are_averaged():
    rows = [row("a", "keypoints", 50.0, seed, "seen") for seed in (0, 1)]
    rows += [row("a", "keypoints+one", 40.0 + 10 * seed, seed, "seen") for seed in (0, 1)]
    rows += [row("b", "keypoints", 50.0, 0, "dev-unseen"), row("b", "keypoints+one", 20.0, 0, "dev-unseen")]
    found = find_priors(rows, arms_of(PRIORS[-1:], ["keypoints"]))

    def told(part: str) -> float:
        one = found.comparison("keypoints", "one", "none", ERROR, part)
        assert one is not None
        return one.found.difference

    assert (told("seen"), told("dev-unseen"), told("class of a")) == (-5.0, -30.0, -5.0)
    assert told(ALL) == pytest.approx(-17.5)


def test_recipes_of_a_prior_are_compared_with_each_other_but_not_across_priors():
    arms = arms_of(PRIORS[:3], ["keypoints"], ("ours", "buddi"))
    rows = [row(f"p{i}", arm.name, 50.0 + i) for i in range(2) for arm in arms]
    found = {(c.prior, c.against) for c in find_priors(rows, arms).comparisons}
    assert ("lab:buddi", "lab") in found
    assert ("both:buddi", "lab:buddi") in found
    assert ("both:buddi", "lab") not in found
    assert ("both", "lab:buddi") not in found


def test_the_tables_have_a_cell_for_every_column_and_say_what_is_sure():
    arms = (*ARMS, *arms_of(PRIORS[:2], ["contacts"]))
    errors = {**ERRORS, "contacts": [50.0, 50, 50], "contacts+lab/0": [49.0, 49, 49], "contacts+lab/1": [49.0, 49, 49]}
    found = find_priors(rows_of(errors), arms)
    for compact in (True, False):
        tables = [*prior_tables(found, compact=compact), arm_table(arms, recipes(["ours"]))]
        assert all(len(cells) == len(table.header) for table in tables for cells in table.rows)
    changes = next(table for table in tables if table.title == "What priors change")
    cells = {cells[:4]: cells[4:] for cells in changes.rows}
    assert cells[ALL, "contacts", "lab", "no prior"] == ("-1.0 [-1.0, -1.0]", "yes", "-2.0 [-2.0, -2.0]", "3")
    assert cells["seen", "keypoints", "one", "no prior"][:2] == ("+0.0 [+0.0, +0.0]", "no")
    classes = next(table for table in tables if table.title == "What priors change, by class")
    alone = {cells[:4]: cells[4:] for cells in classes.rows}["class of p0", "contacts", "lab", "no prior"]
    assert alone == ("-1.0", "-", "-2.0", "1"), "one pair is never called sure"
    seeds = {cells[:3]: cells[3:] for cells in next(t for t in tables if t.title == "Trainings").rows}
    assert seeds[ALL, "keypoints", "both"][0] == "60.0, 54.0"


def test_an_arm_is_named_by_method_prior_seed_and_recipe():
    lab = ComparedPrior("lab+wild", 2, Path("x"))
    assert Arm("contacts", lab, "buddi").name == "contacts+lab+wild/2:buddi"
    assert Arm("contacts", lab, "buddi").without_seed == "contacts+lab+wild:buddi"
    assert Arm("contacts", lab).heard == "lab+wild"
    assert Arm("keypoints").name == Arm("keypoints").without_seed == "keypoints"
