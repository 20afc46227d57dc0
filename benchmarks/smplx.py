"""Whether SMPL-X's skeleton is fitted as Anny's is, and how fast.

    python benchmarks/smplx.py [--pairs N] [--joints keypoints|bones] [--no-fits]

The licensed model may not be here, so it is Anny's own skin on SMPL-X's 55 joints, which lie at Anny's keypoints, with
betas that span Anny's adults (`tests/body/synthetic_smplx.py`); with `--joints bones` they lie at the heads of Anny's
bones instead. Both bodies are fitted to the same synthetic pairs: adults of random shapes near to standing, seen
without noise, no contacts. Prints how far the two fits are apart and how far each is from the truth, J14 PA-MPJPE in
mm with intervals of 95 % over pairs; then the times of a step in torch at equal vertex count. Ends with 1 when the
fits are more than 25 mm apart on average, or a step takes more than 1.5 times Anny's.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "body"))
from synthetic_smplx import anny_asset  # pyright: ignore[reportMissingImports]

from apu.body.anny import AnnyBody
from apu.body.joints import joint_names
from apu.body.protocol import BodyModel, Parts, default_parameters
from apu.body.smplx import SmplxBody
from apu.contact.contact import ContactMap
from apu.evaluate.bootstrap import mean_interval
from apu.evaluate.procrustes import similarity
from apu.geometry.camera import project
from apu.scene.camera import Camera
from apu.scene.pair import PairObservation
from apu.scene.person import Keypoints, Person
from apu.unite.solve import look, unite

APART_BOUND_MM = 25.0
STEP_BOUND = 1.5
SPREAD = {"pose": 0.2, "shape": 0.5}
"""Of the true bodies, in the standard deviations of their parameters."""
STARTS, ROUNDS, RUNS = 48, 8, 3


def true_pairs(body: AnnyBody, count: int) -> tuple[dict[str, Tensor], list[PairObservation]]:
    """Parameters (count, 2, ...), and what a perfect detector would see of them."""
    random = torch.Generator().manual_seed(0)
    people = default_parameters(body.parameter_spec, (count, 2))
    for name, spread in SPREAD.items():
        people[name] += spread * body.parameter_spec[name].scale * torch.randn(people[name].shape, generator=random)
    people["translation"][:] = torch.tensor([[-0.25, 0.0, 3.0], [0.25, 0.05, 3.1]])
    joints = body.forward(people, Parts("body25")).joints
    assert joints is not None
    camera = Camera.of_image(640, 640)
    pixels = project(joints, torch.tensor(camera.focal_px), torch.tensor(camera.center_px)).numpy()

    def person(pair: int, i: int) -> Person:
        return Person(i, Keypoints("body25", pixels[pair, i], np.full(25, 0.9)), 0.9, "truth")

    return people, [PairObservation(f"pair {k}", camera, (person(k, 0), person(k, 1))) for k in range(count)]


def fitted_joints(body: BodyModel, seen: list[PairObservation]) -> Tensor:
    """(pairs, 2, 14, 3)."""
    fits = unite(body, look(body, seen), [ContactMap((), "none")] * len(seen))
    joints = [body.forward(fit.parameters, Parts("j14")).joints for fit in fits]
    return torch.stack([one for one in joints if one is not None])


def apart_mm(found: Tensor, wanted: Tensor) -> np.ndarray:
    """(pairs, 2, 14) after a similarity for each person."""
    a, b = found.flatten(0, 1), wanted.flatten(0, 1)
    return 1e3 * (similarity(a, b).apply(a) - b.double()).norm(dim=-1).unflatten(0, (-1, 2)).numpy()


def compare_fits(anny: AnnyBody, other: SmplxBody, count: int) -> float:
    people, seen = true_pairs(anny, count)
    truth = anny.forward(people, Parts("j14")).joints
    assert truth is not None
    ours, theirs = fitted_joints(anny, seen), fitted_joints(other, seen)
    print(f"{count} synthetic pairs, J14 PA-MPJPE, mm{'mean':>12}{'95 % interval':>18}{'largest':>10}")
    for name, a, b in (
        ("fits apart", theirs, ours),
        ("Anny, truth", ours, truth),
        ("SMPL-X-like, truth", theirs, truth),
    ):
        values = apart_mm(a, b).mean((1, 2))
        low, high = (interval := mean_interval(values)).low, interval.high
        print(f"{name:36}{values.mean():12.1f}{f'{low:.1f} to {high:.1f}':>18}{values.max():10.1f}")
    each = apart_mm(theirs, ours).mean((0, 1))
    print("fits apart, by joint:", ", ".join(f"{n} {mm:.0f}" for n, mm in zip(joint_names("j14"), each, strict=True)))
    return float(each.mean())


def step(body: BodyModel, batch: int) -> Callable[[], object]:
    """Joints and all vertices, forwards and backwards, everything free."""
    people = {n: v.requires_grad_() for n, v in default_parameters(body.parameter_spec, (batch,)).items()}

    def work() -> None:
        posed = body.forward(people, Parts("body25", "all"))
        given = [x for x in (posed.vertices, posed.joints) if x is not None]
        torch.autograd.backward(given, [torch.ones_like(x) for x in given])

    return work


def jacobian(body: BodyModel, batch: int) -> Callable[[], object]:
    """As the joint stage asks for it."""
    people = default_parameters(body.parameter_spec, (batch,))
    return lambda: body.joints_and_jacobian(people, "body25")


def ratio(name: str, work: Callable[[BodyModel, int], Callable[[], object]], batch: int, *bodies: BodyModel) -> float:
    """The bodies take turns, so that a busy machine slows both; the least processor times are compared."""
    tasks = [work(body, batch) for body in bodies]
    best = [float("inf")] * len(tasks)
    for turn in range(ROUNDS + 1):
        for i, task in enumerate(tasks):
            start = time.process_time()
            for _ in range(RUNS):
                task()
            if turn:  # the first makes the tables
                best[i] = min(best[i], (time.process_time() - start) / RUNS)
    print(f"{name + f', {batch} bodies':44}{1e3 * best[0]:9.2f}{1e3 * best[1]:13.2f}{best[1] / best[0]:9.2f}x")
    return best[1] / best[0]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=12, help="of the comparison of fits")
    parser.add_argument("--joints", choices=("keypoints", "bones"), default="keypoints", help="of the SMPL-X-like body")
    parser.add_argument("--no-fits", action="store_true", help="times alone")
    options = parser.parse_args()
    torch.set_num_threads(1)
    anny = AnnyBody(AnnyBody.load().asset, fused=False)
    other = SmplxBody(anny_asset(AnnyBody(anny.asset, torch.float64), joints=options.joints))
    apart = 0.0 if options.no_fits else compare_fits(AnnyBody(anny.asset), other, options.pairs)
    print(f"\n{f'ms, {anny.vertex_count} vertices each':44}{'Anny':>9}{'SMPL-X-like':>13}{'ratio':>10}")
    steps = [ratio("step: joints + all vertices", step, batch, anny, other) for batch in (2, 8)]
    ratio("joints and jacobian (no bound)", jacobian, STARTS, anny, other)
    print(f"\nbounds: fits apart {APART_BOUND_MM:g} mm on average, step {STEP_BOUND:g}x")
    return int(apart > APART_BOUND_MM or max(steps) > STEP_BOUND)


if __name__ == "__main__":
    sys.exit(main())
