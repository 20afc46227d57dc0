"""`synthesise` with chunks that cost nothing but time, for a test that kills it: killed_synthesis.py FOLDER"""

import sys
from pathlib import Path

from fake_world import LAYOUT, make_chunk

from apu.dataset.engine import SerialEngine
from apu.dataset.synthesis import Synthesis, synthesise

ASKED = Synthesis(
    split="train",
    seed=3,
    quotas={"broken": 5, "hug": 6, "kick": 5},
    groups={"broken": "seen", "hug": "seen", "kick": "seen"},
    layout=LAYOUT,
    versions={"apu": "test"},
)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    synthesise(folder, ASKED, SerialEngine(), make_chunk, lambda plan, fresh: print(plan.pairs, flush=True))
