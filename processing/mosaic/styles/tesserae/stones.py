"""Stones: oriented squares cut by their neighbours, so that none overlaps another."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...cells.convex import Counts
from ...colour.srgb import Floats
from ...progress import Stage
from ...scipy_lazy import tree_of

Vectors = NDArray[np.complex128]  # places and directions, x + iy
Stones = NDArray[np.complex128]
"""(n, _CORNERS): the corners of convex stones, x + iy; a stone with fewer is filled up with its last one."""

_CORNERS = 12  # more sides than any stone gets
_AS_COMPLEX = np.array([1.0, 1.0j])
_POWER = 4.0
_PIECE = 1 << 12  # stones cut at once


def cut_stones(centres: Floats, angles: Floats, halves: Floats, joint: float, stage: Stage) -> tuple[Floats, Counts]:
    """The corners of every stone, and how many it has; 0 when its neighbours leave nothing.

    centres: (n, 2). angles: (n,) radians, of one pair of sides. halves: (n, 2) half the width along and across that
    direction. Every two stones that could touch are parted by one line, half a joint away from both, through the
    middle between their centres: it lies along the sides of both where they stand side by side, and cuts corners
    off where they stand corner to corner.
    """
    places, axes = centres @ _AS_COMPLEX, np.exp(1j * angles)
    stones, corners = _squares(places, axes, halves), np.full(len(centres), 4)
    lines = _lines(places, angles, joint, reach=2 * float(np.linalg.norm(halves, axis=1).max(initial=0)))
    stage(0.3)
    reaching = _reaching(*lines, places, axes, halves)
    done, count = 0, len(reaching[0])
    for owner, sides, limits in _rounds(*reaching):
        for first in range(0, len(owner), _PIECE):
            now = slice(first, first + _PIECE)
            own = owner[now]
            done += len(own)
            taken = stones[own]
            over = _along(taken, sides[now, None]) - limits[now, None]
            gone = (over >= 0).all(axis=1)
            corners[own[gone]] = 0
            cut = (over > 0).any(axis=1) & ~gone & (corners[own] > 0)
            own = own[cut]
            stones[own], corners[own] = _cut(taken[cut], corners[own], over[cut])
            stage(0.3 + 0.7 * done / count)
    return _packed(stones, corners)


def _squares(places: Vectors, axes: Vectors, halves: Floats) -> Stones:
    """Each stone before it is cut."""
    along, across = axes * halves[:, 0], axes * halves[:, 1] * 1j
    corners = np.stack([along + across, across - along, -along - across, along - across], 1) + places[:, None]
    return np.concatenate([corners, corners[:, 3:].repeat(_CORNERS - 4, 1)], axis=1)


def _lines(places: Vectors, angles: Floats, joint: float, *, reach: float) -> tuple[Counts, Vectors, Floats]:
    """Half planes that stones must keep to, two for each pair whose centres are within `reach`: the stone, a unit
    vector, and how far it may go in that direction."""
    pairs = tree_of(np.stack([places.real, places.imag], 1)).query_pairs(reach, output_type="ndarray")
    normal, middle = _parting(places, angles, pairs)
    limit = _along(middle, normal)
    limits = np.concatenate([limit, -limit]) - joint / 2
    return pairs.T.ravel(), np.concatenate([normal, -normal]), limits


def _reaching(
    owner: Counts, sides: Vectors, limits: Floats, places: Vectors, axes: Vectors, halves: Floats
) -> tuple[Counts, Vectors, Floats]:
    """Those lines that come into their stone's square, stone by stone, the nearest to its centre first."""
    room = limits - _along(places[owner], sides)
    turned = sides * axes[owner].conj()
    reaches = room < halves[owner, 0] * np.abs(turned.real) + halves[owner, 1] * np.abs(turned.imag)
    owner, sides, limits = owner[reaches], sides[reaches], limits[reaches]
    order = np.lexsort((room[reaches], owner))
    return owner[order], sides[order], limits[order]


def _rounds(owner: Counts, sides: Vectors, limits: Floats) -> Iterator[tuple[Counts, Vectors, Floats]]:
    """The first line of every stone, then the second of those that have one, and so on."""
    rank = np.arange(len(owner)) - np.searchsorted(owner, owner)
    order = np.argsort(rank, kind="stable")
    for nth in np.split(order, np.cumsum(np.bincount(rank))[:-1]):
        yield owner[nth], sides[nth], limits[nth]


def _along(vectors: Vectors, directions: Vectors) -> Floats:
    """Their scalar products."""
    found: Floats = vectors.real * directions.real + vectors.imag * directions.imag
    return found


def _parting(places: Vectors, angles: Floats, pairs: Counts) -> tuple[Vectors, Vectors]:
    """For each pair a unit vector from the first to the second across the line that parts them, and a point on it."""
    first, second = pairs.T
    four = np.exp(4j * angles).astype(np.complex64)  # a direction need not be exact, as long as both keep to it
    frame = np.exp(np.complex64(0.25j) * np.angle(four[first] + four[second]))
    here, there = places[first], places[second]
    apart = (there - here).astype(np.complex64) * frame.conj()
    bent = np.sign(apart.real) * np.abs(apart.real) ** _POWER + 1j * np.sign(apart.imag) * np.abs(apart.imag) ** _POWER
    normal = bent / np.maximum(np.abs(bent), 1e-12) * frame
    return normal.astype(np.complex128), (here + there) / 2


def _cut(stones: Stones, corners: Counts, over: Floats) -> tuple[Stones, Counts]:
    """What is left on the inner side of one line each (Sutherland and Hodgman, 1974), and its corners.

    over: (n, _CORNERS), above 0 outside. A line leaves a convex stone at one place and comes back at another: the
    corners from there to here stay, and the two crossings follow.
    """
    each, last, beyond = np.arange(len(stones)), corners - 1, over > 0
    ahead = np.roll(beyond, -1, axis=1)
    leaving = np.minimum(np.argmax(~beyond & ahead, axis=1), last)
    lost = np.minimum(np.argmax(beyond & ~ahead, axis=1), last)  # the last corner outside
    back = np.where(lost == last, 0, lost + 1)
    kept = (leaving - back) % corners + 1
    place = np.minimum(back[:, None] + np.arange(_CORNERS), (back + kept)[:, None])
    result = np.take_along_axis(stones, place % corners[:, None], 1)
    out = np.where(leaving == last, 0, leaving + 1)
    result[each, np.minimum(kept, _CORNERS - 1)] = _crossing(stones, over, each, leaving, out)
    after = np.arange(_CORNERS) > kept[:, None]
    np.copyto(result, _crossing(stones, over, each, lost, back)[:, None], where=after)
    return result, np.minimum(kept + 2, _CORNERS)


def _crossing(stones: Stones, over: Floats, each: Counts, here: Counts, there: Counts) -> Stones:
    """Where each stone's side between two of its corners crosses the line."""
    first, second = over[each, here], over[each, there]
    start = stones[each, here]
    found: Stones = start + first / (first - second) * (stones[each, there] - start)
    return found


def _packed(stones: Stones, corners: Counts) -> tuple[Floats, Counts]:
    """Repeated corners dropped, in one list."""
    place = np.arange(_CORNERS)
    before = np.take_along_axis(stones, np.where(place == 0, corners[:, None] - 1, place - 1), 1)
    moved = (np.abs(stones - before) > 1e-6) & (place < corners[:, None])
    moved &= moved.sum(axis=1, keepdims=True) >= 3
    left = stones[moved]
    return np.stack([left.real, left.imag], 1), moved.sum(axis=1)
