"""`apu eval ask` on two true pairs; `tests/evaluate/test_ask_*.py` have the rest."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from apu.cli import evaluate_folder
from apu.evaluate import ask_findings
from apu.evaluate.ask_annotators import SINGLE, simulated_annotators
from apu.evaluate.ask_rows import CONTACTS_FILE

FIXTURE = Path(__file__).parents[1] / "dataset" / "fixture_pairs"


@pytest.fixture
def data(tmp_path: Path) -> str:
    shutil.copytree(FIXTURE, tmp_path / "data")
    return "data"


def test_annotators_are_printed_and_written_and_the_numbers_follow_from_the_contacts(run, data: str, monkeypatch):
    monkeypatch.setattr(ask_findings, "AREA_DRAWS", 20)
    result = run("eval", "ask", data, "--pairs", "2", "--out", "bench")
    assert result.exit_code == 0, result.output
    told = " ".join(result.stdout.split())
    assert "command: apu eval ask data --pairs 2 --observation-seeds 0 --min-weight 0.2" in told
    assert "say nothing of any real model" in told
    written = sorted(path.name for path in Path("bench").iterdir())
    assert written == sorted([CONTACTS_FILE, *evaluate_folder.TABLES])
    content = json.loads(Path("bench/table.json").read_text())
    names = [one.name for one in simulated_annotators()]
    assert [one["annotator"] for one in content["annotators"]] == names
    assert set(content["f1_gains"]) == set(names) - {SINGLE}
    with open(Path("bench") / CONTACTS_FILE) as file:
        lines = [line for line in csv.DictReader(file) if line["step"] == "as said" and line["counted"] == "1"]
    for one in content["annotators"]:
        mine = [line for line in lines if line["annotator"] == one["annotator"]]
        right = sum(line["kind"] == "right" for line in mine)
        share = one["precision"]["side-aware"]
        assert (share["above"], share["below"]) == (right, len(mine))
    assert {one["variant"] for one in content["sides"]} == {"relation", "all-four"}
    table = Path("bench/table.md").read_text()
    assert all(f"| {name} |" in table for name in names)
    before = {name: Path("bench", name).read_bytes() for name in written}
    refused = run("eval", "ask", data, "--pairs", "2", "--out", "bench")
    assert refused.exit_code == 2
    assert run("eval", "ask", data, "--pairs", "2", "--out", "bench", "--overwrite").exit_code == 0
    assert {name: Path("bench", name).read_bytes() for name in written} == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("data", "--answers", "m=data"), "name their folder with --photos"),
        (("data", "--photos", "data"), "one at a time"),
        (("--photos", "data", "--answers", "m"), "NAME=DIR"),
        (("--photos", "data", "--answers", "proximity=data"), "a name of its own"),
        (("--photos", "data", "--answers", "m=nowhere"), "a folder of contact files"),
        (("--photos", "data"), "annotated photos are not there"),
        (("--photos", "data", "--out", ".", "--overwrite"), "would delete the photos"),
        (("data", "--split", "test"), "--split says how pairs are made"),
        (("data", "--min-weight", "2"), "--min-weight"),
        (("data", "--out", "data"), "other things in it"),
    ],
)
def test_wrong_options_are_named_before_anything_is_measured(run, data: str, arguments, told: str):
    result = run("eval", "ask", *arguments)
    assert result.exit_code == 2, result.output
    assert told in " ".join(result.stderr.split())
