"""What is measured of pairs does not depend on place, frame, size of the bodies or order; numbers by hand."""

import math
from pathlib import Path

import pytest
import torch

from apu.body.protocol import default_parameters
from apu.dataset.layout import Layout
from apu.dataset.record import PairRecord, validated
from apu.dataset.store import PairStore, write_dataset
from apu.errors import InputError
from apu.evaluate.diversity import compare
from apu.evaluate.diversity_pairs import DiversityPairs, diversity_pairs, pairs_of_store
from apu.prior.rotation_6d import matrix_of_rotvec, rotvec_of_matrix
from apu.scene.true_pair import TruePair

PALM, BACK = "left_hand_palm", "left_upper_back"


def parameters(body, seed: int) -> dict[str, torch.Tensor]:
    """A and B half a metre apart, in random poses."""
    random = torch.Generator().manual_seed(seed)
    found = default_parameters(body.parameter_spec, (2,))
    for name in ("pose", "orientation", "shape"):
        found[name] += 0.3 * body.parameter_spec[name].scale * torch.randn(found[name].shape, generator=random)
    found["translation"] = torch.tensor([[0.0, -0.9, 0.0], [0.3, -0.9, 0.4]])
    return found


def record(body, id: str, numbers: dict[str, torch.Tensor], *contacts: tuple[str, str, float]) -> PairRecord:
    made = TruePair(id, "hug", "seen", "train", ("density", "density"), body.name, numbers, (), (), 0.0, 0)
    row = PairRecord.from_true_pair(made, {}).model_dump()
    row["contacts"] = [{"region_a": a, "region_b": b, "distance_m": d} for a, b, d in contacts]
    return validated(PairRecord, row, "test")


def records(body, n: int) -> list[PairRecord]:
    return [record(body, f"pair {i}", parameters(body, i), (PALM, BACK, 0.001 * i)) for i in range(n)]


def same(one: DiversityPairs, other: DiversityPairs, *names: str) -> bool:
    return all(torch.allclose(getattr(one, name), getattr(other, name), atol=1e-4) for name in names)


def test_moving_and_turning_both_changes_nothing(body):
    numbers = parameters(body, 0)
    turn = matrix_of_rotvec(torch.tensor([0.4, -1.1, 0.7]))
    moved = {
        **numbers,
        "orientation": rotvec_of_matrix(turn @ matrix_of_rotvec(numbers["orientation"])),
        "translation": numbers["translation"] @ turn.T + torch.tensor([0.5, 1.0, 3.0]),
    }
    still, elsewhere = (diversity_pairs([record(body, "x", one)], body) for one in (numbers, moved))
    assert same(still, elsewhere, "poses", "places", "distances", "facing", "heights")


def test_poses_know_nothing_of_shape_and_heights_nothing_of_pose(body):
    numbers, other = parameters(body, 0), parameters(body, 1)
    one, shaped, posed = (
        diversity_pairs([record(body, "x", both)], body)
        for both in (numbers, {**numbers, "shape": other["shape"]}, {**numbers, "pose": other["pose"]})
    )
    assert same(one, shaped, "poses")
    assert not same(one, shaped, "heights")
    assert same(one, posed, "heights")
    assert not same(one, posed, "poses")


def test_two_who_face_each_other_by_hand(body):
    numbers = default_parameters(body.parameter_spec, (2,))
    numbers["translation"] = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, -0.8]])
    numbers["orientation"] = torch.tensor([[0.0, 0.0, 0.0], [0.0, math.pi, 0.0]])
    found = diversity_pairs([record(body, "x", numbers)], body)
    assert float(found.facing) == pytest.approx(math.pi, abs=1e-3)
    assert float(found.places[0, 0, 0, 2]) < -0.5  # each has the other in front
    assert torch.allclose(found.places[0, 0], found.places[0, 1], atol=1e-4)
    assert float(found.distances) == pytest.approx(float(found.places[0, 0].norm()), abs=1e-5)
    numbers["orientation"] = torch.zeros(2, 3)
    in_line = diversity_pairs([record(body, "x", numbers)], body)
    assert (float(in_line.facing), float(in_line.distances)) == pytest.approx((0.0, 0.8), abs=1e-3)


def test_regions_that_touch_are_within_ten_millimetres_whoever_is_a(body):
    found = diversity_pairs(
        [
            record(body, "x", parameters(body, 0), (PALM, BACK, 0.010), (PALM, PALM, 0.0101)),
            record(body, "y", parameters(body, 0), (BACK, PALM, 0.0)),
        ],
        body,
    )
    assert found.regions[0] == found.regions[1] == frozenset({(PALM, BACK)})


def test_the_order_of_records_does_not_matter(tmp_path: Path, body):
    made, layout = records(body, 7), Layout.of_body(body.name, body.parameter_spec)
    write_dataset(tmp_path / "one", made, layout, kind="synthetic")
    write_dataset(
        tmp_path / "other", [made[i] for i in (3, 0, 6, 2, 5, 1, 4)], layout, kind="synthetic", pairs_per_shard=3
    )
    for most in (100, 4):
        one, other = (pairs_of_store(PairStore(tmp_path / name), body, most) for name in ("one", "other"))
        assert one.ids == other.ids
        assert len(one) == min(7, most)
        assert {found.difference for found in compare(one, other, draws=20).values()} == {0.0}
    assert one.ids != pairs_of_store(PairStore(tmp_path / "one"), body, 4, seed=1).ids


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_pairs_are_refused(tmp_path: Path, body, n):
    write_dataset(tmp_path / "few", records(body, n), Layout.of_body(body.name, body.parameter_spec), kind="synthetic")
    with pytest.raises(InputError, match="too small") as error:
        pairs_of_store(PairStore(tmp_path / "few"), body, 100)
    assert "few" in str(error.value)
