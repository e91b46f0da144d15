"""SciPy, imported by its first use: importing it takes as long as everything else at the start of the server."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt


def tree_of(points: npt.ArrayLike) -> Any:
    """A k-d tree over points (n, dimensions): scipy.spatial.cKDTree."""
    from scipy.spatial import cKDTree

    return cKDTree(points)


def triangles_of(points: npt.ArrayLike) -> Any:
    """Delaunay's triangles of points (n, 2), by Qhull: scipy.spatial.Delaunay."""
    from scipy.spatial import Delaunay

    return Delaunay(points)


def filters() -> Any:
    """Filters over arrays: the module scipy.ndimage."""
    from scipy import ndimage

    return ndimage
