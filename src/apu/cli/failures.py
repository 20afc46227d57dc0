"""What a failure looks like to the user, and the exit code that scripts see."""

from apu.errors import ApuError, InputError, ModelFileError, OutputError

FAILED = 1
"""Something nobody foresaw, or at least one of the pairs could not be fitted."""
WRONG_INPUT = 2
"""A file, an option or the output folder is wrong; click's own code for wrong options."""
MODEL_FILE = 3
"""A model file is missing, damaged, or cannot be fetched."""
INTERRUPTED = 130
"""Ctrl-C: 128 + SIGINT, as shells have it."""


def exit_code(error: Exception) -> int:
    """The exit code for an error."""
    if isinstance(error, InputError | OutputError):
        return WRONG_INPUT
    return MODEL_FILE if isinstance(error, ModelFileError) else FAILED


def describe(error: Exception) -> str:
    """What to print: a deliberate error in full, any other in one line with the way to its traceback."""
    if isinstance(error, ApuError):
        return f"Error: {error}"
    text = " ".join(str(error).split())
    return f"Unexpected {type(error).__name__}: {text or 'no message'} (`apu --debug ...` shows the traceback)"
