"""The prior that ships can be made again: from a few true pairs on, and what is there is not made twice."""

import shutil
import sys
from pathlib import Path

import pytest

from apu.body.anny import AnnyBody
from apu.prior.checkpoint import CONFIG, load_prior

sys.path.insert(0, str(Path(__file__).parents[1] / "training"))
import make_prior


def test_a_prior_is_made_of_true_pairs_and_put_where_it_belongs(tmp_path, capsys):
    shutil.copytree(Path(__file__).parent / "dataset" / "fixture_pairs", tmp_path / "work" / "true")
    words = [str(tmp_path / "work"), "--steps", "4", "--small", "--jobs", "1"]
    make_prior.main(words)
    prior = tmp_path / "work" / "prior"
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("*") if path.is_file()}
    make_prior.install(prior, tmp_path / "package")
    loaded = load_prior(tmp_path / "package", AnnyBody.load())
    assert loaded.parameter_count() > 0
    assert (prior / CONFIG).read_bytes() == (tmp_path / "package" / CONFIG).read_bytes()
    capsys.readouterr()
    make_prior.main(words)
    assert {path: path.stat().st_mtime_ns for path in made} == made
    assert "$ apu" not in capsys.readouterr().out


def test_a_command_that_fails_ends_it(tmp_path):
    with pytest.raises(SystemExit):
        make_prior.apu("train", tmp_path / "nowhere", "--out", tmp_path / "prior")
