"""Candidates are drawn one by one, reproducibly, as their class describes them: mirrored or not, on the floor."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import roma
import torch

from apu.body.anny import AnnyBody
from apu.body.joints import joint_names
from apu.body.pose_density import PoseDensity
from apu.body.protocol import Parts
from apu.body.region_names import mirrored
from apu.contact.contact import Contact
from apu.dataset.synthetic import candidates
from apu.dataset.synthetic.base_poses import DensityPoses
from apu.dataset.synthetic.candidates import ADULT_HEIGHT_M, AGE_BANDS, Candidates, draw_candidates
from apu.dataset.synthetic.chunk import Chunk
from apu.dataset.synthetic.interaction import Interaction, interaction

Draw = Callable[..., Candidates]
CHUNK = Chunk("pat_on_back", "train", 3, 7)
MIRROR = torch.tensor([-1.0, 1.0, 1.0])


class Replayed(np.random.Generator):
    """A random stream that notes its coin tosses, or repeats noted ones; all other numbers are the stream's own."""

    def __init__(self, stream: np.random.Generator, tosses: list[float] | None = None) -> None:
        super().__init__(stream.bit_generator)
        self._given, self.tosses = tosses, []

    def random(self, *size: int):
        drawn = super().random(*size)
        if size:
            return drawn
        self.tosses.append(drawn if self._given is None else self._given[len(self.tosses)])
        return self.tosses[-1]


@pytest.fixture(scope="module")
def poses() -> DensityPoses:
    return DensityPoses(PoseDensity.load())


@pytest.fixture(scope="module")
def draw(body: AnnyBody, poses: DensityPoses) -> Draw:
    def call(chunk: Chunk, count: int, one: Interaction | None = None) -> Candidates:
        return draw_candidates(body, one or interaction(chunk.interaction), chunk, poses, count)

    return call


@pytest.fixture(scope="module")
def many(draw: Draw) -> Candidates:
    return draw(CHUNK, 64)


@pytest.fixture(scope="module")
def carried(draw: Draw) -> Candidates:
    return draw(Chunk("carry_child", "validation", 0, 0), 8)


def opposite(regions: frozenset[str]) -> frozenset[str]:
    return frozenset(mirrored(r) for r in regions)


def first(drawn: Candidates, count: int) -> tuple:
    """Everything about the first candidates, as it can be compared to the last bit."""
    numbers = {name: value[:count].numpy().tobytes() for name, value in drawn.parameters.items()}
    return numbers, drawn.contacts[:count], drawn.base[:count], drawn.swapped[:count]


def test_the_same_chunk_gives_the_same_candidates_to_the_last_bit(draw: Draw):
    assert first(draw(CHUNK, 3), 3) == first(draw(CHUNK, 3), 3)


def test_a_candidate_does_not_depend_on_how_many_are_drawn(draw: Draw, many: Candidates):
    assert first(draw(CHUNK, 2), 2) == first(many, 2)


@pytest.mark.parametrize("change", [{"split": "test"}, {"seed": 8}, {"number": 4}, {"interaction": "push"}])
def test_another_chunk_gives_other_candidates(draw: Draw, many: Candidates, change: dict):
    other = draw(replace(CHUNK, **change), 2)
    for name in ("pose", "shape"):
        known = {row.numpy().tobytes() for row in many.parameters[name]}
        assert not known & {row.numpy().tobytes() for row in other.parameters[name]}


def test_no_two_candidates_of_a_chunk_are_alike(many: Candidates):
    assert len({row.numpy().tobytes() for row in many.parameters["shape"]}) == 64


def test_half_of_the_pairs_are_mirrored_and_half_are_swapped_independently(many: Candidates):
    left = np.array(["left_fingers_palm" in contacts[0].regions_a for contacts in many.contacts])
    swapped = np.array(many.swapped)
    for share in (left.mean(), swapped.mean(), (left == swapped).mean()):
        assert 0.3 < share < 0.7, "of 64; 3.2 standard deviations"


def test_a_mirrored_candidate_is_the_mirror_image(body: AnnyBody, draw: Draw, monkeypatch):
    own = candidates.random_stream
    streams: list[Replayed] = []

    def noted(chunk: Chunk, place: int) -> Replayed:
        streams.append(Replayed(own(chunk, place)))
        return streams[-1]

    monkeypatch.setattr(candidates, "random_stream", noted)
    plain = draw(CHUNK, 1)
    *earlier, mirror, swap = streams[0].tosses
    tosses = [*earlier, 1 - mirror, swap]
    monkeypatch.setattr(candidates, "random_stream", lambda chunk, place: Replayed(own(chunk, place), tosses))
    other = draw(CHUNK, 1)
    names = joint_names("body25")
    swap_sides = {"left": "right", "right": "left"}
    partner = [names.index("_".join(swap_sides.get(word, word) for word in name.split("_"))) for name in names]
    joints = [body.forward(drawn.parameters, Parts("body25")).joints for drawn in (plain, other)]
    torch.testing.assert_close(joints[1], joints[0][:, :, partner] * MIRROR, atol=6e-3, rtol=0)
    assert (joints[1] - joints[0]).abs().amax() > 0.1
    assert other.contacts[0] == tuple(
        Contact(opposite(c.regions_a), opposite(c.regions_b), source="intended") for c in plain.contacts[0]
    )
    assert (other.base, other.swapped) == (plain.base, plain.swapped)


@pytest.mark.parametrize("kind", ["many", "carried"])
def test_ages_lie_in_a_combination_of_bands_of_the_class(body: AnnyBody, kind: str, request):
    drawn = request.getfixturevalue(kind)
    one = interaction("pat_on_back" if kind == "many" else "carry_child")
    ages = body.attributes(drawn.parameters)["age"].tolist()
    bands = [[AGE_BANDS[band] for band in combination.bands] for combination in one.ages]

    def inside(pair: list[float], combination: list[tuple[float, float]]) -> bool:
        return all(low - 1e-5 <= age <= high + 1e-5 for age, (low, high) in zip(pair, combination, strict=True))

    found = [[inside(pair, combination) for combination in bands] for pair in ages]
    assert all(any(row) for row in found)
    assert np.array(found).any(0).all(), "every combination occurs"


def test_angles_lie_within_their_anatomical_bounds(body: AnnyBody, many: Candidates, carried: Candidates):
    spec = body.parameter_spec["pose"]
    for drawn in (many, carried):
        assert bool((drawn.parameters["pose"] >= spec.lower - 1e-6).all())
        assert bool((drawn.parameters["pose"] <= spec.upper + 1e-6).all())


def test_people_start_on_the_floor_and_the_carried_above_it(body: AnnyBody, many: Candidates, carried: Candidates):
    lowest = body.forward(many.parameters, Parts(vertices="all")).vertices[..., 1].amax(-1)  # y points down
    torch.testing.assert_close(lowest, torch.zeros(64, 2), atol=1e-5, rtol=0)
    lowest = body.forward(carried.parameters, Parts(vertices="all")).vertices[..., 1].amax(-1)
    torch.testing.assert_close(lowest[:, 0], torch.zeros(8), atol=1e-5, rtol=0)
    assert bool((lowest[:, 1] < -0.2).all())
    assert bool((carried.parameters["translation"][:, 1, 1] < carried.parameters["translation"][:, 0, 1]).all())


def test_b_stands_where_the_class_says_and_looks_where_it_says(body: AnnyBody, draw: Draw):
    one = interaction("pat_on_back")
    stiff = [replace(r, tilt_forward=(0.0, 0.0), calm=0.0, families={"standing": 1.0}) for r in one.roles]
    sure = replace(one, left=(0.3, 0.0), ahead=(0.6, 0.0), turn_right_deg=(90.0, 0.0), roles=(stiff[0], stiff[1]))
    drawn = draw(CHUNK, 6, sure)
    scale = body.height(drawn.parameters).mean(1) / ADULT_HEIGHT_M
    between = drawn.parameters["translation"][:, 1] - drawn.parameters["translation"][:, 0]
    torch.testing.assert_close(between[:, 0].abs(), 0.3 * scale, atol=1e-5, rtol=0)
    torch.testing.assert_close(between[:, 2], -0.6 * scale, atol=1e-5, rtol=0)
    sides = between[:, 0].sign()  # mirrored pairs have it on the right
    assert set(sides.tolist()) == {-1.0, 1.0}
    view = roma.rotvec_to_rotmat(drawn.parameters["orientation"]) @ torch.tensor([0.0, 0.0, -1.0])
    torch.testing.assert_close(view[:, 0], torch.tensor([0.0, 0.0, -1.0]).expand(6, 3), atol=1e-5, rtol=0)
    turned = torch.stack([-sides, torch.zeros(6), torch.zeros(6)], -1)  # A's left is +x, so right is -x
    torch.testing.assert_close(view[:, 1], turned, atol=1e-5, rtol=0)


def test_what_is_to_touch_is_one_alternative_of_each_side_and_sure_contacts_take_part(many: Candidates):
    allowed = interaction("pat_on_back").contacts
    sure, rare = ({(s(a), s(b)) for s in (frozenset, opposite) for a in c.a for b in c.b} for c in allowed)
    for one in many.contacts:
        assert (one[0].regions_a, one[0].regions_b) in sure
        assert all((c.regions_a, c.regions_b) in rare for c in one[1:])
    assert 0.08 < np.mean([len(one) > 1 for one in many.contacts]) < 0.42, "of 64 with probability 0.25"
    assert len({c for one in many.contacts for c in one}) > 15


def test_a_pair_that_draws_no_contact_gets_the_first_one(draw: Draw):
    one = interaction("pat_on_back")
    unlikely = replace(one, contacts=tuple(replace(c, probability=1e-9) for c in one.contacts))
    hands = {s(a) for s in (frozenset, opposite) for a in one.contacts[0].a}
    for contacts in draw(CHUNK, 3, unlikely).contacts:
        assert len(contacts) == 1
        assert contacts[0].regions_a in hands


def test_small_people_stand_nearer_by_their_size(draw: Draw, body: AnnyBody):
    one = interaction("pat_on_back")
    sure = replace(one, ahead=(0.6, 0.0), ages=tuple(a for a in one.ages if a.bands == ("child", "child")))
    drawn = draw(CHUNK, 3, sure)
    heights = body.height(drawn.parameters).mean(1)
    assert bool((heights < 1.5).all())
    ahead = drawn.parameters["translation"][:, 0, 2] - drawn.parameters["translation"][:, 1, 2]
    torch.testing.assert_close(ahead, 0.6 * heights / 1.7, atol=1e-5, rtol=0)
