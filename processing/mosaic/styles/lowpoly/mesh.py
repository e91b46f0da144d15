"""A triangulation, its error against the picture, and the changes that lower it.

Points: (n, 2) x, y in samples of the ErrorField. Triangles: (m, 3) indices of points, clockwise on the screen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...colour.srgb import Floats
from ...scipy_lazy import delaunay
from .error_field import ErrorField

Indices = NDArray[np.int64]

_EDGE_SAMPLES = (np.arange(12) + 0.5) / 12  # places along an edge where its neighbours' errors are compared
_LEAST_AREA = 0.25  # samples
_LEAST_SHAPE = 0.06  # twice the area over the square of the longest side; equilateral triangles have 0.87


@dataclass(frozen=True, slots=True)
class Edges:
    """ends: (e, 2) points, the smaller index first. sides: (m, 3) the edge of each side of a triangle, from corner i to
    i + 1. signs: (m, 3) 1 or -1: whether the side runs along its edge or against it."""

    ends: Indices
    sides: Indices
    signs: Indices

    def neighbours(self) -> tuple[Indices, Indices]:
        """(e, 2): the triangle on each side of an edge, or -1, and which of that triangle's sides the edge is.

        First the triangle whose side runs along the edge.
        """
        triangles, sides = np.full((len(self.ends), 2), -1), np.zeros((len(self.ends), 2), np.int64)
        for column, sign in enumerate((1, -1)):
            triangle, side = np.nonzero(self.signs == sign)
            edge = self.sides[triangle, side]
            triangles[edge, column], sides[edge, column] = triangle, side
        return triangles, sides


def edges_of(triangles: Indices, point_count: int) -> Edges:
    following = np.roll(triangles, -1, axis=1)
    keys = np.minimum(triangles, following) * point_count + np.maximum(triangles, following)
    edges, sides = np.unique(keys.ravel(), return_inverse=True)
    ends = np.stack(np.divmod(edges, point_count), axis=1)
    return Edges(ends, sides.reshape(-1, 3), np.where(triangles < following, 1, -1))


def triangulate(points: Floats) -> Indices:
    """The Delaunay triangulation."""
    return triangles_of(delaunay(points), points)


def triangles_of(delaunay_mesh: Any, points: Floats) -> Indices:
    """The triangles of a scipy.spatial.Delaunay, clockwise on the screen, without flat ones."""
    triangles = delaunay_mesh.simplices.astype(np.int64)
    doubled = doubled_areas(points, triangles)
    triangles[doubled < 0] = triangles[doubled < 0][:, [0, 2, 1]]
    flat: Indices = triangles[np.abs(doubled) > 1e-6]
    return flat


def doubled_areas(points: Floats, triangles: Indices) -> Floats:
    """(m,): twice the area, above 0 for a triangle that is clockwise on the screen."""
    first, second, third = points[triangles.T]
    along, beside = second - first, third - first
    areas: Floats = along[:, 0] * beside[:, 1] - along[:, 1] * beside[:, 0]
    return areas


def are_well_formed(points: Floats, triangles: Indices) -> NDArray[np.bool_]:
    """(m,): clockwise, neither tiny nor a splinter."""
    sides = points[triangles] - points[np.roll(triangles, 1, axis=1)]
    longest = squared_lengths(sides).max(axis=1)
    least = np.maximum(2 * _LEAST_AREA, _LEAST_SHAPE * longest)
    well_formed: NDArray[np.bool_] = doubled_areas(points, triangles) > least
    return well_formed


def squared_lengths(vectors: Floats) -> Floats:
    """(...): of vectors (..., n) with few components, which NumPy's sum over the last axis adds up slowly."""
    lengths: Floats = vectors[..., 0] ** 2
    for component in range(1, vectors.shape[-1]):
        lengths += vectors[..., component] ** 2
    return lengths


def triangle_sums(field: ErrorField, points: Floats, triangles: Indices, edges: Edges | None = None) -> Floats:
    """(m, 5) weighted sums over the samples in each triangle, see ErrorField.sums_left_of."""
    edges = edges or edges_of(triangles, len(points))
    left = field.sums_left_of(*points[edges.ends.T])
    sums: Floats = (left[edges.sides] * edges.signs[..., None]).sum(axis=1)
    return sums * np.where(sums[:, 4:] < 0, -1, 1)


def mean_colours(sums: Floats) -> Floats:
    """(m, 3): the weighted mean OKLab x 100 of each triangle."""
    return sums[:, :3] / np.maximum(sums[:, 4:], 1e-3)


def squared_errors(sums: Floats) -> Floats:
    """(m,): the weighted sum of squared distances of a triangle's samples from their mean."""
    errors: Floats = np.maximum(sums[:, 3] - (sums[:, :3] ** 2).sum(axis=1) / np.maximum(sums[:, 4], 1e-3), 0.0)
    return errors


def descent(field: ErrorField, points: Floats, sums: Floats, edges: Edges) -> Floats:
    """(n, 2): where to move each point so that the error falls, at most 1 long.

    An edge that moves gives the samples under it from one triangle to the other: the derivative is the integral of the
    difference of their errors along the edge (Lawonn and Guenther, Stylized Image Triangulation, 2019).
    """
    triangles, _ = edges.neighbours()
    inner = (triangles >= 0).all(axis=1)
    (first, second), (inside, outside) = edges.ends[inner].T, triangles[inner].T
    direction = points[second] - points[first]
    places = points[first][:, None] + direction[:, None] * _EDGE_SAMPLES[:, None]
    index, means = field.index_of(places), mean_colours(sums)
    colours = field.lab.reshape(-1, 3).take(index, axis=0)
    gain = squared_lengths(colours - means.take(inside, axis=0)[:, None])
    gain -= squared_lengths(colours - means.take(outside, axis=0)[:, None])
    gain *= field.weights.take(index)
    normal = np.stack([-direction[:, 1], direction[:, 0]], axis=1)  # towards the inside
    scale = np.abs(gain).sum(axis=1) * np.linalg.norm(normal, axis=1)
    moves, total = np.zeros_like(points), np.full(len(points), 1e-6)
    for ends, share in ((first, 1 - _EDGE_SAMPLES), (second, _EDGE_SAMPLES)):
        force = (gain * share).sum(axis=1)[:, None] * normal
        moves += np.stack([np.bincount(ends, axis, len(points)) for axis in force.T], axis=1)
        total += np.bincount(ends, scale, len(points))
    moves /= total[:, None]
    return moves


def settle(points: Floats, moved: Floats, triangles: Indices) -> Floats:
    """The moved points, except for those whose move would make a triangle overlap others or a splinter."""
    moved, changed = moved.copy(), triangles
    for _ in range(6):
        bad = ~are_well_formed(moved, changed)
        if not bad.any():
            return moved
        corners = changed[bad].ravel()
        moved[corners] = points[corners]
        is_back = np.zeros(len(points), bool)
        is_back[corners] = True
        changed = triangles[is_back[triangles].any(axis=1)]
    return points if (doubled_areas(moved, triangles) <= 0).any() else moved


def flip(field: ErrorField, points: Floats, triangles: Indices, edges: Edges, sums: Floats) -> Indices:
    """Triangles where the diagonal of two neighbours is exchanged if that lowers their error most (Dyn, Levin and
    Rippa, Data Dependent Triangulations, 1990). Each triangle takes part in at most one exchange."""
    neighbours, sides = edges.neighbours()
    inner = (neighbours >= 0).all(axis=1)
    (first, second), (left, right) = edges.ends[inner].T, neighbours[inner].T
    apex = triangles[left, (sides[inner, 0] + 2) % 3]
    opposite = triangles[right, (sides[inner, 1] + 2) % 3]
    flipped = np.stack([np.stack([first, opposite, apex], 1), np.stack([opposite, second, apex], 1)])
    possible = are_well_formed(points, flipped[0]) & are_well_formed(points, flipped[1])
    left, right, flipped = left[possible], right[possible], flipped[:, possible]
    before = squared_errors(sums)
    after = squared_errors(triangle_sums(field, points, flipped.reshape(-1, 3))).reshape(2, -1).sum(axis=0)
    gain = before[left] + before[right] - after
    best = np.full(len(triangles), 1e-3 * before.mean())
    np.maximum.at(best, left, gain)
    np.maximum.at(best, right, gain)
    chosen = np.flatnonzero((gain > 0) & (gain >= best[left]) & (gain >= best[right]))
    first_chosen = np.full(len(triangles), len(gain))  # of exchanges that gain the same
    np.minimum.at(first_chosen, left[chosen], chosen)
    np.minimum.at(first_chosen, right[chosen], chosen)
    chosen = chosen[(first_chosen[left[chosen]] == chosen) & (first_chosen[right[chosen]] == chosen)]
    triangles = triangles.copy()
    triangles[left[chosen]], triangles[right[chosen]] = flipped[0][chosen], flipped[1][chosen]
    return triangles
