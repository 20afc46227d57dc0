"""Starting is cheap: neither `import apu` nor a help text loads the heavy libraries.

How many milliseconds that takes is printed by `benchmarks/startup.py`; a busy machine would fail a test of the clock.
"""

import subprocess
import sys

import pytest

HEAVY = (
    "anny", "cv2", "numba", "numpy", "onnx", "onnxruntime", "pyarrow", "pydantic", "pydantic_ai", "rich", "rtmlib",
    "scipy", "torch", "transformers", "trimesh", "warp",
)  # fmt: skip

IMPORT = "import apu"
HELP = """
from click.testing import CliRunner
from apu.cli.main import main
result = CliRunner().invoke(main, {arguments!r})
assert result.exit_code == {code}, result.output
"""


def loaded_by(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after `code`."""
    code += "\nimport sys; print('\\n'.join({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(IMPORT, id="import apu"),
        pytest.param(HELP.format(arguments=["--help"], code=0), id="apu --help"),
        pytest.param(HELP.format(arguments=["fit", "--help"], code=0), id="apu fit --help"),
        pytest.param(HELP.format(arguments=["ask", "--help"], code=0), id="apu ask --help"),
        pytest.param(HELP.format(arguments=["models", "--help"], code=0), id="apu models --help"),
        pytest.param(HELP.format(arguments=["synth", "--help"], code=0), id="apu synth --help"),
        pytest.param(HELP.format(arguments=["build", "--help"], code=0), id="apu build --help"),
        pytest.param(HELP.format(arguments=["dataset", "show", "--help"], code=0), id="apu dataset show --help"),
        pytest.param(HELP.format(arguments=["fit", "x.jpg", "--pair", "1"], code=2), id="a wrong option"),
        pytest.param(HELP.format(arguments=["fit", "x.jpg", "--out", "/dev/null"], code=2), id="a wrong output folder"),
    ],
)
def test_starting_loads_no_heavy_library(code: str):
    loaded = loaded_by(code)
    assert "apu" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_the_check_sees_a_heavy_library_when_there_is_one():
    assert "numpy" in loaded_by("import numpy")


def test_public_names_are_reachable_from_the_package():
    done = subprocess.run(
        [sys.executable, "-c", "import apu; print(apu.fit.__module__, apu.FitOptions.__module__)"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["apu.pipeline", "apu.scene.results"], done.stderr
