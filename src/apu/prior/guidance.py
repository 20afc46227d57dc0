"""The diffusion prior as `Guidance`: diffuse the present estimate, denoise it once, pull towards the result."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from apu.errors import InputError
from apu.prior.condition import Condition
from apu.prior.contact_prior import ContactPrior
from apu.prior.sampling import SamplingSettings, sample
from apu.scene.guidance import KnownPairs

Bodies = Mapping[str, Float[Tensor, "p 2 _"]]

TINY = 1e-12
"""Under the root of a plain norm, so that it has a gradient where nothing is left to pull."""


@dataclass(frozen=True)
class Pull:
    """How sure the prior is of its target. Chosen on validation pairs (docs/prior.md).

    Attributes:
        pose: standard deviation of a joint angle, radians. Wide: 0.5 was no better on validation pairs of unseen
            classes, and had somebody stand who sits in a photo.
        shape: of a shape logit.
        orientation: of the rotation between the two, radians.
        translation: of the place of one as the other sees it, across the line of sight, metres; keypoints tell it well.
        depth: of that place along the line of sight, which keypoints hardly tell, metres; where no contact is told.
        depth_told: the same where contacts are told. They say more of the depth than the prior does: with 0.07, pairs
            of classes that it has not seen were no better than without it.
        norm: `squared` for a Gaussian, `plain` for a pull of the same strength at any distance (as BUDDI).
    """

    pose: float = 1.0
    shape: float = 2.0
    orientation: float = 0.5
    translation: float = 0.3
    depth: float = 0.07
    depth_told: float = 0.15
    norm: Literal["squared", "plain"] = "squared"


@dataclass(frozen=True)
class DiffusionGuidance:
    """Implements `apu.scene.guidance.Guidance`.

    Attributes:
        prior: to ask.
        pull: strength.
        seed: of the noise; a pair keeps its noise over all steps, and whatever else is in the batch.
        opposite: ask twice, with the noise and with its opposite, and take the mean: what the noise itself does to an
            answer is nearly linear, and cancels.
        tilt: whether to tell the prior where the camera's up is.
        view: whether to tell it whence the camera looks.
    """

    prior: ContactPrior
    pull: Pull = Pull()
    seed: int = 0
    opposite: bool = True
    tilt: bool = True
    view: bool = True
    _kept: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @torch.no_grad()
    def target(self, parameters: Bodies, pairs: KnownPairs, time: int) -> dict[str, Float[Tensor, "p 2 _"]]:
        """See `Guidance.target`.

        Raises:
            InputError: the time lies outside the schedule, or the names are not one per pair.
        """
        schedule = self.prior.schedule
        schedule.check(time)
        rows = self.prior.rows(parameters)
        at = torch.full((len(rows),), time, device=rows.device)
        noise, told = self._noise(pairs, rows), self._told(pairs, parameters)
        noises = (noise, -noise) if self.opposite else (noise,)
        found = [self.prior.denoised(schedule.diffused(rows, at, one), time, told) for one in noises]
        return self._placed(torch.stack(found).mean(0), parameters)

    def loss(self, parameters: Bodies, target: Bodies, told: Bool[Tensor, " p"] | None = None) -> Float[Tensor, " p"]:
        """See `Guidance.loss`: half the squares over the variances, or the norms over the standard deviations."""
        representation = self.prior.representation
        turn, offset = representation.relation(parameters)
        wanted_turn, wanted_offset = self._relation(target)
        chord = (turn - wanted_turn).square().sum((-1, -2)) / 2  # the squared angle, where it is small
        terms = [chord / self.pull.orientation**2]
        terms.append(self._away(offset - wanted_offset, self._view(parameters), told))
        for name in representation.own:
            sigma = self.pull.pose if representation.spec[name].role == "angles" else self.pull.shape
            terms += ((parameters[name] - target[name].detach()) / sigma).square().sum(-1).unbind(1)
        squares = torch.stack(terms)
        return squares.sum(0) / 2 if self.pull.norm == "squared" else (squares + TINY).sqrt().sum(0)

    @torch.no_grad()
    def _relation(self, target: Bodies) -> tuple[Float[Tensor, "p 3 3"], Float[Tensor, "p 3"]]:
        """Of a target, which stays the same for many steps."""
        if self._kept.get("target") is not target:
            self._kept.update(target=target, relation=self.prior.representation.relation(target))
        return self._kept["relation"]

    @torch.no_grad()
    def _view(self, parameters: Bodies) -> Float[Tensor, "p 3"]:
        return self.prior.representation.view(parameters)

    def _away(
        self, difference: Float[Tensor, "p 3"], view: Float[Tensor, "p 3"], told: Bool[Tensor, " p"] | None
    ) -> Float[Tensor, " p"]:
        """Squared, in standard deviations; both in A's root frame."""
        depth = self.pull.depth
        if told is not None:
            depth = torch.full_like(view[:, 0], depth).masked_fill(told, self.pull.depth_told)
        along = (difference * view).sum(-1)
        across = difference - along[:, None] * view
        return (along / depth).square() + (across / self.pull.translation).square().sum(-1)

    @torch.no_grad()
    def start(self, pairs: KnownPairs, parameters: Bodies, steps: int = 10) -> dict[str, Float[Tensor, "p 2 _"]]:
        """See `Guidance.start`."""
        noise = self._noise(pairs, self.prior.rows(parameters))
        return sample(
            self.prior,
            condition=self._told(pairs, parameters),
            frame=self.prior.representation.frame(parameters),
            settings=SamplingSettings(steps=steps),
            noise=noise,
        )

    def _told(self, pairs: KnownPairs, parameters: Bodies) -> Condition:
        told = self.prior.condition(
            len(pairs.names), pairs.initial, pairs.initial_known, pairs.contacts, seen_from=parameters
        )
        everybody = torch.ones_like(told.up_known)
        return told.without(up=None if self.tilt else everybody, view=None if self.view else everybody)

    def _placed(self, rows: Float[Tensor, "p d"], parameters: Bodies) -> dict[str, Float[Tensor, "p 2 _"]]:
        representation = self.prior.representation
        return representation.decode(self.prior.statistics.restored(rows), representation.frame(parameters))

    def _noise(self, pairs: KnownPairs, rows: Float[Tensor, "p d"]) -> Float[Tensor, "p d"]:
        if len(pairs.names) != len(rows):
            raise InputError(
                "Every pair needs one name.",
                expected=f"{len(rows)} names",
                got=f"{len(pairs.names)}",
                remedy="name the pairs of the batch in their order.",
            )
        return torch.stack([_noise(f"{self.seed}:{name}", rows.shape[1]) for name in pairs.names]).to(rows)


def _noise(text: str, size: int) -> Float[Tensor, " d"]:
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return torch.randn(size, generator=torch.Generator().manual_seed(seed))
