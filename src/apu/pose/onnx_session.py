"""ONNX models run: the adapter to onnxruntime."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from apu.errors import ModelFileError


class OnnxSession:
    """A model, loaded once and run many times; one thread, so that photos can be run side by side.

    Args:
        path: the ONNX file.
        what: the model in an error's words, e.g. "The people detector".
        expected: what the file should have been, for the error.

    Raises:
        ModelFileError: onnxruntime cannot load it.
    """

    def __init__(self, path: Path, what: str, expected: str) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has no public base class for its errors
            raise ModelFileError(
                f"{what} cannot be loaded.",
                where=path,
                expected=expected,
                got=error,
                remedy="delete it and run `apu models fetch`.",
            ) from error

    def run(self, outputs: Sequence[str], inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """The named outputs, in order."""
        return [np.asarray(value) for value in self._session.run(list(outputs), dict(inputs))]
