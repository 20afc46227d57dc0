"""Training: steps of AdamW that can be stopped at any moment and go on to the bit, in one process or several.

All processes draw the random numbers of the whole batch and take their rows, so their number does not matter.
"""

import copy
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from apu.body.protocol import BodyModel
from apu.cache import written_whole
from apu.errors import InputError
from apu.prior.augment import mirrored, swapped
from apu.prior.checkpoint import save_prior
from apu.prior.contact_prior import ContactPrior
from apu.prior.draws import batch_rows, derived_seed
from apu.prior.network import Denoiser
from apu.prior.objective import Draw, Objective
from apu.prior.pairs import PairArrays, checked
from apu.prior.representation import Representation
from apu.prior.schedule import Schedule
from apu.prior.settings import TrainSettings
from apu.prior.statistics import Statistics
from apu.prior.training_state import Origin, load_state, save_state
from apu.prior.watch import Watch
from apu.progress import Progress, silent

STATE, LOG = "training.safetensors", "log.jsonl"
ANY_PACE = ("validate_every", "log_every", "save_every")
"""Settings that change nothing about the weights, and may change while training."""

VALIDATION_ROUNDS = 4
"""Every held-out pair is looked at with so many times and noises, always the same."""


class Trainer:
    """Trains one prior.

    Args:
        body: whose pairs they are.
        pairs: to learn from; training runs on their device.
        settings: see there.
        folder: gets the prior, the log and the state; a state that is there is gone on with.
        held_out: pairs to validate on; None for none.
        progress: told about the steps.
        facts: more that the card shall say, e.g. names of data sets.
        watches: told about the log, and shown the prior, by the first process.

    Attributes:
        step: finished steps.

    Raises:
        InputError: the pairs do not fit, the batch cannot be shared among the processes, or the folder has a state
            of another training.
    """

    def __init__(
        self,
        body: BodyModel,
        pairs: PairArrays,
        settings: TrainSettings,
        folder: Path,
        held_out: PairArrays | None = None,
        progress: Progress = silent,
        facts: Mapping[str, Any] | None = None,
        watches: Sequence[Watch] = (),
    ) -> None:
        representation = Representation(body.name, body.parameter_spec)
        checked(pairs, body.name, body.parameter_spec, settings.one_class)
        if held_out is not None:
            checked(held_out, body.name, body.parameter_spec, one_class=True)
        self.rank, self.processes = _place(settings.batch)
        self.pairs, self.held_out, self.settings, self.folder = pairs, held_out, settings, folder
        self.representation, self.progress, self.device = representation, progress, pairs.initial_known.device
        self.facts, self.watches = dict(facts or {}), tuple(watches)
        schedule = Schedule.of(settings.schedule, settings.diffusion_steps)
        self.statistics = data_statistics(pairs, representation, settings)
        self.objective = Objective.of(body, self.statistics, schedule, settings)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derived_seed(settings.seed, "weights", 0))
            self.model = Denoiser(representation.tokens, schedule, settings.network).to(self.device)
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(), lr=settings.rate, weight_decay=settings.weight_decay, betas=(0.9, 0.99)
        )
        kept = {name: value for name, value in asdict(settings).items() if name not in ANY_PACE}
        data = pairs.digest if held_out is None else f"{pairs.digest} {held_out.digest}"
        self.origin = Origin(kept, data, representation.digest)
        self.step = 0
        if (folder / STATE).exists():
            self.step = load_state(folder / STATE, self.model, self.average, self.optimiser, self.origin)
        if self.rank == 0:
            _cut_log(folder / LOG, self.step)

    def run(self, until: int | None = None) -> None:
        """Train on; write the state in between and at the end, and the prior once all steps are done.

        Args:
            until: stop after this step; None for all.
        """
        settings = self.settings
        last = min(until or settings.steps, settings.steps)
        network: nn.Module = DistributedDataParallel(self.model) if self.processes > 1 else self.model
        began, recent = time.perf_counter(), []
        while self.step < last:
            recent.append(self._advance(network))
            self.step += 1
            self.progress("training", self.step / settings.steps)
            if self.step % settings.log_every == 0 or self.step == settings.steps:
                pace = (time.perf_counter() - began) / len(recent)
                self._log({"step": self.step, **self._means(recent), "seconds_per_step": round(pace, 4)})
                began, recent = time.perf_counter(), []
            if self.held_out is not None and (self.step % settings.validate_every == 0 or self.step == settings.steps):
                self._log({"step": self.step, **self.validate()})
            began += self._show()  # before the state is saved: of a state that is there, nothing is missing
            if self.step % settings.save_every == 0 or self.step == last:
                self.save()
        if self.step == settings.steps and self.rank == 0:
            save_prior(self.folder, self.prior(), settings.schedule, self._facts())

    def prior(self) -> ContactPrior:
        """The averaged weights so far."""
        return ContactPrior(self.representation, self.statistics, copy.deepcopy(self.average))

    def save(self) -> None:
        """Write the state; with several processes, the first one does."""
        if self.rank == 0:
            save_state(self.folder / STATE, self.step, self.model, self.average, self.optimiser, self.origin)
        if self.processes > 1:
            dist.barrier()

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Terms of the averaged weights on the held-out pairs, with always the same noise; nothing is varied."""
        assert self.held_out is not None
        n, found = len(self.held_out), []
        for number in range(VALIDATION_ROUNDS):
            draw = Draw.of(self.settings, n, self.representation.size, -1 - number)
            still = torch.zeros(n, dtype=torch.bool)
            spread = (torch.arange(n) + number / VALIDATION_ROUNDS) / n * self.settings.diffusion_steps
            fixed = replace(draw, time=spread.long(), swap=still, mirror=still).to(self.device)
            found.append(self.objective(self.average, self.held_out, fixed))
        return {f"validation_{name}": float(torch.stack([one[name] for one in found]).mean()) for name in found[0]}

    def _advance(self, network: nn.Module) -> dict[str, Float[Tensor, ""]]:
        """One step; the means of this process' terms."""
        settings = self.settings
        draw = Draw.of(settings, settings.batch, self.representation.size, self.step)
        rows = batch_rows(settings.seed, len(self.pairs), settings.batch, self.step)
        mine = slice(self.rank, None, self.processes)
        network.train()
        with torch.random.fork_rng(devices=[]):  # dropout draws from the global generator
            torch.manual_seed(derived_seed(settings.seed, f"dropout {self.rank}", self.step))
            terms = self.objective(network, self.pairs.rows(rows[mine]), draw.rows(mine).to(self.device))
            means = {name: value.mean() for name, value in terms.items()}
            self.optimiser.zero_grad(set_to_none=True)
            means["loss"].backward()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), settings.clip)
        self._check(means["loss"], norm)
        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(self.step, settings)
        self.optimiser.step()
        self._average()
        return {name: value.detach() for name, value in means.items()}

    @torch.no_grad()
    def _average(self) -> None:
        keep = min(self.settings.ema, (1 + self.step) / (10 + self.step))
        for mean, value in zip(self.average.parameters(), self.model.parameters(), strict=True):
            mean.lerp_(value, 1 - keep)

    def _check(self, loss: Tensor, norm: Tensor) -> None:
        if not bool(loss.isfinite() & norm.isfinite()):
            raise InputError(
                "The training has come to no finite loss.",
                where=f"step {self.step}",
                expected="finite numbers",
                got=f"loss {float(loss.detach())}, gradient {float(norm)}",
                remedy="give a smaller rate, or a longer warm-up.",
            )

    def _means(self, recent: list[dict[str, Tensor]]) -> dict[str, float]:
        """Means over steps and processes."""
        means = torch.stack([torch.stack([one[name] for one in recent]).mean() for name in recent[0]])
        if self.processes > 1:
            dist.all_reduce(means)
            means = means / self.processes
        return dict(zip(recent[0], means.tolist(), strict=True))

    def _log(self, row: Mapping[str, int | float]) -> None:
        if self.rank == 0:
            self.folder.mkdir(parents=True, exist_ok=True)
            with open(self.folder / LOG, "a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            for watch in self.watches:
                watch.logged(row)

    def _show(self) -> float:
        """Show the prior to those who want to see it now, and say how many seconds that took.

        Whatever they draw at random, the training does not notice.
        """
        began = time.perf_counter()
        due = [watch.shown for watch in self.watches if watch.due(self.step, self.settings.steps)]
        for shown in due if self.rank == 0 else ():
            if shown is not None:
                with torch.random.fork_rng(devices=[]):
                    shown(self.step, self.prior())
        return time.perf_counter() - began

    def _facts(self) -> dict[str, Any]:
        classes = sorted(set(self.pairs.interactions) - {""})
        return {
            "pairs": len(self.pairs),
            "classes": classes,
            "data": self.pairs.digest,
            **self.facts,
            "settings": asdict(self.settings),
            **({} if self.held_out is None else self.validate()),
        }


def data_statistics(pairs: PairArrays, representation: Representation, settings: TrainSettings) -> Statistics:
    """Of all ways in which the pairs will be shown."""
    views = [pairs]
    if settings.swap:
        views += [swapped(view) for view in views]
    if settings.mirror:
        views += [mirrored(view, representation.spec) for view in views]
    return Statistics.of(torch.cat([representation.encode(view.parameters) for view in views]))


def rate_at(step: int, settings: TrainSettings) -> float:
    """Step size: rises over the warm-up, then stays or falls along a half cosine."""
    rise = min(1.0, (step + 1) / (settings.warm_up + 1))
    fall = (1 + math.cos(math.pi * step / settings.steps)) / 2 if settings.decay else 1.0
    return settings.rate * rise * fall


def _place(batch: int) -> tuple[int, int]:
    """Number of this process, and how many there are."""
    if not (dist.is_available() and dist.is_initialized()):
        return 0, 1
    rank, processes = dist.get_rank(), dist.get_world_size()
    if batch % processes:
        raise InputError(
            "The batch cannot be shared among the processes.",
            expected=f"a batch that is a multiple of {processes}",
            got=batch,
            remedy="give another batch, or another number of processes.",
        )
    return rank, processes


def _cut_log(path: Path, step: int) -> None:
    """Forget what a killed training logged after its last state."""
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        with written_whole(path) as temporary:
            temporary.write_text("".join(line for line in lines if _step_of(line) <= step), encoding="utf-8")


def _step_of(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return math.inf  # a line that was cut off by the kill
