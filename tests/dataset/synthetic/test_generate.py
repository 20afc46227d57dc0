"""Two small chunks, made once: every accepted pair keeps its promises when it is measured without our code."""

import numpy as np
import pytest
import torch
import trimesh
from oracles import deepest_m, region_distance_m

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts
from apu.contact.measured import TOUCHING_WIDE_M, measure_contacts
from apu.dataset.synthetic import acceptance, generate
from apu.dataset.synthetic.candidates import draw_candidates
from apu.dataset.synthetic.chunk import Chunk, ChunkResult
from apu.dataset.synthetic.generate import base_poses, generate_chunk
from apu.dataset.synthetic.interaction import interaction
from apu.dataset.synthetic.support import support_distance
from apu.scene.true_pair import TruePair

PUSH, PAT = Chunk("push", "train", 0, 1), Chunk("pat_on_back", "test", 4, 0)
SIZES = {PUSH: 3, PAT: 2}
"""Candidates; one of them is rejected."""
ROUNDING_M = 1e-5


def made(body: AnnyBody, chunk: Chunk) -> ChunkResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generate, "CHUNK_SIZE", SIZES[chunk])
        return generate_chunk(body, chunk)


@pytest.fixture(scope="module")
def results(body: AnnyBody) -> dict[Chunk, ChunkResult]:
    return {chunk: made(body, chunk) for chunk in SIZES}


@pytest.fixture(scope="module")
def pairs(results) -> list[TruePair]:
    return [pair for result in results.values() for pair in result.pairs]


@pytest.fixture(scope="module")
def vertices(body: AnnyBody, pairs) -> torch.Tensor:
    """(p, 2, v, 3)"""
    stacked = {name: torch.stack([p.parameters[name] for p in pairs]) for name in pairs[0].parameters}
    found = body.forward(stacked, Parts(vertices="all")).vertices
    assert found is not None
    return found


def test_every_candidate_is_accepted_or_rejected_for_one_known_reason(results):
    for chunk, result in results.items():
        assert result.tried == SIZES[chunk]
        assert len(result.pairs) + sum(result.rejected.values()) == SIZES[chunk]
        assert set(result.rejected) <= set(acceptance.REASONS)
        assert all(count > 0 for count in result.rejected.values())
    assert sum(len(result.pairs) for result in results.values()) >= 3


def test_what_was_asked_for_touches_by_libigl(body: AnnyBody, pairs, vertices):
    for pair, both in zip(pairs, vertices, strict=True):
        assert pair.intended
        for contact in pair.intended:
            found = region_distance_m(body.surface, both, contact.regions_a, contact.regions_b)
            assert found <= acceptance.INTENDED_M + ROUNDING_M


def test_nobody_is_deep_in_the_other_by_libigl_and_the_noted_depth_is_true(body: AnnyBody, pairs, vertices):
    for pair, both in zip(pairs, vertices, strict=True):
        depth = deepest_m(body.surface, both)
        assert depth <= acceptance.DEEPEST_M + ROUNDING_M
        assert pair.penetration_max_m == pytest.approx(depth, abs=ROUNDING_M)


def test_angles_are_within_bounds_and_all_stand_on_the_floor(body: AnnyBody, pairs, vertices):
    spec = body.parameter_spec["pose"]
    for pair in pairs:
        assert bool((pair.parameters["pose"] <= spec.upper + acceptance.BOUND_RAD + 1e-6).all())
        assert bool((pair.parameters["pose"] >= spec.lower - acceptance.BOUND_RAD - 1e-6).all())
    assert float(vertices[..., 1].amax(-1).abs().max()) <= acceptance.FLOOR_M + 1e-6


def test_nobody_falls_over_with_the_centre_of_mass_of_trimesh(body: AnnyBody, pairs, vertices):
    faces = body.surface.collision_faces.numpy()
    for pair, both in zip(pairs, vertices, strict=True):
        limit = acceptance.STUMBLE_M if pair.interaction == "push" else acceptance.BALANCE_M
        for one in both:
            centre = trimesh.Trimesh(one.double().numpy(), faces, process=False).center_mass
            assert support_distance(torch.tensor(centre), one) <= limit + 1e-4


def test_the_noted_contacts_are_all_that_touch(body: AnnyBody, pairs, vertices):
    for pair, both in zip(pairs, vertices, strict=True):
        (measured,) = measure_contacts(body.surface, both[None])
        assert len(pair.contacts) > 0
        assert all(c.distance_m <= TOUCHING_WIDE_M for c in pair.contacts)
        noted, again = ({(c.region_a, c.region_b): c.distance_m for c in one} for one in (pair.contacts, measured))
        for key in noted.keys() | again.keys():
            assert noted.get(key, TOUCHING_WIDE_M) == pytest.approx(again.get(key, TOUCHING_WIDE_M), abs=ROUNDING_M)


def test_ids_are_unique_and_pairs_know_where_they_come_from(body: AnnyBody, results, pairs):
    assert len({pair.id for pair in pairs}) == len(pairs)
    for chunk, result in results.items():
        for pair in result.pairs:
            assert pair.id.startswith(f"{chunk.split}-{chunk.seed}-{chunk.interaction}-{chunk.number:05d}-")
            assert (pair.interaction, pair.split, pair.seed) == (chunk.interaction, chunk.split, chunk.seed)
            assert (pair.group, pair.body_model) == ("seen", body.name)
            assert set(pair.base) <= {"density", "analytic"}


def test_swapped_roles_are_swapped_in_everything(body: AnnyBody, results):
    """Shapes are not solved for: they tell which candidate, and which of its roles, became A."""
    swapped = []
    for chunk, result in results.items():
        drawn = draw_candidates(body, interaction(chunk.interaction), chunk, base_poses(body, chunk.split, None), 3)
        for pair in result.pairs:
            place = int(pair.id[-2:])
            who = (1, 0) if drawn.swapped[place] else (0, 1)
            swapped.append(drawn.swapped[place])
            assert torch.equal(pair.parameters["shape"], drawn.parameters["shape"][place][list(who)])
            assert pair.base == tuple(drawn.base[place][k] for k in who)
            for mine, asked in zip(pair.intended, drawn.contacts[place], strict=True):
                assert (mine.swapped() if drawn.swapped[place] else mine) == asked
    assert set(swapped) == {False, True}


def test_the_same_chunk_gives_the_same_pairs_to_the_last_bit(body: AnnyBody, results):
    again = made(body, PAT)
    assert again.pairs
    assert again.rejected == results[PAT].rejected
    for one, other in zip(results[PAT].pairs, again.pairs, strict=True):
        assert {n: v.numpy().tobytes() for n, v in one.parameters.items()} == {
            n: v.numpy().tobytes() for n, v in other.parameters.items()
        }
        assert (one.id, one.contacts, one.intended) == (other.id, other.contacts, other.intended)
        assert np.array_equal([one.penetration_max_m], [other.penetration_max_m])
