"""Fit the pose density that ships with the package, on motion capture of the CMU database.

    python training/fit_pose_density.py --mocap cmu_poses.npz [--out FILE] [--seed 0]

Training frames of `Mocap.frames_of("train")`, balanced over actions, and their mirror images; the number of components
is chosen on the frames of "validation", which are other sequences. One seed gives the same tensors and
metadata on one machine; their bytes may differ, because safetensors writes metadata in any order.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from apu.body.anny import AnnyBody
from apu.body.anny_pose import DOFS, mirror_matrix
from apu.body.pose_density import FORMAT, PoseDensity
from apu.dataset.synthetic.mocap import Mocap, read_mocap
from apu.dataset.synthetic.mocap_retarget import direction_errors, retarget_frames
from apu.scene.true_pair import Split

OUT = Path(__file__).resolve().parents[1] / "src" / "apu" / "body" / "data" / "pose_density.safetensors"
NOTICE = (
    "The data used in this project was obtained from mocap.cs.cmu.edu. "
    "The database was created with funding from NSF EIA-0196217."
)
FRAMES: dict[Split, int] = {"train": 4800, "validation": 1600}
COMPONENTS = (1, 2, 4, 8, 12, 16, 24, 32)
FLOOR = 0.15
"""Smallest standard deviation of an angle in a component, in units of its typical deviation (`Dof.scale`)."""
TILT_FLOOR = 0.03
WIDE_WEIGHT, WIDE_FACTOR, WIDE_TILT = 0.02, 1.25, 0.8
"""The wide component: its share, its deviations in units of `Dof.scale`, and of the tilts in radians."""
STEPS = 60
RESTARTS = 2
PERCENTILES = (1, 5, 25, 50, 75, 95, 99)

SCALE = torch.tensor([*(d.scale for d in DOFS), 0.2, 0.2], dtype=torch.float64)
MIRROR = torch.block_diag(mirror_matrix().double(), torch.tensor([[1.0, 0.0], [0.0, -1.0]], dtype=torch.float64))
Mixture = tuple[Tensor, Tensor, Tensor]
"""Weights (k,), means (k, e), lower triangular factors (k, e, e); the last component is the wide one."""


def balanced(mocap: Mocap, split: Split, count: int, random: np.random.Generator) -> np.ndarray:
    """About `count` frames: the same number of each action, as far as there are so many."""
    frames = mocap.frames_of(split)
    groups = [frames[mocap.action[frames] == action] for action in sorted(set(mocap.action[frames]))]
    chosen, left = [], count
    for i, group in enumerate(sorted(groups, key=len)):
        share = min(len(group), left // (len(groups) - i))
        chosen.append(random.choice(group, share, replace=False))
        left -= share
    return np.sort(np.concatenate(chosen))


def points(body: AnnyBody, mocap: Mocap, indices: np.ndarray) -> Tensor:
    """(n, 49) angles and tilts; reports how well the frames were retargeted."""
    pose, tilt = retarget_frames(body, mocap, indices.tolist())
    errors = torch.rad2deg(torch.cat(list(direction_errors(body, mocap, indices.tolist(), pose, tilt).values())))
    print(
        f"  {len(indices)} frames, direction error {errors.mean():.2f} deg, 90 % below {errors.quantile(0.9):.2f} deg"
    )
    return torch.cat([pose, tilt[:, [0, 2]]], 1).double()


def log_parts(x: Tensor, mixture: Mixture) -> Tensor:
    """(n, k) log of weight times density."""
    weight, mean, factor = mixture
    white = torch.linalg.solve_triangular(factor, (x[None] - mean[:, None]).mT, upper=False)
    scale = factor.diagonal(dim1=-2, dim2=-1).log().sum(-1) + 0.5 * x.shape[1] * math.log(2 * math.pi)
    return (weight.log()[:, None] - 0.5 * white.square().sum(1) - scale[:, None]).T


def both_ways(x: Tensor, mixture: Mixture) -> Tensor:
    """(n, 2k) of the mixture and its mirror image."""
    return torch.cat([log_parts(x, mixture), log_parts(x @ MIRROR.T, mixture)], 1) - math.log(2)


def likelihood(x: Tensor, mixture: Mixture) -> float:
    """Mean log density."""
    return float(both_ways(x, mixture).logsumexp(1).mean())


def fitted(x: Tensor, components: int, random: torch.Generator) -> Mixture:
    """Expectation maximisation of a mirror-symmetric mixture with one fixed wide component."""
    floor = torch.diag(torch.cat([FLOOR * SCALE[:-2], torch.full((2,), TILT_FLOOR, dtype=x.dtype)]).square())
    wide_mean = torch.tensor([*(d.default for d in DOFS), 0.0, 0.0], dtype=x.dtype)
    wide_factor = torch.diag(torch.cat([WIDE_FACTOR * SCALE[:-2], torch.full((2,), WIDE_TILT, dtype=x.dtype)]))
    everything = torch.cat([x, x @ MIRROR.T])
    mean = spread_out(everything / SCALE, components, random) * SCALE
    factor = torch.linalg.cholesky(torch.cov(x.T) / components + floor).expand(components, -1, -1)
    weight = torch.full((components,), 1 / components, dtype=x.dtype)

    def with_wide() -> Mixture:
        return (
            torch.cat([(1 - WIDE_WEIGHT) * weight, weight.new_tensor([WIDE_WEIGHT])]),
            torch.cat([mean, wide_mean[None]]),
            torch.cat([factor, wide_factor[None]]),
        )

    for _ in range(STEPS):
        share = both_ways(x, with_wide()).softmax(1)
        k = components + 1
        share = torch.cat([share[:, :components], share[:, k : k + components]])
        total = share.sum(0).clamp_min(1e-6)
        weight = total / total.sum()
        mean = share.T @ everything / total[:, None]
        away = everything[None] - mean[:, None]
        covariance = (share.T[..., None] * away).mT @ away / total[:, None, None]
        factor = torch.linalg.cholesky(covariance + floor)
    return with_wide()


def spread_out(x: Tensor, count: int, random: torch.Generator) -> Tensor:
    """Starting means that lie far apart (k-means++, Arthur and Vassilvitskii 2007)."""
    chosen = x[torch.randint(len(x), (1,), generator=random)]
    while len(chosen) < count:
        distance = torch.cdist(x, chosen).min(1).values.square()
        chosen = torch.cat([chosen, x[torch.multinomial(distance, 1, generator=random)]])
    return chosen


def chosen_mixture(train: Tensor, held_out: Tensor, seed: int) -> tuple[Mixture, list[dict[str, float]]]:
    """The best number of components and start by the likelihood of held-out frames, and the table of all."""
    table, best = [], None
    print("components   train  held-out   (mean log density, angles and tilts)")
    for components in COMPONENTS:
        for restart in range(RESTARTS):
            random = torch.Generator().manual_seed(1000 * seed + 10 * components + restart)
            mixture = fitted(train, components, random)
            row = {
                "components": components,
                "train": likelihood(train, mixture),
                "held_out": likelihood(held_out, mixture),
            }
            table.append(row)
            print(f"{components:10d}{row['train']:8.2f}{row['held_out']:10.2f}", flush=True)
            if best is None or row["held_out"] > best[0]:
                best = (row["held_out"], mixture)
    assert best is not None
    return best[1], table


def save(out: Path, mixture: Mixture, metadata: dict[str, str]) -> None:
    """Write single-precision tensors."""
    out.parent.mkdir(parents=True, exist_ok=True)
    weight, mean, factor = (m.float().contiguous() for m in mixture)
    save_file({"weight": weight, "mean": mean, "cholesky": factor}, out, metadata)
    out.chmod(0o644)  # safetensors makes it readable for its owner only, and packages keep that


def main() -> None:
    """Fit, choose, save, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mocap", type=Path, required=True, help="npz of CMU poses")
    parser.add_argument("--out", type=Path, default=OUT, help="file to write (default: the package's own)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    body, mocap, random = AnnyBody.load(), read_mocap(options.mocap), np.random.default_rng(options.seed)
    data = {split: points(body, mocap, balanced(mocap, split, count, random)) for split, count in FRAMES.items()}
    mixture, table = chosen_mixture(data["train"], data["validation"], options.seed)
    metadata = {
        "format": str(FORMAT),
        "names": json.dumps([d.name for d in DOFS]),
        "typical": "{}",
        "table": json.dumps(table),
        "source": "CMU Graphics Lab Motion Capture Database, frames retargeted to Anny",
        "notice": NOTICE,
        "seed": str(options.seed),
        "frames": json.dumps({split: len(x) for split, x in data.items()}),
    }
    save(options.out, mixture, metadata)
    density = PoseDensity.load(options.out, torch.float64)
    found = density.log_prob(data["validation"][:, :-2])
    typical = {str(p): round(float(found.quantile(p / 100)), 2) for p in PERCENTILES}
    save(options.out, mixture, {**metadata, "typical": json.dumps(typical)})
    print(f"{len(mixture[0]) - 1} components and a wide one; held-out frames, angles alone: {typical}")
    print(f"{options.out}: {options.out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
