"""Everything that training needs to go on as if it had never stopped, in one safetensors file.

Random numbers and the order of the data are functions of seed and step (`apu.prior.draws`), so the step is all that
must be kept of them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from apu.cache import written_whole
from apu.errors import InputError

FORMAT = 1
"""Rises when the file changes its meaning."""

_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


@dataclass(frozen=True)
class Origin:
    """What a state belongs to; a training may only go on with the same.

    Attributes:
        settings: of the training, as plain values.
        data: digests of the pairs.
        body: representation's digest.
    """

    settings: Mapping[str, Any]
    data: str
    body: str


def save_state(
    path: Path, step: int, model: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer, origin: Origin
) -> None:
    """Write the state; the file appears whole.

    Args:
        path: of the file.
        step: number of finished steps.
        model, average: the network, and its averaged weights.
        optimiser: AdamW over the model's parameters in their order.
        origin: what it belongs to.
    """
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.state_dict().items()}
    state = optimiser.state_dict()["state"]
    for index, (name, _) in enumerate(model.named_parameters()):
        if index in state:
            tensors |= {f"adam.{moment}.{name}": state[index][moment] for moment in _MOMENTS}
    metadata = {"format": str(FORMAT), "step": str(step), "origin": json.dumps(vars(origin), sort_keys=True)}
    with written_whole(path) as temporary:
        temporary.write_bytes(save({name: v.detach().cpu().contiguous() for name, v in tensors.items()}, metadata))


def load_state(
    path: Path, model: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer, origin: Origin
) -> int:
    """Put a written state back, and say how many steps are finished.

    Raises:
        InputError: the file is damaged, or belongs to other settings, data or bodies.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        step, theirs = int(metadata["step"]), json.loads(metadata["origin"])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise _unusable(path, "a readable state of training", error) from error
    if metadata.get("format") != str(FORMAT):
        raise _unusable(path, f"format {FORMAT}", metadata.get("format"))
    _check_origin(path, json.loads(json.dumps(vars(origin))), theirs)
    try:
        for prefix, module in (("model.", model), ("average.", average)):
            module.load_state_dict(_below(prefix, tensors))
        moments = {m: _below(f"adam.{m}.", tensors) for m in _MOMENTS}
        names = [name for name, _ in model.named_parameters()]
        whole = optimiser.state_dict()
        whole["state"] = {
            i: {m: moments[m][name] for m in _MOMENTS} for i, name in enumerate(names) if name in moments["step"]
        }
        optimiser.load_state_dict(whole)
    except (RuntimeError, KeyError) as error:
        raise _unusable(path, "the tensors of this network", error) from error
    return step


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _check_origin(path: Path, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
    for place, mine, other in _differences("", ours, theirs):
        raise InputError(
            "The training cannot go on: it was begun with something else.",
            where=f"{path}: {place}",
            expected=other,
            got=mine,
            remedy="go on with what it was begun with, or name another folder.",
        )


def _differences(place: str, ours: object, theirs: object) -> list[tuple[str, object, object]]:
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        keys = sorted(ours.keys() | theirs.keys())
        below = [_differences(f"{place}.{key}".strip("."), ours.get(key), theirs.get(key)) for key in keys]
        return [one for part in below for one in part]
    return [] if ours == theirs else [(place, ours, theirs)]


def _unusable(path: Path, expected: object, got: object) -> InputError:
    return InputError(
        "The state of a training cannot be read.",
        where=path,
        expected=expected,
        got=str(got)[:300],
        remedy="remove the folder and train again.",
    )
