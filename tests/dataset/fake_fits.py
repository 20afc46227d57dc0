"""Pieces of work that cost nothing but time, for tests of building; as a script it builds: fake_fits.py FOLDER"""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from fake_world import LAYOUT, SLOW_VARIABLE, random_pair

from apu.dataset.build import FAILED, Asked, Built, Entry, build
from apu.dataset.engine import SerialEngine
from apu.dataset.record import PairRecord


@dataclass(frozen=True)
class Piece:
    number: int

    def lost(self, reason: str) -> tuple[Entry, ...]:
        return tuple(Entry(f"p{self.number}-{i}", "hug", FAILED, reason) for i in range(3))


def fit(piece: Piece) -> Built:
    """Three pairs, of which the middle one is rejected; number 2 is lost, number 4 cannot even be computed."""
    time.sleep(float(os.environ.get(SLOW_VARIABLE, "0")))
    if piece.number == 4:
        raise ValueError("this piece never works")
    if piece.number == 2:
        return Built((), piece.lost("nobody there"))
    pairs = [random_pair(f"p{piece.number}-{i}", 10 * piece.number + i) for i in range(3)]
    records = [PairRecord.from_true_pair(pair, {"apu": "test"}) for pair in pairs]
    entries = [Entry(r.id, "hug", *(("penetration", "9 cm") if i == 1 else ())) for i, r in enumerate(records)]
    return Built(tuple(records), tuple(entries))


PIECES = [Piece(number) for number in range(7)]
ASKED = Asked("synthetic", LAYOUT, {"apu": "test"}, {"seed": 0}, {"hug": "seen"})

if __name__ == "__main__":
    torch.set_num_threads(1)
    build(Path(sys.argv[1]), ASKED, PIECES, SerialEngine(), fit, lambda *told: print(*told, flush=True))
