"""Removes the crumbs of a vertex labelling: small patches away from the main patch of their label."""

import numpy as np
from jaxtyping import Bool, Int
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

KEPT_SHARE = 0.12
"""A patch stays when it has this share of the vertices of its label's biggest patch (five fingers, two eye shells)."""

_ROUNDS = 12
"""More than the width in vertices of any crumb seen; each round eats one ring."""


def absorb_islands(
    labels: Int[np.ndarray, " v"], faces: Int[np.ndarray, "f 3"], kept_share: float = KEPT_SHARE
) -> Int[np.ndarray, " v"]:
    """Give the vertices of small patches the commonest label among their neighbours.

    A patch without neighbours (a shell of its own) keeps its label. No label disappears: its biggest patch stays.

    Args:
        labels: (v,) non-negative.
        faces: (f, 3) vertex indices.
        kept_share: the smallest patch that stays, as a share of its label's biggest.
    """
    adjacency = _adjacency(faces, len(labels))
    crumb = _in_crumbs(labels, adjacency, kept_share)
    for _ in range(_ROUNDS):
        if not crumb.any():
            break
        votes = _votes(labels, adjacency, crumb)
        won = votes.max(1) > 0
        labels = labels.copy()
        labels[np.flatnonzero(crumb)[won]] = votes.argmax(1)[won]
        crumb[np.flatnonzero(crumb)[won]] = False
        if not won.any():
            break
    return labels


def patches(labels: Int[np.ndarray, " v"], faces: Int[np.ndarray, "f 3"]) -> Int[np.ndarray, " v"]:
    """(v,) number of the patch each vertex lies in: connected by edges within one label."""
    return _patches(labels, _adjacency(faces, len(labels)))


def _adjacency(faces: Int[np.ndarray, "f 3"], vertices: int) -> csr_matrix:
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    graph = coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), (vertices, vertices))
    return csr_matrix(((graph + graph.T) > 0).astype(np.float64))


def _patches(labels: Int[np.ndarray, " v"], adjacency: csr_matrix) -> Int[np.ndarray, " v"]:
    edges = adjacency.tocoo()
    same = labels[edges.row] == labels[edges.col]
    inside = coo_matrix((np.ones(same.sum()), (edges.row[same], edges.col[same])), adjacency.shape)
    return connected_components(inside, directed=False)[1]


def _in_crumbs(labels: Int[np.ndarray, " v"], adjacency: csr_matrix, kept_share: float) -> Bool[np.ndarray, " v"]:
    patch = _patches(labels, adjacency)
    size = np.bincount(patch)[patch]
    biggest = np.zeros(labels.max() + 1, dtype=size.dtype)
    np.maximum.at(biggest, labels, size)
    return size < kept_share * biggest[labels]


def _votes(
    labels: Int[np.ndarray, " v"], adjacency: csr_matrix, crumb: Bool[np.ndarray, " v"]
) -> Int[np.ndarray, "crumbs labels"]:
    """How many settled neighbours of each crumb vertex carry each label."""
    settled = np.flatnonzero(~crumb)
    one_hot = csr_matrix((np.ones(len(settled)), (settled, labels[settled])), (len(labels), labels.max() + 1))
    return np.rint((adjacency[np.flatnonzero(crumb)] @ one_hot).toarray()).astype(np.int64)
