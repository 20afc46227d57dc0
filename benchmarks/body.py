"""How long the default body takes: to prepare, to load, to pose. Seconds of one thread, best of several runs.

Ends with 1 when loading takes half a second or more.

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
POINTS = 1200


def best_seconds(work: Callable[[], object], runs: int = RUNS) -> float:
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def posing(body: AnnyBody, batch: int, parts: Parts, *, backward: bool) -> Callable[[], object]:
    def work() -> None:
        people = default_parameters(body.parameter_spec, (batch,))
        people = {name: value.requires_grad_(backward) for name, value in people.items()}
        posed = body.forward(people, parts)
        if backward:
            sum(x.square().sum() for x in (posed.vertices, posed.joints) if x is not None).backward()

    work()  # makes the tables
    return work


def main() -> int:
    torch.set_num_threads(1)
    if "--prepare" in sys.argv[1:]:
        print(f"prepare the asset: {best_seconds(prepare, 1):.1f} s")
    AnnyBody.load()
    load = best_seconds(AnnyBody.load)
    print(f"load the prepared asset: {load:.3f} s (bound {LOAD_BOUND_S} s)")
    body = AnnyBody.load()
    print(f"surface and regions: {best_seconds(lambda: AnnyBody(body.asset).surface, 3):.3f} s")
    some = torch.as_tensor(farthest_points(body.surface.rest_vertices.numpy(), POINTS))
    choices = {
        "joints": Parts("body25"),
        f"joints + {POINTS} vertices": Parts("body25", some),
        "all vertices": Parts(None, "all"),
    }
    print(f"{'':28}{'forward':>10}{'+ backward':>12}   ms")
    for name, parts in choices.items():
        for batch in (2, 8, 32):
            forward, both = (1e3 * best_seconds(posing(body, batch, parts, backward=b)) for b in (False, True))
            print(f"{name:22}{batch:6}{forward:10.2f}{both:12.2f}")
    for batch in (2, 8, 32):
        people = default_parameters(body.parameter_spec, (batch,))
        for shape in (False, True):
            ms = 1e3 * best_seconds(lambda p=people, s=shape: body.joints_and_jacobian(p, "body25", s))
            print(f"joints and jacobian{' with shape' if shape else '':11}{batch:4}{ms:10.2f}")
    return int(load >= LOAD_BOUND_S)


if __name__ == "__main__":
    sys.exit(main())
