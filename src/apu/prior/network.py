"""The denoiser: a transformer encoder over a few tokens, which predicts x0 (after BUDDI, Mueller et al. 2024).

Tokens: one per person and quantity, one for the time, and what is known of the pair. Whatever is not known has a
learned token of its own instead, so the number of tokens never changes.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from apu.body.region_names import REGION_NAMES
from apu.prior.condition import Condition
from apu.prior.contact_tokens import ContactTokens
from apu.prior.representation import Token
from apu.prior.schedule import Schedule
from apu.prior.settings import NetworkSettings

SPREAD = 0.02
"""Standard deviation of learned tokens at the start."""


class Denoiser(nn.Module):
    """x_t, t and a condition to x_0, in normalised rows.

    Args:
        tokens: of the representation.
        schedule: of the noise.
        settings: sizes.
    """

    def __init__(self, tokens: Sequence[Token], schedule: Schedule, settings: NetworkSettings) -> None:
        super().__init__()
        self.tokens, self.schedule, self.settings = tuple(tokens), schedule, settings
        width = settings.width
        self.embed = QuantityEmbedding(tokens, width)
        self.time = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        if settings.initial:
            self.embed_initial = QuantityEmbedding(tokens, width)
            self.no_initial = nn.Parameter(SPREAD * torch.randn(len(tokens), width))
        if settings.contacts:
            self.embed_contact = ContactEmbedding(len(REGION_NAMES), width)
            self.no_contact = nn.Parameter(SPREAD * torch.randn(width))
        if settings.tilt:
            self.embed_up = _two_layers(3, width, width)
            self.no_up = nn.Parameter(SPREAD * torch.randn(width))
        if settings.view:
            self.embed_view = _two_layers(3, width, width)
            self.no_view = nn.Parameter(SPREAD * torch.randn(width))
        layer = nn.TransformerEncoderLayer(
            width, settings.heads, settings.feedforward, settings.dropout, "gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, settings.layers, nn.LayerNorm(width), enable_nested_tensor=False)
        self.heads = nn.ModuleDict({name: _two_layers(width, width, size) for name, size in _quantities(tokens)})

    def forward(self, x: Float[Tensor, "n d"], time: Int[Tensor, " n"], condition: Condition) -> Float[Tensor, "n d"]:
        """Predict x_0.

        Args:
            x: noisy normalised rows.
            time: of each.
            condition: what is known.
        """
        read = [self.embed(x), self.time(sinusoids(time, self.settings.width).to(x))[:, None]]
        read += self._known(condition)
        found = self.encoder(torch.cat(read, 1))
        out = torch.cat([self.heads[t.parameter](found[:, i]) for i, t in enumerate(self.tokens)], -1)
        if not self.settings.skip:
            return out
        kept = self.schedule.share(time).to(x)
        return kept.sqrt() * x + (1 - kept).sqrt() * out

    def _known(self, condition: Condition) -> list[Float[Tensor, "n _ w"]]:
        """Tokens of the condition. Each is computed for every pair, so every weight has a gradient in every process."""
        tokens = []
        if self.settings.initial:
            known = _token_known(self.tokens, condition.initial_known)
            seen = self.embed_initial(torch.where(_column_known(self.tokens, known), condition.initial, 0.0))
            tokens.append(torch.where(known[:, :, None], seen, self.no_initial))
        if self.settings.contacts:
            contacts = condition.contacts.with_slots(self.settings.contacts)
            seen = self.embed_contact(contacts)
            tokens.append(torch.where(contacts.weight[:, :, None] > 0, seen, self.no_contact))
        if self.settings.tilt:
            tokens.append(torch.where(condition.up_known[:, None], self.embed_up(condition.up), self.no_up)[:, None])
        if self.settings.view:
            seen = self.embed_view(condition.view)
            tokens.append(torch.where(condition.view_known[:, None], seen, self.no_view)[:, None])
        return tokens


class QuantityEmbedding(nn.Module):
    """One token per person and quantity; A and B share what reads a quantity, and differ by a learned vector."""

    def __init__(self, tokens: Sequence[Token], width: int) -> None:
        super().__init__()
        self.tokens = tuple(tokens)
        self.read = nn.ModuleDict({name: _two_layers(size, width, width) for name, size in _quantities(tokens)})
        self.place = nn.Parameter(SPREAD * torch.randn(len(tokens), width))

    def forward(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n k w"]:
        """Normalised rows to tokens."""
        return torch.stack([self.read[t.parameter](x[:, t.columns]) for t in self.tokens], 1) + self.place


class ContactEmbedding(nn.Module):
    """One token per contact: the mean over its regions on A, the mean over those on B, and its weight."""

    def __init__(self, regions: int, width: int) -> None:
        super().__init__()
        self.on_a = nn.Linear(regions, width, bias=False)
        self.on_b = nn.Linear(regions, width, bias=False)
        self.weight = nn.Linear(1, width)
        self.out = nn.Sequential(nn.SiLU(), nn.Linear(width, width))

    def forward(self, contacts: ContactTokens) -> Float[Tensor, "n k w"]:
        """Contacts to tokens; the order of the slots does not matter."""
        like = self.weight.weight
        weight = contacts.weight[:, :, None].to(like)
        seen = self.on_a(_mean(contacts.on_a, like)) + self.on_b(_mean(contacts.on_b, like))
        return self.out(seen + self.weight(weight))


def sinusoids(time: Int[Tensor, " n"], width: int) -> Float[Tensor, "n w"]:
    """Sines and cosines of the time at wavelengths from 2 pi to 10,000 times that (Vaswani et al. 2017)."""
    rates = torch.exp(-math.log(1e4) * torch.arange(width // 2, device=time.device) / (width // 2))
    angles = time[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], -1)


def _mean(on: Bool[Tensor, "n k r"], like: Tensor) -> Float[Tensor, "n k r"]:
    chosen = on.to(like)
    return chosen / chosen.sum(-1, keepdim=True).clamp(min=1)


def _quantities(tokens: Sequence[Token]) -> list[tuple[str, int]]:
    return list({t.parameter: t.size for t in tokens}.items())


def _two_layers(size: int, hidden: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(size, hidden), nn.SiLU(), nn.Linear(hidden, out))


def _token_known(tokens: Sequence[Token], known: Bool[Tensor, "n 2"]) -> Bool[Tensor, "n k"]:
    """A person's own numbers are known with the person; how B stands to A only with both."""
    return torch.stack([known[:, t.person] if t.kind == "own" else known.all(1) for t in tokens], 1)


def _column_known(tokens: Sequence[Token], known: Bool[Tensor, "n k"]) -> Bool[Tensor, "n d"]:
    sizes = torch.tensor([t.size for t in tokens], device=known.device)
    return known.repeat_interleave(sizes, 1)
