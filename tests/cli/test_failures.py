"""Every failure has its message and its exit code; a traceback comes only when asked for."""

import pytest

from apu.errors import ApuError, ModelFileError, OutputError, PeopleError, PhotoError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (
            PhotoError(
                "The photo cannot be read.", where="x.jpg", expected="an image", got="text", remedy="convert it."
            ),
            2,
        ),
        (PeopleError("There is one person."), 2),
        (OutputError("A file cannot be written.", where="out"), 2),
        (ModelFileError("A model file is damaged.", remedy="apu models fetch"), 3),
        (ApuError("Something else."), 1),
    ],
)
def test_a_deliberate_error_is_printed_in_full_without_a_traceback(run, stub, error: ApuError, code: int):
    stub.error = error
    result = run("fit", "hug.jpg")
    assert result.exit_code == code
    assert f"Error: {error}" in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""


def test_an_unexpected_error_is_one_line_that_tells_how_to_see_more(run, stub):
    stub.error = ValueError("first line\nsecond line")
    result = run("fit", "hug.jpg")
    assert result.exit_code == 1
    last = result.stderr.splitlines()[-1]
    assert last == "Unexpected ValueError: first line second line (`apu --debug ...` shows the traceback)"
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("error", [ValueError("why"), PhotoError("The photo cannot be read.")])
def test_debug_shows_the_traceback(run, stub, error: Exception):
    stub.error = error
    assert "Traceback (most recent call last)" in run("--debug", "fit", "hug.jpg").stderr


def test_interruption_is_one_line_and_130(run, stub):
    stub.error = KeyboardInterrupt()
    result = run("fit", "hug.jpg")
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1] == "Interrupted."
    assert "Traceback" not in result.stderr
