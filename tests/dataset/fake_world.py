"""Chunks that cost nothing: random numbers of a small body. A module of its own, so that other processes find it."""

import hashlib
import os
import random
import time

import torch

from apu.body.region_names import REGION_NAMES
from apu.contact.contact import Contact
from apu.contact.measured import MeasuredContact
from apu.dataset.layout import Layout
from apu.dataset.synthetic.chunk import Chunk, ChunkResult
from apu.scene.true_pair import TruePair

LAYOUT = Layout(
    "stub-1",
    {"orientation": ("x", "y", "z"), "translation": ("x", "y", "z"), "pose": ("knee", "elbow"), "shape": ("age",)},
)
SLOW_VARIABLE = "APU_TEST_SECONDS"
"""How long a chunk takes."""


def random_pair(id: str, seed: int, layout: Layout = LAYOUT, interaction: str = "hug", split="train") -> TruePair:
    draw = random.Random(seed)
    torch_draw = torch.Generator().manual_seed(seed)
    touching = [(draw.choice(REGION_NAMES), draw.choice(REGION_NAMES), draw.random() * 0.013) for _ in range(5)]
    return TruePair(
        id=id,
        interaction=interaction,
        group="seen",
        split=split,
        base=("density", f"mocap:{seed % 3}"),
        body_model=layout.body_model,
        parameters={n: torch.randn(2, size, generator=torch_draw) for n, size in layout.sizes().items()},
        contacts=tuple(MeasuredContact(*c) for c in sorted(touching, key=lambda c: c[2])),
        intended=(Contact(frozenset({"left_hand_palm", "left_fingers_palm"}), frozenset({"right_upper_back"})),),
        penetration_max_m=draw.random() * 0.01,
        seed=seed,
    )


def make_chunk(chunk: Chunk) -> ChunkResult:
    """Zero to three pairs of eight candidates; of a class `empty` none, and chunk 1 of a class `broken` fails."""
    time.sleep(float(os.environ.get(SLOW_VARIABLE, "0")))
    seed = int(hashlib.sha256(f"{chunk.interaction} {chunk.number} {chunk.seed}".encode()).hexdigest()[:8], 16)
    if chunk.interaction == "broken" and chunk.number == 1:
        raise ValueError("this chunk never works")
    accepted = 0 if chunk.interaction == "empty" else seed % 4
    pairs = [
        random_pair(
            f"{chunk.split}-{chunk.interaction}-{chunk.number:05d}-{i}",
            seed + i,
            LAYOUT,
            chunk.interaction,
            chunk.split,
        )
        for i in range(accepted)
    ]
    return ChunkResult(tuple(pairs), 8, {"contact": 8 - accepted} if accepted < 8 else {})
