import random

import pytest

from apu.evaluate.decomposition import FACTORS
from apu.evaluate.findings import COMPARED_METRICS, MAIN_METRICS, Findings, find
from apu.evaluate.methods import METHODS
from apu.evaluate.rows import BenchmarkRow
from apu.evaluate.synthetic_tables import (
    COMPARED_WORDS,
    FACTOR_WORDS,
    HEADLINES,
    comparison_tables,
    decomposition_table,
    main_tables,
    method_table,
    part_tables,
)

FACTOR_METRICS = [f"pair_pa_mpjpe_true_{factor}_mm" for factor in FACTORS]


@pytest.fixture(scope="module")
def found() -> Findings:
    """Six pairs of two classes and all methods; values of a hundred or so, one observation lost."""
    draw = random.Random(0)
    rows = []
    for i in range(6):
        interaction, group = ("arm_around_shoulder", "seen") if i % 2 else ("lift", "test-unseen")
        for method in METHODS:
            values = {name: draw.uniform(100, 999) for name in (*MAIN_METRICS, *FACTOR_METRICS)}
            lost = "RuntimeError: no" if (i, method) == (0, "oracle") else ""
            rows.append(BenchmarkRow(f"p{i}", interaction, group, 0, method, {} if lost else values, lost))
    return find(rows)


def column(table, header: str) -> dict[str, str]:
    return {row[0]: row[table.header.index(header)] for row in table.rows}


def test_main_tables_fit_a_terminal_of_100_columns(found: Findings):
    tables = main_tables(found, dict.fromkeys(METHODS, 12.34), compact=True)
    assert max(len(line) for table in tables for line in table.text().splitlines()) < 100


def test_tables_of_groups_fit_too(found: Findings):
    tables = part_tables(found, compact=True, classes=True)
    assert [table.header[0] for table in tables] == ["group", "class"]
    assert max(len(line) for table in tables for line in table.text().splitlines()) < 100


def test_every_method_has_its_pairs_and_its_losses(found: Findings):
    accuracy = main_tables(found, compact=False)[0]
    assert set(column(accuracy, "pairs").values()) == {"6"}
    assert column(accuracy, "lost %")["oracle"] == "16.7"
    assert column(accuracy, "lost %")["init"] == "0.0"


def test_cells_are_the_summaries_numbers(found: Findings):
    accuracy = main_tables(found, compact=False)[0]
    one = found.overall["contacts"]["pair_pa_mpjpe_mm"]
    told = f"{one.mean:.1f} [{one.interval.low:.1f}, {one.interval.high:.1f}]"
    assert column(accuracy, "pair PA-MPJPE")["contacts"] == told
    physical = main_tables(found, compact=False)[2]
    assert column(physical, "median")["contacts"] == f"{found.overall['contacts']['penetration_worst_mm'].median:.1f}"


def test_wall_times_are_shown_only_when_they_are_given(found: Findings):
    timed = main_tables(found, dict.fromkeys(METHODS, 12.34), compact=True)[2]
    assert set(column(timed, "s/pair").values()) == {"12.34"}
    assert all("s/pair" not in table.header for table in main_tables(found, compact=False))


def test_baselines_are_compared_with_all_others_by_all_compared_metrics(found: Findings):
    tables = comparison_tables(found)
    assert [table.title for table in tables] == ["Against `keypoints`", "Against `mindist`"]
    assert len(tables[0].rows) == (len(METHODS) - 1) * len(COMPARED_METRICS)
    assert set(COMPARED_WORDS) == set(COMPARED_METRICS)
    assert all(row[3] in ("yes", "no") for row in tables[0].rows)


def test_the_decomposition_has_every_factor(found: Findings):
    assert set(FACTOR_WORDS) == set(FACTORS)
    table = decomposition_table(found, compact=True)
    one = found.overall["oracle"][FACTOR_METRICS[0]]
    assert column(table, "true position")["oracle"].startswith(f"{one.mean:.1f} [")


def test_every_method_is_described(found: Findings):
    assert all(words != "-" for _, words in method_table(found.methods).rows)


def test_headlines_are_among_the_main_metrics():
    assert {one.metric for one in HEADLINES} <= set(MAIN_METRICS)
