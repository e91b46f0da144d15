"""The sides of convex cells as half planes, from which distances to the edge of a cell follow."""

from __future__ import annotations

import numpy as np

from ..colour.srgb import Floats
from .convex import Counts

FAR = 1e6  # the distance of a side that does not exist


def sides_of_polygons(points: Floats, corners: Counts) -> Floats:
    """(polygons, most sides, 3) float32: x, y and d of every side of convex polygons, padded with sides that are FAR.

    points: (n, 2), polygon by polygon, in either direction. A point is `x * its x + y * its y + d` pixels inside a
    side, (x, y) being the side's unit normal inwards.
    """
    count = len(corners)
    sides = np.zeros((count, int(corners.max(initial=1)), 3), np.float32)
    sides[..., 2] = FAR
    if not len(points):
        return sides
    firsts = np.cumsum(corners) - corners
    following = np.arange(1, len(points) + 1)
    following[firsts + corners - 1] = firsts
    polygon = np.repeat(np.arange(count), corners)
    along = points[following] - points
    length = np.hypot(along[:, 0], along[:, 1])
    twice_area = np.add.reduceat(points[:, 0] * points[following, 1] - points[following, 0] * points[:, 1], firsts)
    normal = np.stack([-along[:, 1], along[:, 0]], 1) / np.maximum(length, 1e-9)[:, None]
    normal *= np.where(twice_area < 0, -1.0, 1.0)[polygon, None]
    real = length > 1e-6
    place = np.arange(len(points)) - firsts[polygon]
    sides[polygon[real], place[real], :2] = normal[real]
    sides[polygon[real], place[real], 2] = -(normal * points).sum(axis=1)[real]
    return sides
