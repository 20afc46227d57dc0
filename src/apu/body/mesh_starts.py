"""Where to begin with a mesh: at the right place and size, and where nothing is known, in which pose and facing."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.pose_density import PoseDensity
from apu.body.protocol import BodyModel, Parts, default_parameters
from apu.body.smpl_rotations import smpl_rotations_to_pose
from apu.geometry.sampling import farthest_points

SAMPLES = 300
FACINGS = 4
AGE_LOGITS = (0.0, -1.0, -2.5)
"""Beside the adult, on the scale of the bodies that have an age: a youth, a child, a small child."""
SIZE_MISSED = 0.1
"""A start whose box is off by this share gets another age."""


def possible_starts(body: BodyModel, points: Float[Tensor, "n t 3"], keep: int) -> dict[str, Float[Tensor, "n k _"]]:
    """For each mesh the `k` starts that lie nearest to it, best first.

    Tried are the relaxed pose, the T-pose and the means of the pose density, turned about the frame's y axis.

    Args:
        body: the body model.
        points: of each mesh, evenly spread, camera axes, metres.
        keep: `k`.
    """
    tried = _candidates(body)
    posed = _posed(body, tried)
    found: dict[str, list[Tensor]] = {name: [] for name in tried}
    for one in points:
        some = one[:: max(1, len(one) // SAMPLES)]
        shift = _middle(some[None]) - _middle(posed)
        apart = torch.cdist(posed + shift[:, None], some.expand(len(posed), *some.shape))
        best = (apart.amin(1).mean(1) + apart.amin(2).mean(1)).argsort()[:keep]
        for name, value in tried.items():
            found[name].append(value[best] + (shift[best] if name == "translation" else 0))
    return {name: torch.stack(values) for name, values in found.items()}


@torch.no_grad()
def placed(
    body: BodyModel, parameters: Mapping[str, Float[Tensor, "n _"]], points: Float[Tensor, "n t 3"]
) -> dict[str, Float[Tensor, "n _"]]:
    """The same bodies where the meshes are: boxes with the same middles, and another age where the size is far off.

    Args:
        body: the body model.
        parameters: a pose that is about right.
        points: of each mesh, evenly spread, camera axes, metres.
    """
    n = len(points)
    ages = _ages(body, parameters["shape"])
    tried = {name: value[:, None].expand(n, ages.shape[1], -1).flatten(0, 1) for name, value in parameters.items()}
    posed = _posed(body, {**tried, "shape": ages.flatten(0, 1)}).unflatten(0, (n, -1))
    wanted = _size(points[:, None])
    off = (_size(posed) / wanted).log().abs()
    best = torch.where(off[:, 0] < SIZE_MISSED, 0, off.argmin(1))
    rows = torch.arange(n, device=points.device)
    shift = _middle(points) - _middle(posed[rows, best])
    return {**parameters, "shape": ages[rows, best], "translation": parameters["translation"] + shift}


def _posed(body: BodyModel, parameters: Mapping[str, Tensor]) -> Float[Tensor, "c p 3"]:
    """Some evenly spread vertices."""
    rest = body.surface.rest_vertices.detach().cpu().double().numpy()
    samples = torch.from_numpy(farthest_points(rest, SAMPLES)).to(body.surface.faces.device)
    posed = body.forward(parameters, Parts(vertices=samples)).vertices
    assert posed is not None
    return posed


def _ages(body: BodyModel, shape: Float[Tensor, "n s"]) -> Float[Tensor, "n a s"]:
    """The shape, and with other ages where the body has any."""
    names = body.parameter_spec["shape"].names
    ages = shape[:, None].repeat(1, 1 + len(AGE_LOGITS) if "age" in names else 1, 1)
    if "age" in names:
        ages[:, 1:, names.index("age")] = shape.new_tensor(AGE_LOGITS)
    return ages


def _candidates(body: BodyModel) -> dict[str, Float[Tensor, "c _"]]:
    spec = body.parameter_spec
    like = body.surface.rest_vertices
    still = torch.zeros(1, 22, 3).to(like)
    poses = [spec["pose"].default[None].to(like), smpl_rotations_to_pose(body, still[:, 0], still[:, 1:])["pose"]]
    if spec["pose"].names == PoseDensity.load().names:
        means = PoseDensity.load().mean[:, : spec["pose"].size].to(like)
        poses.append(means.clamp(spec["pose"].lower, spec["pose"].upper))
    pose = torch.cat(poses)
    shapes = _ages(body, spec["shape"].default[None])[0]
    count = len(pose)
    tried = default_parameters(spec, (count, FACINGS, len(shapes)), like.dtype)
    tried["pose"] = pose[:, None, None].expand_as(tried["pose"])
    tried["shape"] = shapes.expand_as(tried["shape"])
    turns = torch.arange(FACINGS).to(like) * (2 * torch.pi / FACINGS)
    up = like.new_tensor([0.0, 1.0, 0.0])
    tried["orientation"] = (turns[:, None] * up)[None, :, None].expand_as(tried["orientation"])
    return {name: value.reshape(-1, value.shape[-1]).clone() for name, value in tried.items()}


def _middle(points: Float[Tensor, "*c p 3"]) -> Float[Tensor, "*c 3"]:
    """Of the box around them."""
    return (points.amax(-2) + points.amin(-2)) / 2


def _size(points: Float[Tensor, "*c p 3"]) -> Float[Tensor, "*c"]:
    """Diagonal of the box around them, metres."""
    return (points.amax(-2) - points.amin(-2)).norm(dim=-1)
