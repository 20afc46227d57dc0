"""The closed outer skin of a mesh with eyes, teeth or an open mouth: what others collide with."""

import itertools

import numpy as np
from jaxtyping import Int

from apu.errors import InputError


def closed_skin(faces: Int[np.ndarray, "f 3"]) -> Int[np.ndarray, "g 3"]:
    """The largest connected piece of a mesh, every hole of it closed by a fan between the hole's own vertices.

    SMPL-X's eyeballs are pieces of their own, and its mouth is open inside. A fan needs no new vertex, so the numbers
    of the vertices stay; inside a mouth its shape does not matter.

    Args:
        faces: (f, 3) vertex numbers, counter-clockwise seen from outside.

    Raises:
        InputError: the faces are not those of a surface that has an outside.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    count = int(faces.max()) + 1
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    graph = coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), (count, count))
    piece = connected_components(graph, directed=False)[1][faces[:, 0]]
    skin = faces[piece == np.bincount(piece).argmax()]
    fans = [[(loop[0], b, a) for a, b in itertools.pairwise(loop[1:])] for loop in _holes(skin)]
    new = [face for fan in fans for face in fan]
    return np.concatenate([skin, np.array(new, skin.dtype).reshape(-1, 3)])


def _holes(skin: Int[np.ndarray, "f 3"]) -> list[list[int]]:
    """Loops of vertices along the open edges, in the direction of the faces there."""
    edges = np.concatenate([skin[:, [0, 1]], skin[:, [1, 2]], skin[:, [2, 0]]]).tolist()
    known = {(a, b) for a, b in edges}
    if len(known) < len(edges):
        raise _no_surface("two faces that pass one edge in the same direction")
    ahead: dict[int, list[int]] = {}
    for a, b in edges:
        if (b, a) not in known:
            ahead.setdefault(a, []).append(b)
    loops = []
    while ahead:
        path = [next(iter(ahead))]
        seen = {path[0]: 0}
        while True:
            after = ahead.get(path[-1])
            if not after:
                raise _no_surface(f"a dead end at vertex {path[-1]}")
            following = after.pop()
            if not after:
                del ahead[path[-1]]
            if following in seen:  # two holes may share a vertex: cut the loop off there
                start = seen[following]
                loops.append(path[start:])
                for vertex in path[start + 1 :]:
                    del seen[vertex]
                path = path[: start + 1]
                if len(path) == 1:
                    break
            else:
                seen[following] = len(path)
                path.append(following)
    return loops


def _no_surface(got: str) -> InputError:
    return InputError(
        "The faces of the body model do not form a surface.",
        where="its largest connected piece",
        expected="every edge in one face, or in two that pass it in opposite directions",
        got=got,
        remedy="take the model's file as it was published.",
    )
