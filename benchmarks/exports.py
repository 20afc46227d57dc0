"""How far exported bodies are from the fitted ones: skinned meshes with four weights, and BVH's chains of bones.

    python benchmarks/exports.py

Poses of the density that ships with the package; half of the people are children. Distances in millimetres.
"""

import argparse

import torch

from apu.body.anny import AnnyBody
from apu.body.anny_rigs import ANNY_RIGS, rigged_as
from apu.body.pose_density import PoseDensity
from apu.body.protocol import default_parameters
from apu.body.rigged import RiggedBody, few_influences


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    body, random = AnnyBody.load(), torch.Generator().manual_seed(asked.seed)
    people = default_parameters(body.parameter_spec, (asked.people,))
    people["pose"] = PoseDensity.load().sample(asked.people, random)[0]
    shape = body.parameter_spec["shape"]
    people["shape"] += 0.5 * shape.scale * torch.randn(asked.people, shape.size, generator=random)
    people["shape"][1::2, shape.names.index("age")] -= 2.0
    own = body.rigged(people)
    print(f"{asked.people} people, seed {asked.seed}; mm      mean    99 %     max   bones")
    for rig in ("own", *ANNY_RIGS):
        bodies = own if rig == "own" else rigged_as(body, people, rig)
        shown = zip(bodies, own, strict=True)
        apart = torch.cat([(few_influences(one).skinned() - fit.skinned()).norm(dim=-1) for one, fit in shown]) * 1e3
        bones = max(float(chain_error(one).max()) for one in bodies) * 1e3
        print(f"{rig:<26}{apart.mean():8.2f}{apart.quantile(0.99):8.2f}{apart.max():8.1f}{bones:8.2f}")


def chain_error(body: RiggedBody) -> torch.Tensor:
    """(b,) distance of each head to where a chain of fixed offsets has it, metres."""
    places = [body.position[0]]
    for bone, parent in enumerate(body.parents[1:], start=1):
        step = body.rest_joints[bone] - body.rest_joints[parent]
        places.append(places[parent] + body.turn[parent] @ step)
    return (torch.stack(places) - body.position).norm(dim=-1)


if __name__ == "__main__":
    with torch.no_grad():
        main()
