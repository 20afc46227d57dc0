"""Two ways to see a pair that are equally true: with A and B exchanged, and in a mirror. Each undoes itself exactly.

Both act on body parameters, so re-rooting in B is left to `Representation.encode`.
"""

from collections.abc import Mapping
from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from apu.body.anny_pose import DOFS, mirror_matrix
from apu.body.protocol import ParameterSpec
from apu.errors import InputError
from apu.prior.contact_tokens import ContactTokens
from apu.prior.pairs import PairArrays

ACROSS = {"orientation": (1.0, -1.0, -1.0), "translation": (-1.0, 1.0, 1.0)}
"""What x -> -x does to the numbers of a rotation vector and of a place."""


def swapped(pairs: PairArrays) -> PairArrays:
    """B becomes A."""
    return replace(
        pairs,
        parameters={name: value.flip(1) for name, value in pairs.parameters.items()},
        initial={name: value.flip(1) for name, value in pairs.initial.items()},
        initial_known=pairs.initial_known.flip(1),
        contacts=pairs.contacts.swapped(),
    )


def mirrored(pairs: PairArrays, spec: Mapping[str, ParameterSpec]) -> PairArrays:
    """Left and right exchanged: x -> -x.

    Raises:
        InputError: nobody knows what a mirror does to this body's angles.
    """
    return replace(
        pairs,
        parameters=mirrored_bodies(pairs.parameters, spec),
        initial=mirrored_bodies(pairs.initial, spec),
        contacts=pairs.contacts.mirrored(),
    )


def mirrored_bodies(
    bodies: Mapping[str, Float[Tensor, "*b _"]], spec: Mapping[str, ParameterSpec]
) -> dict[str, Float[Tensor, "*b _"]]:
    """Parameters of the bodies' mirror images; the shape of a body is taken to be symmetric."""
    found = {}
    for name, value in bodies.items():
        role = spec[name].role
        if role in ACROSS:
            found[name] = value * value.new_tensor(ACROSS[role])
        elif role == "angles":
            found[name] = value @ _mirror_of_angles(spec[name]).to(value).T
        else:
            found[name] = value
    return found


def _mirror_of_angles(spec: ParameterSpec) -> Float[Tensor, "d d"]:
    if tuple(spec.names) != tuple(dof.name for dof in DOFS):
        raise InputError(
            "Nobody knows what a mirror does to the angles of this body.",
            expected="the angles of `apu.body.anny_pose`",
            got=", ".join(spec.names[:5]),
            remedy="train without the mirror (`mirror=False`), or teach it to apu.prior.augment.",
        )
    return mirror_matrix()


def varied(
    pairs: PairArrays, spec: Mapping[str, ParameterSpec], swap: Bool[Tensor, " n"], mirror: Bool[Tensor, " n"]
) -> PairArrays:
    """Some of the pairs swapped, some mirrored.

    Args:
        pairs: `n`.
        spec: of the body.
        swap, mirror: (n,) which.
    """
    if bool(swap.any()):
        pairs = _where(swap, swapped(pairs), pairs)
    if bool(mirror.any()):
        pairs = _where(mirror, mirrored(pairs, spec), pairs)
    return pairs


def _where(chosen: Bool[Tensor, " n"], yes: PairArrays, no: PairArrays) -> PairArrays:
    each = chosen[:, None, None]
    return replace(
        no,
        parameters={name: torch.where(each, yes.parameters[name], no.parameters[name]) for name in no.parameters},
        initial={name: torch.where(each, yes.initial[name], no.initial[name]) for name in no.initial},
        initial_known=torch.where(chosen[:, None], yes.initial_known, no.initial_known),
        contacts=ContactTokens(
            torch.where(each, yes.contacts.on_a, no.contacts.on_a),
            torch.where(each, yes.contacts.on_b, no.contacts.on_b),
            no.contacts.weight,
        ),
    )
