"""A prior on the disk: weights and statistics as safetensors, `config.json`, and a model card. Nothing in it is run.

`config.json` is written last and holds the digest of the weights, so a folder that has it is whole.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from apu.body.protocol import BodyModel
from apu.cache import sha256_file, written_whole
from apu.errors import InputError
from apu.prior.contact_prior import ContactPrior
from apu.prior.model_card import model_card
from apu.prior.network import Denoiser
from apu.prior.representation import Representation
from apu.prior.schedule import Kind, Schedule
from apu.prior.settings import NetworkSettings
from apu.prior.statistics import Statistics

SCHEMA_VERSION = 1
"""Rises when `config.json` or the tensors change their meaning."""

MOST = 10_000
"""No prior has more layers or diffusion steps; a file that says so would only keep a program busy."""

WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"
MEAN, STD = "statistics.mean", "statistics.std"
NETWORK = "network."


@with_config(ConfigDict(strict=True, extra="forbid"))
@dataclass(frozen=True)
class PriorConfig:
    """What `config.json` says.

    Attributes:
        schema_version: of the folder.
        body_model: whose pairs the prior knows.
        representation: digest of what each number of a row is.
        schedule, diffusion_steps: of the noise.
        network: its sizes.
        weights_sha256: of the file with the weights.
        training: how it came about, for people to read.
    """

    schema_version: int
    body_model: str
    representation: str
    schedule: Kind
    diffusion_steps: int
    network: NetworkSettings
    weights_sha256: str
    training: dict[str, Any] = field(default_factory=dict)


def save_prior(folder: Path, prior: ContactPrior, schedule: Kind, training: Mapping[str, Any] | None = None) -> None:
    """Write a prior; each file appears whole.

    Args:
        folder: made when missing.
        prior: to write.
        schedule: the kind of its schedule.
        training: facts for `config.json` and the card; must be writable as JSON.

    Raises:
        OutputError: the folder cannot be written.
    """
    (folder / CONFIG).unlink(missing_ok=True)
    tensors = {NETWORK + name: value.contiguous() for name, value in prior.network.state_dict().items()}
    tensors |= {MEAN: prior.statistics.mean, STD: prior.statistics.std}
    with written_whole(folder / WEIGHTS) as temporary:
        # not `save_file`, whose files nobody else may read
        temporary.write_bytes(save({name: value.detach().cpu() for name, value in tensors.items()}))
    config = PriorConfig(
        SCHEMA_VERSION,
        prior.representation.body_model,
        prior.representation.digest,
        schedule,
        prior.schedule.steps,
        prior.network.settings,
        sha256_file(folder / WEIGHTS),
        dict(training or {}),
    )
    with written_whole(folder / CARD) as temporary:
        temporary.write_text(model_card(prior, config.training), encoding="utf-8")
    with written_whole(folder / CONFIG) as temporary:
        temporary.write_text(json.dumps(asdict(config), indent=2) + "\n", encoding="utf-8")


def load_prior(folder: Path, body: BodyModel) -> ContactPrior:
    """Read a prior for a body.

    Raises:
        InputError: there is none, it is damaged or of a newer version, or it is for other bodies.
    """
    config = read_config(folder)
    representation = Representation(body.name, body.parameter_spec)
    wanted = {"body_model": body.name, "representation": representation.digest}
    for name, value in wanted.items():
        if getattr(config, name) != value:
            raise InputError(
                "The prior is for other bodies." if name == "body_model" else "The prior reads pairs in another way.",
                where=f"{folder / CONFIG}: {name}",
                expected=value,
                got=getattr(config, name),
                remedy="train a prior for this body model and this version of apu (`apu train`).",
            )
    tensors = _tensors(folder, config.weights_sha256)
    schedule = Schedule.of(config.schedule, config.diffusion_steps)
    with torch.device("meta"):  # sizes are compared before any memory is taken
        network = Denoiser(representation.tokens, schedule, config.network)
    _check_tensors(folder, network, tensors, representation.size)
    state = {name.removeprefix(NETWORK): value for name, value in tensors.items() if name.startswith(NETWORK)}
    network.load_state_dict(state, assign=True)
    return ContactPrior(representation, Statistics(tensors[MEAN], tensors[STD]), network)


def read_config(folder: Path) -> PriorConfig:
    """`config.json` of a prior, checked.

    Raises:
        InputError: there is none, or it says something that this version does not understand.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise InputError(
            "There is no prior in the folder.",
            where=folder,
            expected=f"a folder that `apu train` has finished, with {CONFIG} in it",
            got=f"a folder without {CONFIG}" if folder.is_dir() else "no such folder",
            remedy="name the --out of `apu train` (where it was stopped, finish it with --resume); "
            "`apu fit` and `apu build` also know the words shipped and none.",
        )
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, "a readable JSON file", error) from error
    version = row.get("schema_version") if isinstance(row, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise InputError(
            "The prior was made by a newer version of apu.",
            where=f"{path}: schema_version",
            expected=f"at most {SCHEMA_VERSION}",
            got=version,
            remedy="update apu (`pip install --upgrade ask-pose-unite`).",
        )
    try:
        config = TypeAdapter(PriorConfig).validate_json(json.dumps(row))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _damaged(f"{path}: {place}", first["msg"], first["input"]) from error
    counts = (config.schema_version, config.diffusion_steps, config.network.layers)
    if min(counts) < 1 or max(counts) > MOST:
        raise _damaged(path, f"a version and numbers of diffusion steps and layers from 1 to {MOST}", counts)
    return config


def _tensors(folder: Path, digest: str) -> dict[str, Tensor]:
    path = folder / WEIGHTS
    try:
        if (found := sha256_file(path)) != digest:
            raise _damaged(path, f"sha256 {digest}", f"sha256 {found}")
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise _damaged(path, "a readable safetensors file", error) from error


def _check_tensors(folder: Path, network: Denoiser, tensors: Mapping[str, Tensor], size: int) -> None:
    expected = {NETWORK + name: tuple(value.shape) for name, value in network.state_dict().items()}
    expected |= {MEAN: (size,), STD: (size,)}
    got = {name: tuple(value.shape) for name, value in tensors.items()}
    for name in sorted(expected.keys() | got.keys()):
        if expected.get(name) != got.get(name):
            raise _damaged(f"{folder / WEIGHTS}: {name}", expected.get(name, "no such tensor"), got.get(name, "none"))
        if tensors[name].dtype != torch.float32 or not bool(tensors[name].isfinite().all()):
            raise _damaged(f"{folder / WEIGHTS}: {name}", "finite numbers of 32 bits", tensors[name].dtype)


def _damaged(where: object, expected: object, got: object) -> InputError:
    return InputError(
        "This is no sound prior.",
        where=where,
        expected=expected,
        got=str(got)[:300],
        remedy="copy the whole folder again, or train the prior again (`apu train`).",
    )
