"""`apu doctor` tells whether a fit would work offline, and never falls over what is broken."""

import json
import subprocess
import sys
from collections import namedtuple
from importlib import metadata
from pathlib import Path

import pytest

from apu.cache import CACHE_VARIABLE
from apu.cli import doctor, doctor_checks
from apu.cli.doctor_checks import Finding, isolated
from apu.errors import ModelFileError
from apu.pose import weights

SOUND = Finding("torch", "ok", "2.13.0+cpu, CPU")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the imports in interpreters of their own, which take seconds."""
    monkeypatch.setattr(doctor, "IMPORTS", (("torch", lambda: SOUND),))


@pytest.fixture
def empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def states(result) -> dict[str, str]:
    return {check["name"]: check["state"] for check in json.loads(result.stdout)["checks"]}


def remedies(result) -> dict[str, str]:
    return {check["name"]: check["remedy"] for check in json.loads(result.stdout)["checks"]}


def test_an_empty_cache_is_named_with_the_command_that_fills_it(run, quick, empty_cache: Path):
    result = run("doctor", "--json")
    assert result.exit_code == 1
    assert not json.loads(result.stdout)["ok"]
    found = states(result)
    assert (found["MoveNet MultiPose"], found["Anny body"]) == ("missing", "missing")
    assert found["demo photo"] == "note"
    assert remedies(result)["MoveNet MultiPose"] == "apu models fetch"
    assert not empty_cache.exists()


def test_a_full_cache_is_all_that_an_offline_fit_needs(run, quick, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor_checks, "model_files", lambda: [Finding("MoveNet MultiPose", "ok", "9.5 MB")])
    monkeypatch.setattr(doctor_checks, "prepared_body", lambda: Finding("Anny body", "ok", "26.4 MB"))
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("apu.fetch.npm_command", _no_npm)
    result = run("doctor", "--json")
    assert result.exit_code == 0, result.output
    assert states(result)["npm"] == "note"
    assert remedies(result)["npm"] == "pip install 'ask-pose-unite[npm]'"


def _no_npm() -> list[str]:
    raise ModelFileError("There is no npm.", remedy="pip install 'ask-pose-unite[npm]'")


def test_the_text_marks_problems_and_gives_the_verdict(run, quick, empty_cache: Path):
    lines = run("doctor").stdout.splitlines()
    assert any(line.startswith("MISSING  MoveNet MultiPose") for line in lines)
    assert any(line.strip() == "mend it: apu models fetch" for line in lines)
    assert lines[-1].startswith("A fit would not work offline: MoveNet MultiPose")


def test_a_client_of_language_models_is_optional_and_keys_are_named_but_not_shown(
    run, quick, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "CANARY-77")
    monkeypatch.setattr(doctor_checks, "_is_installed", lambda name: True)
    result = run("doctor")
    assert "ANTHROPIC_API_KEY" in result.stdout
    assert "CANARY" not in result.output
    monkeypatch.setattr(doctor_checks, "_is_installed", lambda name: name != "pydantic-ai-slim")
    result = run("doctor", "--json")
    assert states(result)["language models"] == "note"
    assert remedies(result)["language models"] == "pip install 'ask-pose-unite[openai]'"


def test_other_detectors_are_optional(run, quick, empty_cache: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor_checks, "_is_installed", lambda name: name == "rtmlib")
    monkeypatch.setattr(doctor_checks.metadata, "version", lambda name: "0.0.16")
    assert "rtmpose and rtmo (rtmlib 0.0.16)" in run("doctor").stdout
    monkeypatch.setattr(doctor_checks, "_is_installed", lambda name: False)
    result = run("doctor", "--json")
    assert states(result)["other detectors"] == "note"
    assert remedies(result)["other detectors"] == "pip install 'ask-pose-unite[vitpose]'"


@pytest.mark.parametrize("check", ["python_version", "apu_version", "npm", "cache_folder", "model_files", "threads"])
def test_a_check_that_breaks_stops_no_other(run, quick, empty_cache: Path, monkeypatch: pytest.MonkeyPatch, check: str):
    sound = len(json.loads(run("doctor", "--json").stdout)["checks"])

    def broken() -> Finding:
        raise RuntimeError("broken installation")

    monkeypatch.setattr(doctor_checks, check, broken)
    result = run("doctor", "--json")
    assert result.exit_code == 1
    checks = json.loads(result.stdout)["checks"]
    assert any("broken installation" in found["detail"] for found in checks)
    assert len(checks) >= sound - 2


def test_smplx_is_optional_and_a_config_that_is_wrong_is_a_note(
    run, quick, empty_cache: Path, monkeypatch, tmp_path: Path
):
    monkeypatch.delenv("APU_SMPLX", raising=False)
    monkeypatch.setenv("APU_CONFIG_DIR", str(tmp_path))
    result = run("doctor", "--json")
    assert states(result)["SMPL-X body"] == "note"
    assert "https://smpl-x.is.tue.mpg.de" in remedies(result)["SMPL-X body"]
    (tmp_path / "config.toml").write_text("smplx = 3")
    assert states(run("doctor", "--json"))["SMPL-X body"] == "note"
    (tmp_path / "SMPLX_NEUTRAL.npz").write_text("")
    (tmp_path / "config.toml").write_text('smplx = "."')
    found = run("doctor", "--json")
    assert states(found)["SMPL-X body"] == "ok"
    assert "adults alone" in found.stdout


def test_a_module_that_is_missing_is_named_for_pip():
    def check() -> Finding:
        raise ModuleNotFoundError("No module named 'cv2'", name="cv2")

    (finding,) = isolated("detector", check)
    assert finding.remedy == "pip install opencv-python-headless"


def test_a_damaged_model_is_told_from_a_missing_one(run, quick, empty_cache: Path):
    weights.movenet_path().parent.mkdir(parents=True)
    weights.movenet_path().write_bytes(b"noise")
    checks = json.loads(run("doctor", "--json").stdout)["checks"]
    assert {c["name"]: c["detail"] for c in checks}["MoveNet MultiPose"].startswith("damaged")


def test_a_cache_that_is_a_file_is_a_problem(run, quick, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    assert states(run("doctor", "--json"))["cache folder"] == "problem"


def test_a_full_disk_is_a_problem(run, quick, empty_cache: Path, monkeypatch: pytest.MonkeyPatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda place: usage(10**9, 10**9, 1000))
    assert states(run("doctor", "--json"))["free disk"] == "problem"


def test_a_wrong_number_of_threads_is_a_problem(run, quick, empty_cache: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("APU_THREADS", "many")
    assert states(run("doctor", "--json"))["threads"] == "problem"


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch):
    sound = metadata.version

    def version(name: str) -> str:
        if name == "trimesh":
            raise metadata.PackageNotFoundError(name)
        return sound(name)

    monkeypatch.setattr(metadata, "version", version)
    finding = doctor_checks.apu_version()
    assert (finding.state, finding.remedy) == ("missing", "pip install trimesh")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise ImportError('libgomp.so.1: cannot open shared object file')", "libgomp.so.1"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "died with code -4"),
    ],
    ids=["raises", "kills"],
)
def test_a_package_that_cannot_be_imported_is_a_problem(tmp_path: Path, monkeypatch, code: str, words: str):
    (tmp_path / "brokenwheel.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    finding = doctor_checks._imported("brokenwheel", "broken-wheel", "'1'")
    assert finding.state == "problem"
    assert words in finding.detail
    assert finding.remedy == "pip install --force-reinstall broken-wheel"


def test_a_package_that_is_not_there_is_missing():
    assert doctor_checks._imported("no_such_module_at_all", "nothing", "''").state == "missing"


def test_the_first_line_comes_before_any_heavy_import():
    """`python` is printed while torch, warp and onnxruntime are still being imported elsewhere."""
    code = "from apu.cli.doctor import findings; import os, sys; next(findings()); "
    code += "print('torch' in sys.modules, flush=True); os._exit(0)"  # without waiting for those imports
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
