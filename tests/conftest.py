"""What all tests share: one thread, Ctrl-C, the photos where there are any, and a real server of a language model."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.errors import ModelFileError
from apu.pose.weights import ensure_movenet

torch.set_num_threads(1)  # several threads on a busy machine are slower, and sums in another order change digits

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background jobs start so, and their children, too
    signal.signal(signal.SIGINT, signal.default_int_handler)  # else tests of Ctrl-C would wait for ever

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def body() -> AnnyBody:
    """The default body, float32; prepared in the user's cache once, which takes some ten seconds."""
    return AnnyBody.load()


@pytest.fixture(scope="session")
def detector_file() -> Path:
    """The real people detector, in the cache that the tests were started with; fetched and converted there once."""
    try:
        return ensure_movenet()
    except ModelFileError as error:
        pytest.skip(f"the detector's weights cannot be had: {error.what} {error.got}")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real photos and motion capture that lies beside a full checkout; the test is skipped without it."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data (real photos with annotations), which this checkout lacks")
    return folder


@pytest.fixture(scope="session")
def photos(shared_data: Path) -> Path:
    """Photos with keypoints, BEV estimates and contact annotations."""
    return shared_data / "photos"


@pytest.fixture(scope="session")
def local_lvlm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server (llama.cpp's) of a tiny vision-language model with random weights, as `--model` names it."""
    missing = [name for name in ("xllamacpp", "gguf", "pydantic_ai") if find_spec(name) is None]
    if missing:
        pytest.skip(f"needs {' and '.join(missing)}: pip install -e '.[openai,local-lvlm]'")
    folder = tmp_path_factory.mktemp("lvlm")
    command = [sys.executable, "-u", str(REPOSITORY / "examples" / "local_lvlm.py"), "--model-dir", str(folder)]
    with open(folder / "log.txt", "wb") as log:
        server = subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            assert line.startswith("listening on http://127.0.0.1:"), (folder / "log.txt").read_text(errors="replace")
            yield f"{line.split()[-1]}/v1#tiny"
        finally:
            server.terminate()
            server.wait(10)
