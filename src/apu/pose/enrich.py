"""What a closer look with BlazePose adds to people who were found: a hint of their pose in depth, feet, and a mask.

BlazePose looks at one person, and in a hug it may look at the wrong one. So its word only counts where its 2D landmarks
agree with the keypoints that are there (`reference/perception.md`, section 4).
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from apu.pose.blazepose import BlazePose, BodyNet
from apu.pose.body_guess import BodyGuess, guess_body
from apu.pose.feet import with_feet
from apu.pose.person_masks import clean_masks, mask_in_photo
from apu.pose.roi import roi_of
from apu.progress import Progress, silent
from apu.scene.person import Keypoints, Person
from apu.scene.photo import Photo

GATE = 0.08
"""Of the longer side of the person's box: median distance between BlazePose's joints and the keypoints beyond which
BlazePose means somebody else."""

MIN_PRESENCE = 0.5
"""Of a person in the circle, as BlazePose sees it; MediaPipe's threshold."""

MIN_CONFIDENCE = 0.3
"""Of a keypoint that is compared; that of keypoint boxes."""

MIN_JOINTS = 4
"""Fewer compared keypoints prove no agreement."""


def enrich_people(
    photo: Photo,
    people: Sequence[Person],
    indices: Collection[int] | None = None,
    *,
    net: BodyNet | None = None,
    progress: Progress = silent,
) -> list[Person]:
    """Give people a 3D hint, feet where they have none, and a mask.

    Keypoints that are there are never changed; with feet they are in BODY_25 order. Whoever BlazePose disagrees about
    stays as they are. A mask is clean when no mask of the others who are enriched shares its pixels, so enrich all
    people of a photo's chosen pairs at once.

    Args:
        photo: of the people.
        people: of the photo.
        indices: `Person.index` of those to look at, 0.2 s each; everybody when left out.
        net: BlazePose; the embedded one when left out, fetched on first use.
        progress: told about the fetching and the people looked at.

    Returns:
        All people, in order.

    Raises:
        ModelFileError: the embedded net cannot be fetched.
    """
    rois = {
        i: roi
        for i, person in enumerate(people)
        if (indices is None or person.index in indices) and (roi := roi_of(person.keypoints)) is not None
    }
    if not rois:
        return list(people)
    net = net or _embedded_net(progress)
    guesses: dict[int, BodyGuess] = {}
    for done, (i, roi) in enumerate(rois.items()):
        progress("looking at poses", done / len(rois))
        guesses[i] = guess_body(net, photo, roi)
    progress("looking at poses", 1.0)

    masks = [mask_in_photo(guess, photo.width, photo.height) for guess in guesses.values()]
    # A mask of somebody whom BlazePose got wrong still shows that the place is contested.
    enriched = list(people)
    for (i, guess), mask, clean in zip(guesses.items(), masks, clean_masks(masks), strict=True):
        person = people[i]
        if not agrees(guess, person.keypoints):
            continue
        gate_px = GATE * size_px(person.keypoints)
        keypoints = with_feet(person.keypoints, guess, gate_px, photo.width, photo.height)
        mask = None if mask is None else replace(mask, clean=clean)
        enriched[i] = replace(person, keypoints=keypoints, hint=guess.hint(), mask=mask)
    return enriched


def agrees(guess: BodyGuess, keypoints: Keypoints) -> bool:
    """Whether BlazePose looks at the person whom the keypoints are of."""
    return guess.presence >= MIN_PRESENCE and disagreement(guess, keypoints) <= GATE


def disagreement(guess: BodyGuess, keypoints: Keypoints) -> float:
    """Median distance between BlazePose's joints and the keypoints that were seen, over the person's size.

    Infinite when fewer than `MIN_JOINTS` were seen.
    """
    coco = keypoints.as_set("coco17")
    seen = coco.confidence > MIN_CONFIDENCE
    if seen.sum() < MIN_JOINTS:
        return float("inf")
    apart = np.linalg.norm(guess.keypoints("coco17").xy - coco.xy, axis=1)
    return float(np.median(apart[seen])) / size_px(keypoints)


def size_px(keypoints: Keypoints) -> float:
    """Longer side of the keypoint box: the height of somebody who stands."""
    x0, y0, x1, y1 = keypoints.box()
    return max(x1 - x0, y1 - y0, 1.0)


def _embedded_net(progress: Progress) -> BlazePose:
    from apu.pose.weights import ensure_blazepose

    return _loaded(ensure_blazepose(progress))


@cache
def _loaded(path: Path) -> BlazePose:
    return BlazePose(path)
