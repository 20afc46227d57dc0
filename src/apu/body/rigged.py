"""A posed body with its skeleton: what other programs need to skin and to animate it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class RiggedBody:
    """One body at rest, and where each bone has gone: `x = sum_b weight_b (turn_b (p - rest_joint_b) + position_b)`.

    At rest a body stands with its root's axes along the camera's: x to the person's left, y down, z behind the person.

    Attributes:
        names: of the bones, parents before children.
        parents: of each bone; -1 for the root, which is the first.
        rest_vertices: (v, 3) at rest, metres.
        rest_joints: (b, 3) heads of the bones at rest, metres.
        weights: (v, b) skinning weights, rows sum to one.
        turn: (b, 3, 3) rotation of each bone from rest to the camera frame.
        position: (b, 3) heads of the bones in the camera frame, metres.
        moves: whether a parameter turns the bone against its parent; the others go along with it, nearly.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    rest_vertices: Float[Tensor, "v 3"]
    rest_joints: Float[Tensor, "b 3"]
    weights: Float[Tensor, "v b"]
    turn: Float[Tensor, "b 3 3"]
    position: Float[Tensor, "b 3"]
    moves: tuple[bool, ...]

    def skinned(self) -> Float[Tensor, "v 3"]:
        """The posed vertices in the camera frame, metres."""
        shift = self.position - (self.turn @ self.rest_joints[..., None])[..., 0]
        moved = self.weights @ torch.cat([self.turn.flatten(1), shift], 1)
        return (moved[:, :9].unflatten(1, (3, 3)) @ self.rest_vertices[..., None])[..., 0] + moved[:, 9:]


@dataclass(frozen=True)
class RigBone:
    """A bone of another program's skeleton.

    Attributes:
        name, parent: of that skeleton; the root's parent is empty.
        source: bone of ours whose head and rotation it takes.
        on_floor: it lies below its source, at the height of the soles, and moves with the source.
    """

    name: str
    parent: str
    source: str
    on_floor: bool = False


def merged(body: RiggedBody, bones: Sequence[RigBone]) -> RiggedBody:
    """The same body on a skeleton with fewer bones.

    Each of our bones gives its weights to the bone that stands for it, or for the nearest bone above it. So what bends
    at a bone that the other skeleton lacks no longer bends there: the vertices are near the old ones, not the same.

    Args:
        body: on its own skeleton.
        bones: of the other one, parents before children, the root first.
    """
    row = {name: i for i, name in enumerate(body.names)}
    heads = [row[bone.source] for bone in bones]
    rest, position = body.rest_joints[heads].clone(), body.position[heads].clone()
    turn = body.turn[heads]
    for i, bone in enumerate(bones):
        if bone.on_floor:
            down = rest.new_tensor([0.0, float(body.rest_vertices[:, 1].max() - rest[i, 1]), 0.0])
            rest[i] += down
            position[i] += turn[i] @ down
    taker = {bone.source: i for i, bone in enumerate(bones)}  # of two bones of one source the later, lower one
    owner: list[int] = []
    for name, parent in zip(body.names, body.parents, strict=True):
        owner.append(taker[name] if name in taker else owner[parent])
    weights = body.weights.new_zeros(len(body.weights), len(bones))
    weights.index_add_(1, torch.tensor(owner, device=weights.device), body.weights)
    place = {bone.name: i for i, bone in enumerate(bones)}
    parents = tuple(place[bone.parent] if bone.parent else -1 for bone in bones)
    names, moves = tuple(bone.name for bone in bones), tuple(body.moves[i] for i in heads)
    return RiggedBody(names, parents, body.rest_vertices, rest, weights, turn, position, moves)


def settled(body: RiggedBody, zero: RiggedBody) -> RiggedBody:
    """The same body with another one as its body at rest: the pose in which all angles are zero.

    Some bones never move against their parents but for a turn that depends on the body's shape, large for children.
    At angles of zero that turn is made already, so `merged` loses nothing by it. Vertices between bones move a
    little, since they are skinned twice.

    Args:
        body: as posed.
        zero: the same shape with all parameters of place and pose at zero.
    """
    turn = body.turn @ zero.turn.mT
    return replace(body, rest_vertices=zero.skinned(), rest_joints=zero.position, turn=turn)


def few_influences(body: RiggedBody, most: int = 4) -> RiggedBody:
    """The same body with at most `most` weights for each vertex, as glTF and games have it.

    A vertex with more keeps the largest, scaled to a sum of one; or, where that leaves it nearer to its posed place,
    bones that never move against their parents give theirs to the parents first. Ours.
    """
    owner: list[int] = []
    for bone, parent in enumerate(body.parents):
        owner.append(bone if body.moves[bone] or parent < 0 else owner[parent])
    handed = torch.zeros_like(body.weights)
    handed.index_add_(1, torch.tensor(owner, device=handed.device), body.weights)
    scaled, handed = _largest(body.weights, most), _largest(handed, most)
    goal = body.skinned()
    off = [(replace(body, weights=weights).skinned() - goal).square().sum(1) for weights in (scaled, handed)]
    crowded = (body.weights > 0).sum(1) > most
    return replace(body, weights=torch.where((crowded & (off[1] < off[0]))[:, None], handed, scaled))


def _largest(weights: Float[Tensor, "v b"], most: int) -> Float[Tensor, "v b"]:
    kept, bones = weights.topk(min(most, weights.shape[1]), 1)
    return torch.zeros_like(weights).scatter(1, bones, kept / kept.sum(1, keepdim=True))
