"""What all tests share: one thread, and the photos where there are any."""

from pathlib import Path

import pytest
import torch

from apu.body.anny import AnnyBody

torch.set_num_threads(1)  # several threads on a busy machine are slower, and sums in another order change digits

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def body() -> AnnyBody:
    """The default body, float32; prepared in the user's cache once, which takes some ten seconds."""
    return AnnyBody.load()


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
