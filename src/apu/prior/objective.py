"""One evaluation of the training loss on a batch: vary, encode, diffuse, denoise, compare."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from apu.body.protocol import BodyModel
from apu.prior.augment import varied
from apu.prior.condition import Condition
from apu.prior.draws import generator
from apu.prior.losses import SkinPoints, point_loss, role_weights, skin_points, x0_loss
from apu.prior.pairs import PairArrays
from apu.prior.representation import Representation
from apu.prior.schedule import Schedule
from apu.prior.settings import Forgetting, TrainSettings
from apu.prior.statistics import Statistics


@dataclass(frozen=True)
class Draw:
    """Everything random about one batch of `n` pairs.

    Attributes:
        time: (n,) of the diffusion.
        noise: (n, d).
        swap, mirror: (n,) how the pair is shown.
        forget_initial: (n, 2) of A and B.
        forget_contacts, forget_up, forget_view: (n,).
    """

    time: Int[Tensor, " n"]
    noise: Float[Tensor, "n d"]
    swap: Bool[Tensor, " n"]
    mirror: Bool[Tensor, " n"]
    forget_initial: Bool[Tensor, "n 2"]
    forget_contacts: Bool[Tensor, " n"]
    forget_up: Bool[Tensor, " n"]
    forget_view: Bool[Tensor, " n"]

    @staticmethod
    def of(settings: TrainSettings, n: int, size: int, step: int) -> "Draw":
        """For the whole batch of a step, over all processes."""
        draw = generator(settings.seed, "batch", step)

        def chance(share: float, *shape: int) -> Bool[Tensor, "..."]:
            return torch.rand(*shape, generator=draw) < share

        forget: Forgetting = settings.forgetting
        return Draw(
            time=torch.randint(settings.diffusion_steps, (n,), generator=draw),
            noise=torch.randn(n, size, generator=draw),
            swap=chance(0.5, n) & settings.swap,
            mirror=chance(0.5, n) & settings.mirror,
            forget_initial=chance(forget.everything, n)[:, None] | chance(forget.person, n, 2),
            forget_contacts=chance(forget.contacts, n),
            forget_up=chance(forget.tilt, n),
            forget_view=chance(forget.view, n),
        )

    def rows(self, index: Tensor | slice) -> "Draw":
        """Those of some pairs."""
        return Draw(*(value[index] for value in vars(self).values()))

    def to(self, device: torch.device) -> "Draw":
        """On a device."""
        return Draw(*(value.to(device) for value in vars(self).values()))


@dataclass(frozen=True)
class Objective:
    """The training loss.

    Attributes:
        representation, statistics, schedule: of the prior.
        settings: weights of the loss.
        points: of the skin; None where they do not count.
    """

    representation: Representation
    statistics: Statistics
    schedule: Schedule
    settings: TrainSettings
    points: SkinPoints | None

    @staticmethod
    def of(body: BodyModel, statistics: Statistics, schedule: Schedule, settings: TrainSettings) -> "Objective":
        """For pairs of a body."""
        representation = Representation(body.name, body.parameter_spec)
        loss = settings.loss
        points = skin_points(body, representation, loss.points_per_region) if loss.points > 0 else None
        return Objective(representation, statistics, schedule, settings, points)

    def __call__(self, network: nn.Module, pairs: PairArrays, draw: Draw) -> dict[str, Float[Tensor, " n"]]:
        """Terms of every pair: `x0`, `points` where they count, and `loss`, their weighted sum."""
        representation, weights = self.representation, self.settings.loss
        shown = varied(pairs, representation.spec, draw.swap, draw.mirror)
        rows = representation.encode(shown.parameters)
        true = self.statistics.normalised(rows)
        told = Condition.of(shown, representation, self.statistics)
        told = told.without(draw.forget_initial, draw.forget_contacts, draw.forget_up, draw.forget_view)
        found = network(self.schedule.diffused(true, draw.time, draw.noise), draw.time, told)
        terms = {"x0": x0_loss(found, true, representation.tokens, role_weights(representation, weights))}
        total = terms["x0"]
        if self.points is not None:
            with torch.no_grad():
                goal = self.points(rows)
            terms["points"] = point_loss(self.points(self.statistics.restored(found)), goal)
            total = total + weights.points * terms["points"]
        lost = 1 - self.schedule.share(draw.time)[:, 0]
        return {**terms, "loss": total * (1 / lost).clamp(max=weights.little_noise)}
