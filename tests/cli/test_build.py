"""`apu build` as a user meets it, with fits that cost nothing; `tests/dataset` has the tests of the building."""

import json
from pathlib import Path
from typing import get_args

import pytest

from apu.cli import build_run
from apu.cli.build import FAMILIES
from apu.cli.build_progress import BuildProgress
from apu.dataset.build import Built, Entry
from apu.dataset.build_photos import PhotoPiece
from apu.dataset.build_synthetic import SyntheticBuild, SyntheticPiece
from apu.dataset.store import PairStore
from apu.dataset.synthetic.observation_settings import InitialFamily
from apu.prior.named import weights_of
from apu.prior.shipped import SHIPPED_FOLDER

PAIRS = Path(__file__).parents[1] / "dataset" / "fixture_pairs"


@pytest.fixture
def run(run):
    """As for all commands; paths and numbers may be arguments."""
    return lambda *arguments: run(*map(str, arguments))


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[SyntheticPiece]:
    """Every other pair is taken, as it was; the pieces that were begun."""
    pieces: list[SyntheticPiece] = []
    records = {record.id: record for record in PairStore(PAIRS).records()}

    def fitted(self, piece: SyntheticPiece) -> Built:
        pieces.append(piece)
        mine = [records[one.id].model_copy(update={"kind": "simulated"}) for one in piece.pairs]
        entries = [Entry(r.id, r.interaction, *(("penetration", "4 cm") if i % 2 else ())) for i, r in enumerate(mine)]
        return Built(tuple(mine), tuple(entries))

    monkeypatch.setattr(SyntheticBuild, "__call__", fitted)
    return pieces


def test_a_synthetic_set_becomes_a_data_set_of_fits(run, begun, tmp_path: Path):
    out = tmp_path / "wild"
    result = run("build", "--synthetic", PAIRS, "--out", out, "--pairs", 10, "--seed", 3, "--min-chance", 0.5)
    assert result.exit_code == 0, result.output
    assert "5 of 10 pairs are accepted" in result.output
    info = PairStore(out).info
    assert (info.kind, info.pairs) == ("simulated", 5)
    assert info.settings["acceptance"] == {"verdict": True, "min_chance": 0.5}
    assert info.settings["prior"] == {"name": "shipped", "sha256": weights_of(SHIPPED_FOLDER)}
    assert {piece.prior for piece in begun} == {SHIPPED_FOLDER}
    assert len((out / "rejected.jsonl").read_text().splitlines()) == 5
    assert [piece.seed for piece in begun] == [3, 3]
    assert run("dataset", "verify", out).exit_code == 0
    assert json.loads(run("dataset", "stats", out, "--json").stdout)["kind"] == {"simulated": 5}


def test_a_finished_one_is_left_alone_and_another_is_refused(run, begun, tmp_path: Path):
    ask = ("build", "--synthetic", PAIRS, "--out", tmp_path / "wild", "--pairs", 8)
    assert run(*ask).exit_code == 0
    assert run(*ask).exit_code == 2
    assert "finished already" in run(*ask, "--resume").output
    other = run(*ask, "--resume", "--seed", 1)
    assert other.exit_code == 2
    assert "settings.seed" in other.output
    unguided = run(*ask, "--resume", "--prior", "none")
    assert unguided.exit_code == 2
    assert "settings.prior" in unguided.output
    assert run(*ask, "--overwrite", "--seed", 1).exit_code == 0
    assert len(begun) == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "either PHOTOS or --synthetic"),
        (("photo.jpg", "--synthetic", "x"), "either PHOTOS or --synthetic"),
        (("photo.jpg", "--answers", "2"), "--answers is for --synthetic only"),
        (("--synthetic", "x", "--init", "bev"), "--init is for PHOTOS only"),
        (("photo.jpg", "--no-verdict", "--min-chance", "0.5"), "Give one of them"),
        (("photo.jpg", "--resume", "--overwrite"), "give one of them"),
        (("--synthetic", str(PAIRS), "--classes", "tango"), "no pair of this class"),
        (("--synthetic", str(PAIRS), "--answers", "0", "--trusted"), "no answer to check"),
        (("nowhere.jpg",), "The photo is not there"),
        (("--synthetic", str(PAIRS), "--prior", "nowhere"), "There is no prior in the folder"),
    ],
)
def test_what_makes_no_sense_is_refused(run, tmp_path: Path, arguments, told):
    result = run("build", *arguments, "--out", tmp_path / "out")
    assert result.exit_code != 0
    assert told in result.output
    assert not (tmp_path / "out").exists()


def test_photos_of_the_same_bytes_are_fitted_once(tmp_path: Path):
    for name, data in (("a.jpg", b"1"), ("b.jpg", b"2"), ("c.jpg", b"1")):
        (tmp_path / name).write_bytes(data)
    job = build_run.of_photos(
        [str(tmp_path)], build_run.acceptance(None, verdict=True), None, keypoints=(), init=None, contacts=None,
        annotator=None, samples=1, asking=build_run.Asking(), all_pairs=True, split="validation", seed=4,
        prior=None, jobs=1,
    )  # fmt: skip
    pieces = list(job.pieces)
    assert all(isinstance(piece, PhotoPiece) for piece in pieces)
    assert [piece.name for piece in pieces] == ["a.jpg", "b.jpg"]
    assert {(p.options.all_pairs, p.options.seed, p.options.prior, p.split) for p in pieces} == {
        (True, 4, None, "validation")
    }
    assert job.function(pieces[0]).entries[0].why == "failed"  # no image


def test_progress_tells_what_is_left():
    shown = BuildProgress(None, lambda line: None)
    assert shown.line(2, 8, 5, 60.0) == "2 of 8 pieces, 5 pairs accepted, about 3 min left"
    assert shown.line(8, 8, 20, 60.0) == "8 of 8 pieces, 20 pairs accepted"
    assert BuildProgress(10, lambda line: None).line(2, 8, 5, 60.0).endswith("about 60 s left")


def test_the_families_are_those_of_the_observations():
    assert get_args(InitialFamily) == FAMILIES
