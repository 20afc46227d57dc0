"""How well people are found: python benchmarks/detector.py FOLDER [--keypoints vitpose] [--check]
    [--detector NAME --detector-weights PATH].

FOLDER has `images/` and, in the sub-folder named by --keypoints, a file NAME.json or NAME_keypoints.json for each image
(OpenPose kind, or COCO), whose people are taken for the truth. Where FOLDER has `interaction_contact_signature.json`
(FlickrCI3D format), the people of its annotated pairs are counted by themselves too.

A person is found when more than half of the reference's joints lie within a tenth of its keypoint box's height. PCK is
the share of the joints within 0.05 and 0.1 of that height, where nobody was found 0. Joints are COCO's with reference
confidence above 0.5. A swap is a pair of limbs of somebody who was found that fits clearly better with left and right
exchanged. People are assigned to the reference so that the sum of their mean errors is least. Rows: `movenet` is the
embedded detector; `blazepose` its 2D landmarks on the circles about the detector's people, its time that of both;
`boxes` the detector told of the reference's keypoint boxes; and the optional detector that --detector names, with its
own weights. `--check` fails when the hug of `college_232334` misses its targets.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import get_args

import numpy as np
from scipy.optimize import linear_sum_assignment

from apu.body.joints import joint_names
from apu.contact.files import read_contact_file
from apu.pose.blazepose import BlazePose
from apu.pose.body_guess import guess_body
from apu.pose.detect import detect_people
from apu.pose.enrich import agrees
from apu.pose.keypoint_files import read_keypoints
from apu.pose.optional_detectors import people_in_photo
from apu.pose.photo_file import read_photo
from apu.pose.roi import roi_of
from apu.pose.weights import ensure_blazepose, ensure_movenet
from apu.scene.person import Box, Keypoints
from apu.scene.photo import Photo
from apu.scene.results import Detector

SURE = 0.5
IMAGES = (".png", ".jpg", ".jpeg", ".webp")
SIGNATURES = "interaction_contact_signature.json"
HEAD = f"{'image':<18}{'people':<10}{'detector':<11}found     PCK@.05  PCK@.1  swaps   seconds"
_NAMES = joint_names("coco17")
LIMBS = [
    (_NAMES.index(f"left_{joint}"), _NAMES.index(f"right_{joint}"))
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
]


@dataclass
class Score:
    """Counts over the people of a reference."""

    people: int = 0
    found: int = 0
    joints: int = 0
    within_05: int = 0
    within_10: int = 0
    limbs: int = 0
    swapped: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Score") -> "Score":
        return Score(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __str__(self) -> str:
        joints = max(self.joints, 1)
        return (
            f"{self.found:>2}/{self.people:<6}{self.within_05 / joints:>8.3f}{self.within_10 / joints:>8.3f}"
            f"{self.swapped:>5}/{self.limbs:<5}{self.seconds:>6.2f}"
        )


def score(people: Sequence[Keypoints], reference: Sequence[Keypoints], seconds: float = 0.0) -> Score:
    """Compare the people of one photo, in any joint sets, with a reference."""
    found = [keypoints.as_set("coco17").xy for keypoints in people]
    truth = [keypoints.as_set("coco17") for keypoints in reference]
    cost = np.full((len(truth), len(found)), 0.5)
    for i, true in enumerate(truth):
        sure = true.confidence > SURE
        for j, xy in enumerate(found):
            if sure.any():
                cost[i, j] = np.minimum(_errors(xy, true)[sure], 0.5).mean()
    assigned = dict(zip(*linear_sum_assignment(cost), strict=True)) if cost.size else {}
    total = Score(seconds=seconds)
    for i, true in enumerate(truth):
        total += _score(found[assigned[i]] if i in assigned else None, true)
    return total


def _score(xy: np.ndarray | None, true: Keypoints) -> Score:
    sure = true.confidence > SURE
    counts = Score(people=1, joints=int(sure.sum()))
    if xy is None or not sure.any():
        return counts
    errors = _errors(xy, true)
    counts.within_05, counts.within_10 = int((errors[sure] < 0.05).sum()), int((errors[sure] < 0.1).sum())
    counts.found = int(2 * counts.within_10 > counts.joints)
    for left, right in LIMBS if counts.found else ():
        apart = np.linalg.norm(true.xy[left] - true.xy[right]) / _height(true)
        if sure[left] and sure[right] and apart > 0.06:
            as_is = np.linalg.norm(xy[[left, right]] - true.xy[[left, right]], axis=1).sum()
            exchanged = np.linalg.norm(xy[[left, right]] - true.xy[[right, left]], axis=1).sum()
            counts.limbs += 1
            counts.swapped += int(exchanged < 0.6 * as_is)
    return counts


def _errors(xy: np.ndarray, true: Keypoints) -> np.ndarray:
    return np.linalg.norm(xy - true.xy, axis=1) / _height(true)


def _height(keypoints: Keypoints) -> float:
    _, y0, _, y1 = keypoints.box()
    return max(y1 - y0, 1.0)


def detections(
    net: BlazePose, photo: Photo, boxes: Sequence[Box], other: tuple[Detector, Path | None]
) -> dict[str, tuple[list[Keypoints], float]]:
    """People as each detector sees them, and how long it took."""
    detect_people(photo)  # the first run of a net at a new size is slower
    times = [time.perf_counter()]
    people = detect_people(photo)
    times.append(time.perf_counter())
    guesses = [(guess_body(net, photo, roi), p) for p in people if (roi := roi_of(p.keypoints)) is not None]
    times.append(time.perf_counter())
    boxed = detect_people(photo, boxes)
    times.append(time.perf_counter())
    others = {}
    if other[0] != "movenet":
        others[other[0]] = (
            [person.keypoints for person in people_in_photo(photo, *other)],
            time.perf_counter() - times[-1],
        )
    kept = sum(agrees(guess, person.keypoints) for guess, person in guesses)
    print(f"{photo.name}: of {len(people)} people, BlazePose's gate lets {kept} pass")
    return {
        "movenet": ([person.keypoints for person in people], times[1] - times[0]),
        "blazepose": ([guess.keypoints("coco17") for guess, _ in guesses], times[2] - times[0]),
        "boxes": ([person.keypoints for person in boxed], times[3] - times[2]),
        **others,
    }


def main(folder: Path, kind: str, check: bool, other: tuple[Detector, Path | None]) -> int:
    net = BlazePose(ensure_blazepose())
    ensure_movenet()
    totals: dict[tuple[str, str], Score] = {}
    rows, misses = [HEAD], []
    for image in sorted(path for path in (folder / "images").iterdir() if path.suffix.lower() in IMAGES):
        files = [folder / kind / f"{image.stem}{ending}.json" for ending in ("", "_keypoints")]
        file = next((file for file in files if file.is_file()), None)
        if file is None:
            rows.append(f"{image.stem:<18}has no keypoints in {folder / kind}")
            continue
        photo = read_photo(image)
        reference = read_keypoints(file, photo.name)
        found = detections(net, photo, [person.box for person in reference], other)
        groups = {"all": list(range(len(reference)))}
        if (folder / SIGNATURES).is_file():
            pairs = read_contact_file(folder / SIGNATURES, photo.name, [p.box for p in reference])
            groups["in pairs"] = sorted({i for pair in pairs for i in pair.people or ()})
        for group, members in groups.items():
            for detector, (keypoints, took) in found.items():
                one = score(keypoints, [reference[i].keypoints for i in members], took)
                totals[group, detector] = totals.get((group, detector), Score()) + one
                rows.append(f"{image.stem:<18}{group:<10}{detector:<11}{one}")
                if (image.stem, group, detector) == ("college_232334", "in pairs", "movenet"):
                    misses += missed(one)
    rows += [f"{'total':<18}{group:<10}{detector:<11}{total}" for (group, detector), total in totals.items()]
    print("\n".join([*rows, *(f"MISSED: {miss}" for miss in misses)]))
    return 1 if check and misses else 0


def missed(hug: Score) -> list[str]:
    """Targets that the hug misses."""
    rules = {
        "both people are found": hug.found == hug.people == 2,
        "PCK@.1 at least .70": hug.within_10 >= 0.7 * hug.joints,
    }
    return [f"college_232334: {rule}" for rule, holds in rules.items() if not holds]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--keypoints", default="vitpose", help="sub-folder of the reference")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--detector", choices=get_args(Detector), default="movenet", help="one more detector")
    parser.add_argument("--detector-weights", type=Path, help="of that detector")
    arguments = parser.parse_args()
    other = (arguments.detector, arguments.detector_weights)
    sys.exit(main(arguments.folder, arguments.keypoints, arguments.check, other))
