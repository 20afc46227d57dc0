import sys
from pathlib import Path

import pytest

from apu.ask import store_schema

sys.path.insert(0, str(Path(__file__).parent))  # so that `asked` and `fault_server` are found, also by other processes
sys.path.insert(0, str(Path(__file__).parents[1] / "contact"))  # `stick_people`


@pytest.fixture(autouse=True)
def quick_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for the disk: that is for power cuts, which no test makes."""
    monkeypatch.setattr(store_schema, "DURABLE", "OFF")
