"""An open density over Anny's angles: a mixture of Gaussians fitted on the CMU motion capture database.

Half of the mixture is the mirror image of the other half, so a pose and its mirror image are equally likely. One wide
component around the relaxed pose keeps possible what people do not do in motion capture, such as sitting or lying.
Made by `training/fit_pose_density.py`. The model is ours.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from torch import Tensor

from apu.body.anny_pose import DOFS, mirror_matrix
from apu.body.protocol import BodyModel
from apu.errors import InputError, ModelFileError

FORMAT = 1
"""Raised whenever the content of the file changes meaning."""

TILTS = ("lean_forward", "lean_left")
"""Tilt of the pelvis against gravity: x and z of the rotation vector, without yaw, in the level frame."""


@dataclass(frozen=True)
class PoseDensity:
    """A mixture of `k` Gaussians and their mirror images over `d` angles and two tilts, radians.

    Attributes:
        names: of the `d` angles.
        weight: (k,) of the components; they sum to one. The last component is the wide one.
        mean: (k, d + 2).
        cholesky: (k, d + 2, d + 2) lower triangular factor of each covariance.
        lower, upper: (d,) anatomical bounds, to which samples are clipped.
        typical: percentile -> log density of held-out frames, e.g. `typical["5"]`.
    """

    names: tuple[str, ...]
    weight: Float[Tensor, " k"]
    mean: Float[Tensor, "k e"]
    cholesky: Float[Tensor, "k e e"]
    lower: Float[Tensor, " d"]
    upper: Float[Tensor, " d"]
    typical: Mapping[str, float]

    @staticmethod
    def load(path: Path | None = None, dtype: torch.dtype = torch.float32) -> "PoseDensity":
        """Read a density.

        Args:
            path: a file of `training/fit_pose_density.py`; None for the one that ships with the package.
            dtype: of all outputs.

        Raises:
            ModelFileError: the file is missing, damaged, or of another format.
            InputError: it is about other angles than this version's body has.
        """
        found = path or Path(str(resources.files("apu.body") / "data" / "pose_density.safetensors"))
        try:
            with safe_open(found, framework="pt") as file:
                metadata = file.metadata() or {}
                arrays = {name: file.get_tensor(name).to(dtype) for name in ("weight", "mean", "cholesky")}
            form, names = int(metadata["format"]), tuple(json.loads(metadata["names"]))
            typical = {str(k): float(v) for k, v in json.loads(metadata["typical"]).items()}
        except (OSError, SafetensorError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise _damaged(found, f"{type(error).__name__}: {error}"[:200]) from error
        if form != FORMAT:
            raise _damaged(found, f"format {form}")
        _check_names(names, tuple(d.name for d in DOFS), found)
        size = len(names) + len(TILTS)
        if arrays["mean"].shape[1:] != (size,) or arrays["cholesky"].shape[1:] != (size, size):
            raise _damaged(found, f"means of shape {tuple(arrays['mean'].shape)}")
        lower, upper = (torch.tensor([getattr(d, end) for d in DOFS], dtype=dtype) for end in ("lower", "upper"))
        return PoseDensity(names, arrays["weight"], arrays["mean"], arrays["cholesky"], lower, upper, typical)

    def check_body(self, body: BodyModel) -> None:
        """Refuse a body with other angles.

        Raises:
            InputError: its angles have other names, or another order.
        """
        _check_names(body.parameter_spec["pose"].names, self.names, body.name)

    def log_prob(self, pose: Float[Tensor, "*b d"]) -> Float[Tensor, "*b"]:
        """Log density of the angles whatever the tilt, radians; differentiable. Bounds are not part of it.

        Args:
            pose: angles in the order of `names`.
        """
        both = torch.stack([pose, pose @ self._mirror], -2)
        white = torch.einsum("...d,kcd->...kc", both, self._whitener) - self._white_mean
        each = self._log_scale - 0.5 * white.square().sum(-1)
        return each.flatten(-2).logsumexp(-1) - math.log(2)

    def sample(self, count: int, generator: torch.Generator) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n 2"]]:
        """People as in motion capture: never of the wide component, and clipped to the anatomical bounds.

        Args:
            count: `n`.
            generator: equal states give equal people.

        Returns:
            (n, d) pose, and (n, 2) tilt as `TILTS` says, both in radians.
        """
        weight, size = self.weight[:-1], self.mean.shape[1]
        which = (
            torch.multinomial(weight, count, replacement=True, generator=generator) if count else torch.zeros(0).long()
        )
        noise = torch.randn(count, size, generator=generator, dtype=self.mean.dtype)
        mirrored = torch.rand(count, generator=generator) < 0.5
        drawn = self.mean[which] + (self.cholesky[which] @ noise[..., None])[..., 0]
        pose, tilt = drawn[:, : len(self.names)], drawn[:, len(self.names) :]
        pose = torch.where(mirrored[:, None], pose @ self._mirror, pose).clamp(self.lower, self.upper)
        return pose, torch.where(mirrored[:, None], tilt * tilt.new_tensor([1.0, -1.0]), tilt)

    @cached_property
    def _mirror(self) -> Float[Tensor, "d d"]:
        """Transposed: `pose @ _mirror` is the mirrored pose."""
        return mirror_matrix().T.to(self.mean)

    @cached_property
    def _whitener(self) -> Float[Tensor, "k d d"]:
        """Inverse factors of the covariances of the angles alone: leading blocks of triangular factors."""
        angles = len(self.names)
        block = self.cholesky[:, :angles, :angles].double()
        one = torch.eye(angles, dtype=block.dtype, device=block.device).expand_as(block)
        return torch.linalg.solve_triangular(block, one, upper=False).to(self.mean)

    @cached_property
    def _white_mean(self) -> Float[Tensor, "k d"]:
        return (self._whitener @ self.mean[:, : len(self.names), None])[..., 0]

    @cached_property
    def _log_scale(self) -> Float[Tensor, " k"]:
        """Log weight and normalisation of each component."""
        whitener = self._whitener.diagonal(dim1=-2, dim2=-1)
        return self.weight.log() + whitener.log().sum(-1) - 0.5 * len(self.names) * math.log(2 * math.pi)


def _check_names(got: Sequence[str], wanted: Sequence[str], where: object) -> None:
    if tuple(got) == tuple(wanted):
        return
    first = next(
        (f"{a} at {i}" for i, (a, b) in enumerate(zip(got, wanted, strict=False)) if a != b), f"{len(got)} angles"
    )
    raise InputError(
        "The pose density is about other angles.",
        where=where,
        expected=f"the {len(wanted)} angles of the body that the density was fitted on, in their order",
        got=first,
        remedy="fit a density for this body: training/fit_pose_density.py.",
    )


def _damaged(path: Path, got: object) -> ModelFileError:
    return ModelFileError(
        "The pose density cannot be read.",
        where=path,
        expected=f"a file of training/fit_pose_density.py, format {FORMAT}",
        got=got,
        remedy="install the package again, or fit the density again.",
    )
