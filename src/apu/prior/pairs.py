"""What a prior learns from: pairs as arrays, checked once. Where they come from is not known here."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from apu.body.protocol import ParameterSpec
from apu.errors import InputError
from apu.prior.contact_tokens import ContactTokens, no_contacts

REMEDY = "give pairs of the body model that the prior is for; `apu dataset verify` finds damaged ones."


@dataclass(frozen=True)
class PairArrays:
    """`n` pairs and what was known of them before they were united.

    Attributes:
        body_model: whose parameters they are.
        parameters: name -> (n, 2, size) float32; any frame in which y points down.
        initial: name -> (n, 2, size) estimates before any contact was used; of no meaning where they are not known.
        initial_known: (n, 2) whether there is an estimate of A and of B.
        contacts: what touches; `n` rows.
        seen: (n,) whether the parameters are in the frame of a camera, which stands at its origin.
        interactions: name of each pair's class; empty where nobody knows.
        ids: of the pairs, for error messages.
    """

    body_model: str
    parameters: Mapping[str, Float[Tensor, "n 2 _"]]
    initial: Mapping[str, Float[Tensor, "n 2 _"]]
    initial_known: Bool[Tensor, "n 2"]
    contacts: ContactTokens
    seen: Bool[Tensor, " n"]
    interactions: tuple[str, ...]
    ids: tuple[str, ...]

    @staticmethod
    def of(
        body_model: str,
        parameters: Mapping[str, Tensor],
        initial: Mapping[str, Tensor] | None = None,
        initial_known: Tensor | None = None,
        contacts: ContactTokens | None = None,
        interactions: Iterable[str] | None = None,
        ids: Iterable[str] | None = None,
        seen: Tensor | None = None,
    ) -> "PairArrays":
        """Pairs of which only some things are known, as float32; what is left out is unknown."""
        some = next(iter(parameters.values()))
        n, device = len(some), some.device
        known = torch.full((n, 2), initial is not None, device=device) if initial_known is None else initial_known
        guess = {name: torch.zeros_like(value) for name, value in parameters.items()} if initial is None else initial
        return PairArrays(
            body_model,
            {name: value.float() for name, value in parameters.items()},
            {name: value.float() for name, value in guess.items()},
            known,
            no_contacts(n).to(device) if contacts is None else contacts,
            torch.zeros(n, dtype=torch.bool, device=device) if seen is None else seen,
            ("",) * n if interactions is None else tuple(interactions),
            tuple(f"number {i}" for i in range(n)) if ids is None else tuple(ids),
        )

    def __len__(self) -> int:
        return len(self.initial_known)

    def rows(self, index: Tensor) -> "PairArrays":
        """Some pairs; repeats are allowed."""
        chosen = index.tolist()
        index = index.to(self.initial_known.device)
        return PairArrays(
            self.body_model,
            {name: value[index] for name, value in self.parameters.items()},
            {name: value[index] for name, value in self.initial.items()},
            self.initial_known[index],
            self.contacts.rows(index),
            self.seen[index],
            tuple(self.interactions[i] for i in chosen),
            tuple(self.ids[i] for i in chosen),
        )

    @property
    def digest(self) -> str:
        """sha256 of all numbers, classes and ids."""
        found = hashlib.sha256(repr((self.body_model, self.interactions, self.ids)).encode())
        for name in sorted(self.parameters):
            for value in (self.parameters[name], self.initial[name]):
                found.update(name.encode() + value.detach().contiguous().cpu().numpy().tobytes())
        for value in (self.initial_known, self.seen, *vars(self.contacts).values()):
            found.update(value.contiguous().cpu().numpy().tobytes())
        return found.hexdigest()


def joined(parts: Iterable[PairArrays]) -> PairArrays:
    """All pairs of an iterable of arrays, in order.

    Raises:
        InputError: there are none, or they are of different body models.
    """
    found = list(parts)
    if not found:
        raise _nothing()
    models = sorted({one.body_model for one in found})
    if len(models) > 1:
        raise InputError(
            "The pairs are of different body models.",
            expected="one body model",
            got=", ".join(models),
            remedy=REMEDY,
        )
    names = found[0].parameters
    return PairArrays(
        models[0],
        {name: torch.cat([one.parameters[name] for one in found]) for name in names},
        {name: torch.cat([one.initial[name] for one in found]) for name in names},
        torch.cat([one.initial_known for one in found]),
        ContactTokens.joined([one.contacts for one in found]),
        torch.cat([one.seen for one in found]),
        sum((one.interactions for one in found), ()),
        sum((one.ids for one in found), ()),
    )


def checked(pairs: PairArrays, body_model: str, spec: Mapping[str, ParameterSpec], one_class: bool = False) -> None:
    """Whether a prior of this body can learn from these pairs.

    Args:
        pairs: to learn from.
        body_model, spec: of the body.
        one_class: allow pairs of a single class.

    Raises:
        InputError: there are none, all are of one class, they are of another body, or a number is not finite.
    """
    if len(pairs) == 0:
        raise _nothing()
    if pairs.body_model != body_model:
        raise InputError(
            "The pairs are of another body model.", expected=body_model, got=pairs.body_model, remedy=REMEDY
        )
    for field, values in (("parameters", pairs.parameters), ("initial", pairs.initial)):
        _check_numbers(field, values, spec, pairs)
    _check_counts(pairs)
    if len(set(pairs.interactions)) == 1 and pairs.interactions[0] and not one_class:
        raise InputError(
            "All pairs are of one class.",
            expected="pairs of two or more kinds of interaction",
            got=f"{len(pairs)} of `{pairs.interactions[0]}`",
            remedy="add pairs of other classes, or say that one class is meant (`one_class`).",
        )


def _check_numbers(
    field: str, values: Mapping[str, Tensor], spec: Mapping[str, ParameterSpec], pairs: PairArrays
) -> None:
    sizes = {name: (len(pairs), 2, one.size) for name, one in spec.items()}
    got = {name: tuple(value.shape) for name, value in values.items()}
    if got != sizes:
        raise InputError(
            "The numbers of the pairs do not fit the body model.", where=field, expected=sizes, got=got, remedy=REMEDY
        )
    known = pairs.initial_known if field == "initial" else torch.ones_like(pairs.initial_known)
    for name, value in values.items():
        wrong = torch.nonzero(~value.isfinite().all(-1) & known)
        if len(wrong):
            pair, person = wrong[0].tolist()
            raise InputError(
                "A number of a pair is not finite.",
                where=f"pair {pairs.ids[pair]}, {'AB'[person]}: {field}.{name}",
                expected="finite numbers",
                got=value[pair, person].tolist(),
                remedy="leave the pair out, or make the data set again.",
            )


def _check_counts(pairs: PairArrays) -> None:
    weight = pairs.contacts.weight
    counts = {
        "contacts": len(weight),
        "seen": len(pairs.seen),
        "interactions": len(pairs.interactions),
        "ids": len(pairs.ids),
    }
    if set(counts.values()) != {len(pairs)} or not bool(((weight >= 0) & (weight <= 1)).all()):
        raise InputError(
            "What is known of the pairs does not fit them.",
            expected=f"one entry for each of {len(pairs)} pairs, and weights of contacts in [0, 1]",
            got=f"{counts}, weights {weight.min():g} to {weight.max():g}" if weight.numel() else counts,
            remedy=REMEDY,
        )


def _nothing() -> InputError:
    return InputError(
        "There are no pairs to learn from.", expected="at least one pair", got="none", remedy="give a filled data set."
    )
