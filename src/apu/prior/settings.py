"""Everything that decides what a trained prior is: sizes of the network, noise, losses, and the course of training."""

from dataclasses import dataclass, field

from apu.errors import InputError
from apu.prior.contact_tokens import SLOTS
from apu.prior.schedule import Kind


@dataclass(frozen=True)
class NetworkSettings:
    """Sizes of the denoiser.

    Attributes:
        width: of a token; even, and a multiple of `heads`.
        layers, heads, feedforward, dropout: of the transformer encoder.
        skip: predict x0 as sqrt(kept) x_t + sqrt(1 - kept) times the network's output, so that little noise needs
            little correction; else the output is x0 itself.
        initial: read initial estimates.
        contacts: slots for contacts, 0 to read none.
        tilt: read the camera's up.
        view: read whence the camera looks.
    """

    width: int = 152
    layers: int = 6
    heads: int = 8
    feedforward: int = 500
    dropout: float = 0.1
    skip: bool = True
    initial: bool = True
    contacts: int = SLOTS
    tilt: bool = True
    view: bool = True

    def __post_init__(self) -> None:
        sizes = (self.width, self.layers, self.heads, self.feedforward)
        whole = min(sizes) > 0 and self.width % self.heads == 0 and self.width % 2 == 0
        if not (whole and 0 <= self.dropout < 1 and self.contacts >= 0):
            raise InputError(
                "A network of these sizes cannot be built.",
                expected="positive sizes, an even width that is a multiple of the heads, a dropout in [0, 1)",
                got=self,
                remedy="the default is 152 wide with 8 heads; 32 with 2 is enough for a test.",
            )


@dataclass(frozen=True)
class LossWeights:
    """Weights of the training loss.

    Attributes:
        pose, shape, orientation, translation: of the squared error of the normalised columns, by role; see `x0_loss`.
        points: of the mean squared distance of points on the skin, 1 / m^2; 0 leaves the body out of training.
        points_per_region: points of each surface region.
        little_noise: a pair counts 1 / (1 - kept), but at most this: 1 is the plain loss of x0, a large number that of
            the velocity (Salimans and Ho 2022), for which denoising a little is as important as denoising much.
    """

    pose: float = 1.0
    shape: float = 0.3
    orientation: float = 1.0
    translation: float = 1.0
    points: float = 0.0
    points_per_region: int = 1
    little_noise: float = 1.0


@dataclass(frozen=True)
class Forgetting:
    """How often something known is kept from the network, so that it learns to do without.

    Attributes:
        everything: both initial estimates of a pair.
        person: one person's, when not both.
        contacts: all contacts of a pair.
        tilt: the camera's up.
        view: whence the camera looks.
    """

    everything: float = 0.2
    person: float = 0.1
    contacts: float = 0.4
    tilt: float = 0.5
    view: float = 0.2


@dataclass(frozen=True)
class TrainSettings:
    """The course of training.

    Attributes:
        steps: of the optimiser.
        batch: pairs of one step, over all processes.
        rate: largest step size of AdamW.
        weight_decay: of AdamW.
        warm_up: steps over which the rate rises.
        decay: whether the rate falls to zero along a cosine; else it stays.
        clip: largest norm of the gradient.
        ema: share of the averaged weights that every step keeps; the first steps keep less.
        seed: of everything random.
        swap, mirror: show pairs with A and B, left and right exchanged, each with even odds.
        one_class: allow data of a single class.
        schedule, diffusion_steps: of the noise.
        validate_every, log_every, save_every: steps.
    """

    steps: int = 3000
    batch: int = 64
    rate: float = 5e-4
    weight_decay: float = 0.01
    warm_up: int = 200
    decay: bool = True
    clip: float = 1.0
    ema: float = 0.995
    seed: int = 0
    swap: bool = True
    mirror: bool = True
    one_class: bool = False
    schedule: Kind = "cosine"
    diffusion_steps: int = 1000
    validate_every: int = 250
    log_every: int = 25
    save_every: int = 250
    network: NetworkSettings = field(default_factory=NetworkSettings)
    loss: LossWeights = field(default_factory=LossWeights)
    forgetting: Forgetting = field(default_factory=Forgetting)

    def __post_init__(self) -> None:
        counts = (self.steps, self.batch, self.diffusion_steps, self.validate_every, self.log_every, self.save_every)
        if min(counts) < 1 or self.rate <= 0 or self.clip <= 0 or not 0 <= self.ema < 1 or self.warm_up < 0:
            raise InputError(
                "Training with these settings is not possible.",
                expected="positive counts, rate and clip; an `ema` in [0, 1)",
                got=self,
                remedy="start from the defaults of `TrainSettings`.",
            )
