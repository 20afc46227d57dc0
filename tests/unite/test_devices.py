"""Nothing in `unite` names a device: losses run on the `meta` device, and no module fetches tensors to the CPU."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

import apu.unite.losses as module
from apu.unite import losses
from apu.unite.capsules import capsule_overlap, segment_distance
from apu.unite.contact_alternatives import CHAMFER, HARD, PART_MINIMUM
from apu.unite.contact_terms import SOFT, ContactCost
from apu.unite.hypotheses import Beliefs
from apu.unite.minimum_distance import SampledMinimum
from apu.unite.problem import Evidence
from apu.unite.weights import PriorWeights, Reach

ROOM = Path(module.__file__).parent

EDGES: dict[str, str] = {
    "occlusion": "draws the fitted bodies as the renderer does",
    "problem": "reads keypoints, which are arrays, and reports errors as numbers",
    "verdict": "hands the finished fit to the renderer",
}
"""Modules where tensors leave for arrays, and why; they run before or after the optimisation."""

FORBIDDEN_CALLS = {"cpu", "cuda", "numpy"}
DEVICES = ("cpu", "cuda", "mps", "xpu")


def complaints(text: str) -> Iterator[str]:
    """What ties a module to a device."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.split(":")[0] in DEVICES:
            yield f"{node.lineno}: names the device {node.value!r}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in FORBIDDEN_CALLS:
            yield f"{node.lineno}: calls .{node.func.attr}()"


def test_no_module_of_the_room_is_tied_to_a_device():
    found = {path.stem: list(complaints(path.read_text())) for path in ROOM.glob("*.py") if path.stem not in EDGES}
    assert {name: told for name, told in found.items() if told} == {}
    assert len(found) > 10


def test_no_edge_is_granted_for_nothing():
    assert {name for name in EDGES if list(complaints((ROOM / f"{name}.py").read_text()))} == set(EDGES)


@pytest.mark.parametrize(
    "text",
    ["x = torch.zeros(3, device='cpu')", "x.to('cuda:1')", "y = x.cpu()", "y = x.detach().numpy()", "m.cuda()"],
)
def test_a_planted_device_is_found(text: str):
    assert len(list(complaints(text))) == 1


META = torch.device("meta")
PW = PriorWeights()


def _empty(*shape: int) -> Tensor:
    return torch.empty(*shape, device=META)


def _evidence() -> Evidence:
    return Evidence(*(_empty(*s) for s in ((2, 25, 2), (2, 25), (2,), (2,), (2, 2), (2, 25), (2, 25), (2,), (2,))))


def _beliefs() -> Beliefs:
    return Beliefs(*(_empty(*s) for s in ((2, 9), (2, 9), (2, 4), (2, 4), (2,), (2,), (2, 3), (2,), (2,), (2,), (2,))))


def _cost(cost: ContactCost, sampled: bool) -> Tensor:
    weight = _empty(2, 3)
    if sampled:
        masks = [torch.empty(2, 3, n, dtype=torch.bool, device=META) for n in (5, 4)]
        return cost.of_pair(cost.sampled(_empty(2, 3, 5, 3), _empty(2, 3, 4, 3), *masks, 0.01), weight, 0.2)
    task = torch.empty(40, dtype=torch.int64, device=META)
    return cost.of_pair(cost.full(_empty(40), task, 12, 0.01).reshape(2, 3), weight, 0.2)


J, P = (2, 25, 3), (2, 2, 25, 3)
RUNS: dict[str, tuple[Callable[[], Tensor], tuple[int, ...]]] = {
    "keypoints": (lambda: losses.keypoint_loss(_empty(*J), _evidence(), 0.02, 0.15), (2,)),
    "hint": (lambda: losses.depth_hint(_empty(*J), _evidence(), 0.3, 0.4), (2,)),
    "gaussian": (lambda: losses.gaussian(_empty(2, 9), _empty(2, 9), _empty(2, 9)), (2,)),
    "bounds": (lambda: losses.bounds(_empty(2, 9), _empty(9), _empty(9), 0.1), (2,)),
    "upright": (lambda: losses.upright(_empty(2, 3), 0.15, 0.6), (2,)),
    "in_front": (lambda: losses.in_front(_empty(*J), 0.6, 0.1), (2,)),
    "near_estimate": (lambda: losses.near_estimate(_empty(2, 3), _empty(2), _beliefs(), 0.6), (2,)),
    "turned": (lambda: losses.turned(_empty(2, 3), _empty(2, 3)), (2, 3)),
    "depth_gap": (lambda: losses.depth_gap(_empty(2), _empty(2), _beliefs(), _beliefs(), PW), (2,)),
    "shared_floor": (lambda: losses.shared_floor(*(_empty(2) for _ in range(3)), PW), (2,)),
    "lowest_foot": (lambda: losses.lowest_foot(_empty(*J), _evidence())[0], (2,)),
    "height": (lambda: losses.height_prior(_empty(2), _empty(2), _empty(2)), (2,)),
    "penetration": (lambda: losses.penetration_loss(_empty(3, 2, 7), _empty(3, 2, 7)), (3,)),
    "capsules": (lambda: capsule_overlap(_empty(*P)), (2, 12, 12)),
    "segments": (lambda: segment_distance(*(_empty(4, 3) for _ in range(4))), (4,)),
    "mindist": (lambda: SampledMinimum()(_empty(3, 2, 7, 3), 0.01, Reach(0.2, 0.2)), (3,)),
    "soft, sampled": (lambda: _cost(SOFT, True), (2,)),
    "soft, full": (lambda: _cost(SOFT, False), (2,)),
    "hard, sampled": (lambda: _cost(HARD, True), (2,)),
    "hard, full": (lambda: _cost(HARD, False), (2,)),
    "part minimum, full": (lambda: _cost(PART_MINIMUM, False), (2,)),
    "chamfer, sampled": (lambda: _cost(CHAMFER, True), (2,)),
}


@pytest.mark.parametrize("name", RUNS)
def test_a_loss_runs_where_its_inputs_are(name: str):
    run, shape = RUNS[name]
    found = run()
    assert found.device == META
    assert found.shape == shape
