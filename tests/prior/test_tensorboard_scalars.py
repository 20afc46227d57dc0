"""TensorBoard reads the numbers of the log, also of a training that was killed."""

import sys
from pathlib import Path

import pytest

from apu.errors import InputError
from apu.prior.tensorboard_scalars import FOLDER, TensorboardScalars

ROWS = (
    {"step": 25, "loss": 0.75, "seconds_per_step": 0.5},
    {"step": 50, "loss": 0.5, "seconds_per_step": 0.25},
    {"step": 50, "validation_loss": 0.625},
)


def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """By TensorBoard's own reader: what its page shows."""
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    accumulator = reading.EventAccumulator(str(folder / FOLDER))
    accumulator.Reload()
    return {tag: [(e.step, e.value) for e in accumulator.Scalars(tag)] for tag in accumulator.Tags()["scalars"]}


def write(folder: Path, rows) -> None:
    pytest.importorskip("tensorboard")
    scalars = TensorboardScalars(folder)
    for row in rows:
        scalars(row)
    scalars.close()


def test_names_steps_and_values_are_those_of_the_log(tmp_path):
    write(tmp_path, ROWS)
    assert read(tmp_path) == {
        "loss": [(25, 0.75), (50, 0.5)],
        "seconds_per_step": [(25, 0.5), (50, 0.25)],
        "validation_loss": [(50, 0.625)],
    }


def test_what_was_written_after_the_last_state_is_forgotten(tmp_path):
    write(tmp_path, [*ROWS, {"step": 75, "loss": 9.0}, {"step": 100, "loss": 9.0}])
    write(tmp_path, [{"step": 75, "loss": 0.25}])
    assert read(tmp_path)["loss"] == [(25, 0.75), (50, 0.5), (75, 0.25)]


def test_without_the_package_the_remedy_names_the_extra_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(InputError) as error:
        TensorboardScalars(tmp_path)
    assert 'pip install "ask-pose-unite[tensorboard]"' in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_where_nothing_is_logged(tmp_path):
    write(tmp_path, [])
    assert list(tmp_path.iterdir()) == []
