import csv
import io
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from apu.evaluate.findings import find
from apu.evaluate.report import CSV, JSON, MARKDOWN, TIMING, BenchmarkInfo, csv_of, timing, write_report
from apu.evaluate.rows import BenchmarkRow
from apu.evaluate.tables import Table

INFO = BenchmarkInfo(
    "Benchmark on synthetic pairs", "apu eval synthetic --pairs 2", {"split": ["test"], "base_poses": {"density": 4}},
    {"apu": "1", "torch": "2"}, ("A note.",),
)  # fmt: skip
ROWS = [
    BenchmarkRow("p", "hug", "seen", 0, "keypoints", {"pair_pa_mpjpe_mm": 0.1 + 0.2, "x_mm": math.nan}, seconds=1.0),
    BenchmarkRow("q", "kick", "seen", 0, "keypoints", {}, "RuntimeError: it, failed", seconds=5.0),
]
TABLES = [Table("Accuracy", ("method", "value"), (("keypoints", "0.3"),))]


def test_wall_times_show_in_timing_json_alone(tmp_path: Path):
    slow = [replace(row, seconds=100.0) for row in ROWS]
    for folder, rows in ((tmp_path / "a", ROWS), (tmp_path / "b", slow)):
        write_report(folder, INFO, TABLES, find(rows), rows)
    for name in (MARKDOWN, JSON, CSV):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert (tmp_path / "a" / TIMING).read_bytes() != (tmp_path / "b" / TIMING).read_bytes()
    assert timing(slow)["mean_seconds_per_pair"] == {"keypoints": 100.0}
    times = [replace(ROWS[0], seconds=one) for one in (1.0, 2.0, 9.0)]
    assert timing(times)["median_seconds_per_pair"] == {"keypoints": 2.0}
    assert timing(times)["mean_seconds_per_pair"] == {"keypoints": 4.0}


def test_the_json_is_strict_and_has_all_findings(tmp_path: Path):
    write_report(tmp_path, INFO, TABLES, find(ROWS), ROWS)
    content = json.loads((tmp_path / JSON).read_text(), parse_constant=lambda name: pytest.fail(name))
    assert content["command"] == INFO.command
    assert content["facts"] == {"split": ["test"], "base_poses": {"density": 4}}
    one = content["overall"]["keypoints"]["pair_pa_mpjpe_mm"]
    assert (one["mean"], one["n"], one["lost"]) == (0.1 + 0.2, 1, 1)
    assert content["overall"]["keypoints"]["x_mm"]["mean"] is None
    assert content["lost"] == [
        {"pair": "q", "seed": 0, "method": "keypoints", "reason": "RuntimeError: it, failed"},
    ]


def test_the_csv_has_one_line_for_each_row_and_every_digit():
    lines = list(csv.DictReader(io.StringIO(csv_of(ROWS))))
    assert [line["pair"] for line in lines] == ["p", "q"]
    assert float(lines[0]["pair_pa_mpjpe_mm"]) == 0.1 + 0.2
    assert lines[0]["x_mm"] == lines[1]["pair_pa_mpjpe_mm"] == ""
    assert lines[1]["lost"] == "RuntimeError: it, failed"


def test_the_markdown_says_what_was_measured_and_what_was_lost(tmp_path: Path):
    write_report(tmp_path, INFO, TABLES, find(ROWS), ROWS)
    text = (tmp_path / MARKDOWN).read_text()
    for told in (INFO.title, INFO.command, "split: test", "base poses: density 4", "torch 2", "A note.", "## Accuracy"):
        assert told in text
    assert "- q, seed 0, keypoints: RuntimeError: it, failed" in text


def test_the_lines_for_a_terminal_name_our_own_versions():
    assert INFO.lines()[-2:] == ["versions: apu 1", "command: apu eval synthetic --pairs 2"]
