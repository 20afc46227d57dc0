"""Which people of a photo are looked at in pairs, and whether the pairs the user names exist."""

from collections.abc import Sequence
from itertools import combinations

from apu.errors import PeopleError
from apu.pose.closeness import closeness
from apu.scene.person import Box, Person

MARGIN = 0.1
"""Added to every side of a keypoint box, of its longer side. A box ends at the joints, the body half a limb later, and
the box of a person seen from the side is narrow."""


def choose_pairs(people: Sequence[Person]) -> list[tuple[int, int]]:
    """Every pair whose keypoint boxes, with a margin, overlap: the closest first (`apu.pose.closeness`).

    Returns:
        Pairs of `Person.index`, the smaller first. Equally close pairs come in the order of their numbers.
    """
    pairs = {
        (min(a.index, b.index), max(a.index, b.index)): closeness(a, b)
        for a, b in combinations(people, 2)
        if _overlap(_widened(a.box), _widened(b.box))
    }
    return sorted(pairs, key=lambda pair: (-pairs[pair], pair))


def check_pairs(pairs: Sequence[tuple[int, int]], people: Sequence[Person]) -> None:
    """See that every pair is of two different people of the photo.

    Raises:
        PeopleError: one is not.
    """
    known = sorted(person.index for person in people)
    for pair in pairs:
        if pair[0] == pair[1]:
            raise _no_such_pair(pair, "two different people", f"person {pair[0]} twice")
        unknown = [index for index in pair if index not in known]
        if unknown:
            got = f"no person {' and no person '.join(map(str, unknown))}"
            raise _no_such_pair(pair, f"numbers among {', '.join(map(str, known)) or 'nobody'}", got)


def require_two_people(people: Sequence[Person], photo_name: str) -> None:
    """See that there can be a pair at all.

    Raises:
        PeopleError: nobody, or one person only, was found.
    """
    if len(people) >= 2:
        return
    raise PeopleError(
        "No person was found in the photo." if not people else "Only one person was found in the photo.",
        where=photo_name,
        expected="at least two people",
        got=f"{len(people)} {'people' if not people else 'person'}",
        remedy="give their keypoints with --keypoints FILE (OpenPose or COCO JSON), or a photo that shows them larger.",
    )


def _no_such_pair(pair: tuple[int, int], expected: str, got: str) -> PeopleError:
    return PeopleError(
        "A pair that was asked for does not exist in the photo.",
        where=f"pair {pair[0]},{pair[1]}",
        expected=expected,
        got=got,
        remedy="choose the two numbers by which the people are printed, and drawn in panel.png: --pair I,J.",
    )


def _widened(box: Box) -> Box:
    x0, y0, x1, y1 = box
    margin = MARGIN * max(x1 - x0, y1 - y0)
    return (x0 - margin, y0 - margin, x1 + margin, y1 + margin)


def _overlap(a: Box, b: Box) -> bool:
    return min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1])
