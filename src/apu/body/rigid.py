"""Moving whole bodies from one frame to another, in their parameters."""

from collections.abc import Mapping

import roma
import torch
from jaxtyping import Float
from torch import Tensor


def moved(
    parameters: Mapping[str, Float[Tensor, "*b _"]], rotation: Float[Tensor, "3 3"], translation: Float[Tensor, " 3"]
) -> dict[str, Float[Tensor, "*b _"]]:
    """The same bodies after x -> rotation @ x + translation.

    Args:
        parameters: name -> (*b, size), with `orientation` and `translation` as `ParameterSpec` describes them: the
            orientation turns the body about its root joint, whose place the translation is.
        rotation: (3, 3) of a rigid motion.
        translation: (3,) metres.
    """
    turned = rotation @ roma.rotvec_to_rotmat(parameters["orientation"])
    place = torch.einsum("ij,...j->...i", rotation, parameters["translation"]) + translation
    return {**parameters, "orientation": roma.rotmat_to_rotvec(turned), "translation": place}
