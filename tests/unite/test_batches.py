"""A batch of pairs is as many fits that know nothing of each other, and costs as much memory as they do."""

import weakref
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from apu.body.anny import AnnyBody
from apu.contact.contact import ContactMap
from apu.dataset.store import PairStore
from apu.evaluate.cases import make_cases
from apu.scene.pair import Fit, PairObservation
from apu.unite.mesh_stage import _Pairs, _settled
from apu.unite.solve import look, unite
from apu.unite.weights import CONTACT_STAGE, PENETRATION_STAGE, FirstFitWeights, UniteWeights

FIXTURES = Path(__file__).parents[1] / "dataset" / "fixture_pairs"
FEW = UniteWeights(
    contact=replace(CONTACT_STAGE, steps=12, window=1, tolerance=0.05),
    penetration=replace(PENETRATION_STAGE, steps=12, window=1, tolerance=0.05),
)
"""Few steps, and a tolerance at which some pairs settle early and some do not."""


@pytest.fixture(scope="module")
def seen(body: AnnyBody) -> list[tuple[PairObservation, ContactMap]]:
    pairs = [record.to_true_pair() for record in PairStore(FIXTURES).records()][:3]
    cases = make_cases(body, pairs, pairs, seed=0)
    return [(case.observed.observation, case.observed.truth.contact_map()) for case in cases]


def fits_of(body: AnnyBody, seen: list[tuple[PairObservation, ContactMap]], weights: UniteWeights = FEW) -> list[Fit]:
    return unite(body, look(body, [o for o, _ in seen], weights), [contacts for _, contacts in seen], weights)


@pytest.fixture(scope="module")
def exact_body(body: AnnyBody) -> AnnyBody:
    """In float64: the steps amplify rounding, and matrix products round differently in batches of another size."""
    return AnnyBody(body.asset, torch.float64)


@pytest.fixture(scope="module")
def together(exact_body: AnnyBody, seen) -> list[Fit]:
    return fits_of(exact_body, seen)


@pytest.fixture(scope="module")
def alone(exact_body: AnnyBody, seen) -> list[Fit]:
    return [fits_of(exact_body, [one])[0] for one in seen]


def test_a_batch_of_pairs_gives_the_fits_of_single_pairs(together, alone):
    for one, other in zip(together, alone, strict=True):
        assert torch.isfinite(one.vertices).all()
        torch.testing.assert_close(one.first_vertices, other.first_vertices, atol=1e-4, rtol=0)
        torch.testing.assert_close(one.vertices, other.vertices, atol=1e-4, rtol=0)


def test_every_pair_of_a_batch_stops_where_it_stops_alone(together, alone):
    for one, other in zip(together, alone, strict=True):
        assert [(s.iterations, s.stop) for s in one.stages[1:]] == [(s.iterations, s.stop) for s in other.stages[1:]]


def test_a_pair_has_settled_when_it_falls_by_less_than_the_tolerance_over_the_window():
    weights = replace(CONTACT_STAGE, steps=4, window=2, tolerance=0.01)
    falling, resting = [100.0, 90.0, 80.0, 70.0, 60.0, 50.0], [100.0, 50.0, 40.0, 30.0, 29.9, 29.8]
    history = [torch.tensor(both) for both in zip(falling, resting, strict=True)]
    assert _settled(history, weights).tolist() == [False, True]
    assert _settled(history[:5], weights).tolist() == [False, False], "not asked while weights move"


def test_a_settled_pair_does_not_move_and_one_that_leads_nowhere_stays_at_its_last_finite_place():
    free = {"pose": torch.zeros(4, 2, 3), "shape": torch.zeros(4, 2, 1)}
    pairs = _Pairs(free)
    for step in range(3):
        before = {name: value.clone() for name, value in free.items()}
        for value in free.values():
            value += 1.0
        cost = torch.zeros(4)
        if step == 1:
            free["pose"][1, 0, 0] = float("nan")
            cost[2] = float("inf")
            pairs.settle(torch.tensor([True, False, False, False]))
        pairs.keep(free, before, cost)
    for value in free.values():
        assert value.flatten(1).unique(dim=1).tolist() == [[1.0], [1.0], [1.0], [3.0]]
    assert pairs.steps.tolist() == [1, 1, 1, 3]
    assert pairs.stops() == ("converged", "not finite", "not finite", "iteration limit")


class _Living(TorchDispatchMode):
    """Counts the bytes of all storages that are alive, and their most."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for value in tree_flatten(out)[0]:
            if isinstance(value, torch.Tensor):
                self._add(value.untyped_storage())
        return out

    def _add(self, storage: torch.UntypedStorage) -> None:
        key, size = id(storage), storage.nbytes()
        if key not in self._known:
            self._known.add(key)
            self.now += size
            self.most = max(self.most, self.now)
            weakref.finalize(storage, self._remove, key, size)

    def _remove(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size


def test_the_counter_sees_what_is_alive_at_once():
    with _Living() as one:
        kept = torch.zeros(1000)
        for _ in range(3):
            kept = kept + 1.0
    assert one.most == 2 * 4000
    assert one.now == 4000


def test_memory_grows_at_most_linearly_with_the_pairs(body: AnnyBody, seen):
    least = UniteWeights(
        first=FirstFitWeights(steps=2), contact=replace(CONTACT_STAGE, steps=2),
        penetration=replace(PENETRATION_STAGE, steps=2),
    )  # fmt: skip
    fits_of(body, seen[:1], least)  # tables that are made once
    most = []
    for count in (2, 8):
        with _Living() as living:
            fits_of(body, [seen[0]] * count, least)
        most.append(living.most)
    assert most[0] > 2 * body.surface.rest_vertices.nbytes
    assert most[1] <= 4.1 * most[0]
