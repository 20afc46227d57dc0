"""The heuristic that pulls the smallest distance to zero: by brute force, by finite differences, and in a fit."""

from dataclasses import replace

import igl
import numpy as np
import pytest
import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts, default_parameters
from apu.body.region_samples import sample_regions
from apu.contact.contact import Contact, ContactMap
from apu.geometry.camera import project
from apu.scene.camera import Camera
from apu.scene.pair import PairObservation
from apu.scene.person import Keypoints, Person
from apu.unite.contact_terms import ContactTerm
from apu.unite.minimum_distance import REFRESH, FullMinimum, SampledMinimum
from apu.unite.solve import look, unite
from apu.unite.weights import CONTACT_STAGE, PENETRATION_STAGE, Reach, UniteWeights

QUICK = UniteWeights(contact=replace(CONTACT_STAGE, steps=25), penetration=replace(PENETRATION_STAGE, steps=25))
TAU_M, REACH = 0.01, Reach(0.2, 0.2)
NOTHING = ContactMap((), "none")
FEET = ContactMap((Contact(frozenset({"left_foot_sole"}), frozenset({"right_foot_sole"})),), "annotation")


def posed(body: AnnyBody, *places: tuple[float, float, float]) -> torch.Tensor:
    """(p, 2, v, 3): default bodies, B so far from A, turned a little; three metres in front of a camera."""
    parameters = default_parameters(body.parameter_spec, (len(places), 2))
    parameters["translation"][:] = torch.tensor([0.0, 0.0, 3.0])
    parameters["translation"][:, 1] += torch.tensor(places)
    parameters["orientation"][:, 1, 1] = 0.4
    result = body.forward(parameters, Parts(vertices="all")).vertices
    assert result is not None
    return result


@pytest.fixture(scope="module")
def apart(body: AnnyBody) -> torch.Tensor:
    return posed(body, (1.05, 0.0, 0.2), (0.3, 0.1, -0.7), (1.3, -0.4, 0.0))


def by_libigl(body: AnnyBody, pair: torch.Tensor) -> float:
    """Smallest distance between a vertex of one skin and the surface of the other, both ways."""
    faces, points = body.surface.collision_faces.numpy(), pair.double().numpy()
    skin = np.unique(faces)
    ways = [igl.point_mesh_squared_distance(points[m][skin], points[1 - m], faces)[0].min() for m in (0, 1)]
    return float(np.sqrt(min(ways)))


def test_both_are_contact_terms_and_know_no_temperature(body: AnnyBody, apart: torch.Tensor):
    some = apart[:, :, sample_regions(body.surface).vertices]
    for term, vertices in ((SampledMinimum(), some), (FullMinimum(body.surface), apart)):
        assert isinstance(term, ContactTerm)
        torch.testing.assert_close(term(vertices, TAU_M, REACH), term(vertices, 10 * TAU_M, Reach(2.0, 2.0)))


def test_on_all_vertices_it_is_the_squared_smallest_distance_of_libigl(body: AnnyBody, apart: torch.Tensor):
    expected = [by_libigl(body, pair) ** 2 for pair in apart]
    assert min(expected) > 0.1**2
    assert max(expected) < 0.9**2
    np.testing.assert_allclose(FullMinimum(body.surface)(apart, TAU_M, REACH), expected, atol=1e-5)


def test_on_samples_it_is_the_squared_smallest_distance_of_all_couples(body: AnnyBody, apart: torch.Tensor):
    some = apart[:, :, sample_regions(body.surface).vertices]
    expected = [(a.double()[:, None] - b.double()[None]).square().sum(-1).min() for a, b in some]
    np.testing.assert_allclose(SampledMinimum()(some, TAU_M, REACH), expected, rtol=1e-4)


@pytest.mark.parametrize("kind", ["sampled", "full"])
def test_swapping_or_moving_the_people_and_other_pairs_beside_them_change_nothing(body: AnnyBody, apart, kind: str):
    def cost(vertices: torch.Tensor) -> torch.Tensor:
        return (SampledMinimum() if kind == "sampled" else FullMinimum(body.surface))(vertices, TAU_M, REACH)

    if kind == "sampled":
        apart = apart[:, :, sample_regions(body.surface).vertices]
    here = cost(apart)
    torch.testing.assert_close(cost(apart.flip(1)), here, atol=1e-5, rtol=0)
    torch.testing.assert_close(cost(apart + torch.tensor([0.5, -1.0, 1.0])), here, atol=1e-5, rtol=0)
    torch.testing.assert_close(cost(apart.flip(0)).flip(0), here, atol=1e-5, rtol=0)
    torch.testing.assert_close(cost(apart[1:2]), here[1:2], atol=1e-5, rtol=0)


def nearest_by_libigl(body: AnnyBody, pair: np.ndarray) -> tuple[tuple[int, int], np.ndarray, np.ndarray]:
    """(person, vertex) that is nearest to the other's skin; the triangle's corners there, and the place in it."""
    faces = body.surface.collision_faces.numpy()
    skin = np.unique(faces)
    found = [igl.point_mesh_squared_distance(pair[m][skin], pair[1 - m], faces) for m in (0, 1)]
    person = int(found[1][0].min() < found[0][0].min())
    squared, face, point = found[person]
    row = int(squared.argmin())
    corners = faces[face[row]]
    share = np.linalg.lstsq(pair[1 - person][corners].T, point[row], rcond=None)[0]
    return (person, int(skin[row])), corners, share


def test_the_gradient_is_that_of_finite_differences_with_the_nearest_point_held_fixed(body: AnnyBody):
    vertices = posed(body, (0.93, 0.0, 0.2)).double()
    at = vertices.clone().requires_grad_()
    FullMinimum(body.surface)(at, TAU_M, REACH).sum().backward()
    (person, vertex), corners, share = nearest_by_libigl(body, vertices[0].numpy())

    def held(moved: np.ndarray) -> float:
        return float(np.square(moved[person, vertex] - share @ moved[1 - person, corners]).sum())

    step, expected = 1e-6, np.zeros_like(vertices[0].numpy())
    for who, row in [(person, vertex), *((1 - person, int(c)) for c in corners)]:
        for axis in range(3):
            move = np.zeros_like(expected)
            move[who, row, axis] = step
            ends = [held(vertices[0].numpy() + sign * move) for sign in (1, -1)]
            expected[who, row, axis] = (ends[0] - ends[1]) / (2 * step)
    assert at.grad is not None
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(at.grad[0].numpy(), expected, atol=2e-3)


def test_the_gradient_on_samples_is_that_of_finite_differences(body: AnnyBody, apart: torch.Tensor):
    vertices, term = apart[:, :, sample_regions(body.surface).vertices].double(), SampledMinimum()
    at = vertices.clone().requires_grad_()
    term(at, TAU_M, REACH).sum().backward()
    assert at.grad is not None
    touched = torch.nonzero(at.grad.abs().sum(-1)).tolist()
    assert [row[:2] for row in touched] == [[i, person] for i in range(3) for person in (0, 1)], "one vertex of each"
    step = 1e-6
    for pair, person, vertex in touched:
        for axis in range(3):
            move = torch.zeros_like(vertices)
            move[pair, person, vertex, axis] = step
            ends = [float(term(vertices + sign * move, TAU_M, REACH)[pair]) for sign in (1, -1)]
            found = (ends[0] - ends[1]) / (2 * step)
            assert found == pytest.approx(float(at.grad[pair, person, vertex, axis]), abs=1e-6)


def test_forces_on_the_two_bodies_are_equal_and_opposite(body: AnnyBody, apart: torch.Tensor):
    at = apart.clone().requires_grad_()
    FullMinimum(body.surface)(at, TAU_M, REACH).sum().backward()
    assert at.grad is not None
    force = at.grad.sum(2)
    torch.testing.assert_close(force[:, 0], -force[:, 1], atol=1e-4, rtol=0)
    assert bool((force.norm(dim=-1) > 0.1).all())


def test_between_two_looks_it_follows_bodies_that_move_as_an_optimisation_moves_them(body: AnnyBody):
    kept = FullMinimum(body.surface)
    for step in range(REFRESH + 2):
        vertices = posed(body, (1.05 - 0.002 * step, 0.0, 0.2))
        fresh = FullMinimum(body.surface)(vertices, TAU_M, REACH)
        torch.testing.assert_close(kept(vertices, TAU_M, REACH), fresh, atol=1e-6, rtol=0)


def test_bodies_in_each_other_have_next_to_no_distance(body: AnnyBody):
    assert float(FullMinimum(body.surface)(posed(body, (0.1, 0.0, 0.1)), TAU_M, REACH)) < 1e-5


def observed(body: AnnyBody) -> PairObservation:
    """Two who stand one behind the other, 60 cm apart in depth, seen without noise."""
    parameters = default_parameters(body.parameter_spec, (2,))
    parameters["translation"] = torch.tensor([[-0.15, 0.0, 3.0], [0.15, 0.0, 3.6]])
    joints = body.forward(parameters, Parts("body25")).joints
    assert joints is not None
    camera = Camera.of_image(640, 640)
    pixels = project(joints, torch.tensor(camera.focal_px), torch.tensor(camera.center_px)).numpy()
    a, b = (Person(i, Keypoints("body25", pixels[i], np.full(25, 0.9)), 0.9, "known") for i in (0, 1))
    return PairObservation("known", camera, (a, b), ages=("adult", "adult"))


@pytest.fixture(scope="module")
def fits(body: AnnyBody):
    """One pair: without contacts, and with the heuristic, once with a map that it has to ignore."""
    first = look(body, [observed(body)], QUICK)
    plain = unite(body, first, [NOTHING], QUICK)
    pulled = [unite(body, first, [one], QUICK, contact_loss="mindist") for one in (NOTHING, FEET)]
    return plain[0], pulled[0][0], pulled[1][0]


def test_in_a_fit_the_smallest_distance_goes_to_zero_as_it_does_not_by_keypoints_alone(body: AnnyBody, fits):
    plain, pulled, _ = fits
    assert by_libigl(body, plain.vertices) > 0.05
    assert by_libigl(body, pulled.vertices) < 0.005


def test_in_a_fit_the_heuristic_ignores_the_map_and_still_reports_its_distances(fits):
    _, pulled, with_map = fits
    assert torch.equal(with_map.vertices, pulled.vertices)
    assert (pulled.contact_results, len(with_map.contact_results)) == ((), 1)
    assert with_map.contact_results[0].after_m > 0.05, "nothing pulls at the feet"
    assert with_map.contacts == FEET


def test_in_a_fit_the_heuristic_is_reported_as_the_cost_of_contact(fits):
    plain, pulled, _ = fits
    assert plain.stages[-1].terms["contact"] == 0.0
    assert pulled.stages[1].terms["contact"] > 0.0
