"""Convex polygons: Voronoi cells, insets and centroids.

Polygons are stored as one array of corners, polygon by polygon, and the number of corners of each.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..colour.srgb import Floats
from ..progress import Progress
from ..scipy_lazy import delaunay

Counts = NDArray[np.int64]


def voronoi_cells(seeds: Floats, size: tuple[int, int], progress: Progress) -> tuple[Floats, Counts]:
    """The corners of every seed's Voronoi cell, clockwise on the screen, and how many each has.

    seeds: (n, 2), distinct, inside a picture of `size`. The diagram is the dual of Qhull's Delaunay triangulation: a
    corner is the circumcentre of a triangle, the same floating-point number in all cells that meet there. Eight
    additional distant points close the outer cells beyond the picture.
    """
    far = 4.0 * max(size)
    ring = np.arange(8) * (np.pi / 4) + 0.2
    points = np.vstack([seeds, np.array(size) / 2 + far * np.stack([np.cos(ring), np.sin(ring)], 1)])
    triangles = delaunay(points).simplices
    progress(0.5)
    centres = _circumcentres(points[triangles])
    owner, corner = triangles.ravel(), np.repeat(np.arange(len(triangles)), 3)
    inner = owner < len(seeds)
    owner, corner = owner[inner], corner[inner]
    around = centres[corner] - seeds[owner]
    order = np.lexsort((np.arctan2(around[:, 1], around[:, 0]), owner))
    return centres[corner[order]], np.bincount(owner, minlength=len(seeds))


def inset_polygons(points: Floats, counts: Counts, distance: float) -> tuple[Floats, Counts]:
    """Every side moved inwards by `distance` pixels, and the number of corners left, 0 for an empty polygon.

    A side whose direction would reverse is dropped, the most reversed one of each polygon first, until none is left.
    """
    polygon = np.repeat(np.arange(len(counts)), counts)
    direction = points[_following(counts)] - points
    length = np.linalg.norm(direction, axis=1)
    long = length > 1e-9
    polygon, direction = polygon[long], direction[long] / length[long, None]
    start = points[long] + distance * np.stack([-direction[:, 1], direction[:, 0]], 1)
    owners, finished = [], []
    while True:
        counts = np.bincount(polygon, minlength=len(counts))
        corners = _intersections(start, direction, _following(counts))  # the end of each side
        span = ((corners - corners[_preceding(counts)]) * direction).sum(axis=1)
        changing = np.zeros(len(counts), bool)
        changing[polygon[(span <= 0) | (counts[polygon] < 3)]] = True
        going_on = changing[polygon]
        owners.append(polygon[~going_on])
        finished.append(corners[~going_on])
        if not going_on.any():
            break
        polygon, direction, start, span = (each[going_on] for each in (polygon, direction, start, span))
        order = np.lexsort((span, polygon))
        dropped = counts[polygon] < 3
        dropped[order[np.diff(polygon[order], prepend=-1) != 0]] = True  # the shortest of each polygon
        polygon, direction, start = polygon[~dropped], direction[~dropped], start[~dropped]
    owner = np.concatenate(owners)
    return np.concatenate(finished)[np.argsort(owner, kind="stable")], np.bincount(owner, minlength=len(counts))


def centroids(points: Floats, counts: Counts) -> Floats:
    """(n, 2): the centroid of every polygon that has corners."""
    counts = counts[counts > 0]
    if not len(counts):
        return np.zeros((0, 2))
    starts = np.cumsum(counts) - counts
    means = np.add.reduceat(points, starts, axis=0) / counts[:, None]
    corner = points - np.repeat(means, counts, axis=0)  # relative to the mean, for precision
    following = corner[_following(counts)]
    cross = corner[:, 0] * following[:, 1] - corner[:, 1] * following[:, 0]
    area = np.add.reduceat(cross, starts)  # twice the area
    moment = np.add.reduceat((corner + following) * cross[:, None], starts, axis=0)
    centres: Floats = means + moment / (3 * np.where(np.abs(area) < 1e-9, 1e-9, area))[:, None]
    return centres


def _circumcentres(corners: Floats) -> Floats:
    """(n, 3, 2) -> (n, 2): the centre of the circle through three points."""
    first, second, third = corners[:, 0], corners[:, 1], corners[:, 2]
    a, b = second - first, third - first
    cross = 2.0 * (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
    cross = np.where(np.abs(cross) < 1e-12, 1e-12, cross)
    a2, b2 = (a**2).sum(axis=1), (b**2).sum(axis=1)
    x = (b[:, 1] * a2 - a[:, 1] * b2) / cross
    y = (a[:, 0] * b2 - b[:, 0] * a2) / cross
    centres: Floats = first + np.stack([x, y], 1)
    return centres


def _intersections(start: Floats, direction: Floats, following: Counts) -> Floats:
    """(n, 2): where each line meets the next one of its polygon; parallel lines meet far away."""
    other, offset = direction[following], start[following] - start
    cross = direction[:, 0] * other[:, 1] - direction[:, 1] * other[:, 0]
    cross = np.where(np.abs(cross) < 1e-9, 1e-9, cross)
    reach = (offset[:, 0] * other[:, 1] - offset[:, 1] * other[:, 0]) / cross
    return start + reach[:, None] * direction


def _following(counts: Counts) -> Counts:
    """For each corner the index of the next corner of its polygon."""
    counts = counts[counts > 0]
    following = np.arange(1, counts.sum() + 1)
    lasts = np.cumsum(counts) - 1
    following[lasts] = lasts - counts + 1
    return following


def _preceding(counts: Counts) -> Counts:
    preceding = np.empty(counts.sum(), np.int64)
    preceding[_following(counts)] = np.arange(len(preceding))
    return preceding
