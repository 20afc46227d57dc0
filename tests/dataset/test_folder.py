import json
from pathlib import Path

import pytest

from apu.dataset.folder import INFO, WORK, check_same, prepare, shard_name
from apu.errors import OutputError

SETTINGS, VERSIONS = {"seed": 1, "split": "train"}, {"apu": "1"}


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    (tmp_path / INFO).write_text(json.dumps({"settings": SETTINGS, "versions": VERSIONS}))
    (tmp_path / shard_name(0)).write_text("pairs")
    return tmp_path


@pytest.fixture
def unfinished(tmp_path: Path) -> Path:
    (tmp_path / WORK).mkdir()
    (tmp_path / ".apu-0123456789abcdef.parquet").write_text("half")
    return tmp_path


def test_a_new_folder_is_taken(tmp_path: Path):
    assert prepare(tmp_path / "new", overwrite=False, resume=False) == "new"
    assert prepare(tmp_path, overwrite=False, resume=True) == "new"


def test_a_data_set_is_kept_until_somebody_says_what_to_do(finished: Path):
    with pytest.raises(OutputError) as caught:
        prepare(finished, overwrite=False, resume=False)
    assert caught.value.got == "a finished data set"
    assert prepare(finished, overwrite=False, resume=True) == "finished"
    assert prepare(finished, overwrite=True, resume=False) == "new"
    assert list(finished.iterdir()) == []


def test_an_unfinished_one_is_gone_on_with_and_swept(unfinished: Path):
    with pytest.raises(OutputError, match="cannot take"):
        prepare(unfinished, overwrite=False, resume=False)
    assert prepare(unfinished, overwrite=False, resume=True) == "unfinished"
    assert [path.name for path in unfinished.iterdir()] == [WORK]


@pytest.mark.parametrize("overwrite", [True, False])
def test_other_things_are_never_touched(tmp_path: Path, overwrite: bool):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputError) as caught:
        prepare(tmp_path, overwrite=overwrite, resume=not overwrite)
    assert "thesis.tex" in str(caught.value.got)
    assert (tmp_path / "thesis.tex").exists()


def test_a_file_is_no_folder(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError):
        prepare(tmp_path / "file", overwrite=True, resume=False)


def test_another_finished_data_set_is_not_taken_for_this_one(finished: Path):
    check_same(finished, SETTINGS, VERSIONS)
    with pytest.raises(OutputError) as caught:
        check_same(finished, SETTINGS | {"seed": 2}, {"apu": "2"})
    assert caught.value.got == "a finished data set that differs in settings.seed, versions.apu"
    (finished / INFO).write_text("{")
    with pytest.raises(OutputError):
        check_same(finished, SETTINGS, VERSIONS)
