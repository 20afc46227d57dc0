"""A photo and its keypoints to spoil, and what every answer to a spoilt input has to be like."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from apu.cli.main import main
from apu.scene.person import Keypoints, Person
from apu.scene.photo import Photo
from apu.scene.results import PhotoResult

Run = Callable[..., Result]


def skeleton(x: float) -> list[float]:
    """25 joints in a column of 200 pixels, x, y, confidence."""
    return [value for i in range(25) for value in (x + 3 * (i % 5), 40 + 8 * i, 0.9)]


def openpose(*people: list[float]) -> str:
    return json.dumps({"people": [{"pose_keypoints_2d": values} for values in people]})


@pytest.fixture
def hug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the command runs: `hug.jpg`, which is grey, and `two.json`, keypoints of two people."""
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (320, 280), (90, 90, 90)).save("hug.jpg")
    Path("two.json").write_text(openpose(skeleton(100), skeleton(140)))
    return tmp_path


@pytest.fixture
def run(hug: Path) -> Run:
    """Run `apu ARGUMENTS`."""

    def call(*arguments: str) -> Result:
        return CliRunner(env={"COLUMNS": "80"}).invoke(main, list(arguments), prog_name="apu")

    return call


@pytest.fixture
def refused(run: Run, hug: Path) -> Callable[..., str]:
    """Run `apu fit ARGUMENTS`; see that it refuses in full, without a traceback and with nothing written.

    Gives back what it said.
    """

    def call(*arguments: str, code: int = 2) -> str:
        result = run("fit", *arguments)
        said = result.stderr
        assert result.exit_code == code, result.output
        assert "Traceback" not in said
        assert "Unexpected" not in said
        for field in ("expected", "got", "remedy"):
            assert f"\n  {field} " in said, said
        assert not list(hug.glob("*_apu/*"))
        return said

    return call


@pytest.fixture
def stub_result() -> PhotoResult:
    """Two people in a photo, and no fitted pair."""
    people = tuple(
        Person(i, Keypoints("coco17", np.full((17, 2), 50.0 * i, np.float32), np.ones(17, np.float32)), 0.9, "stub")
        for i in range(2)
    )
    return PhotoResult(Photo(np.zeros((28, 32, 3), np.uint8), "hug", "0" * 64), people, ((0, 1),), ())
