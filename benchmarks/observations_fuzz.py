"""Random nonsense through the whole fit: every pair ends in finite bodies or is refused by name.

    python benchmarks/observations_fuzz.py --count 10000

Prints how many pairs were fitted, how many were refused and why, how many crashed and how many are not finite; exits 1
when there are any of the last two. Few steps each: what breaks, breaks early.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from apu.body.anny import AnnyBody
from apu.body.joints import joint_names
from apu.body.protocol import Parts, default_parameters
from apu.contact.contact import Contact, ContactMap
from apu.errors import ApuError
from apu.geometry.camera import project
from apu.scene.camera import Camera
from apu.scene.estimate import InitialBody
from apu.scene.pair import AgeGroup, PairObservation
from apu.scene.person import BodyHint, Keypoints, Person
from apu.unite.fittable import check_finite, check_fittable
from apu.unite.solve import look, unite
from apu.unite.verdict import judge
from apu.unite.weights import CONTACT_STAGE, PENETRATION_STAGE, FirstFitWeights, UniteWeights

FEW_STEPS = UniteWeights(
    first=FirstFitWeights(steps=4, hypotheses=2),
    contact=replace(CONTACT_STAGE, steps=3),
    penetration=replace(PENETRATION_STAGE, steps=3),
)
JOINTS = len(joint_names("body25"))
WILD = (0.0, -1.0, 1e-30, 1e6, -1e6, 1e20, -1e30, np.inf, -np.inf, np.nan)
"""What numbers may be that nobody meant."""


def random_observation(body: AnnyBody, seed: int) -> tuple[PairObservation, ContactMap]:
    """A pair of people out of joint in up to three ways, and contacts between any of their regions.

    Args:
        body: the body model.
        seed: all that decides.
    """
    rng = np.random.default_rng(seed)
    side = int(rng.choice([8, 64, 640, 4000], p=[0.05, 0.15, 0.4, 0.4]))
    camera = Camera.of_image(side, int(rng.integers(1, 2 * side)))
    people = [_person(body, rng, i, camera) for i in (0, 1)]
    initial: list[InitialBody | None] = [_estimate(body, rng, i) if rng.random() < 0.4 else None for i in (0, 1)]
    for _ in range(rng.integers(0, 4)):
        i = int(rng.integers(2))
        match rng.integers(10):
            case 0:
                people[i] = _moved(people[i], rng.normal(size=(JOINTS, 2)) * side * 10.0 ** rng.integers(-2, 6))
            case 1:  # all joints in one place, or a box of a few pixels
                k = people[i].keypoints
                small = k.xy.mean(0) + 10.0 ** rng.uniform(-6, 1) * (k.xy - k.xy.mean(0)) / max(k.diagonal(), 1.0)
                people[i] = replace(people[i], keypoints=replace(k, xy=small * (rng.random() < 0.7)))
            case 2:
                people[i] = _confidence(people[i], rng.random(JOINTS) * (rng.random(JOINTS) < rng.random()))
            case 3:
                people[1 - i] = replace(people[i], index=1 - i)  # one person twice
            case 4:  # half out of frame
                people[i] = _moved(people[i], np.array([rng.choice([-0.5, 0.5, 5.0]) * side, 0.0]))
            case 5:
                xy = people[i].keypoints.xy.copy()
                xy[rng.integers(JOINTS, size=rng.integers(1, 9)), rng.integers(2)] = rng.choice(WILD)
                people[i] = replace(people[i], keypoints=replace(people[i].keypoints, xy=xy))
            case 6:
                confidence = people[i].keypoints.confidence.copy()
                confidence[rng.integers(JOINTS, size=3)] = rng.choice(WILD)
                people[i] = _confidence(people[i], confidence)
            case 7:
                focal = camera.focal_px * 10.0 ** rng.uniform(-4, 4) if rng.random() < 0.7 else rng.choice(WILD)
                camera = replace(camera, focal_px=float(focal))
            case 8:
                xyz = rng.normal(size=(JOINTS, 3)) * 10.0 ** rng.integers(-3, 3)
                xyz[rng.integers(JOINTS)] = rng.choice(WILD)
                hint = BodyHint("body25", xyz, rng.random(JOINTS), "random")
                people = [replace(p, hint=hint) for p in people]
            case _:
                broken = _estimate(body, rng, i)
                name = str(rng.choice(list(broken.parameters)))
                value = broken.parameters[name].clone()
                value[int(rng.integers(len(value)))] = float(rng.choice([*WILD, 50.0, 99.0, 0.2, -3.0]))
                initial[i] = InitialBody({**broken.parameters, name: value}, "random")
    groups: tuple[AgeGroup, ...] = ("adult", "child", "unknown")
    ages = [groups[i] for i in rng.integers(3, size=2)]
    observation = PairObservation(
        f"random {seed}", camera, (people[0], people[1]), (ages[0], ages[1]), (initial[0], initial[1])
    )
    return observation, _contacts(body, rng)


def outcomes(body: AnnyBody, seeds: Sequence[int], weights: UniteWeights = FEW_STEPS) -> list[str]:
    """What becomes of each pair, all that are not refused in one batch: `fitted`, `refused: ...` or what went wrong."""
    out: dict[int, str] = {}
    kept = []
    for seed in seeds:
        observation, contacts = random_observation(body, seed)
        try:
            check_fittable(observation)
            kept.append((seed, observation, contacts))
        except ApuError as error:
            out[seed] = f"refused: {error.what}"
        except Exception as error:  # whatever it is, it is counted
            out[seed] = f"crashed: {type(error).__name__}: {error}"
    try:
        fits = unite(body, look(body, [o for _, o, _ in kept], weights), [c for _, _, c in kept], weights)
        for (seed, observation, _), fit in zip(kept, fits, strict=True):
            out[seed] = "fitted"
            try:
                check_finite(observation, fit)
                verdict = judge(observation, fit, body.surface)
                if not all(np.isfinite(rule.value) for rule in verdict.rules):
                    out[seed] = f"not finite: {verdict}"
            except ApuError as error:
                out[seed] = f"not finite: {error.got}"
    except Exception as error:  # whatever it is, it is counted
        if len(kept) > 1:
            return [outcomes(body, [seed], weights)[0] for seed in seeds]
        out[kept[0][0]] = f"crashed: {type(error).__name__}: {error}"
    return [out[seed] for seed in seeds]


def _person(body: AnnyBody, rng: np.random.Generator, index: int, camera: Camera) -> Person:
    """A person as a sound detector sees one."""
    p = {k: v[None] for k, v in _estimate(body, rng, index).parameters.items()}
    joints = body.forward(p, Parts("body25")).joints
    assert joints is not None
    pixels = project(joints[0], torch.tensor(camera.focal_px), torch.tensor(camera.center_px)).double().numpy()
    return Person(index, Keypoints("body25", pixels, rng.uniform(0.4, 1.0, JOINTS)), 0.9, "random")


def _estimate(body: AnnyBody, rng: np.random.Generator, index: int) -> InitialBody:
    """A body in a random pose near the camera's axis."""
    spec = body.parameter_spec
    p = default_parameters(spec, ())
    noise = torch.as_tensor(rng.normal(size=spec["pose"].size)).to(p["pose"])
    place = torch.tensor([rng.uniform(-0.5, 0.5), 0.0, rng.uniform(1.5, 8.0)]).to(p["pose"])
    turn = torch.tensor([0.0, rng.uniform(-3, 3), 0.0]).to(p["pose"])
    return InitialBody({**p, "pose": p["pose"] + spec["pose"].scale * noise, "translation": place,
                        "orientation": turn}, f"random {index}")  # fmt: skip


def _moved(person: Person, by: np.ndarray) -> Person:
    return replace(person, keypoints=replace(person.keypoints, xy=person.keypoints.xy + by))


def _confidence(person: Person, confidence: np.ndarray) -> Person:
    return replace(person, keypoints=replace(person.keypoints, confidence=confidence))


def _contacts(body: AnnyBody, rng: np.random.Generator) -> ContactMap:
    """Up to eight contacts of random regions, contradictory or not, from a source that is doubted or not."""
    names = np.array(body.surface.region_names)
    source = str(rng.choice(["annotation", "random"]))
    contacts = tuple(
        Contact(
            frozenset(rng.choice(names, rng.integers(1, 4)).tolist()),
            frozenset(rng.choice(names, rng.integers(1, 4)).tolist()),
            weight=float(rng.uniform(0.05, 1.0)),
            source=source,
        )
        for _ in range(rng.integers(0, 9))
    )
    return ContactMap(contacts, source)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="seed of the first pair")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after the batch that ends later")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    body, began, counts, worst = AnnyBody.load(), time.perf_counter(), Counter(), []
    last = asked.first + asked.count
    for start in range(asked.first, last, asked.batch):
        seeds = range(start, min(start + asked.batch, last))
        for seed, outcome in zip(seeds, outcomes(body, seeds), strict=True):
            counts[outcome.split(": ")[0] if outcome.startswith(("crashed", "not")) else outcome] += 1
            if outcome.startswith(("crashed", "not")):
                worst.append(f"seed {seed}: {outcome}")
        if time.perf_counter() - began > asked.seconds:
            break
    print(f"{sum(counts.values())} pairs in {time.perf_counter() - began:.0f} s")
    for outcome, count in counts.most_common():
        print(f"{count:>7}  {outcome}")
    print("\n".join(worst[:50]))
    sys.exit(1 if worst else 0)


if __name__ == "__main__":
    main()
