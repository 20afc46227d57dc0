"""`apu fit --body` and `--prior`: what reaches the pipeline, what is recorded, and what is said of missing files."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "body"))
from synthetic_smplx import random_arrays, write_model

from apu import pipeline
from apu.body.anny import AnnyBody
from apu.body.load import BodyKind
from apu.cli import options
from apu.cli.request import PRIOR_CONFIG
from apu.errors import InputError
from apu.prior import named
from apu.prior.checkpoint import CONFIG


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("APU_SMPLX", raising=False)
    monkeypatch.setenv("APU_CONFIG_DIR", str(tmp_path / "config"))


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files that are there, and a pipeline that takes them for sound."""
    monkeypatch.setattr(pipeline, "load_models", lambda options, **_: None)
    return write_model(tmp_path / "models", random_arrays())


def test_names_of_bodies_and_of_a_priors_file_are_those_of_the_library():
    assert options.BodyKind == BodyKind
    assert PRIOR_CONFIG == CONFIG


def test_body_and_prior_reach_the_pipeline(run, stub, models, tmp_path):
    (tmp_path / "x.jpg").write_text("x")
    result = run("fit", "x.jpg", "--body", "smplx", "--body-file", str(models), "--prior", "both")
    assert result.exit_code == 0, result.output
    ((_, options),) = stub.calls
    assert (options.body, options.body_file, options.prior) == ("smplx", models, Path("both"))


def test_a_place_that_the_config_names_is_recorded(run, stub, models, tmp_path):
    (tmp_path / "x.jpg").write_text("x")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text(f'smplx = "{models}"\n')
    assert run("fit", "x.jpg", "--body", "smplx").exit_code == 0
    assert json.loads((tmp_path / "x_apu" / "run.json").read_text())["options"]["body_file"] == str(models)


def test_resume_goes_on_when_the_body_or_the_prior_is_another(run, stub, models, tmp_path):
    (tmp_path / "x.jpg").write_text("x")
    (tmp_path / "both").mkdir()
    (tmp_path / "both" / CONFIG).write_text("{}")
    words = ("fit", "x.jpg", "--resume", "--body", "smplx", "--body-file", str(models), "--prior", "both")
    for file in (models / "SMPLX_NEUTRAL.npz", tmp_path / "both" / CONFIG):
        run(*words)
        assert "finished already" in run(*words).output
        os.utime(file, (2e9, 2e9))
        assert "finished already" not in run(*words).output
        os.utime(file, (1e9, 1e9))
    assert "finished already" in run(*words).output
    assert "finished already" not in run("fit", "x.jpg", "--resume", "--out", "x_apu").output


@pytest.mark.parametrize("photos", [("x.jpg",), ("x.jpg", "y.jpg")])
def test_a_missing_smplx_model_ends_with_3_before_any_photo(run, stub, tmp_path, photos):
    for name in photos:
        (tmp_path / name).write_text("x")
    for more in ((), ("--body-file", "nowhere"), ("--body-file", str(tmp_path))):
        result = run("fit", *photos, "--body", "smplx", *more)
        assert result.exit_code == 3
        for word in ("https://smpl-x.is.tue.mpg.de", "SMPLX_NEUTRAL.npz", "--body-file", "where", "expected", "got"):
            assert word in result.stderr
    assert stub.calls == []


@pytest.mark.parametrize("photos", [("x.jpg",), ("x.jpg", "y.jpg")])
def test_a_file_that_is_no_smplx_model_ends_with_2_before_any_photo(run, stub, tmp_path, photos):
    for name in photos:
        (tmp_path / name).write_text("x")
    np.savez(tmp_path / "SMPLX_NEUTRAL.npz", **random_arrays())  # of another mesh
    result = run("fit", *photos, "--body", "smplx", "--body-file", "SMPLX_NEUTRAL.npz")
    assert result.exit_code == 2
    assert "v_template" in result.stderr
    assert "10475" in result.stderr
    assert stub.calls == []


@pytest.mark.parametrize("folder", [None, "empty"])
def test_a_folder_without_a_prior_ends_with_2_before_any_photo(run, stub, tmp_path, folder):
    (tmp_path / "x.jpg").write_text("x")
    (tmp_path / "empty").mkdir()
    result = run("fit", "x.jpg", "--prior", folder or "nowhere")
    assert result.exit_code == 2
    assert "There is no prior in the folder" in result.stderr
    assert ("no such folder" in result.stderr) == (folder is None)
    assert "apu train" in result.stderr
    assert stub.calls == []


def test_a_body_file_without_the_body_is_a_slip_of_the_pen(run, stub):
    result = run("fit", "x.jpg", "--body-file", "models")
    assert result.exit_code == 2
    assert "--body smplx" in result.stderr
    assert run("fit", "x.jpg", "--body", "smpl").exit_code == 2


def test_saving_results_of_another_body_is_refused(fitted, tmp_path):
    with pytest.raises(InputError, match="another body model"):
        pipeline.save(fitted, tmp_path / "out")  # of a body that is called `stub`
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("word", "prior"), [("shipped", "shipped"), ("none", None), ("./none", Path("none"))])
def test_words_and_folders_of_priors(run, stub, models, tmp_path, word, prior):
    (tmp_path / "x.jpg").write_text("x")
    result = run("fit", "x.jpg", "--prior", word)
    assert result.exit_code == 0, result.output
    ((_, options),) = stub.calls
    assert options.prior == prior


def test_a_shipped_prior_that_is_not_there_is_not_the_users_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(named, "SHIPPED_FOLDER", tmp_path / "data")
    with pytest.raises(InputError, match="No prior comes with this version"):
        named.named_prior("shipped", AnnyBody.load(), 0)
