"""Several keypoint files of one photo become one list of people, by rules that can be followed by hand."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apu.body.joints import joint_names
from apu.errors import InputError, KeypointFileError
from apu.pipeline import perceive
from apu.pose.keypoint_files import read_keypoints, read_merged_keypoints
from apu.pose.merge_keypoints import DISPUTE, SAME_PERSON, SAME_PLACE, merge_joints, merge_people
from apu.pose.photo_file import read_photo
from apu.scene.person import Keypoints, Person
from apu.scene.results import FitOptions

NAMES = joint_names("body25")
FEET = [f"{side}_{end}" for side in ("left", "right") for end in ("big_toe", "small_toe", "heel")]


def with_feet(person: Person) -> Person:
    """In BODY_25, with neck, hips' middle and feet, as OpenPose has them."""
    keypoints = person.keypoints.as_set("body25")
    xy, confidence = keypoints.xy.copy(), keypoints.confidence.copy()
    for name in ("neck", "mid_hip", *FEET):
        side = name.split("_")[0]
        base = {"neck": "left_shoulder", "mid_hip": "left_hip"}.get(name, f"{side}_ankle")
        xy[NAMES.index(name)] = xy[NAMES.index(base)] + (3, 8)
        confidence[NAMES.index(name)] = 0.6
    return replace(person, keypoints=Keypoints("body25", xy, confidence), source="openpose")


def diagonal(person: Person) -> float:
    return person.keypoints.diagonal()


def confidence_of(keypoints: Keypoints, joint: str) -> float:
    return keypoints.named(joint)[2]


def shifted(person: Person, dx: float, dy: float = 0.0) -> Person:
    keypoints = person.keypoints
    return replace(person, keypoints=replace(keypoints, xy=keypoints.xy + np.array([dx, dy], np.float32)))


def test_what_the_first_file_lacks_comes_from_the_second_and_the_rest_stays(somebody):
    coco = somebody(0, 200, 300, 80)
    openpose = shifted(with_feet(coco), 4)
    merged = merge_joints(coco.keypoints, openpose.keypoints)
    assert set(merged.taken) == {"neck", "mid_hip", *FEET}
    assert not merged.doubted
    for name in NAMES:
        source = openpose if name in merged.taken else coco
        assert merged.keypoints.named(name) == pytest.approx(source.keypoints.named(name), abs=1e-4)


def test_a_file_merged_with_itself_stays_as_it_is(somebody):
    person = with_feet(somebody(0, 200, 300, 80))
    (merged,) = merge_people([[person], [person]], ["a", "b"])
    assert np.array_equal(merged.keypoints.xy, person.keypoints.xy)
    assert np.array_equal(merged.keypoints.confidence, person.keypoints.confidence)
    assert merged.note == ""


@pytest.mark.parametrize(("apart", "taken"), [(0.9 * SAME_PLACE, True), (1.1 * SAME_PLACE, False)])
@pytest.mark.parametrize("torso", [20, 200])
def test_a_foot_comes_with_its_ankle_whatever_the_size_of_the_person(somebody, moved, torso: int, apart: float, taken):
    coco = somebody(0, 500, 900, torso)
    x, y, _ = coco.keypoints.named("left_ankle")
    openpose = with_feet(moved(coco, "left_ankle", (x, y)))
    size = (diagonal(coco) + diagonal(openpose)) / 2
    openpose = moved(openpose, "left_ankle", (x, y - apart * size))
    merged = merge_joints(coco.keypoints, openpose.keypoints)
    assert {"left_big_toe", "left_small_toe", "left_heel"} <= set(merged.taken) or not taken
    assert ("left_heel" in merged.taken) == taken
    assert "right_heel" in merged.taken


def test_a_foot_without_an_ankle_of_the_other_file_is_left_out(somebody, moved):
    coco = somebody(0, 200, 300, 80)
    openpose = moved(with_feet(coco), "left_ankle", (0, 0), 0.0)
    assert "left_heel" not in merge_joints(coco.keypoints, openpose.keypoints).taken
    unseen = moved(coco, "left_ankle", (0, 0), 0.0)
    assert {"left_ankle", "left_heel"} <= set(merge_joints(unseen.keypoints, with_feet(coco).keypoints).taken)


@pytest.mark.parametrize(("apart", "kept"), [(0.8 * DISPUTE, 1.0), (1.3 * DISPUTE, 0.5)])
def test_a_joint_that_two_files_have_far_apart_stays_and_is_doubted(somebody, moved, apart: float, kept: float):
    one = somebody(0, 200, 300, 80)
    x, y, confidence = one.keypoints.named("left_wrist")
    other = moved(one, "left_wrist", (x, y - apart * diagonal(one)))
    merged = merge_joints(one.keypoints, other.keypoints)
    assert merged.keypoints.named("left_wrist") == pytest.approx((x, y, kept * confidence), abs=1e-3)
    assert merged.doubted == (("left_wrist",) if kept < 1 else ())
    unsure = moved(other, "left_wrist", (x, y - apart * diagonal(one)), 0.1)
    assert merge_joints(one.keypoints, unsure.keypoints).doubted == ()


def test_a_missing_ankle_is_not_taken_from_a_file_that_has_left_and_right_swapped(somebody, moved):
    person = somebody(0, 200, 300, 80)
    left, right = (person.keypoints.named(f"{side}_ankle")[:2] for side in ("left", "right"))
    half = moved(person, "right_ankle", (0, 0), 0.0)
    swapped = moved(moved(person, "left_ankle", right), "right_ankle", left)
    assert "right_ankle" in merge_joints(half.keypoints, person.keypoints).taken
    assert "right_ankle" not in merge_joints(half.keypoints, swapped.keypoints).taken
    crossed = moved(person, "right_ankle", left)  # feet of somebody seen from the side are at one place
    assert "right_ankle" in merge_joints(half.keypoints, crossed.keypoints).taken


def test_people_are_matched_one_to_one_whatever_the_order_of_the_files(somebody):
    people = [somebody(i, x, 300, 80) for i, x in enumerate((100, 400, 700))]
    others = [with_feet(people[i]) for i in (2, 0, 1)]
    merged = merge_people([people, others], ["a", "b"])
    assert [person.index for person in merged] == [0, 1, 2]
    for before, after in zip(people, merged, strict=True):
        assert after.keypoints.named("nose") == pytest.approx(before.keypoints.named("nose"))
        assert confidence_of(after.keypoints, "left_heel") == pytest.approx(0.6)
        assert after.source == "test+openpose"
        assert "left heel" in after.note
        assert "from b" in after.note


def test_whom_only_one_file_has_is_kept_and_those_of_later_files_come_last(somebody):
    a, b, c = (somebody(0, x, 300, 80) for x in (100, 400, 700))
    merged = merge_people([[a, b], [c, b]], ["a.json", "b.json"])
    assert [person.index for person in merged] == [0, 1, 2]
    places = [person.keypoints.named("nose")[0] for person in merged]
    assert places == pytest.approx([100, 400, 700])
    assert [person.note for person in merged] == ["", "", "only in b.json"]


def test_two_people_of_the_second_file_replace_one_of_the_first_who_stands_for_both(somebody):
    size = diagonal(somebody(0, 200, 300, 80))
    step = 0.6 * SAME_PERSON * size
    mixture = somebody(0, 200, 300, 80)
    hug = [with_feet(somebody(i, 200 + dx, 300, 80)) for i, dx in enumerate((-step, step))]
    merged = merge_people([[mixture], hug], ["vitpose", "openpose"])
    assert sorted(person.keypoints.named("nose")[0] for person in merged) == pytest.approx([200 - step, 200 + step])
    assert "two people" in merged[0].note


def test_one_person_of_the_second_file_who_stands_for_two_gives_nobody_anything(somebody):
    step = 0.6 * SAME_PERSON * diagonal(somebody(0, 200, 300, 80))
    hug = [somebody(i, 200 + dx, 300, 80) for i, dx in enumerate((-step, step))]
    merged = merge_people([hug, [with_feet(somebody(0, 200, 300, 80))]], ["vitpose", "openpose"])
    assert [person.keypoints.named("nose")[0] for person in merged] == pytest.approx([200 - step, 200 + step])
    assert all(confidence_of(person.keypoints, "neck") == 0 for person in merged)


def test_files_of_different_photos_are_refused(somebody):
    with pytest.raises(KeypointFileError, match="nobody in common") as error:
        merge_people([[somebody(0, 100, 300, 80)], [somebody(0, 900, 300, 20)]], ["a.json", "b.json"])
    assert "a.json, b.json" in str(error.value.where)


def test_a_file_without_people_changes_nothing(somebody):
    person = somebody(0, 100, 300, 80)
    for files in ([[person], []], [[], [person]]):
        (merged,) = merge_people(files, ["a", "b"])
        assert merged.keypoints.named("nose") == pytest.approx(person.keypoints.named("nose"))


def test_a_third_file_fills_what_the_first_two_lack(somebody, moved):
    person = somebody(0, 100, 300, 80)
    no_wrist = moved(person, "left_wrist", (0, 0), 0.0)
    nor_knee = moved(no_wrist, "left_knee", (0, 0), 0.0)
    (merged,) = merge_people([[nor_knee], [no_wrist], [person]], ["a", "b", "c"])
    assert merged.note == "left knee from b; left wrist from c"
    assert merged.keypoints.as_set("coco17").xy == pytest.approx(person.keypoints.xy, abs=1e-4)


def openpose_file(path: Path, *people: Person) -> Path:
    rows = [np.concatenate([p.keypoints.xy, p.keypoints.confidence[:, None]], axis=1) for p in people]
    path.write_text(json.dumps({"people": [{"pose_keypoints_2d": r.ravel().tolist()} for r in rows]}))
    return path


def coco_file(path: Path, *people: Person) -> Path:
    rows = [np.concatenate([p.keypoints.xy, p.keypoints.confidence[:, None]], axis=1) for p in people]
    path.write_text(json.dumps([{"image_id": 1, "keypoints": r.ravel().tolist(), "score": 0.9} for r in rows]))
    return path


def test_files_of_two_kinds_are_read_and_merged(somebody, tmp_path: Path):
    person = somebody(0, 200, 300, 80)
    files = (coco_file(tmp_path / "c.json", person), openpose_file(tmp_path / "o.json", with_feet(person)))
    (merged,) = read_merged_keypoints(files)
    assert merged.source == "coco+openpose"
    assert confidence_of(merged.keypoints, "right_heel") == pytest.approx(0.6)


def test_a_single_file_is_read_as_before(somebody, tmp_path: Path):
    file = coco_file(tmp_path / "c.json", somebody(0, 200, 300, 80))
    (alone,), (merged,) = read_keypoints(file), read_merged_keypoints([file])
    assert merged.keypoints.joint_set == "coco17"
    assert np.array_equal(alone.keypoints.xy, merged.keypoints.xy)


def test_the_same_file_twice_is_refused_however_its_path_is_written(somebody, tmp_path: Path):
    file = openpose_file(tmp_path / "o.json", with_feet(somebody(0, 200, 300, 80)))
    (tmp_path / "sub").mkdir()
    with pytest.raises(KeypointFileError, match="given twice"):
        read_merged_keypoints([file, tmp_path / "sub" / ".." / "o.json"])


def test_a_number_that_is_none_in_the_second_file_names_that_file(somebody, tmp_path: Path):
    person = with_feet(somebody(0, 200, 300, 80))
    good = openpose_file(tmp_path / "good.json", person)
    (tmp_path / "bad.json").write_text(good.read_text().replace(str(float(person.keypoints.xy[0, 0])), "NaN", 1))
    with pytest.raises(KeypointFileError) as error:
        read_merged_keypoints([good, tmp_path / "bad.json"])
    assert "bad.json" in str(error.value.where)
    (tmp_path / "contacts.json").write_text('{"version": 1, "contacts": []}')
    with pytest.raises(KeypointFileError, match="no kind that is known"):
        read_merged_keypoints([good, tmp_path / "contacts.json"])


def test_files_of_one_name_are_told_apart_by_their_folders(somebody, tmp_path: Path):
    for name in ("vitpose", "openpose"):
        (tmp_path / name).mkdir()
    person = somebody(0, 200, 300, 80)
    files = (
        coco_file(tmp_path / "vitpose" / "a.json", person),
        openpose_file(tmp_path / "openpose" / "a.json", with_feet(person)),
    )
    (merged,) = read_merged_keypoints(files)
    assert "openpose/a.json" in merged.note


def test_on_real_photos_vitpose_gets_the_feet_of_openpose(photos: Path):
    files = [photos / "vitpose" / "college_232334_keypoints.json", photos / "openpose" / "college_232334.json"]
    before, merged = read_keypoints(files[0]), read_merged_keypoints(files)
    assert len(merged) == len(before) == 5
    for old, new in zip(before, merged, strict=True):
        kept = old.keypoints.confidence > 0
        assert np.array_equal(new.keypoints.xy[kept], old.keypoints.xy[kept])
    ankle_and_heel = [i for i in range(5) if confidence_of(merged[i].keypoints, "left_heel") > 0]
    assert ankle_and_heel
    assert all(confidence_of(before[i].keypoints, "left_heel") == 0 for i in ankle_and_heel)


def test_the_pipeline_merges_the_files_that_it_is_given(photos: Path):
    files = (photos / "vitpose" / "college_232334_keypoints.json", photos / "openpose" / "college_232334.json")
    people = perceive(read_photo(photos / "images" / "college_232334.png"), FitOptions(keypoints=files))
    for seen, merged in zip(people, read_merged_keypoints(files), strict=True):
        assert np.array_equal(seen.keypoints.confidence, merged.keypoints.confidence)
        assert seen.note == merged.note


def test_a_single_path_instead_of_a_tuple_is_an_error_that_says_so():
    options = object.__new__(FitOptions)  # the suite's own checks of types would come first
    object.__setattr__(options, "keypoints", Path("k.json"))
    with pytest.raises(InputError, match="as a tuple") as error:
        options.__post_init__()
    assert "k.json" in str(error.value.got)
