"""Draw the in-context examples that ship with the package, and write the answers that are true of them.

    apu synth PAIRS --split train --pairs 24 --seed 6 --classes hug,hold_hands,arm_around_shoulder
    python training/make_ask_examples.py PAIRS [--out FOLDER]

The bodies are synthetic pairs of the training split, drawn by our renderer and marked by `apu.ask.pair_image`, as a
photo would be. Sentences are written by hand here; every contact in them must be among the measured ones of the meshes,
and whether its place can be seen is computed by a depth buffer. The near miss is a pair in contact, moved apart until
nothing touches.
"""

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from apu.ask.answer import ContactAnswer, PairAnswer, PersonAnswer
from apu.ask.answer_contacts import answer_contacts
from apu.ask.in_context import EXAMPLE_NAMES
from apu.ask.pair_image import PairImageOptions, pair_image
from apu.body.anny import AnnyBody
from apu.body.protocol import Parts
from apu.contact.measured import TOUCHING_M, TOUCHING_WIDE_M, measure_contacts
from apu.contact.parts import part_regions
from apu.dataset.store import PairStore
from apu.geometry.raster import rasterize
from apu.geometry.views import PerspectiveView
from apu.scene.person import Keypoints, Person
from apu.scene.photo import Photo
from apu.show.canvas import to_bytes
from apu.show.render import Mesh, over, render

OUT = Path(__file__).resolve().parents[1] / "src" / "apu" / "ask" / "examples"
WIDTH, HEIGHT, FOCAL_PX = 760, 900, 1100.0
CAMERA_HEIGHT_M, DISTANCE_M = 1.25, 3.3
SKINS = ((0.80, 0.68, 0.60), (0.62, 0.66, 0.70))
WALL, FLOOR = (0.90, 0.90, 0.88), (0.74, 0.73, 0.71)
MOST_BYTES = 60_000
NEAR_M, SEEN_SHARE, DEPTH_SLACK_M = 0.02, 0.35, 0.012
"""Skin of the other's part so near is at the contact; so much of it in sight makes it visible; allowance of depth."""
NEAR_MISS_M = 0.025
"""Least distance of any vertex of A from one of B in the near miss."""


@dataclass(frozen=True)
class Spec:
    """One example: which pair, how it is seen, and what is said of it.

    Attributes:
        pair: id in the data set.
        yaw_deg: turn of the pair about the vertical before it is looked at.
        scene: sentence on the whole.
        contacts: (evidence, part of A, its side, part of B, its side), the surest first.
        apart_m: how far B is moved away from A along the line between their hips, metres.
    """

    pair: str
    yaw_deg: float
    scene: str
    contacts: tuple[tuple[str, str, str, str, str], ...]
    apart_m: float = 0.0


SPECS: dict[str, Spec] = {
    "hug": Spec(
        "train-6-hug-00000-04",
        80.0,
        "A, on the left, and B, on the right, stand face to face and hug. They are seen from the side: A's right side "
        "and B's left side are near the camera.",
        (
            ("A's near arm reaches around B, and its hand ends behind B's shoulder.", "hand", "right", "back", "none"),
            ("B's near arm goes around A's trunk, and its hand lies behind A.", "back", "none", "hand", "left"),
            ("B's near forearm crosses A's side and bends around to the back.", "back", "none", "forearm", "left"),
            (
                "A's near forearm lies over the front of B's near shoulder.",
                "forearm",
                "right",
                "shoulder front",
                "left",
            ),
            (
                "Fingers of B's far hand come out behind A's back, below the other hand.",
                "back",
                "none",
                "hand",
                "right",
            ),
            ("Fingers of A's far hand come out behind B's neck; the palm is hidden.", "hand", "left", "back", "none"),
            (
                "No gap is seen between the trunks, though the arms cover most of the seam.",
                "chest",
                "none",
                "chest",
                "none",
            ),
        ),
    ),
    "near_miss": Spec(
        "train-6-hold_hands-00000-05",
        15.0,
        "B, on the left, and A, on the right, stand side by side and face the camera. B leans towards A, and A's right "
        "hand and B's left hand hang close to each other, but the wall shows between them everywhere.",
        (),
        0.14,
    ),
    "hold_hands": Spec(
        "train-6-hold_hands-00000-01",
        -20.0,
        "A, on the left, and B, on the right, stand side by side and face the camera, turned a little. Their arms meet "
        "between them, and nothing else is close.",
        (
            (
                "A's left arm leads down to a hand that overlaps with the hand of B's right arm.",
                "hand",
                "left",
                "hand",
                "right",
            ),
        ),
    ),
    "hidden_hand": Spec(
        "train-6-arm_around_shoulder-00000-03",
        0.0,
        "B, on the left, and A, on the right, stand side by side and face the camera. A's right arm goes behind B's "
        "neck and is hidden there in part.",
        (
            (
                "A's hand comes out beyond B's far shoulder, its thumb on the front.",
                "hand",
                "right",
                "shoulder front",
                "right",
            ),
            ("A's arm vanishes behind B's neck bent and close to the skin.", "elbow", "right", "neck", "none"),
            (
                "A's forearm comes up from behind B's shoulder and rests on it.",
                "forearm",
                "right",
                "shoulder back",
                "right",
            ),
        ),
    ),
}


def main(pairs: Path, out: Path) -> None:
    """Make all examples."""
    torch.set_num_threads(1)
    body = AnnyBody.load()
    store = PairStore(pairs)
    for name in EXAMPLE_NAMES:
        vertices, joints = posed(body, store, SPECS[name])
        data, view = picture(body, vertices, joints)
        answer = true_answer(body, SPECS[name], vertices, view)
        if len(data) > MOST_BYTES:
            raise SystemExit(f"{name}: {len(data)} bytes, more than {MOST_BYTES}")
        (out / f"{name}.jpg").write_bytes(data)
        (out / f"{name}.json").write_text(answer.model_dump_json(indent=2) + "\n", encoding="utf-8")
        print(f"{name}: {len(data)} bytes, {len(answer.contacts)} contacts, {answer.decision}")


@torch.no_grad()
def posed(body: AnnyBody, store: PairStore, spec: Spec) -> tuple[torch.Tensor, np.ndarray]:
    """(2, v, 3) vertices and (2, 25, 3) joints in the camera frame, metres."""
    truth = next(iter(store.with_ids([spec.pair]))).to_true_pair()
    level = body.forward(truth.parameters, Parts("body25", "all"))
    assert level.vertices is not None
    assert level.joints is not None
    vertices, joints = level.vertices.double(), level.joints.double()
    between = joints[1, 8] - joints[0, 8]
    between[1] = 0
    move = torch.stack([torch.zeros(3).double(), spec.apart_m * between / between.norm()])[:, None]
    vertices, joints = vertices + move, joints + move
    middle = vertices.reshape(-1, 3).mean(0) * torch.tensor([1.0, 0.0, 1.0])
    yaw = math.radians(spec.yaw_deg)
    turn = torch.tensor([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]]).double()
    place = torch.tensor([0.0, CAMERA_HEIGHT_M, DISTANCE_M]).double()
    return (vertices - middle) @ turn.T + place, ((joints - middle) @ turn.T + place).numpy()


def picture(body: AnnyBody, vertices: torch.Tensor, joints: np.ndarray) -> tuple[bytes, PerspectiveView]:
    """The marked picture as a JPEG file, and the view of the whole drawing."""
    view = PerspectiveView(FOCAL_PX, (WIDTH / 2, 0.46 * HEIGHT), WIDTH, HEIGHT)
    faces = body.surface.faces.numpy()
    count = vertices.shape[1]
    mesh = Mesh(
        vertices.reshape(-1, 3).numpy().astype(np.float32),
        np.concatenate([faces, faces + count]),
        np.repeat(np.array(SKINS, np.float32), count, 0),
        np.repeat(np.arange(2), len(faces)),
    )
    photo = Photo(over(room(view), render(mesh, view)), "example", "0" * 64)
    people = [Person(i, Keypoints("body25", view.project(joints[i])[0], np.ones(25)), 1.0, "synthetic") for i in (0, 1)]
    return pair_image(photo, people, (0, 1), PairImageOptions(long_side=768)).data, view


def room(view: PerspectiveView) -> np.ndarray:
    """A wall and a floor that meets it behind the pair."""
    horizon = round(view.center_px[1] + view.focal_px * CAMERA_HEIGHT_M / (DISTANCE_M + 1.5))
    below = (np.arange(view.height) >= horizon)[:, None, None]
    shade = np.linspace(1.04, 0.94, view.height)[:, None, None]
    colors = np.where(below, np.array(FLOOR), np.array(WALL)) * shade
    return to_bytes(np.tile(colors, (1, view.width, 1)))


def true_answer(body: AnnyBody, spec: Spec, vertices: torch.Tensor, view: PerspectiveView) -> PairAnswer:
    """The answer of a spec. Fails when the meshes do not touch as it says, or touch and it says that they do not."""
    measured = measure_contacts(body.surface, vertices.float()[None], TOUCHING_WIDE_M)[0]
    regions = {(c.region_a, c.region_b) for c in measured if c.distance_m <= TOUCHING_M}
    contacts = []
    for evidence, part_a, side_a, part_b, side_b in spec.contacts:
        seen = in_sight(body, vertices, view, part_regions(part_a, side_a), part_regions(part_b, side_b))
        contacts.append(
            ContactAnswer.model_validate(
                {
                    "evidence": evidence, "part_a": part_a, "side_a": side_a, "part_b": part_b, "side_b": side_b,
                    "visibility": "visible" if seen else "inferred", "confidence": "high" if seen else "medium",
                }
            )
        )  # fmt: skip
    person = PersonAnswer(age_group="adult", posture="standing")
    answer = PairAnswer(
        scene=spec.scene, person_a=person, person_b=person, contacts=tuple(contacts),
        decision="contact" if contacts else "no contact",
    )  # fmt: skip
    for contact in answer_contacts(answer, "example").contacts:
        if not any((a, b) in regions for a in contact.regions_a for b in contact.regions_b):
            raise SystemExit(f"{spec.pair}: {contact.name} does not touch")
    if not contacts and (measured or torch.cdist(vertices[0], vertices[1]).min() < NEAR_MISS_M):
        raise SystemExit(f"{spec.pair}: too near for a pair that does not touch")
    return answer


def in_sight(
    body: AnnyBody, vertices: torch.Tensor, view: PerspectiveView, on_a: frozenset[str], on_b: frozenset[str]
) -> bool:
    """Whether enough of the skin at a contact is seen: of A or of B."""
    faces = body.surface.faces.numpy()
    both = vertices.reshape(-1, 3).numpy().astype(np.float32)
    points, depth = view.project(both)
    raster = rasterize(
        points, depth, np.concatenate([faces, faces + vertices.shape[1]]), view.width, view.height, perspective=True
    )
    names = np.array(body.surface.region_names)[body.surface.region_of_vertex.numpy()]
    indices = [np.nonzero(np.isin(names, list(regions)))[0] for regions in (on_a, on_b)]
    distance = torch.cdist(vertices[0][indices[0]], vertices[1][indices[1]])
    shares = []
    for person, near in ((0, distance.amin(1) < NEAR_M), (1, distance.amin(0) < NEAR_M)):
        at = indices[person][near.numpy()] + person * vertices.shape[1]
        columns, rows = (np.clip(points[at, i].astype(int), 0, side - 1) for i, side in ((0, WIDTH), (1, HEIGHT)))
        hit = depth[at] <= raster.depth[rows, columns] + DEPTH_SLACK_M
        shares.append(float(hit.mean()) if len(hit) else 0.0)
    return max(shares) >= SEEN_SHARE


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("pairs", type=Path, help="folder of the synthetic pairs")
    arguments.add_argument("--out", type=Path, default=OUT)
    options = arguments.parse_args()
    main(options.pairs, options.out)
