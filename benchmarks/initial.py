"""What a BEV estimate changes: python benchmarks/initial.py PHOTOS.

PHOTOS is a folder with `images/*.png`, `bev/*_0.08.npz`, `vitpose/*_keypoints.json`, `openpose/*.json` and
`interaction_contact_signature.json` (FlickrCI3D format). Every annotated pair of both photos is fitted without and with
`--init`, from the detector's keypoints and from ViTPose's. There is no true 3D: contacts are the human annotation, and
the distance to BEV is one between two estimates. The 2D error is that of the fit's own input; beside it stands that
against keypoints which the fit has not seen, of a better detector (ViTPose for ours) or another one (OpenPose for
ViTPose).
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from apu.body.anny import AnnyBody
from apu.body.joints import joint_names
from apu.contact.box_matching import match_boxes
from apu.pipeline import FitOptions, PairResult, fit
from apu.pose.bev import read_bev
from apu.pose.initial import estimated_parameters
from apu.pose.initial_matching import match_people
from apu.pose.initial_person import EstimatedPerson
from apu.pose.keypoint_files import read_keypoints
from apu.pose.merge_keypoints import SAME_PERSON, distances
from apu.pose.photo_file import read_photo
from apu.scene.camera import Camera
from apu.scene.person import Person
from apu.unite.problem import reprojection_percent

PHOTO_NAMES = ("college_232334", "girls_250416")
TOUCHING_M = 0.02
FAR = 2 * SAME_PERSON
"""Our detector is farther off than two good ones are from each other; people are matched one to one."""
LIMBS = [
    i
    for i, name in enumerate(joint_names("body25"))
    if name.endswith(("shoulder", "elbow", "wrist", "knee", "ankle")) or name in ("left_hip", "right_hip")
]
HEAD = (
    "photo           keypoints  init pair    contacts within 2 cm  penetration  2D error A, B   of unseen A, B"
    "   heights A, B   PA to BEV A, B  B behind A  chosen postures, ages                  wall"
)


def main(photos: Path) -> None:
    torch.set_num_threads(1)
    for name in PHOTO_NAMES:
        print(retargeting(photos, name))
    print("\n" + HEAD)
    for name in PHOTO_NAMES:
        for source in ("embedded", "vitpose"):
            for init in (None, photos / "bev" / f"{name}_0.08.npz"):
                keypoints = (photos / "vitpose" / f"{name}_keypoints.json",) if source == "vitpose" else ()
                contacts = photos / "interaction_contact_signature.json"
                began = time.perf_counter()
                result = fit(
                    photos / "images" / f"{name}.png", FitOptions(keypoints=keypoints, contacts=contacts, init=init)
                )
                seconds = time.perf_counter() - began
                camera = Camera.of_image(result.photo.width, result.photo.height)
                estimates = _estimates(photos, name, result.people, camera)
                for pair in result.pairs:
                    unseen = unseen_error(photos, name, source, pair)
                    print(row(name, source, init is not None, pair, unseen, estimates, seconds))


def retargeting(photos: Path, name: str) -> str:
    """How near our body comes to BEV's joints, and how tall it is."""
    body, photo = AnnyBody.load(), read_photo(photos / "images" / f"{name}.png")
    camera = Camera.of_image(photo.width, photo.height)
    people = _bev_people(photos, name, camera)
    began = time.perf_counter()
    parameters = estimated_parameters(body, people, camera)
    seconds = time.perf_counter() - began
    joints, _ = body.joints_and_jacobian(parameters, "body25", shape=False)
    errors = [procrustes_mm(mine, one) for mine, one in zip(joints.numpy(), people, strict=True)]
    heights = body.height(parameters).tolist()
    return (
        f"{name}: {len(people)} people retargeted in {seconds:.1f} s; PA distance to BEV's limb joints "
        f"mean {np.mean(errors):.0f}, worst {max(errors):.0f} mm; heights {min(heights):.2f} to {max(heights):.2f} m"
    )


def unseen_error(photos: Path, name: str, source: str, pair: PairResult) -> tuple[float, float]:
    """2D error of A and B in per cent of the box diagonal, against a detector whose keypoints the fit has not seen."""
    vitpose, openpose = photos / "vitpose" / f"{name}_keypoints.json", photos / "openpose" / f"{name}.json"
    others = read_keypoints(openpose if source == "vitpose" else vitpose, name)
    mine = [replace(one, keypoints=one.keypoints.as_set("body25")) for one in pair.observation.people]
    apart = distances(mine, others)
    match = match_boxes(np.where(apart <= FAR, 1 - apart, 0.0), 1 - FAR)
    same = [others[match[i]] if i in match else None for i in range(len(mine))]
    people = tuple(
        one if other is None else replace(one, keypoints=other.keypoints) for one, other in zip(mine, same, strict=True)
    )
    a, b = reprojection_percent(replace(pair.observation, people=people), pair.fit.joints)
    return (float("nan") if same[0] is None else a, float("nan") if same[1] is None else b)


def row(
    name: str,
    source: str,
    init: bool,
    pair: PairResult,
    unseen: tuple[float, float],
    estimates: dict[int, EstimatedPerson],
    seconds: float,
) -> str:
    fitted = pair.fit
    before, after = (
        sum(getattr(one, when) <= TOUCHING_M for one in fitted.contact_results) for when in ("before_m", "after_m")
    )
    i, j = pair.indices
    apart = [
        f"{procrustes_mm(fitted.joints[k].numpy(), estimates[index]):3.0f}" if index in estimates else "  -"
        for k, index in enumerate((i, j))
    ]
    depth = fitted.parameters["translation"][:, 2]
    errors = " ".join(f"{e:.2f}" for e in fitted.reprojection_percent)
    postures, ages = fitted.hypothesis["posture"], fitted.hypothesis["age"]
    assert isinstance(postures, list)
    assert isinstance(ages, list)
    return (
        f"{name:<16}{source:<11}{'bev' if init else '-':<5}{i:>2},{j:<4} {before:>9} -> {after} of "
        f"{len(fitted.contact_results):<6}{100 * fitted.penetration_max_m:>9.1f} cm   {errors:>11} %"
        f"{unseen[0]:>10.2f} {unseen[1]:.2f} %"
        f"{fitted.heights_m[0]:>9.2f}, {fitted.heights_m[1]:.2f} m   {', '.join(apart):>10} mm"
        f"{float(depth[1] - depth[0]):>9.2f} m   {', '.join(postures) + '; ' + ', '.join(ages):<36}{seconds:>7.1f} s"
    )


def procrustes_mm(mine: np.ndarray, bev: EstimatedPerson) -> float:
    """Mean distance of limb joints after the best similarity transform, never a reflection, millimetres."""
    a, b = mine[LIMBS], bev.joints_m[LIMBS]
    a, b = a - a.mean(0), b - b.mean(0)
    u, s, vt = np.linalg.svd(a.T @ b)
    keep = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    scale = (s * np.diag(keep)).sum() / (a**2).sum()
    return 1e3 * float(np.linalg.norm(scale * a @ (u @ keep @ vt) - b, axis=1).mean())


def _bev_people(photos: Path, name: str, camera: Camera) -> list[EstimatedPerson]:
    return [one.estimated(camera) for one in read_bev(photos / "bev" / f"{name}_0.08.npz")]


def _estimates(photos: Path, name: str, people: tuple[Person, ...], camera: Camera) -> dict[int, EstimatedPerson]:
    return match_people(people, _bev_people(photos, name, camera), photos / "bev" / f"{name}_0.08.npz")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
