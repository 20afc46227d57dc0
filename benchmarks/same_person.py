"""How far one person is from themselves, and from others, in two keypoint files.

    python benchmarks/same_person.py PHOTOS

PHOTOS is a folder with `vitpose/*_keypoints.json` and `openpose/*.json` of the same photos. Who is the same person is
decided by the matching that is looked at, so the numbers say how clear its decisions are, not that they are right.
"""

import sys
from pathlib import Path

import numpy as np

from apu.contact.box_matching import match_boxes
from apu.pose.keypoint_files import read_keypoints
from apu.pose.merge_keypoints import SAME_PERSON, distances

PHOTO_NAMES = ("college_232334", "girls_250416")


def row(photos: Path, name: str) -> str:
    """One photo: the largest distance of those that are matched, and the smallest of all others."""
    files = (photos / "vitpose" / f"{name}_keypoints.json", photos / "openpose" / f"{name}.json")
    people = [read_keypoints(file, name) for file in files]
    apart = distances(*people)
    match = match_boxes(np.where(apart <= SAME_PERSON, 1 - apart, 0.0), 1 - SAME_PERSON)
    own = np.array([apart[i, j] for i, j in match.items()])
    others = [apart[i, j] for i in match for j in range(apart.shape[1]) if match[i] != j and np.isfinite(apart[i, j])]
    return (
        f"{name:<15} {len(people[0]):>7} {len(people[1]):>9} {len(own):>8} {np.median(own):>7.3f} {own.max():>8.3f}"
        f" {min(others):>8.3f}"
    )


def main(photos: Path) -> None:
    print("distances in box diagonals")
    print("photo           vitpose  openpose  matched  median  largest  nearest other")
    for name in PHOTO_NAMES:
        print(row(photos, name))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
