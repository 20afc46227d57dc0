"""What BlazePose adds to people, and when its word does not count."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apu.body.joints import joint_names
from apu.pose.blazepose import SIDE, SquareBody
from apu.pose.body_guess import decoded
from apu.pose.detect import detect_people
from apu.pose.enrich import GATE, disagreement, enrich_people, size_px
from apu.pose.feet import MAX_CONFIDENCE
from apu.pose.keypoint_files import read_keypoints
from apu.pose.photo_file import read_photo
from apu.pose.roi import roi_of
from apu.scene.person import Keypoints, Person
from apu.scene.photo import Photo

BODY25 = joint_names("body25")
FEET = [i for i, name in enumerate(BODY25) if name.endswith(("toe", "heel"))]
PHOTO = Photo(np.zeros((480, 640, 3), np.uint8), "black", "0" * 64)


class ToldNet:
    """A net that says what it is told, square after square."""

    def __init__(self, bodies: Sequence[SquareBody]) -> None:
        self.bodies = list(bodies)
        self.looks = 0

    def look(self, square: np.ndarray) -> SquareBody:
        assert square.shape == (SIDE, SIDE, 3)
        self.looks += 1
        return self.bodies[self.looks - 1]


def skeleton_of(person: Person) -> np.ndarray:
    return np.concatenate([person.keypoints.xy, person.keypoints.confidence[:, None]], axis=1)


def said(seen_body, person: Person, shift: tuple[float, float] = (0, 0), **more: float) -> SquareBody:
    """BlazePose's word on a person, all of it shifted by so many sizes of the person."""
    skeleton = skeleton_of(person)
    skeleton[:, :2] += np.array(shift) * size_px(person.keypoints)
    return seen_body(skeleton, roi_of(person.keypoints), **more)


def test_a_person_gets_a_hint_feet_and_a_mask_and_keeps_all_else(somebody, seen_body):
    person = somebody(3, 300, 200, 60)
    (enriched,) = enrich_people(PHOTO, [person], net=ToldNet([said(seen_body, person)]))
    assert enriched.hint is not None
    assert enriched.mask is not None
    assert enriched.mask.clean
    assert (enriched.index, enriched.score, enriched.source) == (3, person.score, person.source)
    back = enriched.keypoints.as_set("coco17")
    np.testing.assert_array_equal(back.xy, person.keypoints.xy)
    np.testing.assert_array_equal(back.confidence, person.keypoints.confidence)


def test_feet_hang_on_the_ankles_are_little_trusted_and_leave_the_box_as_it_was(somebody, seen_body):
    person = somebody(0, 300, 200, 60)
    (enriched,) = enrich_people(PHOTO, [person], net=ToldNet([said(seen_body, person, (0.02, 0))]))
    keypoints = enriched.keypoints
    assert keypoints.joint_set == "body25"
    for side in ("left", "right"):
        ankle = np.array(keypoints.named(f"{side}_ankle")[:2])
        heel, toe = keypoints.named(f"{side}_heel"), keypoints.named(f"{side}_big_toe")
        size = np.ptp(person.keypoints.xy, axis=0).max()
        np.testing.assert_allclose(heel[:2] - ankle, (0, 0.03 * size), atol=0.01)
        np.testing.assert_allclose(toe[:2] - ankle, (0.05 * size, 0.04 * size), atol=0.01)
        assert 0 < heel[2] <= MAX_CONFIDENCE
    assert keypoints.confidence[FEET].max() == pytest.approx(MAX_CONFIDENCE)
    assert enriched.box == person.box


def test_only_those_who_are_named_are_looked_at(somebody, seen_body):
    people = [somebody(i, x, 200, 40) for i, x in enumerate((100, 300, 500))]
    net = ToldNet([said(seen_body, people[1])])
    enriched = enrich_people(PHOTO, people, {1}, net=net)
    assert net.looks == 1
    assert [person.hint is not None for person in enriched] == [False, True, False]
    assert enriched[0] is people[0]
    assert enrich_people(PHOTO, people, [], net=ToldNet([])) == people


@pytest.mark.parametrize(("share", "kept"), [(0.0, True), (GATE - 0.005, True), (GATE + 0.005, False), (0.5, False)])
def test_the_gate_drops_all_of_it_when_blazepose_means_somebody_else(somebody, seen_body, share: float, kept: bool):
    person = somebody(0, 300, 200, 60)
    (enriched,) = enrich_people(PHOTO, [person], net=ToldNet([said(seen_body, person, (share, 0))]))
    if kept:
        assert enriched.hint is not None
    else:
        assert enriched is person


def test_the_gate_looks_at_most_joints_and_a_few_wild_ones_do_not_count(somebody, seen_body):
    person = somebody(0, 300, 200, 60)
    skeleton = skeleton_of(person)
    skeleton[:5, :2] += 300
    (enriched,) = enrich_people(PHOTO, [person], net=ToldNet([seen_body(skeleton, roi_of(person.keypoints))]))
    assert enriched.hint is not None


def test_a_circle_without_a_person_adds_nothing(somebody, seen_body):
    person = somebody(0, 300, 200, 60)
    assert enrich_people(PHOTO, [person], net=ToldNet([said(seen_body, person, presence=0.3)]))[0] is person


def test_too_few_joints_prove_no_agreement_and_too_little_of_a_person_is_not_looked_at(somebody, seen_body):
    person = somebody(0, 300, 200, 60)
    confidence = np.where(np.arange(17) < 3, 0.8, 0.2).astype(np.float32)
    faint = replace(person, keypoints=replace(person.keypoints, confidence=confidence))
    assert enrich_people(PHOTO, [faint], net=ToldNet([said(seen_body, faint)]))[0] is faint
    unseen = replace(person, keypoints=replace(person.keypoints, confidence=np.zeros(17, np.float32)))
    assert enrich_people(PHOTO, [unseen], net=ToldNet([]))[0] is unseen


def feet_of(person: Person) -> set[str]:
    confidence = person.keypoints.as_set("body25").confidence
    return {BODY25[i].split("_")[0] for i in FEET if confidence[i] > 0}


def test_a_foot_is_dropped_when_blazepose_means_another_ankle(somebody, seen_body):
    person = somebody(0, 300, 200, 60)
    skeleton = skeleton_of(person)
    skeleton[15, 0] += 1.5 * GATE * size_px(person.keypoints)  # left ankle
    (enriched,) = enrich_people(PHOTO, [person], net=ToldNet([seen_body(skeleton, roi_of(person.keypoints))]))
    assert feet_of(enriched) == {"right"}


def test_a_foot_is_dropped_when_the_ankle_was_not_seen(somebody, moved, seen_body):
    person = somebody(0, 300, 200, 60)
    faint = moved(person, "right_ankle", tuple(person.keypoints.xy[16]), 0.1)
    (enriched,) = enrich_people(PHOTO, [faint], net=ToldNet([said(seen_body, person)]))
    assert feet_of(enriched) == {"left"}


def test_feet_at_the_photos_border_are_dropped(somebody, seen_body):
    person = somebody(0, 300, 370, 60)  # ankles at 466 of 480 pixels
    (enriched,) = enrich_people(PHOTO, [person], net=ToldNet([said(seen_body, person)]))
    assert enriched.hint is not None
    assert feet_of(enriched) == set()


def test_feet_that_are_there_stay_as_they_are(somebody, seen_body):
    person = somebody(0, 300, 200, 60)
    body25 = person.keypoints.as_set("body25")
    heel = BODY25.index("left_heel")
    body25.xy[heel], body25.confidence[heel] = (1, 2), 0.05
    with_heel = replace(person, keypoints=body25)
    (enriched,) = enrich_people(PHOTO, [with_heel], net=ToldNet([said(seen_body, person)]))
    assert enriched.keypoints.named("left_heel") == pytest.approx((1, 2, 0.05))
    assert enriched.keypoints.named("right_heel")[2] > 0


def test_masks_of_people_apart_are_clean_and_of_people_in_one_place_are_not(somebody, seen_body):
    apart = [somebody(0, 150, 200, 50), somebody(1, 450, 200, 50)]
    close = [somebody(0, 150, 200, 50), somebody(1, 165, 200, 50)]
    for people, clean in ((apart, True), (close, False)):
        enriched = enrich_people(PHOTO, people, net=ToldNet([said(seen_body, person) for person in people]))
        assert [person.mask.clean for person in enriched] == [clean, clean]


def test_the_mask_of_somebody_blazepose_got_wrong_still_contests_its_place(somebody, seen_body):
    people = [somebody(0, 150, 200, 50), somebody(1, 200, 200, 50)]
    bodies = [said(seen_body, people[0]), said(seen_body, people[1], (-0.2, 0))]  # looks at the first person
    a, b = enrich_people(PHOTO, people, net=ToldNet(bodies))
    assert a.mask is not None
    assert not a.mask.clean
    assert b is people[1]


def test_progress_ends_at_one(somebody, seen_body):
    shares: list[float] = []
    person = somebody(0, 300, 200, 60)
    net = ToldNet([said(seen_body, person)])
    enrich_people(PHOTO, [person], net=net, progress=lambda stage, fraction=0.0: shares.append(fraction))
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_the_size_is_the_longer_side_so_that_lying_people_are_as_large(somebody):
    person = somebody(0, 300, 200, 60)
    lying = Keypoints("coco17", person.keypoints.xy[:, ::-1].copy(), person.keypoints.confidence)
    assert size_px(lying) == pytest.approx(size_px(person.keypoints))


def test_the_real_net_agrees_with_the_man_who_stands_alone_and_his_feet_are_below_him(photos: Path, blazepose):
    photo = read_photo(photos / "images" / "college_232334.png")
    man = max(detect_people(photo), key=lambda person: person.box[3] - person.box[1])
    (enriched,) = enrich_people(photo, [man], net=blazepose)
    assert enriched.hint is not None
    assert enriched.mask is not None
    xyz = dict(zip(BODY25, enriched.hint.xyz, strict=True))
    assert xyz["nose"][1] < xyz["neck"][1] < xyz["mid_hip"][1] == 0 < xyz["left_knee"][1] < xyz["left_ankle"][1]
    assert 0.9 < xyz["left_ankle"][1] - xyz["nose"][1] < 1.8
    assert xyz["nose"][0] < 0  # he looks to the left of the photo
    x0, y0, x1, y1 = enriched.mask.box
    assert (y1 - y0) > 0.9 * (man.box[3] - man.box[1])
    assert x1 - x0 < 0.8 * (y1 - y0)
    assert 0.3 < float(enriched.mask.share.mean()) < 0.9


def test_the_real_masks_of_the_hug_are_not_clean(photos: Path, blazepose):
    photo = read_photo(photos / "images" / "college_232334.png")
    reference = read_keypoints(photos / "vitpose" / "college_232334_keypoints.json")
    enriched = enrich_people(photo, reference, {2, 4}, net=blazepose)
    masks = [person.mask for person in enriched if person.mask is not None]
    assert masks
    assert not any(mask.clean for mask in masks)


def test_the_real_net_keeps_most_people_of_a_crowd(photos: Path, blazepose):
    photo = read_photo(photos / "images" / "girls_250416.png")
    people = read_keypoints(photos / "vitpose" / "girls_250416_keypoints.json")
    enriched = enrich_people(photo, people, net=blazepose)
    assert sum(person.hint is not None for person in enriched) >= 0.7 * len(people)
    for before, after in zip(people, enriched, strict=True):
        assert after.box == before.box
        seen = before.keypoints.confidence > 0
        np.testing.assert_array_equal(after.keypoints.xy[seen], before.keypoints.xy[seen])
        np.testing.assert_array_equal(after.keypoints.confidence[seen], before.keypoints.confidence[seen])


def test_disagreement_is_infinite_where_nothing_can_be_compared(somebody, seen_body):
    person = somebody(0, 300, 200, 60)
    roi = roi_of(person.keypoints)
    guess = decoded(said(seen_body, person), roi)
    unseen = replace(person.keypoints, confidence=np.zeros(17, np.float32))
    assert disagreement(guess, unseen) == float("inf")
    assert disagreement(guess, person.keypoints) == pytest.approx(0, abs=1e-4)
