"""BEV files: what they must hold, who of them is who, and where their people come to stand."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from apu.body.anny import AnnyBody
from apu.body.joints import joint_names
from apu.body.protocol import default_parameters
from apu.errors import InputError
from apu.geometry.camera import project
from apu.pose.bev import SMPL_JOINTS, read_bev
from apu.pose.initial import estimated_parameters, initial_bodies
from apu.pose.initial_matching import joint_distances, match_people
from apu.pose.initial_person import EstimatedPerson
from apu.pose.keypoint_files import read_keypoints
from apu.pose.photo_file import read_photo
from apu.scene.camera import Camera
from apu.scene.person import Keypoints, Person

WIDTH, HEIGHT = 640, 480


def scene(body: AnnyBody, *places: tuple[float, float, float]) -> tuple[dict[str, np.ndarray], list[Person]]:
    """A BEV file's content for our own bodies that stand at these places, and what a detector sees of them."""
    parameters = default_parameters(body.parameter_spec, (len(places),))
    parameters["translation"] = torch.tensor(places)
    joints, _ = body.joints_and_jacobian(parameters, "body25", shape=False)
    camera = Camera.of_image(WIDTH, HEIGHT)
    pixels = project(joints, torch.tensor(camera.focal_px), torch.tensor(camera.center_px)).numpy()
    names, rows = joint_names("body25"), np.array(list(SMPL_JOINTS.values()))
    mine = [names.index(name) for name in SMPL_JOINTS]
    origin = joints[:, [names.index("left_hip"), names.index("right_hip")]].mean(1).numpy()
    results = {
        "smpl_thetas": np.zeros((len(places), 72), np.float32),
        "smpl_betas": np.zeros((len(places), 11), np.float32),
        "cam_trans": origin,
        "joints": np.zeros((len(places), 71, 3), np.float32),
        "pj2d_org": np.zeros((len(places), 71, 2), np.float32),
        "center_confs": np.full(len(places), 0.3, np.float32),
    }
    results["joints"][:, rows] = joints.numpy()[:, mine] - origin[:, None]
    results["pj2d_org"][:, rows] = pixels[:, mine]
    people = [Person(i, Keypoints("body25", xy, np.full(25, 0.9, np.float32)), 0.9, "t") for i, xy in enumerate(pixels)]
    return results, people


@pytest.fixture
def written(tmp_path: Path) -> Callable[[object], Path]:
    """Writes an npz file with a key `results`, as BEV does."""

    def write(results: object) -> Path:
        np.savez(tmp_path / "bev.npz", results=np.array(results, object))
        return tmp_path / "bev.npz"

    return write


def estimates_of(path: Path, size: tuple[int, int] = (WIDTH, HEIGHT)) -> list[EstimatedPerson]:
    """Everybody in a BEV file of a photo of this size."""
    return [one.estimated(Camera.of_image(*size)) for one in read_bev(path)]


APART = ((-0.8, 0.0, 3.0), (0.7, 0.1, 3.5), (0.0, 0.0, 6.0))


# ---- files


def test_a_file_is_read_person_by_person(body: AnnyBody, written):
    results, _ = scene(body, *APART)
    results["smpl_betas"][1, 10] = 0.5
    people = read_bev(written(results))
    assert [one.row for one in people] == [0, 1, 2]
    assert [one.kid for one in people] == [0, 0.5, 0]
    assert np.array_equal(people[1].joints_m, results["joints"][1])
    assert np.array_equal(people[2].translation_m, results["cam_trans"][2])


def test_romp_which_has_ten_betas_and_may_have_no_confidences_is_read(body: AnnyBody, written):
    results, _ = scene(body, *APART)
    results["smpl_betas"] = results["smpl_betas"][:, :10]
    del results["center_confs"]
    people = read_bev(written(results))
    assert [(one.kid, one.confidence) for one in people] == [(0, 1)] * 3


def changed(**fields):
    return lambda results: {**results, **fields}


WRONG = {
    "no dictionary": (lambda r: 3, "results"),
    "a missing field": (lambda r: {k: v for k, v in r.items() if k != "joints"}, "joints"),
    "a wrong shape": (changed(joints=np.zeros((3, 24, 3), np.float32)), "joints"),
    "a wrong count": (changed(cam_trans=np.ones((2, 3), np.float32)), "cam_trans"),
    "a number that is none": (changed(smpl_thetas=np.full((3, 72), np.nan)), "smpl_thetas"),
    "an infinite number": (changed(pj2d_org=np.full((3, 71, 2), np.inf)), "pj2d_org"),
    "a huge number": (changed(cam_trans=np.full((3, 3), 1e30)), "cam_trans"),
    "a place behind the camera": (changed(cam_trans=-np.ones((3, 3))), "cam_trans"),
    "texts": (changed(joints=np.full((3, 71, 3), "x")), "joints"),
    "a list": (changed(joints=[1, 2]), "joints"),
    "confidences of others": (changed(center_confs=np.ones(7)), "center_confs"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_makes_no_sense_says_where_and_why(name: str, body: AnnyBody, written):
    change, mentioned = WRONG[name]
    results, _ = scene(body, *APART)
    with pytest.raises(InputError) as caught:
        read_bev(written(change(results)))
    assert mentioned in str(caught.value)
    for field in ("where", "expected", "got", "remedy"):
        assert getattr(caught.value, field), field


def test_a_file_of_nobody_is_read_and_matches_nobody(body: AnnyBody, written):
    results, people = scene(body, *APART)
    path = written({name: value[:0] for name, value in results.items()})
    assert estimates_of(path) == []
    with pytest.raises(InputError, match="not those in the photo"):
        match_people(people, [], path)


# ---- who is who


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_people_find_their_own_estimates_in_any_order(order, body: AnnyBody, written):
    results, people = scene(body, *APART)
    path = written({name: value[list(order)] for name, value in results.items()})
    matched = match_people(people, estimates_of(path), path)
    assert {index: order[one.row] for index, one in matched.items()} == {0: 0, 1: 1, 2: 2}


def test_one_estimate_goes_to_one_person(body: AnnyBody, written):
    results, people = scene(body, (0.0, 0.0, 3.0), (0.05, 0.0, 3.0))
    path = written({name: value[:1] for name, value in results.items()})
    assert list(match_people(people, estimates_of(path), path)) == [0]


def test_somebody_without_an_estimate_has_none(body: AnnyBody, written):
    results, people = scene(body, *APART)
    path = written({name: value[:2] for name, value in results.items()})
    assert sorted(match_people(people, estimates_of(path), path)) == [0, 1]


def test_left_and_right_count(body: AnnyBody, written):
    results, people = scene(body, (0.0, 0.0, 3.0))
    swap = [joint_names("body25").index(n.replace("left", "@").replace("right", "left").replace("@", "right"))
            for n in joint_names("body25")]  # fmt: skip
    turned = Person(0, Keypoints("body25", people[0].keypoints.xy[swap], people[0].keypoints.confidence), 0.9, "t")
    estimates = estimates_of(written(results))
    assert joint_distances(people, estimates)[0, 0] < 1e-3
    assert joint_distances([turned], estimates)[0, 0] > 0.05


def test_joints_that_were_not_seen_do_not_count(body: AnnyBody, written):
    results, people = scene(body, (0.0, 0.0, 3.0))
    xy, confidence = people[0].keypoints.xy.copy(), people[0].keypoints.confidence.copy()
    xy[10:12], confidence[10:12] = 0.0, 0.0
    estimates = estimates_of(written(results))
    half = Person(0, Keypoints("body25", xy, confidence), 0.9, "t")
    assert joint_distances([half], estimates)[0, 0] < 1e-3
    confidence[:] = 0
    assert np.isinf(joint_distances([Person(0, Keypoints("body25", xy, confidence), 0.9, "t")], estimates)[0, 0])


def test_a_file_of_another_photo_is_refused_with_the_distances(body: AnnyBody, written):
    results, people = scene(body, *APART)
    path = written({**results, "pj2d_org": results["pj2d_org"] * 2.5})
    with pytest.raises(InputError) as caught:
        match_people(people, estimates_of(path), path)
    assert "nearest distances: person" in str(caught.value)
    assert "--init" in str(caught.value)


# ---- where they stand


@pytest.mark.parametrize("focal_px", [None, 900.0])
def test_the_projection_stays_whatever_the_focal_length(focal_px, body: AnnyBody, written):
    results, people = scene(body, *APART)
    camera = Camera.of_image(WIDTH, HEIGHT, focal_px=focal_px)
    initial = initial_bodies(written(results), body, camera, people)
    for person in people:
        parameters = {name: value[None] for name, value in initial[person.index].parameters.items()}
        joints, _ = body.joints_and_jacobian(parameters, "body25", shape=False)
        pixels = project(joints[0], torch.tensor(camera.focal_px), torch.tensor(camera.center_px)).numpy()
        error = np.linalg.norm(pixels - person.keypoints.xy, axis=1).mean() / person.keypoints.diagonal()
        assert error < (0.01 if focal_px is None else 0.02)
    assert initial[0].source == "bev"


# ---- real files


def test_real_files_agree_with_the_camera_we_assume(photos: Path):
    for name in ("college_232334", "girls_250416"):
        photo = read_photo(photos / "images" / f"{name}.png")
        camera = Camera.of_image(photo.width, photo.height)
        for one in read_bev(photos / "bev" / f"{name}_0.08.npz"):
            points = torch.tensor(one.joints_m + one.translation_m)
            pixels = project(points, torch.tensor(camera.focal_px), torch.tensor(camera.center_px)).numpy()
            assert np.abs(pixels - one.pixels).max() < 0.6


def test_real_people_find_their_estimates_and_the_boy_is_small(body: AnnyBody, photos: Path):
    name = "college_232334"
    people = read_keypoints(photos / "vitpose" / f"{name}_keypoints.json", name)
    path = photos / "bev" / f"{name}_0.08.npz"
    matched = match_people(people, estimates_of(path, (500, 332)), path)
    assert {index: one.row for index, one in matched.items()} == {0: 2, 1: 3, 2: 0, 4: 1}
    parameters = estimated_parameters(body, [matched[2], matched[4]], Camera.of_image(500, 332))
    boy, woman = body.height(parameters).tolist()
    assert 1.0 < boy < 1.3
    assert 1.5 < woman < 1.8


@pytest.mark.parametrize("keypoints", ["vitpose/{}_keypoints.json", "openpose/{}.json"])
@pytest.mark.parametrize("photo", ["college_232334", "girls_250416"])
def test_a_real_file_of_another_photo_is_refused_although_somebody_fits_by_chance(photo, keypoints, photos: Path):
    other = {"college_232334": "girls_250416", "girls_250416": "college_232334"}[photo]
    people = read_keypoints(photos / keypoints.format(photo), photo)
    path = photos / "bev" / f"{other}_0.08.npz"
    size = {"college_232334": (500, 332), "girls_250416": (500, 493)}[photo]
    with pytest.raises(InputError, match="not those in the photo"):
        match_people(people, estimates_of(path, size), path)
    right = photos / "bev" / f"{photo}_0.08.npz"
    assert len(match_people(people, estimates_of(right, size), right)) >= 4
