"""Stones: oriented squares cut by their neighbours, so that none overlaps another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processing.mosaic.geometry import tree_of

from .convex import Counts
from .light import Floats

_CORNERS = 12  # more sides than any stone gets
_SQUARE = np.array([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]])
_POWER = 4.0
_PIECE = 1 << 11  # stones cut at once


def cut_stones(centres: Floats, angles: Floats, halves: Floats, joint: float) -> tuple[Floats, Counts]:
    """The corners of every stone, and how many it has; 0 when its neighbours leave nothing.

    centres: (n, 2). angles: (n,) radians, of one pair of sides. halves: (n, 2) half the width along and across that
    direction. Every two stones that could touch are parted by one line, half a joint away from both, through the
    middle between their centres: it lies along the sides of both where they stand side by side, and cuts corners
    off where they stand corner to corner.
    """
    axes = np.stack([np.cos(angles), np.sin(angles)], 1)
    polygons = _squares(centres, axes, halves)
    owner, sides, limits = _limits(
        centres, angles, joint, reach=2 * float(np.linalg.norm(halves, axis=1).max(initial=0))
    )
    room = limits - (centres[owner] * sides).sum(axis=1)
    lengths = np.abs((axes[owner] * sides).sum(axis=1)), np.abs((_turned(axes[owner]) * sides).sum(axis=1))
    reaches = room < halves[owner, 0] * lengths[0] + halves[owner, 1] * lengths[1]
    order = np.flatnonzero(reaches)[np.lexsort((room[reaches], owner[reaches]))]
    del room, lengths, reaches
    rank = np.arange(len(order)) - np.searchsorted(owner[order], owner[order])
    alive = np.ones(len(centres), bool)
    for turn in range(int(rank.max(initial=-1)) + 1):
        this = order[rank == turn]
        for first in range(0, len(this), _PIECE):
            now = this[first : first + _PIECE]
            own = owner[now]
            over = np.einsum("nci,ni->nc", polygons[own], sides[now]) - limits[now, None]
            alive[own[(over >= 0).all(axis=1)]] = False
            cut = (over > 0).any(axis=1)
            polygons[own[cut]] = _cut(polygons[own[cut]], over[cut])
    return _packed(polygons, alive)


def _squares(centres: Floats, axes: Floats, halves: Floats) -> Floats:
    """(n, corners, 2): each stone before it is cut, filled up by repeating the last corner."""
    offsets = _SQUARE[None] * halves[:, None]
    corners = centres[:, None] + offsets[..., :1] * axes[:, None] + offsets[..., 1:] * _turned(axes)[:, None]
    filled: Floats = np.concatenate([corners, corners[:, 3:].repeat(_CORNERS - 4, 1)], axis=1)
    return filled


def _limits(centres: Floats, angles: Floats, joint: float, *, reach: float) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Half planes that stones must keep to, two for each pair whose centres are within `reach`: the stone, a unit
    vector, and how far it may go in that direction."""
    pairs = tree_of(centres).query_pairs(reach, output_type="ndarray")
    normal, middle = _parting(centres, angles, pairs)
    limit = (middle * normal).sum(axis=1)
    limits = np.concatenate([limit, -limit]) - joint / 2
    return pairs.T.ravel(), np.concatenate([normal, -normal]), limits


def _turned(axes: Floats) -> Floats:
    """A quarter turn on."""
    return np.stack([-axes[:, 1], axes[:, 0]], 1)


def _parting(centres: Floats, angles: Floats, pairs: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """For each pair a unit vector from the first to the second across the line that parts them, and a point on it."""
    first, second = pairs.T
    four = np.exp(4j * angles).astype(np.complex64)  # a direction need not be exact, as long as both keep to it
    frame = np.exp(np.complex64(0.25j) * np.angle(four[first] + four[second]))
    apart = (centres[second] - centres[first]) @ np.array([1.0, 1.0j])
    apart = apart.astype(np.complex64) * frame.conj()
    bent = np.sign(apart.real) * np.abs(apart.real) ** _POWER + 1j * np.sign(apart.imag) * np.abs(apart.imag) ** _POWER
    normal = bent / np.maximum(np.abs(bent), 1e-12) * frame
    return np.stack([normal.real, normal.imag], 1), (centres[first] + centres[second]) / 2


def _cut(polygons: Floats, over: Floats) -> Floats:
    """What is left of convex polygons on the inner side of one line each (Sutherland and Hodgman, 1974).

    polygons: (n, corners, 2), filled up by repeating the last corner. over: (n, corners), above 0 outside.
    """
    after, over_after = np.roll(polygons, -1, axis=1), np.roll(over, -1, axis=1)
    crosses = (over > 0) != (over_after > 0)
    gap = np.where(crosses, over - over_after, 1.0)
    points = np.stack([polygons, polygons + (over / gap)[..., None] * (after - polygons)], 2)
    fresh = np.ones(over.shape, bool)
    fresh[:, 1:] = (polygons[:, 1:] != polygons[:, :-1]).any(axis=-1)  # what fills up would crowd others out
    kept = np.stack([(over <= 0) & fresh, crosses], 2).reshape(-1, 2 * _CORNERS)
    points = points.reshape(-1, 2 * _CORNERS, 2)
    order = np.argsort(~kept, axis=1, kind="stable")[:, :_CORNERS]
    last = np.clip(kept.sum(axis=1) - 1, 0, _CORNERS - 1)
    place = np.minimum(np.arange(_CORNERS), last[:, None])
    return np.take_along_axis(points, np.take_along_axis(order, place, 1)[..., None], 1)


def _packed(polygons: Floats, alive: NDArray[np.bool_]) -> tuple[Floats, Counts]:
    """Repeated corners dropped, in one list."""
    moved = np.linalg.norm(polygons - np.roll(polygons, 1, axis=1), axis=-1) > 1e-6
    moved &= alive[:, None]
    moved &= moved.sum(axis=1, keepdims=True) >= 3
    return polygons[moved], moved.sum(axis=1)
