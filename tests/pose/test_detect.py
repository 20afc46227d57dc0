"""The detector's logic with nets that see what they are told to, and the real net on real photos."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from apu.errors import ModelFileError, PeopleError
from apu.pose.decode import STRIDE, Heads
from apu.pose.detect import detect_people
from apu.pose.keypoint_files import read_keypoints
from apu.pose.movenet import MoveNet
from apu.pose.pairs import choose_pairs
from apu.pose.photo_file import read_photo
from apu.scene.person import Box, Person
from apu.scene.photo import Photo


def sighting(joints: np.ndarray, center: float = 0.9, heat: float = 0.8) -> tuple[np.ndarray, float, float]:
    return joints[:, :2], center, heat


class PaintedNet:
    """A net that sees people who are painted into a photo: every pixel's red and green say where it comes from.

    Args:
        people: joints (17, 2) in photo pixels, centre probability and heat of each.
        sees: whether it sees person i at a number of net pixels per photo pixel.
    """

    def __init__(
        self,
        people: Sequence[tuple[np.ndarray, float, float]],
        sees: Callable[[int, float], bool] = lambda i, scale: True,
    ) -> None:
        self._people, self._sees = people, sees
        self.windows: list[tuple[int, int, int, int]] = []

    def heads(self, pixels: np.ndarray, long_side: int) -> tuple[Heads, float]:
        height, width = pixels.shape[:2]
        x0, y0 = int(pixels[0, 0, 0]) * STEP, int(pixels[0, 0, 1]) * STEP
        self.windows.append((x0, y0, width, height))
        scale = long_side / max(height, width)
        grid = -(-round(height * scale) // 32) * 8, -(-round(width * scale) // 32) * 8
        heads = Heads(
            np.zeros(grid, np.float32),
            np.full((*grid, 17), 1e-4, np.float32),
            np.zeros((*grid, 17, 2), np.float32),
            np.zeros((*grid, 17, 2), np.float32),
        )
        for i, (joints, center, heat) in enumerate(self._people):
            cells = (joints[:, ::-1] - (y0, x0)) * scale / STRIDE
            nearest = np.round(cells).astype(int)
            if not self._sees(i, scale) or (nearest < 0).any() or (nearest >= grid).any():
                continue
            cell = tuple(np.round(cells[11:13].mean(0)).astype(int))
            heads.center[cell] = center
            heads.regression[cell] = cells - cell
            for joint, (y, x) in enumerate(nearest):
                heads.heat[y, x, joint] = heat
                heads.offset[y, x, joint] = cells[joint] - (y, x)
        return heads, scale


@pytest.fixture(scope="session")
def movenet(detector_file: Path) -> MoveNet:
    """The real net."""
    return MoveNet(detector_file)


STEP = 4
"""Photo pixels per step of red and green: windows are known to within so many."""


def painted_photo(width: int = 640, height: int = 480) -> Photo:
    y, x = np.indices((height, width)) // STEP
    return Photo(np.stack([x, y, np.zeros_like(x)], 2).astype(np.uint8), "painted", "0" * 64)


def test_nobody_is_found_where_nobody_is():
    assert detect_people(painted_photo(), net=PaintedNet([])) == []


def test_people_are_found_where_they_are_and_numbered_from_left_to_right(standing):
    joints = [standing(x, 240, 70) for x in (500, 120, 310)]
    net = PaintedNet([sighting(j, center) for j, center in zip(joints, (0.9, 0.7, 0.8), strict=True)])
    people = detect_people(painted_photo(), net=net)
    assert [person.index for person in people] == [0, 1, 2]
    for person, i in zip(people, (1, 2, 0), strict=True):
        np.testing.assert_allclose(person.keypoints.xy, joints[i][:, :2], atol=STEP)
        assert (person.keypoints.joint_set, person.source) == ("coco17", "movenet")
        assert person.score == pytest.approx(0.8 * (0.9, 0.7, 0.8)[i], abs=0.01)


def test_one_person_seen_at_every_scale_is_one_person(standing):
    assert len(detect_people(painted_photo(), net=PaintedNet([sighting(standing(300, 240, 70))]))) == 1


def test_someone_seen_only_at_another_scale_is_added(standing):
    net = PaintedNet(
        [sighting(standing(150, 240, 70)), sighting(standing(450, 240, 70))], lambda i, s: i == 0 or s >= 0.5
    )
    assert len(detect_people(painted_photo(), net=net)) == 2


def test_an_unsure_sighting_at_an_extra_scale_is_not_added(standing):
    net = PaintedNet([sighting(standing(300, 240, 70), 0.35)], lambda i, scale: scale == 0.5)
    assert detect_people(painted_photo(), net=net) == []


def test_ghosts_below_the_least_score_are_left_out(standing):
    assert detect_people(painted_photo(), net=PaintedNet([sighting(standing(300, 240, 70), 0.3, 0.5)])) == []


def test_two_overlapping_people_are_looked_at_in_one_window_that_holds_both(standing):
    joints = [standing(200, 240, 40), standing(235, 240, 40)]
    net = PaintedNet([sighting(j) for j in joints])
    assert len(detect_people(painted_photo(), net=net)) == 2
    assert net.windows[:3] == [(0, 0, 640, 480)] * 3
    closer = net.windows[3:]
    assert len(closer) == 1
    x0, y0, width, height = closer[0]
    low = np.min([j.min(0) for j in joints], axis=0)
    high = np.max([j.max(0) for j in joints], axis=0)
    assert x0 <= low[0] < high[0] <= x0 + width
    assert y0 <= low[1] < high[1] <= y0 + height
    assert width < 320


def test_the_closer_look_replaces_a_skeleton_by_a_better_resolved_one(standing):
    coarse = standing(200, 240, 40)
    coarse[:, :2] += np.random.default_rng(0).normal(0, 2.5, (17, 2))
    net = PaintedNet([sighting(coarse), sighting(standing(200, 240, 40))], lambda i, scale: (scale > 0.6) == (i == 1))
    (person,) = detect_people(painted_photo(), net=net)
    np.testing.assert_allclose(person.keypoints.xy, standing(200, 240, 40)[:, :2], atol=STEP)


def test_the_closer_look_never_gives_two_people_the_same_skeleton(standing):
    joints = [standing(200, 240, 40), standing(212, 240, 40)]  # alike enough to be taken for each other
    net = PaintedNet([sighting(j) for j in joints], lambda i, scale: scale < 0.6 or i == 0)
    people = detect_people(painted_photo(), net=net)
    assert len(people) == 2
    for person, expected in zip(people, joints, strict=True):
        np.testing.assert_allclose(person.keypoints.xy, expected[:, :2], atol=STEP)


def test_the_hidden_person_of_a_hug_is_found_in_the_closer_look(standing):
    front, hidden = standing(300, 240, 60), standing(300, 240, 60)
    hidden[:, :2] += (3, 2)
    hidden[:5, 0] += 45  # the same place, another head
    hidden[5:11, 0] += 25
    net = PaintedNet([sighting(hidden, 0.6), sighting(front)], lambda i, scale: i == 1 or scale > 0.6)
    people = detect_people(painted_photo(), net=net)
    assert len(people) == 2
    assert abs(people[0].keypoints.named("nose")[0] - people[1].keypoints.named("nose")[0]) > 30


@pytest.mark.parametrize("size", [(1, 1), (5, 2000), (2000, 5)])
def test_a_photo_of_any_shape_is_looked_through_by_the_real_net(movenet: MoveNet, size: tuple[int, int]):
    photo = Photo(np.zeros((*size, 3), np.uint8), "strip", "0" * 64)
    assert detect_people(photo, net=movenet) == []


def test_a_file_that_is_no_model_is_refused_with_its_path(tmp_path: Path):
    (tmp_path / "net.onnx").write_bytes(b"no model")
    with pytest.raises(ModelFileError, match="cannot be loaded") as caught:
        MoveNet(tmp_path / "net.onnx")
    assert caught.value.where == str(tmp_path / "net.onnx")
    assert "apu models fetch" in str(caught.value.remedy)


def test_the_net_sees_the_same_in_a_picture_and_its_double(movenet: MoveNet):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    small, scale = movenet.heads(pixels, 192)
    double, half = movenet.heads(pixels.repeat(2, 0).repeat(2, 1), 192)
    assert (scale, half) == (2, 1)
    assert small.center.shape == double.center.shape == (128 // STRIDE, 192 // STRIDE)
    assert np.abs(small.heat - double.heat).max() < 0.2  # two ways to double it: linear, and by the net's caller


def test_progress_never_runs_backwards_and_ends_at_one(standing):
    shares: list[float] = []
    net = PaintedNet([sighting(standing(x, 240, 50)) for x in (100, 300, 500)])
    detect_people(painted_photo(), net=net, progress=lambda stage, fraction=0.0: shares.append(fraction))
    assert shares == sorted(shares)
    assert shares[-1] == 1


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)) - shared)


def on(person: Person, reference: Person) -> float:
    """Share of the reference's sure joints that the person has within a tenth of its box's height."""
    a, b = person.keypoints, reference.keypoints.as_set("coco17")
    sure = b.confidence > 0.5
    height = reference.box[3] - reference.box[1]
    return float((np.linalg.norm(a.xy - b.xy, axis=1)[sure] < 0.1 * height).mean())


def test_both_people_of_the_real_hug_are_found_and_are_the_first_pair(photos: Path, movenet: MoveNet):
    people = detect_people(read_photo(photos / "images" / "college_232334.png"), net=movenet)
    reference = read_keypoints(photos / "vitpose" / "college_232334_keypoints.json")
    found = {i: max(people, key=lambda person: on(person, reference[i])) for i in (2, 4)}
    assert found[2] is not found[4]
    for i, person in found.items():
        assert on(person, reference[i]) > 0.5
        assert overlap(person.keypoints.box(0.0), reference[i].keypoints.box(0.0)) > 0.6
    assert choose_pairs(people)[0] == tuple(sorted(person.index for person in found.values()))


def test_most_of_a_crowd_of_small_people_are_found(photos: Path, movenet: MoveNet):
    people = detect_people(read_photo(photos / "images" / "girls_250416.png"), net=movenet)
    reference = read_keypoints(photos / "vitpose" / "girls_250416_keypoints.json")
    found = [any(on(person, other) > 0.5 for person in people) for other in reference]
    assert sum(found) >= 14


def test_the_same_photo_gives_the_same_people(photos: Path, movenet: MoveNet):
    photo = read_photo(photos / "images" / "college_232334.png")
    first, second = detect_people(photo, net=movenet), detect_people(photo, net=movenet)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.keypoints.xy, b.keypoints.xy)
        np.testing.assert_array_equal(a.keypoints.confidence, b.keypoints.confidence)


def around(joints: np.ndarray, margin: float = 10.0) -> Box:
    (x0, y0), (x1, y1) = joints[:, :2].min(0) - margin, joints[:, :2].max(0) + margin
    return (float(x0), float(y0), float(x1), float(y1))


def test_a_person_whom_only_a_box_points_out_is_found_in_it(standing):
    joints = [standing(150, 240, 60), standing(450, 240, 60)]
    net = PaintedNet([sighting(joints[0]), sighting(joints[1], 0.1, 0.5)])
    assert len(detect_people(painted_photo(), net=net)) == 1
    people = detect_people(painted_photo(), [around(joints[1])], net=net)
    assert [person.source for person in people] == ["movenet", "movenet box"]
    np.testing.assert_allclose(people[1].keypoints.xy, joints[1][:, :2], atol=STEP)


def test_the_person_in_a_box_takes_the_place_of_the_same_person_found_without_it(standing):
    joints = [standing(150, 240, 60), standing(450, 240, 60)]
    people = detect_people(painted_photo(), [around(joints[0])], net=PaintedNet([sighting(j) for j in joints]))
    assert [(person.index, person.source) for person in people] == [(0, "movenet box"), (1, "movenet")]
    np.testing.assert_allclose(people[0].keypoints.xy, joints[0][:, :2], atol=STEP)


def test_two_boxes_that_nearly_coincide_get_two_people_where_two_are_to_be_seen(standing):
    joints = [standing(300, 240, 60), standing(318, 246, 60)]
    net = PaintedNet([sighting(joints[0]), sighting(joints[1], 0.15)])
    people = detect_people(painted_photo(), [around(joints[0]), around(joints[0], 12)], net=net)
    assert [person.source for person in people] == ["movenet box"] * 2
    assert abs(people[0].keypoints.named("nose")[0] - people[1].keypoints.named("nose")[0]) > 10


def test_every_box_gives_one_person_even_where_nobody_is(standing):
    joints = standing(150, 240, 60)
    boxes = [around(joints), (400.0, 100.0, 520.0, 300.0)]
    people = detect_people(painted_photo(), boxes, net=PaintedNet([sighting(joints)]))
    assert [person.source for person in people] == ["movenet box"] * 2
    assert people[1].score < 0.05


def test_a_box_outside_the_photo_is_refused_before_anything_is_looked_at(standing):
    net = PaintedNet([])
    with pytest.raises(PeopleError, match="nobody in a person's box"):
        detect_people(painted_photo(), [(700.0, 0.0, 800.0, 100.0)], net=net)
    assert net.windows == []


def test_boxes_find_more_of_the_real_crowd(photos: Path, movenet: MoveNet):
    photo = read_photo(photos / "images" / "girls_250416.png")
    reference = read_keypoints(photos / "vitpose" / "girls_250416_keypoints.json")
    plain = detect_people(photo, net=movenet)
    boxed = detect_people(photo, [other.box for other in reference], net=movenet)
    assert sum(person.source == "movenet box" for person in boxed) == len(reference)
    found = [[any(on(person, other) > 0.5 for person in people) for other in reference] for people in (plain, boxed)]
    assert sum(found[1]) >= max(sum(found[0]), 0.9 * len(reference))
