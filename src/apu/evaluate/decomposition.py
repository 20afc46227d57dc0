"""Where a pair's error comes from: what remains when one factor of the prediction is replaced by the truth."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.protocol import BodyModel, Parts, Role
from apu.evaluate.joint_errors import JOINT_SET, Joints, pair_pa_mpjpe_mm

FACTORS: Mapping[str, frozenset[Role]] = {
    "root_position": frozenset({"translation"}),
    "root_orientation": frozenset({"orientation"}),
    "articulation_and_size": frozenset({"angles", "shape_logits"}),
}
"""Name of a factor -> the roles (`ParameterSpec`) of the parameters that it is. Together they are all parameters."""

PairParameters = Mapping[str, Float[Tensor, "p 2 _"]]


def pair_pa_mpjpe_decomposition(
    body: BodyModel, predicted: PairParameters, true: PairParameters
) -> dict[str, Float[Tensor, " p"]]:
    """Pair PA-MPJPE of the prediction, and of mixtures of prediction and truth, mm. The definition is ours.

    A factor is replaced for both people at once, by the true parameters as they stand in the camera frame; the 28
    joints of the mixture are then aligned to the true ones as in `pair_pa_mpjpe_mm`.

    - `root_position`: where each person's root joint (the body model's own, not the middle of the hips) is. As the
      alignment removes a common shift, only B's root as seen from A's counts.
    - `root_orientation`: how each person's body is turned about that joint. A common turn of both people about the
      camera counts here and in `root_position`, though the alignment of the untouched prediction forgives it.
    - `articulation_and_size`: joint angles and shape.

    The factors are not independent and do not add up. Replacing one may raise the error, where two errors made up
    for each other, such as a size that is wrong with a distance that is wrong likewise.

    Args:
        body: whose parameters they are.
        predicted: name -> (p, 2, size), every name of `body.parameter_spec`, camera frame.
        true: the same, in the same camera frame.

    Returns:
        `pair_pa_mpjpe_mm`; for each of `FACTORS` `pair_pa_mpjpe_true_FACTOR_mm`, with that one replaced; and
        `pair_pa_mpjpe_only_FACTOR_mm`, with all but that one replaced: its error by itself. (p,) each.
    """
    names = body.parameter_spec
    truth = _joints(body, true)

    def error(replaced: frozenset[Role]) -> Float[Tensor, " p"]:
        mixed = {name: (true if spec.role in replaced else predicted)[name] for name, spec in names.items()}
        return pair_pa_mpjpe_mm(_joints(body, mixed), truth)

    every = frozenset[Role]().union(*FACTORS.values())
    return {
        "pair_pa_mpjpe_mm": error(frozenset()),
        **{f"pair_pa_mpjpe_true_{factor}_mm": error(roles) for factor, roles in FACTORS.items()},
        **{f"pair_pa_mpjpe_only_{factor}_mm": error(every - roles) for factor, roles in FACTORS.items()},
    }


@torch.no_grad()
def _joints(body: BodyModel, parameters: PairParameters) -> Joints:
    """J14 of all pairs; NaN where a parameter of either person is not finite, which bodies need not bear."""
    spec = body.parameter_spec
    known = torch.stack([parameters[name].isfinite().all(-1).all(-1) for name in spec]).all(0)
    safe = {
        name: torch.where(known[:, None, None], parameters[name].to(s.default), s.default) for name, s in spec.items()
    }
    joints = body.forward(safe, Parts(JOINT_SET)).joints
    assert joints is not None
    return torch.where(known[:, None, None, None], joints, torch.nan)
