"""Convex polygons in one flat list: Voronoi cells, and moving their sides inwards."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..colour.srgb import Floats
from ..progress import Stage
from ..scipy_lazy import triangles_of

Counts = NDArray[np.int64]


def voronoi_cells(seeds: Floats, size: tuple[int, int], stage: Stage) -> tuple[Floats, Counts]:
    """The corners of every seed's Voronoi cell, clockwise as seen on the screen, and how many each has.

    seeds: (n, 2), no two alike, inside a picture of `size`. The diagram is the dual of Qhull's Delaunay triangles: a
    corner is the middle of a triangle's circle, one number for all the cells that meet there. Eight far points
    close the outer cells beyond the picture.
    """
    far = 4.0 * max(size)
    ring = np.arange(8) * (np.pi / 4) + 0.2
    points = np.vstack([seeds, np.array(size) / 2 + far * np.stack([np.cos(ring), np.sin(ring)], 1)])
    triangles = triangles_of(points).simplices
    stage(0.5)
    middles = _circle_middles(points[triangles])
    owner, corner = triangles.ravel(), np.repeat(np.arange(len(triangles)), 3)
    kept = owner < len(seeds)
    owner, corner = owner[kept], corner[kept]
    around = middles[corner] - seeds[owner]
    order = np.lexsort((np.arctan2(around[:, 1], around[:, 0]), owner))
    return middles[corner[order]], np.bincount(owner, minlength=len(seeds))


def moved_in(points: Floats, counts: Counts, by: float) -> tuple[Floats, Counts]:
    """The same polygons with every side moved inwards, and how many corners are left of each: 0 when nothing is.

    by: pixels. A side that the others squeeze out is dropped, the shortest of a polygon first, until none turns round.
    """
    polygon = np.repeat(np.arange(len(counts)), counts)
    along = points[_following(counts)] - points
    length = np.linalg.norm(along, axis=1)
    kept = length > 1e-9
    polygon, along = polygon[kept], along[kept] / length[kept, None]
    start = points[kept] + by * np.stack([-along[:, 1], along[:, 0]], 1)
    while True:
        counts = np.bincount(polygon, minlength=len(counts))
        corners = _crossings(start, along, _following(counts))  # the end of each side
        span = ((corners - corners[_preceding(counts)]) * along).sum(axis=1)
        turned = (span <= 0) | (counts[polygon] < 3)
        if not turned.any():
            return corners, counts
        first = np.lexsort((span, polygon))
        worst = first[np.diff(polygon[first], prepend=-1) != 0]
        gone = np.zeros(len(polygon), bool)
        gone[worst[turned[worst]]] = True
        gone |= counts[polygon] < 3
        polygon, along, start = polygon[~gone], along[~gone], start[~gone]


def middles(points: Floats, counts: Counts) -> Floats:
    """(n, 2): the centre of gravity of every polygon that has corners."""
    counts = counts[counts > 0]
    if not len(counts):
        return np.zeros((0, 2))
    starts = np.cumsum(counts) - counts
    rough = np.add.reduceat(points, starts, axis=0) / counts[:, None]
    around = points - np.repeat(rough, counts, axis=0)
    after = around[_following(counts)]
    twice = around[:, 0] * after[:, 1] - around[:, 1] * after[:, 0]
    area = np.add.reduceat(twice, starts)
    moment = np.add.reduceat((around + after) * twice[:, None], starts, axis=0)
    found: Floats = rough + moment / (3 * np.where(np.abs(area) < 1e-9, 1e-9, area))[:, None]
    return found


def _circle_middles(corners: Floats) -> Floats:
    """(n, 3, 2) -> (n, 2), the middle of the circle through three points."""
    first, second, third = corners[:, 0], corners[:, 1], corners[:, 2]
    a, b = second - first, third - first
    twice = 2.0 * (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
    twice = np.where(np.abs(twice) < 1e-12, 1e-12, twice)
    a2, b2 = (a**2).sum(axis=1), (b**2).sum(axis=1)
    x = (b[:, 1] * a2 - a[:, 1] * b2) / twice
    y = (a[:, 0] * b2 - b[:, 0] * a2) / twice
    middles: Floats = first + np.stack([x, y], 1)
    return middles


def _crossings(start: Floats, along: Floats, following: Counts) -> Floats:
    """Where each line meets the next one of its polygon; parallel ones meet far away."""
    other, turn = along[following], start[following] - start
    cross = along[:, 0] * other[:, 1] - along[:, 1] * other[:, 0]
    cross = np.where(np.abs(cross) < 1e-9, 1e-9, cross)
    reach = (turn[:, 0] * other[:, 1] - turn[:, 1] * other[:, 0]) / cross
    return start + reach[:, None] * along


def _following(counts: Counts) -> Counts:
    """For each corner the index of the next one of its polygon."""
    counts = counts[counts > 0]
    following = np.arange(1, counts.sum() + 1)
    lasts = np.cumsum(counts) - 1
    following[lasts] = lasts - counts + 1
    return following


def _preceding(counts: Counts) -> Counts:
    preceding = np.empty(counts.sum(), np.int64)
    preceding[_following(counts)] = np.arange(len(preceding))
    return preceding
