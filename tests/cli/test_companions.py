"""Files that go with a photo, out of a folder or out of one file for many photos."""

import json
from pathlib import Path

import pytest

from apu.cli.companions import check_shared, with_files_of
from apu.cli.request import Request
from apu.errors import ContactFileError, InputError, KeypointFileError

HUG = Path("in/hug.jpg")


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    return folder


@pytest.mark.parametrize("name", ["hug_keypoints.json", "hug.json"])
def test_keypoints_are_found_by_the_photos_name(tmp_path: Path, name: str):
    request = Request(keypoints=(touch(tmp_path, name),))
    assert with_files_of(request, HUG, [HUG]).keypoints == (tmp_path / name,)


@pytest.mark.parametrize("name", ["hug_contacts.json", "hug.json", "hug/contacts.json"])
def test_contacts_are_found_by_the_photos_name_also_among_results(tmp_path: Path, name: str):
    request = Request(contacts=touch(tmp_path, name))
    assert with_files_of(request, HUG, [HUG]).contacts == tmp_path / name


def test_each_of_several_keypoint_folders_gives_its_own_file(tmp_path: Path):
    folders = touch(tmp_path / "vitpose", "hug_keypoints.json"), touch(tmp_path / "openpose", "hug.json")
    found = with_files_of(Request(keypoints=folders), HUG, [HUG]).keypoints
    assert found == (tmp_path / "vitpose" / "hug_keypoints.json", tmp_path / "openpose" / "hug.json")
    with pytest.raises(KeypointFileError):
        with_files_of(Request(keypoints=(folders[0], touch(tmp_path / "other", "b.json"))), HUG, [HUG])


def test_a_file_stays_as_it_is():
    request = Request(keypoints=(Path("k.json"),), contacts=Path("c.json"), init=Path("i.npz"))
    assert with_files_of(request, HUG, [HUG]) == request


def test_initial_estimates_may_have_more_words_in_their_names(tmp_path: Path):
    request = Request(init=touch(tmp_path, "hug_0.08.npz", "hugs.npz", "other.npz"))
    assert with_files_of(request, HUG, [HUG]).init == tmp_path / "hug_0.08.npz"


def test_an_estimate_of_a_photo_with_a_longer_name_is_that_photos(tmp_path: Path):
    request = Request(init=touch(tmp_path, "hug_0.08.npz", "hug_2_0.08.npz"))
    photos = [HUG, Path("in/hug_2.jpg")]
    assert [with_files_of(request, photo, photos).init for photo in photos] == [
        tmp_path / "hug_0.08.npz",
        tmp_path / "hug_2_0.08.npz",
    ]


def test_two_estimates_for_one_photo_are_an_error_that_names_them(tmp_path: Path):
    request = Request(init=touch(tmp_path, "hug_a.npz", "hug_b.npz"))
    with pytest.raises(InputError) as caught:
        with_files_of(request, HUG, [HUG])
    assert caught.value.got == "hug_a.npz, hug_b.npz"


@pytest.mark.parametrize("name", ["hug.npz", "hug.pkl", "hug_humans.pkl", "hug-0.npy"])
def test_estimates_in_other_containers_are_found(tmp_path: Path, name: str):
    request = Request(init=touch(tmp_path, name, "hug.png", "hug.json"))
    assert with_files_of(request, HUG, [HUG]).init == tmp_path / name


def test_a_folder_called_as_the_photo_holds_its_people(tmp_path: Path):
    touch(tmp_path, "hug/0.npz", "hug/1.npz", "talk/0.npz")
    photos = [HUG, Path("in/talk.png")]
    found = [with_files_of(Request(init=tmp_path), photo, photos).init for photo in photos]
    assert found == [tmp_path / "hug", tmp_path / "talk"]
    assert with_files_of(Request(init=tmp_path / "hug"), HUG, [HUG]).init == tmp_path / "hug"


def test_every_file_of_a_folder_of_people_is_watched_for_changes(tmp_path: Path):
    touch(tmp_path, "hug/0.npz", "hug/1.npz")
    files = Request(init=tmp_path / "hug", prior=None).files()
    assert files == [tmp_path / "hug", tmp_path / "hug/0.npz", tmp_path / "hug/1.npz"]


@pytest.mark.parametrize(
    ("option", "error"), [("keypoints", KeypointFileError), ("contacts", ContactFileError), ("init", InputError)]
)
def test_a_folder_without_the_photos_file_is_an_error(tmp_path: Path, option: str, error: type[InputError]):
    given = (tmp_path,) if option == "keypoints" else tmp_path
    with pytest.raises(error) as caught:
        with_files_of(Request(**{option: given}), HUG, [HUG])
    assert "hug" in str(caught.value.expected)


COCO_OF_TWO = {"images": [{"id": 1}, {"id": 2}], "annotations": []}
SHARED = {
    "COCO of two photos": ("keypoints", COCO_OF_TWO),
    "COCO results of two photos": ("keypoints", [{"image_id": 1}, {"image_id": 2}]),
    "FlickrCI3D": ("contacts", {"hug": {"bbxes": [], "ci_sign": []}}),
    "no JSON, which its reader refuses": ("keypoints", "{"),
}
OF_ONE = {
    "OpenPose": ("keypoints", {"people": []}),
    "COCO of one photo": ("keypoints", {"images": [{"id": 1}], "annotations": [{"image_id": 1}]}),
    "COCO results of one photo": ("keypoints", [{"image_id": 1}, {"image_id": 1}]),
    "our contacts": ("contacts", {"version": 1, "contacts": []}),
    "our pairs": ("contacts", {"version": 1, "pairs": []}),
    "an estimate": ("init", "x"),
}


def request_of(tmp_path: Path, option: str, record: object) -> Request:
    file = tmp_path / "file.json"
    file.write_text(record if isinstance(record, str) else json.dumps(record))
    return Request(**{option: (file,) if option == "keypoints" else file})


@pytest.mark.parametrize("name", SHARED)
def test_a_file_of_many_photos_is_taken_for_many(tmp_path: Path, name: str):
    check_shared(request_of(tmp_path, *SHARED[name]), several=True)


@pytest.mark.parametrize("name", OF_ONE)
def test_a_file_of_one_photo_is_refused_for_many(tmp_path: Path, name: str):
    request = request_of(tmp_path, *OF_ONE[name])
    check_shared(request, several=False)
    with pytest.raises(InputError, match="tells of one photo"):
        check_shared(request, several=True)


def test_a_missing_file_is_refused_at_once():
    with pytest.raises(KeypointFileError, match="cannot be opened"):
        check_shared(Request(keypoints=(Path("missing.json"),)), several=True)
