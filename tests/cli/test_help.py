"""Help texts are snapshots: a change of the command line shows in the diff.

To store new ones: APU_UPDATE_SNAPSHOTS=1 pytest tests/cli
"""

import pytest

COMMANDS = (
    "",
    "fit",
    "ask",
    "export",
    "signatures",
    "demo",
    "synth",
    "build",
    "dataset",
    "dataset stats",
    "dataset verify",
    "dataset show",
    "dataset compare",
    "train",
    "sample",
    "eval",
    "eval synthetic",
    "eval photos",
    "eval ablation",
    "eval verdict",
    "eval ask",
    "eval prior",
    "models",
    "models fetch",
    "models list",
    "doctor",
    "convert",
    "regions",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_text_is_as_stored(run, snapshot, command: str):
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    snapshot(f"help {command}", result.output)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_text_has_an_example_and_fits_its_terminal(run, command: str):
    lines = run(*command.split(), "--help").output.splitlines()
    shown = [line.strip() for line in lines if line.strip().startswith("apu ")]
    assert any(line.startswith(f"apu {command}".strip()) for line in shown)
    assert max(map(len, lines)) <= 80


def test_regions_are_listed_as_stored(run, snapshot):
    result = run("regions")
    assert result.exit_code == 0
    snapshot("regions", result.output)
