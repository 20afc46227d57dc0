"""Samples stand for their regions, and a union of regions for all of its own."""

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import Surface
from apu.body.region_samples import (
    LEAST_SAMPLES,
    SAMPLES_PER_REGION,
    SAMPLES_PER_UNION,
    RegionSamples,
    padded_samples,
    sample_regions,
)


@pytest.fixture(scope="module")
def samples(body: AnnyBody) -> RegionSamples:
    return sample_regions(body.surface)


def covered(samples: RegionSamples, index: torch.Tensor, mask: torch.Tensor) -> list[int]:
    """Vertices that a padded row stands for."""
    return samples.vertices[index[mask]].tolist()


def test_every_region_has_samples_of_its_own_and_none_twice(body: AnnyBody, samples: RegionSamples):
    assert len(set(samples.vertices.tolist())) == len(samples.vertices)
    region = body.surface.region_of_vertex
    for r, (row, filled) in enumerate(zip(samples.rows, samples.filled, strict=True)):
        members = int((region == r).sum())
        assert int(filled.sum()) == min(members, SAMPLES_PER_REGION)
        assert set(region[samples.vertices[row[filled]]].tolist()) == {r}


def test_more_samples_leave_the_first_ones_and_come_nearer_to_every_vertex(body: AnnyBody, samples: RegionSamples):
    fewer = sample_regions(body.surface, 4)
    rest, region = body.surface.rest_vertices, body.surface.region_of_vertex
    for r in range(0, 75, 8):
        few, many = fewer.vertices[fewer.rows[r]], samples.vertices[samples.rows[r]]
        assert torch.equal(few, many[:4])
        gaps = [torch.cdist(rest[region == r], rest[chosen]).amin(1).amax() for chosen in (few, many)]
        assert gaps[1] < gaps[0]


def test_a_single_region_stands_with_all_its_samples(samples: RegionSamples):
    index, mask = padded_samples([[[7]]], samples, 1)
    assert index.shape == (1, 1, SAMPLES_PER_REGION)
    assert covered(samples, index[0, 0], mask[0, 0]) == samples.vertices[samples.rows[7]].tolist()


@pytest.mark.parametrize("count", [2, 5, 75])
def test_a_union_stands_with_the_first_samples_of_each_of_its_regions(body: AnnyBody, samples, count: int):
    regions = list(range(count))
    index, mask = padded_samples([[regions]], samples, 1)
    each = min(SAMPLES_PER_REGION, max(LEAST_SAMPLES, SAMPLES_PER_UNION // count))
    expected = [v for r in regions for v in samples.vertices[samples.rows[r, :each]].tolist()]
    assert covered(samples, index[0, 0], mask[0, 0]) == expected
    assert set(body.surface.region_of_vertex[expected].tolist()) == set(regions)


def test_padding_neither_adds_vertices_nor_takes_any(samples: RegionSamples):
    sets = [[[3], [10, 11, 12, 13]], [], [[5, 6]]]
    index, mask = padded_samples(sets, samples, 2)
    assert index.shape == mask.shape == (3, 2, 4 * (SAMPLES_PER_UNION // 4))
    for i, one in enumerate(sets):
        for c, regions in enumerate(one):
            alone = padded_samples([[regions]], samples, 1)
            assert covered(samples, index[i, c], mask[i, c]) == covered(samples, alone[0][0, 0], alone[1][0, 0])


def test_a_contact_that_a_pair_lacks_gets_one_row_so_that_its_minimum_exists(samples: RegionSamples):
    _, mask = padded_samples([[[3], [4]], [], [[5]]], samples, 2)
    lacking = mask[torch.tensor([1, 1, 2]), torch.tensor([0, 1, 1])]
    assert lacking.sum(-1).tolist() == [1, 1, 1]


def test_no_pair_and_no_contact_give_empty_tables(samples: RegionSamples):
    assert padded_samples([], samples, 0)[0].shape == (0, 0, 1)
    assert padded_samples([[], []], samples, 0)[0].shape == (2, 0, 1)


def test_a_region_of_few_vertices_gives_no_more_than_it_has():
    faces = torch.tensor([[0, 1, 2], [2, 1, 3]])
    rest = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]])
    surface = Surface(faces, faces, rest, torch.tensor([0, 0, 0, 1]), ("left_hand_palm", "right_hand_palm"))
    samples = sample_regions(surface, 3)
    index, mask = padded_samples([[[0, 1]], [[1]]], samples, 1)
    assert sorted(covered(samples, index[0, 0], mask[0, 0])) == [0, 1, 2, 3]
    assert covered(samples, index[1, 0], mask[1, 0]) == [3]
