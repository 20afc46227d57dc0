"""Equal chunks are one piece of work; any difference makes another."""

from dataclasses import replace
from pathlib import Path

import pytest

from apu.dataset.synthetic.chunk import Chunk

CHUNK = Chunk("hug", "train", 0, 1)


def test_equal_chunks_are_the_same_key():
    assert len({CHUNK, replace(CHUNK), Chunk("hug", "train", 0, 1, None)}) == 1


@pytest.mark.parametrize(
    "change", [{"interaction": "kick"}, {"split": "test"}, {"number": 1}, {"seed": 2}, {"mocap": Path("cmu.npz")}]
)
def test_any_difference_is_another_key(change: dict):
    assert replace(CHUNK, **change) != CHUNK
    assert len({CHUNK, replace(CHUNK, **change)}) == 2
