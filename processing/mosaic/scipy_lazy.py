"""SciPy, imported on first use: its import takes as long as everything else at the start of the server."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def kd_tree(points: npt.ArrayLike) -> Any:
    """A k-d tree over points (n, dimensions): scipy.spatial.cKDTree."""
    from scipy.spatial import cKDTree

    return cKDTree(points)


def nearest_point_map(points: npt.NDArray[np.floating], shape: tuple[int, int]) -> npt.NDArray[np.int32]:
    """(rows, columns): for each place x, y = 0, 1, 2, … of a grid, the index of the nearest point.

    points: (n, 2) x, y, which are rounded to the grid first; of points on the same place one wins. A k-d tree would be
    exact, but it allocates memory for every query on the heap that concurrent renders share. Method: scipy.ndimage's
    distance transform (Maurer and others, 2003).
    """
    x, y = np.clip(np.rint(points).astype(np.int64), 0, np.array(shape[::-1]) - 1).T
    index, is_free = np.zeros(shape, np.int32), np.ones(shape, bool)
    index[y, x], is_free[y, x] = np.arange(len(points)), False
    row, column = ndimage().distance_transform_edt(is_free, return_distances=False, return_indices=True)
    nearest: npt.NDArray[np.int32] = index[row, column]
    return nearest


def delaunay(points: npt.ArrayLike) -> Any:
    """The Delaunay triangulation of points (n, 2), by Qhull: scipy.spatial.Delaunay."""
    from scipy.spatial import Delaunay

    return Delaunay(points)


def connected_components(first: npt.ArrayLike, second: npt.ArrayLike, size: int) -> npt.NDArray[np.int64]:
    """(size,): the component of each node of the undirected graph with an edge from each first[i] to second[i].

    Source: scipy.sparse.csgraph.connected_components.
    """
    from scipy.sparse import coo_matrix, csgraph

    edges = np.ones(len(np.asarray(first)), bool)
    graph = coo_matrix((edges, (first, second)), shape=(size, size))
    return np.asarray(csgraph.connected_components(graph, directed=False)[1], np.int64)


def ndimage() -> Any:
    """Filters over arrays: the module scipy.ndimage."""
    from scipy import ndimage

    return ndimage
