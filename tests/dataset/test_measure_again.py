"""Two default bodies, back to back, so near that their backs touch."""

import math

import numpy as np
import pytest
import torch

from apu.body.protocol import Parts, default_parameters
from apu.contact.contact import Contact
from apu.contact.measured import TOUCHING_M, measure_contacts
from apu.dataset.measure_again import differences, spread
from apu.dataset.meshes import body_of, meshes, statures, touching_vertices
from apu.dataset.record import PairRecord, validated
from apu.errors import InputError
from apu.scene.true_pair import TruePair
from apu.unite.penetration import deepest


@pytest.fixture(scope="module")
def record(body) -> PairRecord:
    parameters = default_parameters(body.parameter_spec, (2,))
    parameters["orientation"][1, 1] = math.pi
    parameters["translation"][:] = torch.tensor([0.0, -0.9, 0.0])
    vertices = body.forward(parameters, Parts(vertices="all")).vertices
    gap = vertices[0, :, 2].amax() - vertices[1, :, 2].amin()
    parameters["translation"][1, 2] += gap - 0.005
    vertices = body.forward(parameters, Parts(vertices="all")).vertices[None]
    pair = TruePair(
        id="back-to-back",
        interaction="hug",
        group="seen",
        split="train",
        base=("analytic", "analytic"),
        body_model=body.name,
        parameters=parameters,
        contacts=measure_contacts(body.surface, vertices)[0],
        intended=(Contact(frozenset({"left_buttock"}), frozenset({"right_buttock"})),),
        penetration_max_m=float(deepest(body.surface, vertices)),
        seed=0,
    )
    assert len(pair.contacts) > 1
    return PairRecord.from_true_pair(pair, {})


def changed(record: PairRecord, **changes) -> list[PairRecord]:
    return [validated(PairRecord, record.model_dump() | changes, "test")]


def test_what_was_measured_is_measured_again(body, record: PairRecord):
    assert list(differences(body, [record] * 2)) == []


def test_a_body_that_was_moved_shows_in_contacts_and_penetration(body, record: PairRecord):
    parameters = record.model_dump()["parameters"]
    parameters["translation"][1][2] += 1.0
    told = list(differences(body, changed(record, parameters=parameters)))
    assert len(told) == len(record.contacts) + (record.penetration_max_m > 2e-4)
    assert all(line.startswith("pair back-to-back: ") and "measured as " in line for line in told)


def test_wrong_numbers_are_named(body, record: PairRecord):
    contacts = record.model_dump()["contacts"]
    first = contacts[0]
    first["distance_m"] += 0.001
    (told,) = differences(body, changed(record, contacts=contacts))
    assert f"contact {first['region_a']} - {first['region_b']} is stored as" in told
    (told,) = differences(body, changed(record, contacts=record.model_dump()["contacts"][1:]))
    assert f"contact {first['region_a']} - {first['region_b']} is stored as none" in told
    (told,) = differences(body, changed(record, penetration_max_m=record.penetration_max_m + 0.01))
    assert "penetration is stored as" in told


def test_painted_vertices_are_those_of_touching_regions(body, record: PairRecord):
    a, b = touching_vertices(body.surface, record)
    regions = {c.region_a for c in record.contacts if c.distance_m <= TOUCHING_M}
    painted = {body.surface.region_names[i] for i in body.surface.region_of_vertex[torch.from_numpy(a)].tolist()}
    assert painted == regions
    assert b.any()
    assert not b.all()


def test_meshes_are_those_of_the_parameters_in_any_batch(body, record: PairRecord):
    many = [record] * 17
    posed = list(meshes(body, many))
    assert [len(batch) for batch, _ in posed] == [16, 1]
    parameters = {name: torch.tensor(value) for name, value in record.parameters.items()}
    expected = body.forward(parameters, Parts(vertices="all")).vertices
    torch.testing.assert_close(posed[1][1][0], expected)


def test_statures_are_those_of_the_body(body, record: PairRecord):
    parameters = {name: np.array([value], np.float32) for name, value in record.parameters.items()}
    found = statures(body, parameters)
    assert found["height_m"].tolist() == pytest.approx([1.66] * 2, abs=0.15)
    assert found["age"].tolist() == pytest.approx([0.72] * 2, abs=1e-5)


def test_another_body_model_is_refused():
    with pytest.raises(InputError, match="another body model"):
        body_of("anny-0.0.1")


@pytest.mark.parametrize(("total", "count", "places"), [(10, 3, [0, 3, 6]), (2, 5, [0, 1]), (0, 4, [])])
def test_a_sample_is_spread_evenly(total: int, count: int, places: list[int]):
    assert spread(total, count) == places
