"""The cache folder, and files that appear in it whole or not at all."""

import os
import stat
import threading
from pathlib import Path

import pytest

from apu.cache import CACHE_VARIABLE, cache_dir, sha256_file, written_whole
from apu.errors import OutputError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write_half(target: Path, interruption: type[BaseException]) -> None:
    with written_whole(target) as temporary:
        temporary.write_bytes(b"half")
        raise interruption


def test_the_folder_is_the_one_that_the_environment_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "here"))
    assert cache_dir() == tmp_path / "here"
    monkeypatch.setenv(CACHE_VARIABLE, "~/there")
    assert cache_dir() == Path.home() / "there"


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_named_folder_it_is_the_platforms(monkeypatch: pytest.MonkeyPatch, value: str | None):
    if value is None:
        monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    else:
        monkeypatch.setenv(CACHE_VARIABLE, value)
    assert cache_dir().is_absolute()
    assert cache_dir().name == "apu"


def test_sha256_is_the_published_one(tmp_path: Path):
    (tmp_path / "abc").write_bytes(b"abc")  # FIPS 180-2, appendix B.1
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_file(tmp_path / "abc") == expected


def test_a_file_appears_with_the_end_of_the_block_and_its_folders_are_made(tmp_path: Path):
    target = tmp_path / "new" / "folder" / "file.bin"
    with written_whole(target) as temporary:
        assert temporary.parent == target.parent  # so that the rename stays on one disk
        assert temporary.suffix == ".bin"
        temporary.write_bytes(b"whole")
        assert not target.exists()
    assert target.read_bytes() == b"whole"
    assert names(target.parent) == ["file.bin"]


@pytest.mark.parametrize("interruption", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_interrupted_write_leaves_nothing(tmp_path: Path, interruption: type[BaseException]):
    with pytest.raises(interruption):
        write_half(tmp_path / "file.bin", interruption)
    assert names(tmp_path) == []


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path):
    target = tmp_path / "file.bin"
    target.write_bytes(b"old")
    with pytest.raises(RuntimeError):
        write_half(target, RuntimeError)
    assert target.read_bytes() == b"old"
    with written_whole(target) as temporary:
        temporary.write_bytes(b"new")
    assert target.read_bytes() == b"new"
    assert names(tmp_path) == ["file.bin"]


def test_a_full_disk_is_an_output_error_that_names_the_file(tmp_path: Path):
    target = tmp_path / "file.bin"
    with pytest.raises(OutputError) as caught, written_whole(target):
        raise OSError(28, "No space left on device")
    assert (caught.value.where, caught.value.got) == (str(target), "No space left on device")
    assert CACHE_VARIABLE in str(caught.value.remedy)
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_made_or_replaced_is_an_output_error(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError), written_whole(tmp_path / "file" / "below"):
        pass
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError), written_whole(tmp_path / "folder") as temporary:
        temporary.write_bytes(b"x")
    assert names(tmp_path) == ["file", "folder"]


def test_a_name_of_the_greatest_length_can_be_written(tmp_path: Path):
    target = tmp_path / ("x" * 251 + ".bin")
    with written_whole(target) as temporary:
        temporary.write_bytes(b"whole")
    assert target.read_bytes() == b"whole"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_files_get_the_permissions_of_any_new_file_and_the_umask_is_left_alone(tmp_path: Path):
    before = os.umask(0o027)
    try:

        def write(i: int) -> None:
            for j in range(20):
                with written_whole(tmp_path / f"{i}-{j}") as temporary:
                    temporary.write_bytes(b"x")

        threads = [threading.Thread(target=write, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o640}
    finally:
        assert os.umask(before) == 0o027
