"""SciPy, imported by its first use: importing it takes as long as everything else at the start of the server."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def tree_of(points: npt.ArrayLike) -> Any:
    """A k-d tree over points (n, dimensions): scipy.spatial.cKDTree."""
    from scipy.spatial import cKDTree

    return cKDTree(points)


def nearest_of(points: npt.NDArray[np.floating], shape: tuple[int, int]) -> npt.NDArray[np.int32]:
    """(rows, columns): for each place of a grid, at x, y = 0, 1, 2, …, the number of the point nearest to it.

    points: (n, 2) x, y, rounded to the grid first; of those that come to share a place one is told. A k-d tree knows
    it exactly, but takes memory for every query, at the heap where renders meet. Method: scipy.ndimage's distance
    transform (Maurer and others, 2003).
    """
    x, y = np.clip(np.rint(points).astype(np.int64), 0, np.array(shape[::-1]) - 1).T
    number, free = np.zeros(shape, np.int32), np.ones(shape, bool)
    number[y, x], free[y, x] = np.arange(len(points)), False
    down, across = filters().distance_transform_edt(free, return_distances=False, return_indices=True)
    found: npt.NDArray[np.int32] = number[down, across]
    return found


def triangles_of(points: npt.ArrayLike) -> Any:
    """Delaunay's triangles of points (n, 2), by Qhull: scipy.spatial.Delaunay."""
    from scipy.spatial import Delaunay

    return Delaunay(points)


def filters() -> Any:
    """Filters over arrays: the module scipy.ndimage."""
    from scipy import ndimage

    return ndimage
