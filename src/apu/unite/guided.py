"""A learned prior as one more term of the mesh stages: asked now and then, heard at every step.

A hypothesis of a pair keeps its noise through both stages. While weights move, the target is renewed every few steps,
each time with less noise; when a stage settles the last target stands, so that the objective does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from apu.contact.contact import ContactMap
from apu.scene.estimate import InitialBody
from apu.scene.guidance import Guidance, KnownPairs
from apu.scene.pair import PairObservation
from apu.unite.weights import GuidanceWeights

Params = Mapping[str, Float[Tensor, "p 2 _"]]
TERM = "prior"


@dataclass
class GuidedStage:
    """The prior's part in one stage.

    Attributes:
        guidance: the prior.
        pairs: what is known of the pairs of the stage, in their order.
        weights: of the pull.
        times: at the first step and when the stage settles.
    """

    guidance: Guidance
    pairs: KnownPairs
    weights: GuidanceWeights
    times: tuple[int, int]
    _target: Params | None = field(default=None, init=False)
    _step: int = field(default=0, init=False)
    _settles: bool = field(default=False, init=False)

    def look(self, parameters: Params, step: int, share: float) -> None:
        """Renew the target when it is time to.

        Args:
            parameters: where the pairs are.
            step: of the stage.
            share: of the way to the last weights.
        """
        settles = share >= 1.0
        fresh = self._target is not None and step - self._step < self.weights.refresh
        if self._settles or (fresh and not settles):
            return
        now = {name: value.detach() for name, value in parameters.items()}
        self._target = self.guidance.target(now, self.pairs, self._time(share))
        self._step, self._settles = step, settles

    def heard(self, terms: Mapping[str, Float[Tensor, " p"]], parameters: Params) -> dict[str, Float[Tensor, " p"]]:
        """The terms of a stage with the prior's among them, and penetration heavier where no contact is told.

        Args:
            terms: of the stage, at these parameters.
            parameters: where the pairs are.
        """
        found = {**terms, TERM: self.term(parameters)}
        if (deep := found.get("penetration")) is not None:
            found["penetration"] = torch.where(self._told(deep), deep, self.weights.penetration * deep)
        return found

    def term(self, parameters: Params) -> Float[Tensor, " p"]:
        """The weighted pull towards the target."""
        if self._target is None:
            self.look(parameters, 0, 0.0)
        assert self._target is not None
        told = self._told(next(iter(parameters.values())))
        return self.weights.factor * self.guidance.loss(parameters, self._target, told)

    def _told(self, like: Float[Tensor, "p *_"]) -> Bool[Tensor, " p"]:
        """Whose contacts the solver obeys."""
        maps = self.pairs.contacts or (ContactMap((), "none"),) * len(like)
        return torch.tensor([bool(one.contacts) for one in maps], dtype=torch.bool, device=like.device)

    def _time(self, share: float) -> int:
        first, last = self.times
        return round(first + (last - first) * min(share, 1.0))


def known_pairs(
    observations: Sequence[PairObservation],
    contacts: Sequence[ContactMap],
    pair: Sequence[int],
    hypothesis: Sequence[int],
    like: Params,
) -> KnownPairs:
    """What a prior may know of the rows of a stage.

    Args:
        observations, contacts: of all pairs of a batch.
        pair, hypothesis: of each row.
        like: name -> (p, 2, size) numbers of the rows, which stand where there is no estimate.
    """
    names = tuple(
        f"{observations[i].photo}:{observations[i].indices[0]},{observations[i].indices[1]}#{k}"
        for i, k in zip(pair, hypothesis, strict=True)
    )
    bodies = [observations[i].initial for i in pair]
    known = torch.tensor([[one is not None for one in both] for both in bodies], dtype=torch.bool).reshape(-1, 2)
    maps = [contacts[i] for i in pair]
    if not bool(known.any()):
        return KnownPairs(names, contacts=maps)
    device = next(iter(like.values())).device
    initial = {name: torch.stack([_estimates(both, name, value[row].detach()) for row, both in enumerate(bodies)])
               for name, value in like.items()}  # fmt: skip
    return KnownPairs(names, initial, known.to(device), maps)


def _estimates(
    both: tuple[InitialBody | None, InitialBody | None], name: str, otherwise: Float[Tensor, "2 _"]
) -> Float[Tensor, "2 _"]:
    rows = zip(both, otherwise, strict=True)
    return torch.stack([here if one is None else one.parameters[name].to(here) for one, here in rows])
