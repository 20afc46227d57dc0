"""The scalars of a training for TensorBoard: the same numbers, under the same names, as in the log."""

from collections.abc import Mapping
from pathlib import Path

from apu.errors import InputError

FOLDER = "tensorboard"
"""Of the event files, in the folder of the prior."""


class TensorboardScalars:
    """Writes lines of the log as scalars; the files begin with the first line.

    What an earlier process, since killed, wrote of that line's step and later ones is forgotten by TensorBoard.

    Args:
        folder: of the prior.

    Raises:
        InputError: TensorBoard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            import tensorboard  # noqa: F401
        except ImportError as error:
            raise InputError(
                "TensorBoard is not installed.",
                where="--tensorboard",
                expected="the optional dependency [tensorboard]",
                got=error,
                remedy='pip install "ask-pose-unite[tensorboard]", or leave the option out: log.jsonl has the numbers.',
            ) from error
        self._folder, self._writer = folder / FOLDER, None

    def __call__(self, row: Mapping[str, int | float]) -> None:
        """One line of the log, with its `step`; it is on the disk at once."""
        from torch.utils.tensorboard import SummaryWriter

        step = int(row["step"])
        if self._writer is None:
            self._writer = SummaryWriter(str(self._folder), purge_step=step if self._folder.exists() else None)
        for name, value in row.items():
            if name != "step":
                self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
