"""Sheets of samples while a prior is trained. Loads torch: import it inside the command only."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from apu.body.protocol import BodyModel
from apu.cache import written_whole
from apu.cli.sample_sheet import on_the_floor, sheet_row, touching
from apu.dataset.measure_again import spread
from apu.prior.contact_prior import ContactPrior
from apu.prior.pairs import PairArrays
from apu.prior.sampling import SamplingSettings, sample
from apu.show.canvas import save_png
from apu.show.sheet import pair_sheet

FOLDER = "sheets"
"""In the folder of the prior."""
EACH = 4
"""Samples of a kind: one line of a sheet."""
TILE_PX = (150, 200)
STEPS = 50
"""Of the sampler, as of `apu sample`."""

Samples = Mapping[str, Float[Tensor, "n 2 _"]]


@dataclass(frozen=True)
class SampleSheets:
    """Draws a sheet: anything, pairs with the contacts of known ones, and B for their A; always with the same noise.

    Attributes:
        folder: of the prior.
        body: whose pairs they are.
        known: pairs whose contacts and A are told, evenly apart.
        seed: of the noise.
    """

    folder: Path
    body: BodyModel
    known: PairArrays
    seed: int

    @torch.no_grad()
    def __call__(self, step: int, prior: ContactPrior) -> Path:
        """Draw the prior as it is after a step; the same prior gives the same file.

        Raises:
            OutputError: the picture cannot be written.
        """
        rows = []
        for words, samples in self._samples(prior):
            vertices = on_the_floor(self.body, dict(samples))
            rows += [
                sheet_row(self.body, one, touching(self.body, one), told)
                for one, told in zip(vertices, words, strict=True)
            ]
        faces = self.body.surface.faces.cpu().numpy()
        picture = pair_sheet(rows, faces, columns=EACH, tile_px=TILE_PX, heading=f"samples after {step} steps")
        path = self.folder / FOLDER / f"step-{step:06d}.png"
        with written_whole(path) as temporary:
            save_png(picture, temporary)
        return path

    def _samples(self, prior: ContactPrior) -> Iterator[tuple[list[str], Samples]]:
        settings = SamplingSettings(min(STEPS, prior.schedule.steps), seed=self.seed)
        yield ["anything"] * EACH, sample(prior, EACH, settings=settings)
        chosen = self._chosen()
        known = self.known.rows(chosen[torch.arange(EACH) % len(chosen)])  # so that every line is full
        if prior.network.settings.contacts and bool((known.contacts.weight > 0).any()):
            nothing = prior.condition(EACH)
            told = replace(nothing, contacts=known.contacts.to(nothing.up.device))
            yield [f"contacts of {id}" for id in known.ids], sample(prior, condition=told, settings=settings)
        own = {name: known.parameters[name][:, 0] for name in prior.representation.own}
        yield [f"B for A of {id}" for id in known.ids], sample(prior, given_a=own, settings=settings)

    def _chosen(self) -> Int[Tensor, " k"]:
        """Some pairs, of those with contacts where there are any."""
        told = torch.nonzero((self.known.contacts.weight > 0).any(1))[:, 0].cpu()
        places = told if len(told) else torch.arange(len(self.known))
        return places[torch.tensor(spread(len(places), EACH))]
