"""A runner, and a pipeline that answers at once, so that the command line is tested by itself."""

import os
import re
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from apu import pipeline
from apu.cache import sha256_file
from apu.cli.main import main
from apu.contact.contact import Contact, ContactMap
from apu.pipeline import FitOptions, PairResult, PhotoResult
from apu.scene.camera import Camera
from apu.scene.pair import ContactResult, Fit, PairObservation, StageRecord
from apu.scene.person import Keypoints, Person
from apu.scene.photo import Photo
from apu.scene.verdict import RuleResult, Verdict
from apu.show.files import prepare_folder, save_run
from apu.show.report import RunInfo

for room in ("ask", "contact"):  # so that `batch_server` and `stick_people` are found
    sys.path.insert(0, str(Path(__file__).parents[1] / room))

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `apu ARGUMENTS` in an empty folder, 80 columns wide."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Result:
        return CliRunner(env={"COLUMNS": "80"}).invoke(main, list(arguments), prog_name="apu")

    return call


class StubPipeline:
    """Remembers what it was asked, and answers with one pair, or raises."""

    def __init__(self) -> None:
        self.calls: list[tuple[Path, FitOptions]] = []
        self.saved: list[tuple[Path, bool]] = []
        self.videos: list[bool] = []
        self.annotators: list[object] = []
        self.error: BaseException | None = None
        self.bad: dict[str, BaseException] = {}
        self.failures: tuple[tuple[tuple[int, int], str], ...] = ()

    def fit(self, photo, options=None, progress=None, *, annotator=None) -> PhotoResult:
        self.calls.append((photo, options))
        self.annotators.append(annotator)
        progress("finding people", 0.5)
        if self.error:
            raise self.error
        if photo.stem in self.bad:
            raise self.bad[photo.stem]
        result = one_pair(self.failures)
        sha256 = sha256_file(photo) if photo.is_file() else "0" * 64
        return replace(result, photo=replace(result.photo, name=photo.stem, sha256=sha256))

    def save(self, result, folder: Path, *, overwrite: bool = False, options=None, video: bool = False) -> list[Path]:
        self.saved.append((folder, overwrite))
        self.videos.append(video)
        prepare_folder(folder, overwrite)
        files = [folder / name for name in ("panel.png", "pair.glb", "run.json")]
        for file in files[:2]:
            file.write_text("stub")
        info = RunInfo(0, asdict(options), 4.67, "stub", "stub", failures=result.failures)
        save_run(folder, result.photo, result.people, [(p.observation, p.fit) for p in result.pairs], info)
        return files


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> StubPipeline:
    """Stands in for `apu.pipeline`."""
    standin = StubPipeline()
    monkeypatch.setattr(pipeline, "fit", standin.fit)
    monkeypatch.setattr(pipeline, "save", standin.save)
    return standin


def one_pair(failures: tuple[tuple[tuple[int, int], str], ...] = ()) -> PhotoResult:
    """Three people, of whom 1 and 0 were fitted; two contacts, of which one was met before and both after."""
    people = tuple(person(i, left=50.0 * i) for i in range(3))
    camera = Camera.of_image(640, 480)
    observation = PairObservation("hug", camera, (people[1], people[0]))
    contacts = tuple(Contact(frozenset({a}), frozenset({b})) for a, b in CONTACTS)
    fit = Fit(
        body_model="stub",
        parameters={"angles": torch.zeros(2, 3)},
        vertices=torch.zeros(2, 4, 3),
        joints=torch.zeros(2, 25, 3),
        first_vertices=torch.zeros(2, 4, 3),
        contacts=ContactMap(contacts, "proximity"),
        contact_results=(ContactResult(0.01, 0.004), ContactResult(0.12, 0.02)),
        reprojection_percent=(1.25, 1.75),
        penetration_max_m=0.013,
        penetration_volume_cm3=3.0,
        heights_m=(1.684, 1.213),
        attributes={"age": (0.66, 0.3), "weight": (0.5, 0.5)},
        hypothesis={},
        stages=(StageRecord("joints", 40, "converged", 0.81, {}), StageRecord("contact", 90, "limit", 3.04, {})),
    )
    fit = replace(fit, verdict=Verdict((RuleResult("penetration", 0.013, 0.01, "m"),)))
    photo = Photo(np.zeros((480, 640, 3), np.uint8), "hug", "0" * 64)
    return PhotoResult(
        photo=photo,
        people=people,
        candidates=((0, 1), (1, 2)),
        pairs=(PairResult(observation, fit),),
        failures=failures,
        seconds={"perceive": 0.42, "unite": 4.25},
    )


@pytest.fixture
def fitted() -> PhotoResult:
    """See `one_pair`."""
    return one_pair()


CONTACTS = (("left_hand_palm", "right_upper_back"), ("left_head_front", "right_head_back"))


def person(index: int, left: float) -> Person:
    """A person whose box is 40 x 160 pixels."""
    xy = np.tile(np.array([left, 100.0]), (17, 1))
    xy[1:] += np.array([40.0, 160.0])
    return Person(index, Keypoints("coco17", xy, np.ones(17)), 0.75, "movenet")


UPDATE_VARIABLE = "APU_UPDATE_SNAPSHOTS"
SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.fixture
def snapshot() -> Callable[[str, str], None]:
    """Compare a text with the stored one of that name; with $APU_UPDATE_SNAPSHOTS set, store it."""

    def compare(name: str, text: str) -> None:
        file = SNAPSHOTS / f"{re.sub(r'[^a-z0-9=]+', '_', name.lower()).strip('_')}.txt"
        if os.environ.get(UPDATE_VARIABLE):
            file.write_text(text)
        assert file.is_file(), f"{file.name} is not stored yet; see tests/cli/test_help.py"
        assert text == file.read_text()

    return compare


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder `in` with three files that pass for photos, and things that do not."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("b.jpg", "a.JPG", "c.png", ".hidden.jpg", "notes.txt"):
        (folder / name).write_text(name)
    return folder
