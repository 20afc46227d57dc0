"""The commands of the cookbook are commands, its contact file is one, and its tables are those of the code."""

import json
import re
import shlex
from pathlib import Path

import pytest

from apu.cli.failure_file import failure_record
from apu.cli.request import Request
from apu.contact.files import read_contact_file
from apu.errors import PhotoError
from apu.pose import weights

PAGE = Path(__file__).parents[2] / "docs" / "cookbook" / "first_photo.md"
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
COMMANDS = [
    line for language, block in BLOCKS if not language for line in block.splitlines() if line.startswith("apu ")
]


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith(("apu fit", "apu demo"))])
def test_a_command_of_the_page_runs(run, stub, photos: Path, tmp_path: Path, monkeypatch, command: str):
    monkeypatch.setattr(weights, "ensure_demo_photo", lambda progress: tmp_path / "photo.jpg")
    (tmp_path / "photo.jpg").write_text("photo")
    photos.rename(tmp_path / "photos")
    result = run(*shlex.split(command)[1:])
    assert result.exit_code == 0, result.output
    assert len(stub.calls) == (3 if " photos" in command else 1)


def test_the_page_has_the_commands_that_a_beginner_needs():
    known = ("apu doctor", "apu models fetch", "apu demo", "apu fit photo.jpg")
    assert set(known) <= set(COMMANDS)
    assert len(COMMANDS) > 10


def test_the_contact_file_of_the_page_is_read(tmp_path: Path):
    (block,) = [block for language, block in BLOCKS if language == "json"]
    file = tmp_path / "contacts.json"
    file.write_text(block)
    (pair,) = read_contact_file(file, "photo", [(0.0, 0.0, 9.0, 9.0)] * 4)
    assert pair.people == (2, 3)
    assert len(pair.contacts.contacts) == len(json.loads(block)["contacts"])


def test_the_page_describes_every_field_of_a_failure():
    record = failure_record(Path("hug.jpg"), Request(), PhotoError("What."))
    table = PAGE.read_text(encoding="utf-8").split("`failure.json`")[1]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(record)


def test_every_option_that_the_page_names_exists(run):
    named = set(re.findall(r"--[a-z]+(?:-[a-z]+)*", PAGE.read_text(encoding="utf-8")))
    shown = run("fit", "--help").output + run("--help").output
    assert {option for option in named if option not in shown} == set()
