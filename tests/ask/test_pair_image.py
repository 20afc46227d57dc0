"""The picture of a pair, checked on its pixels: what is cut out, blurred, marked, and what is left alone."""

import io
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from apu.ask.pair_image import COLORS, LONG_SIDES, PairImage, PairImageOptions, pair_image
from apu.ask.pair_layout import crop_box, intersection, overlap, place_tags, reach_box
from apu.body.joints import joint_names
from apu.errors import InputError, PeopleError
from apu.pose.keypoint_files import read_keypoints
from apu.pose.photo_file import read_photo
from apu.scene.person import Keypoints, Person, PersonMask
from apu.scene.photo import Photo

PNG = PairImageOptions(format="png")
BARE = replace(PNG, mark=False, blur_others=False)
UPRIGHT = {
    "nose": (0.5, 0.05), "left_shoulder": (0.8, 0.2), "right_shoulder": (0.2, 0.2), "left_wrist": (1.0, 0.5),
    "right_wrist": (0.0, 0.5), "left_hip": (0.7, 0.5), "right_hip": (0.3, 0.5), "left_ankle": (0.7, 1.0),
    "right_ankle": (0.3, 1.0),
}  # fmt: skip


def person(index: int, box: tuple[float, float, float, float], mask: PersonMask | None = None) -> Person:
    """Somebody who stands upright with the joints in a box."""
    xy, confidence = np.zeros((17, 2)), np.zeros(17)
    for i, name in enumerate(joint_names("coco17")):
        if name in UPRIGHT:
            x, y = UPRIGHT[name]
            xy[i] = box[0] + x * (box[2] - box[0]), box[1] + y * (box[3] - box[1])
            confidence[i] = 0.9
    return Person(index, Keypoints("coco17", xy, confidence), 0.9, "test", mask=mask)


def noise(width: int = 900, height: int = 600) -> Photo:
    """A photo in which every pixel differs from its neighbours, so that any blur shows."""
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Photo(pixels, "noise", "0" * 64)


def stripes(width: int, height: int) -> Photo:
    """Left half green, right half white."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[:, : width // 2] = (0, 200, 0)
    return Photo(pixels, "stripes", "0" * 64)


def pixels_of(image: PairImage) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(image.data))).astype(int)


PAIR = [person(0, (300, 150, 400, 450)), person(1, (420, 160, 520, 440))]
THREE = [*PAIR, person(2, (560, 180, 640, 440))]


def test_the_crop_is_the_union_of_both_people_and_the_margin():
    assert crop_box([(100.0, 100.0, 200.0, 300.0), (150.0, 50.0, 300.0, 200.0)], 0.12, 1000, 1000) == (76, 20, 324, 330)
    assert crop_box([(0.0, 10.0, 95.0, 90.0)], 0.12, 100, 100) == (0, 0, 100, 100)
    boxes = [reach_box(one, 900, 600) for one in PAIR]
    assert pair_image(noise(), PAIR, (0, 1), PNG).crop == crop_box(boxes, 0.12, 900, 600)


def test_a_body_reaches_beyond_its_joints_to_head_hands_and_feet():
    x0, y0, x1, y1 = reach_box(PAIR[0], 900, 600)
    assert y0 < 150  # the nose lies in the joints' box
    assert x0 < 300 - 20
    assert x1 > 400 + 20
    assert 450 + 20 < y1 < 450 + 60


def test_a_mask_counts_where_it_reaches_farther_than_the_joints():
    share = np.zeros((60, 40))
    share[2:50, 3:30] = 1.0
    masked = person(0, (300, 150, 400, 450), PersonMask((100.0, 200.0, 180.0, 320.0), share, True, step=2))
    box, bare = reach_box(masked, 900, 600), reach_box(PAIR[0], 900, 600)
    assert box[0] == 100 + 2 * 3
    assert box[1:] == bare[1:]


@pytest.mark.parametrize("long_side", [768, 896, 1024])
@pytest.mark.parametrize("scale", [0.05, 1.0, 6.0])
def test_the_long_side_is_as_asked_whatever_the_photo_has(long_side: int, scale: float):
    photo = stripes(round(900 * scale), round(600 * scale))
    people = [
        person(i, tuple(scale * v for v in box)) for i, box in enumerate([(300, 150, 400, 450), (420, 160, 520, 440)])
    ]
    image = pair_image(photo, people, (0, 1), replace(PNG, long_side=long_side))
    assert max(image.size) == long_side
    assert pixels_of(image).shape[1::-1] == image.size
    wide, high = image.crop[2] - image.crop[0], image.crop[3] - image.crop[1]
    assert image.size[0] / image.size[1] == pytest.approx(wide / high, rel=0.01)


def test_the_picture_shows_what_lies_in_the_crop():
    photo = stripes(900, 600)
    image = pair_image(photo, PAIR, (0, 1), BARE)
    columns = (pixels_of(image)[..., 0] > 128).mean(0)
    edge = (450 - image.crop[0]) * image.size[0] / (image.crop[2] - image.crop[0])
    assert abs(int(np.argmax(columns > 0.5)) - edge) <= 2


def test_huge_photos_are_averaged_and_the_same_as_small_ones():
    small = stripes(900, 600)
    huge = Photo(np.repeat(np.repeat(small.pixels, 9, 0), 9, 1), "huge", "")
    people = [
        person(i, tuple(9.0 * v for v in box)) for i, box in enumerate([(300, 150, 400, 450), (420, 160, 520, 440)])
    ]
    a, b = pair_image(small, PAIR, (0, 1), BARE), pair_image(huge, people, (0, 1), BARE)
    assert np.abs(pixels_of(a)[:880, :700] - pixels_of(b)[:880, :700]).mean() < 3


def test_equal_input_gives_equal_bytes_and_every_option_changes_them():
    photo = noise()
    base = pair_image(photo, THREE, (0, 1))
    assert base.data == pair_image(photo, THREE, (0, 1)).data
    changes = [{"margin": 0.2}, {"long_side": 768}, {"blur_others": False}, {"mark": False}, {"mirrored": True},
               {"swapped": True}, {"format": "png"}]  # fmt: skip
    hashes = {pair_image(photo, THREE, (0, 1), replace(PairImageOptions(), **change)).sha256 for change in changes}
    assert len(hashes | {base.sha256}) == 8


def test_bystanders_are_blurred_and_nothing_of_the_two_people_is():
    photo = noise()
    sharp, image = (pair_image(photo, THREE, (0, 1), replace(PNG, mark=False, blur_others=b)) for b in (False, True))
    before, after = pixels_of(sharp), pixels_of(image)
    marked = pair_image(photo, THREE, (0, 1), PNG)
    changed = (before != after).any(-1)
    inside = np.zeros(changed.shape, bool)
    for mark in marked.marks:
        x0, y0, x1, y1 = mark.box
        inside[int(y0) : math.ceil(y1), int(x0) : math.ceil(x1)] = True
    assert not changed[inside].any()
    x0 = round((572 - image.crop[0]) * image.size[0] / (image.crop[2] - image.crop[0]))
    there = (slice(300, 500), slice(x0, x0 + 20))
    assert changed[there].all()
    assert after[there].std() < 0.2 * before[there].std()


def test_of_a_bystander_with_a_mask_only_the_mask_is_blurred():
    share = np.zeros((300, 100))
    share[:, 60:] = 1.0
    other = person(2, (560, 180, 640, 440), PersonMask((540.0, 160.0, 640.0, 460.0), share, True))
    sharp, image = (
        pixels_of(pair_image(noise(), [*PAIR, other], (0, 1), replace(PNG, mark=False, blur_others=b, margin=0.4)))
        for b in (False, True)
    )
    crop = pair_image(noise(), [*PAIR, other], (0, 1), replace(PNG, margin=0.4)).crop
    changed = (sharp != image).any(-1)
    scale = changed.shape[1] / (crop[2] - crop[0])
    columns = [round((x - crop[0]) * scale) for x in (585, 610, 630)]
    rows = slice(round((200 - crop[1]) * scale), round((400 - crop[1]) * scale))
    assert [changed[rows, c].mean() > 0.9 for c in columns] == [False, True, True]


def close(pixels: np.ndarray, color: tuple[int, int, int]) -> np.ndarray:
    return (np.abs(pixels - np.array(color)) <= 2).all(-1)


def test_a_is_red_and_b_is_blue_and_swapping_exchanges_who_is_who():
    plain, swapped = (pair_image(stripes(900, 600), PAIR, (0, 1), replace(PNG, swapped=s)) for s in (False, True))
    assert [(m.letter, m.color, m.person) for m in plain.marks] == [("A", "red", 0), ("B", "blue", 1)]
    assert [(m.letter, m.color, m.person) for m in swapped.marks] == [("A", "red", 1), ("B", "blue", 0)]
    assert (plain.a_on_left, swapped.a_on_left) == (True, False)
    assert swapped.data == pair_image(stripes(900, 600), PAIR, (1, 0), PNG).data
    for image, left in ((plain, COLORS[0]), (swapped, COLORS[1])):
        found = pixels_of(image)
        right = COLORS[1] if left == COLORS[0] else COLORS[0]
        assert np.nonzero(close(found, left))[1].mean() < np.nonzero(close(found, right))[1].mean()


def test_the_mirrored_picture_is_the_mirror_image_with_readable_letters():
    photo = noise()
    plain, turned = (pair_image(photo, THREE, (0, 1), replace(PNG, mark=False, mirrored=m)) for m in (False, True))
    assert np.array_equal(pixels_of(plain)[:, ::-1], pixels_of(turned))
    assert plain.a_on_left
    assert not turned.a_on_left
    marked, mirrored = (pair_image(photo, THREE, (0, 1), replace(PNG, mirrored=m)) for m in (False, True))
    for a, b in zip(marked.marks, mirrored.marks, strict=True):
        assert (a.letter, a.person) == (b.letter, b.person)
        assert b.box == pytest.approx((marked.size[0] - a.box[2], a.box[1], marked.size[0] - a.box[0], a.box[3]))
        tags = [pixels_of(i)[m.tag[1] : m.tag[3], m.tag[0] : m.tag[2]] for i, m in ((marked, a), (mirrored, b))]
        assert np.array_equal(*tags)  # not the mirror image of the letter


def test_without_marks_no_pixel_is_drawn_on():
    photo = stripes(900, 600)
    found = pixels_of(pair_image(photo, PAIR, (0, 1), BARE))
    assert not close(found, COLORS[0]).any()
    assert not close(found, COLORS[1]).any()


def test_marks_leave_the_shared_area_of_the_boxes_free_but_for_thin_dashes():
    people = [person(0, (300, 150, 420, 450)), person(1, (380, 160, 500, 440))]
    bare, marked = (pair_image(noise(), people, (0, 1), replace(PNG, mark=m, blur_others=False)) for m in (False, True))
    x0, y0, x1, y1 = (int(v) for v in intersection(marked.marks[0].box, marked.marks[1].box))
    changed = (pixels_of(bare) != pixels_of(marked)).any(-1)
    assert changed.mean() > 0.005
    assert changed[y0 + 4 : y1 - 4, x0 + 4 : x1 - 4].mean() == 0
    assert changed[y0:y1, x0:x1].mean() < 0.005


BOX = st.tuples(st.integers(0, 600), st.integers(0, 600), st.integers(40, 400), st.integers(40, 400)).map(
    lambda v: (float(v[0]), float(v[1]), float(min(v[0] + v[2], 896)), float(min(v[1] + v[3], 896)))
)


@settings(max_examples=80, deadline=None)
@given(BOX, BOX)
@example((12.0, 0.0, 61.0, 40.0), (0.0, 0.0, 40.0, 40.0))
def test_tags_lie_in_the_picture_apart_and_off_the_shared_area_unless_all_is_shared(a, b):
    heads = tuple(((box[0] + box[2]) / 2, box[1] + 10.0) for box in (a, b))
    tags = place_tags((a, b), heads, 34, (896, 896))
    shared = intersection(a, b)
    for tag in tags:
        assert tag[2] - tag[0] == tag[3] - tag[1] == 34
        assert tag[0] >= 0
        assert tag[1] >= 0
        assert tag[2] <= 896
        assert tag[3] <= 896
        assert overlap(tag, shared) == 0
    assert overlap(*tags) == 0


@pytest.mark.parametrize(
    "people",
    [
        [person(0, (300, 150, 400, 450)), person(1, (300, 150, 400, 450))],
        [person(0, (-40, -30, 60, 250)), person(1, (840, 350, 960, 640))],
        [person(0, (300, 150, 400, 450)), person(1, (330, 200, 360, 300))],
        [person(0, (10, 10, 890, 590)), person(1, (12, 12, 888, 588))],
        [person(0, (450, 300, 450.5, 300.5)), person(1, (451, 300, 451.5, 300.5))],
    ],
    ids=["identical boxes", "at the borders", "one inside the other", "all of the photo", "a few pixels"],
)
def test_strange_pairs_still_have_two_marks_with_both_letters_whole(people: list[Person]):
    image = pair_image(stripes(900, 600), people, (0, 1), PNG)
    found = pixels_of(image)
    for mark, color in zip(image.marks, COLORS, strict=True):
        x0, y0, x1, y1 = mark.tag
        tile = found[y0:y1, x0:x1]
        assert tile.shape == (34, 34, 3)
        assert close(tile, color).mean() > 0.4
        assert (tile > 240).all(-1).mean() > 0.05
    assert overlap(image.marks[0].tag, image.marks[1].tag) == 0


def test_a_photo_of_one_pixel_has_a_picture():
    image = pair_image(stripes(1, 1), [person(0, (0, 0, 1, 1)), person(1, (0, 0, 1, 1))], (0, 1))
    assert image.size == (896, 896)


def test_people_without_joints_or_outside_of_the_photo_are_errors_that_name_them():
    nobody = Person(7, Keypoints("coco17", np.zeros((17, 2)), np.zeros(17)), 0.0, "test")
    with pytest.raises(InputError, match="no keypoints") as caught:
        pair_image(noise(), [PAIR[0], nobody], (0, 7))
    assert caught.value.where == "person 7"
    with pytest.raises(InputError, match="outside"):
        pair_image(noise(), [PAIR[0], person(1, (2000, 100, 2100, 300))], (0, 1))
    assert pair_image(noise(), [*PAIR, nobody], (0, 1)).data == pair_image(noise(), PAIR, (0, 1)).data


@pytest.mark.parametrize("pair", [(0, 0), (0, 5), (-1, 0)])
def test_a_pair_that_there_is_not_is_an_error(pair: tuple[int, int]):
    with pytest.raises(PeopleError, match="no such pair"):
        pair_image(noise(), PAIR, pair)


@pytest.mark.parametrize("bad", [{"long_side": LONG_SIDES[0] - 1}, {"long_side": 1025}, {"margin": -0.1},
                                 {"margin": float("nan")}])  # fmt: skip
def test_options_out_of_range_are_errors(bad: dict):
    with pytest.raises(InputError, match="out of range"):
        PairImageOptions(**bad)


@pytest.mark.parametrize("file_format", ["jpeg", "png"])
def test_no_metadata_of_the_photo_goes_with_the_picture(tmp_path, file_format: str):
    exif = Image.Exif()
    exif[0x010E] = "SECRET-CANARY"
    exif.get_ifd(0x8825)[1] = "N"
    path = tmp_path / "photo.jpg"
    Image.fromarray(noise().pixels).save(path, exif=exif, comment="SECRET-CANARY")
    assert b"SECRET-CANARY" in path.read_bytes()
    image = pair_image(read_photo(path), PAIR, (0, 1), PairImageOptions(format=file_format))
    opened = Image.open(io.BytesIO(image.data))
    assert b"SECRET-CANARY" not in image.data
    assert dict(opened.getexif()) == {}
    assert opened.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert opened.format == file_format.upper()
    assert image.encoded.media_type == f"image/{file_format}"
    assert image.encoded.sha256 == image.sha256


def test_a_real_pair_has_its_letters_off_both_heads(photos):
    photo = read_photo(photos / "images" / "girls_250416.png")
    people = read_keypoints(photos / "vitpose" / "girls_250416_keypoints.json")
    for pair in ((2, 3), (0, 2), (1, 2)):
        image = pair_image(photo, people, pair)
        scale = image.size[0] / (image.crop[2] - image.crop[0])
        for number in pair:
            x, y, _ = people[number].keypoints.named("nose")
            nose = ((x - image.crop[0]) * scale, (y - image.crop[1]) * scale)
            for mark in image.marks:
                assert not (mark.tag[0] <= nose[0] <= mark.tag[2] and mark.tag[1] <= nose[1] <= mark.tag[3])
        assert len(image.data) < 200_000
