"""How long the default body takes: to prepare, to load, to pose. Seconds of one thread, best of several runs.

Posing is timed on the torch path and on the fused one, in turns. Ends with 1 when loading takes half a second or more.

    python benchmarks/body.py [--prepare]
"""

import sys
import time
from collections.abc import Callable

import torch

from apu.body.anny import AnnyBody
from apu.body.anny_prepare import prepare
from apu.body.protocol import Parts, default_parameters
from apu.geometry.sampling import farthest_points

RUNS = 10
LOAD_BOUND_S = 0.5
POINTS = 900
STARTS = 48
"""Bodies of the joint stage: all starts of one pair."""


def best_seconds(work: Callable[[], object], runs: int = RUNS) -> float:
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def posing(body: AnnyBody, batch: int, parts: Parts, free: tuple[str, ...]) -> Callable[[], object]:
    """Forward, and backward where parameters are `free`."""
    people = default_parameters(body.parameter_spec, (batch,))
    people = {name: value.requires_grad_(name in free) for name, value in people.items()}

    def work() -> None:
        posed = body.forward(people, parts)
        if free:
            given = [x for x in (posed.vertices, posed.joints) if x is not None]
            torch.autograd.backward(given, [torch.ones_like(x) for x in given])

    return work


def compare(name: str, work: Callable[[AnnyBody], Callable[[], object]], bodies: tuple[AnnyBody, AnnyBody]) -> None:
    """Both paths take turns, so that a busy machine slows both."""
    tasks = [work(body) for body in bodies]
    for task in tasks:
        task()  # makes the tables
    best = [min(times) for times in zip(*([best_seconds(t, 3) for t in tasks] for _ in range(RUNS)), strict=True)]
    print(f"{name:58}{1e3 * best[0]:9.2f}{1e3 * best[1]:9.3f}{best[0] / best[1]:8.1f}x")


def main() -> int:
    torch.set_num_threads(1)
    if "--prepare" in sys.argv[1:]:
        print(f"prepare the asset: {best_seconds(prepare, 1):.1f} s")
    AnnyBody.load()
    load = best_seconds(AnnyBody.load)
    print(f"load the prepared asset: {load:.3f} s (bound {LOAD_BOUND_S} s)")
    asset = AnnyBody.load().asset
    first = best_seconds(lambda: AnnyBody(asset).surface, 1)
    print(f"first surface and regions: {first:.3f} s, numba's import and what it still has to compile included")
    print(f"surface and regions: {best_seconds(lambda: AnnyBody(asset).surface, 3):.3f} s")
    bodies = AnnyBody(asset, fused=False), AnnyBody(asset, fused=True)
    some = torch.as_tensor(farthest_points(bodies[0].surface.rest_vertices.numpy(), POINTS))
    choices = {
        "joints": Parts("body25"),
        f"joints + {POINTS} vertices": Parts("body25", some),
        "joints + all vertices": Parts("body25", "all"),
    }
    pose = ("orientation", "translation", "pose")
    print(f"{'ms':58}{'torch':>9}{'fused':>9}{'ratio':>9}")
    for name, parts in choices.items():
        for batch in (2, 16):
            for what, free in (("forward", ()), ("+ backward", pose), ("+ backward, shape", (*pose, "shape"))):
                label = f"{name}, {batch} bodies, {what}"
                compare(label, lambda b, n=batch, p=parts, f=free: posing(b, n, p, f), bodies)
    for batch in (2, STARTS):
        people = default_parameters(bodies[0].parameter_spec, (batch,))
        for shape in (False, True):
            label = f"joints and jacobian, {batch} bodies{', shape' if shape else ''}"
            compare(label, lambda b, p=people, s=shape: lambda: b.joints_and_jacobian(p, "body25", s), bodies)
    return int(load >= LOAD_BOUND_S)


if __name__ == "__main__":
    sys.exit(main())
