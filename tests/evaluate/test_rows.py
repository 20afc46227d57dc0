import json
import math
from pathlib import Path

import pytest

from apu.errors import InputError
from apu.evaluate.rows import BenchmarkRow, accumulated, json_of, mean_seconds, read_rows, write_rows


def row(pair: str, value: float, seed: int = 0, method: str = "a", lost: str = "", seconds: float = 1.0):
    return BenchmarkRow(pair, "hug", "seen", seed, method, {} if lost else {"error_mm": value}, lost, seconds)


def test_rows_come_back_as_they_were(tmp_path: Path):
    rows = (row("p", 0.1 + 0.2), row("q", 1e-17), row("r", 0.0, lost="RuntimeError: no"))
    write_rows(tmp_path / "rows.json", rows)
    assert read_rows(tmp_path / "rows.json") == rows


def test_numbers_that_are_not_finite_are_null_in_strict_json(tmp_path: Path):
    write_rows(tmp_path / "rows.json", [row("p", math.nan, seconds=math.inf)])
    content = json.loads((tmp_path / "rows.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    assert content[0]["values"] == {"error_mm": None}
    (back,) = read_rows(tmp_path / "rows.json")
    assert math.isnan(back.values["error_mm"])
    assert math.isnan(back.seconds)


def test_nested_numbers_are_cleaned_too():
    assert json_of({"a": [1.5, (math.nan, {"b": -math.inf})]}) == '{"a": [1.5, [null, {"b": null}]]}\n'


@pytest.mark.parametrize("text", ["", "[{}]", '{"pair": 1}', "[1]", '[{"pair": "p"', "[" * 100_000])
def test_a_damaged_file_is_called_so(tmp_path: Path, text: str):
    (tmp_path / "rows.json").write_text(text)
    with pytest.raises(InputError, match="cannot be read"):
        read_rows(tmp_path / "rows.json")


def test_lost_rows_count_as_lost_and_methods_keep_their_order():
    found = accumulated([row("p", 2.0, method="z"), row("p", 0.0, method="a", lost="why"), row("q", 4.0, method="z")])
    assert list(found) == ["z", "a"]
    assert found["z"].summary("error_mm").mean == 3.0
    assert [one.lost for one in found["a"].rows.values()] == [True]


def test_seconds_are_averaged_over_what_has_some():
    rows = [row("p", 0.0), row("q", 0.0, seconds=3.0), row("r", 0.0, seconds=math.nan)]
    assert mean_seconds(rows) == {"a": 2.0}
