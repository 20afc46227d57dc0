"""With stand-ins for detector and fit; what they are given and what is made of it is tested here."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts, default_parameters
from apu.contact.annotated_pair import AnnotatedPair
from apu.contact.contact import Contact, ContactMap
from apu.errors import ModelFileError, PeopleError
from apu.evaluate import photos_benchmark
from apu.evaluate.annotated_photos import AnnotatedPhoto
from apu.evaluate.findings import find
from apu.evaluate.photo_tables import photo_tables
from apu.evaluate.photos_benchmark import evaluate_photos, found_people, score_fit
from apu.geometry.camera import project
from apu.scene.camera import Camera
from apu.scene.pair import Fit, PairObservation
from apu.scene.person import Keypoints, Person
from apu.scene.photo import Photo
from apu.unite.solve import FirstLook

BOXES = ((0.0, 0.0, 40.0, 100.0), (30.0, 0.0, 70.0, 100.0), (300.0, 0.0, 340.0, 100.0))


def person(index: int, box) -> Person:
    x0, y0, x1, y1 = box
    xy = np.tile(np.array([x0, y0]), (17, 1))
    xy[1:] = (x1, y1)
    return Person(index, Keypoints("coco17", xy, np.ones(17)), 0.9, "stub")


def contact_map(*pairs: tuple[str, str]) -> ContactMap:
    return ContactMap(tuple(Contact(frozenset({a}), frozenset({b})) for a, b in pairs), "annotation")


PHOTO = AnnotatedPhoto(
    Path("college.png"),
    BOXES,
    (
        AnnotatedPair((1, 0), contact_map(("left_hand_palm", "right_upper_back"))),
        AnnotatedPair((0, 2), contact_map(("left_hand_palm", "left_buttock"))),
    ),
    Path("vitpose.json"),
    Path("bev.npz"),
)


class Stand:
    """Finds people 0 and 1 of the annotation in the other order, and notes what the fit is given."""

    def __init__(self) -> None:
        self.people = (person(0, BOXES[1]), person(1, BOXES[0]))
        self.given: list[tuple[tuple[int, int], ContactMap, str]] = []
        self.options = []
        self.error: Exception | None = None
        self.broken = ""

    def perceive(self, photo, options):
        self.options.append(options)
        if self.error:
            raise self.error
        return self.people

    def look(self, body, observations):
        first = object.__new__(FirstLook)  # nothing else of it is looked at
        vars(first).update(observations=tuple(observations), estimates=(None,))
        return first

    def unite(self, body, first, contacts, *, contact_loss="soft"):
        a, b = first.observations[0].people
        self.given.append(((a.index, b.index), contacts[0], contact_loss))
        if contact_loss == self.broken:
            raise RuntimeError("no fit")
        return [object.__new__(Fit)]


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Stand:
    one = Stand()
    guess = SimpleNamespace(annotate=lambda *_: ContactMap((), "proximity"))
    photo = Photo(np.zeros((100, 400, 3), np.uint8), "college", "0" * 64)
    for name, value in {
        "read_photo": lambda path: photo,
        "perceive": one.perceive,
        "enrich_people": lambda photo, people, indices: list(people),
        "check_fittable": lambda observation: None,
        "look": one.look,
        "unite": one.unite,
        "ProximityAnnotator": lambda surface: guess,
        "score_fit": lambda body, annotated, observation, fit: {"pcc_5cm_percent": 50.0},
    }.items():
        monkeypatch.setattr(photos_benchmark, name, value)
    return one


def rows_of(body: AnnyBody, *sources):
    return evaluate_photos(body, [PHOTO], sources or ["embedded"])


def test_pairs_are_matched_by_boxes_and_a_stays_a(body: AnnyBody, stand: Stand):
    rows_of(body)
    assert found_people(BOXES, stand.people) == {0: 1, 1: 0}
    assert [(people, one.source, loss) for people, one, loss in stand.given] == [
        ((0, 1), "proximity", "soft"),
        ((0, 1), "none", "mindist"),
        ((0, 1), "annotation", "soft"),
    ]
    assert stand.given[2][1] == PHOTO.pairs[0].contacts


def test_a_pair_whose_person_is_not_found_is_lost_to_every_method(body: AnnyBody, stand: Stand):
    rows = rows_of(body)
    lost = [row for row in rows if row.lost]
    assert {row.lost for row in lost} == {"annotated person 2 was not found among 2 people"}
    assert [row.pair for row in lost] == ["college:0,2"] * 3
    assert [row.method for row in rows if not row.lost] == [
        "embedded:proximity", "embedded:mindist", "embedded:annotated",
    ]  # fmt: skip


def test_a_photo_without_people_loses_its_pairs_and_the_others_go_on(body: AnnyBody, stand: Stand):
    stand.error = PeopleError("Only one person was found in the photo.")
    rows = rows_of(body)
    assert len(rows) == 6
    assert {row.lost for row in rows} == {"PeopleError: Only one person was found in the photo."}


def test_a_missing_detector_ends_it(body: AnnyBody, stand: Stand):
    stand.error = ModelFileError("No model.")
    with pytest.raises(ModelFileError):
        rows_of(body)


def test_a_fit_that_fails_is_lost_to_its_method_alone(body: AnnyBody, stand: Stand):
    stand.broken = "mindist"
    first = [row for row in rows_of(body) if row.pair == "college:1,0"]
    assert [row.lost for row in first] == ["", "RuntimeError: no fit", ""]


def test_the_file_is_given_to_vitpose_alone(body: AnnyBody, stand: Stand):
    rows_of(body, "embedded", "vitpose")
    assert [options.keypoints for options in stand.options] == [(), (Path("vitpose.json"),)]


def test_the_tables_count_lost_pairs_and_say_that_precision_is_a_lower_bound(body: AnnyBody, stand: Stand):
    rows = rows_of(body, "embedded", "vitpose")
    means, each = photo_tables(find(rows, ()), rows)
    assert [row[:4] for row in means.rows][:2] == [
        ("embedded", "proximity", "2", "1"), ("embedded", "mindist", "2", "1"),
    ]  # fmt: skip
    assert "lower bound" in " ".join(means.text().split())
    assert [row[3] for row in each.rows if row[0] == "college:0,2"] == ["lost"] * 6
    assert max(map(len, means.text().splitlines())) <= 100


def test_a_fit_is_measured_by_its_own_keypoints_and_the_annotation(body: AnnyBody):
    parameters = default_parameters(body.parameter_spec, (2,))
    parameters["translation"] = torch.tensor([[-0.45, 0.0, 3.0], [0.45, 0.0, 3.0]])
    posed = body.forward(parameters, Parts("body25", "all"))
    assert posed.vertices is not None
    assert posed.joints is not None
    camera = Camera.of_image(640, 640)
    pixels = project(posed.joints, torch.tensor(camera.focal_px), torch.tensor(camera.center_px)).numpy()
    a, b = (Person(i, Keypoints("body25", pixels[i], np.full(25, 0.9)), 0.9, "known") for i in (0, 1))
    observation = PairObservation("known", camera, (a, b))
    fit = Fit(
        body.name, parameters, posed.vertices, posed.joints, posed.vertices, contact_map(), (), (0.0, 0.0), 0.0, 0.0,
        (1.7, 1.7), {}, {},
    )  # fmt: skip
    near, far = ("left_hand_back", "right_hand_back"), ("left_head_front", "right_foot_sole")
    found = score_fit(body, contact_map(near, far), observation, fit)
    assert found["reprojection_error_percent"] < 0.01
    assert found["pcc_20cm_percent"] in (0.0, 50.0)
    assert found["penetration_worst_mm"] == found["penetration_volume_cm3"] == 0
    assert not any("mpjpe" in name for name in found)
    higher = replace(
        observation, people=(replace(a, keypoints=Keypoints("body25", pixels[0] - 9, a.keypoints.confidence)), b)
    )
    assert score_fit(body, contact_map(near), higher, fit)["reprojection_error_percent"] > 0.5
