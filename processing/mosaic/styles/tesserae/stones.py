"""Stones: oriented squares clipped against their neighbours, so that none overlaps another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...cells.convex import Counts
from ...colour.srgb import Floats
from ...progress import Progress, pieces
from ...scipy_lazy import kd_tree

Vectors = NDArray[np.complex128]  # points and directions, x + iy
StoneCorners = NDArray[np.complex128]  # (n, _MAX_CORNERS): corners of convex stones, x + iy, the last one repeated

_MAX_CORNERS = 12  # no stone gets more sides
_AS_COMPLEX = np.array([1.0, 1.0j])
_POWER = 4.0  # of the norm in which neighbours are compared: near to a square's
_PIECE_STONES = 1 << 12
_PIECE_PAIRS = 1 << 15


@dataclass(frozen=True, slots=True)
class HalfPlanes:
    """Half planes that stones must stay in. owner: (n,) the stone. normal: (n,) unit vectors outwards. limit: (n,) of
    the dot product with that normal."""

    owner: Counts
    normal: Vectors
    limit: Floats


@dataclass(frozen=True, slots=True)
class TiltedSquares:
    """Stones before clipping. places: (n,) their centres. axes: (n,) unit vectors along one pair of sides.
    halves: (n, 2) half the width along and across that direction."""

    places: Vectors
    axes: Vectors
    halves: Floats

    def corners(self) -> StoneCorners:
        """(n, _MAX_CORNERS)."""
        along, across = self.axes * self.halves[:, 0], self.axes * self.halves[:, 1] * 1j
        stones = np.empty((len(self.places), _MAX_CORNERS), np.complex128)
        for number, offset in enumerate((along + across, across - along, -along - across)):
            stones[:, number] = offset + self.places
        stones[:, 3:] = (along - across + self.places)[:, None]
        return stones

    def distances(self, planes: HalfPlanes) -> Floats:
        """(n,) from each stone's centre to the line of its half plane."""
        return np.asarray(planes.limit - _dot(self.places[planes.owner], planes.normal))

    def cut_by(self, planes: HalfPlanes) -> HalfPlanes:
        """The half planes whose line cuts their stone."""
        turned = planes.normal * self.axes[planes.owner].conj()
        halves = self.halves[planes.owner]
        cuts = self.distances(planes) < halves[:, 0] * np.abs(turned.real) + halves[:, 1] * np.abs(turned.imag)
        return HalfPlanes(planes.owner[cuts], planes.normal[cuts], planes.limit[cuts])


def clip_stones(
    centres: Floats,
    angles: Floats,
    halves: Floats,
    progress: Progress,
    *,
    weights: Floats | None = None,
    limits: HalfPlanes | None = None,
) -> tuple[Floats, Counts]:
    """The corners of every stone, (m, 2), and how many each has; 0 if its neighbours leave nothing of it.

    centres: (n, 2). angles: (n,) radians, of one pair of sides. halves: (n, 2) half the width along and across that
    direction. weights: (n,) how much of the distance to its neighbours each stone takes. limits: more half planes. Any
    two stones that could touch are separated by one line through a point between their centres: it is parallel to the
    sides of both if they are side by side, and cuts off corners if they are corner to corner.
    """
    squares = TiltedSquares(centres @ _AS_COMPLEX, np.exp(1j * angles), halves)
    lines = _separating_lines(squares, angles, weights)
    if limits is not None:
        lines.append(squares.cut_by(limits))
    planes = _nearest_first(squares, lines)
    del lines
    progress(0.3)
    stones, corners = squares.corners(), np.full(len(centres), 4)
    done, count = 0, len(planes.owner)
    for owner, normals, bounds in _by_rank(planes):
        for piece in pieces(len(owner), _PIECE_STONES):
            own = owner[piece]
            done += len(own)
            before = stones[own]
            excess = _dot(before, normals[piece, None]) - bounds[piece, None]
            is_outside = (excess >= 0).all(axis=1)
            corners[own[is_outside]] = 0
            is_cut = (excess > 0).any(axis=1) & ~is_outside & (corners[own] > 0)
            own = own[is_cut]
            stones[own], corners[own] = _clip(before[is_cut], corners[own], excess[is_cut])
            progress(0.3 + 0.7 * done / count)
    return _compact(stones, corners)


def _separating_lines(squares: TiltedSquares, angles: Floats, weights: Floats | None) -> list[HalfPlanes]:
    """Half planes that cut stones, two for each pair whose circles meet. Piece by piece: few half planes cut, and
    all of them at once would be larger than the picture."""
    places, radii = squares.places, np.linalg.norm(squares.halves, axis=1)
    reach = 2 * float(radii.max(initial=0))
    pairs = kd_tree(np.stack([places.real, places.imag], 1)).query_pairs(reach, output_type="ndarray")
    fourth_power = np.exp(4j * angles).astype(np.complex64)  # single precision is enough: both stones use the result
    firsts, seconds = [], []
    for piece in pieces(len(pairs), _PIECE_PAIRS):
        first, second = pairs[piece].T
        near = np.abs(places[first] - places[second]) < radii[first] + radii[second]
        first, second = first[near], second[near]
        normal = _separating_normals(places, fourth_power, first, second)
        share = 0.5 if weights is None else weights[first] / (weights[first] + weights[second])
        limit = _dot(places[first] * (1 - share) + places[second] * share, normal)
        firsts.append(squares.cut_by(HalfPlanes(first, normal, limit)))
        seconds.append(squares.cut_by(HalfPlanes(second, -normal, -limit)))
    return firsts + seconds


def _nearest_first(squares: TiltedSquares, lines: list[HalfPlanes]) -> HalfPlanes:
    """All half planes, sorted by stone, the nearest to its centre first."""
    if not lines:
        return HalfPlanes(np.zeros(0, np.int64), np.zeros(0, np.complex128), np.zeros(0))
    owner, normal, limit = (
        np.concatenate([getattr(planes, name) for planes in lines]) for name in ("owner", "normal", "limit")
    )
    order = np.argsort(squares.distances(HalfPlanes(owner, normal, limit)), kind="stable")
    order = order[np.argsort(_short(owner[order]), kind="stable")]
    return HalfPlanes(owner[order], normal[order], limit[order])


def _by_rank(planes: HalfPlanes) -> Iterator[tuple[Counts, Vectors, Floats]]:
    """The first half plane of every stone, then the second of the stones that have one, and so on."""
    of_stone = np.bincount(planes.owner)
    rank = np.arange(len(planes.owner)) - np.repeat(np.cumsum(of_stone) - of_stone, of_stone)
    order = np.argsort(_short(rank), kind="stable")
    for nth in np.split(order, np.cumsum(np.bincount(rank))[:-1]):
        yield planes.owner[nth], planes.normal[nth], planes.limit[nth]


def _short(numbers: Counts) -> NDArray[np.integer]:
    """Not negative, in 16 bits where they fit: then NumPy's stable sort is radix sort, several times as fast."""
    return numbers.astype(np.uint16) if numbers.max(initial=0) < 1 << 16 else numbers


def _dot(vectors: Vectors, directions: Vectors) -> Floats:
    product: Floats = vectors.real * directions.real + vectors.imag * directions.imag
    return product


def _separating_normals(places: Vectors, fourth_power: NDArray[np.complex64], first: Counts, second: Counts) -> Vectors:
    """For each pair the unit normal of its separating line, from the first to the second. fourth_power: of each
    stone's direction, equal for all of its sides."""
    frame = np.exp(np.complex64(0.25j) * np.angle(fourth_power[first] + fourth_power[second]))
    offset = (places[second] - places[first]).astype(np.complex64) * frame.conj()
    bent = (
        np.sign(offset.real) * np.abs(offset.real) ** _POWER + 1j * np.sign(offset.imag) * np.abs(offset.imag) ** _POWER
    )
    normal = bent / np.maximum(np.abs(bent), 1e-12) * frame
    return np.asarray(normal, np.complex128)


def _clip(stones: StoneCorners, corners: Counts, excess: Floats) -> tuple[StoneCorners, Counts]:
    """Clip each stone by one line (Sutherland and Hodgman, 1974). Returns the stones and their numbers of corners.

    excess: (n, _MAX_CORNERS), above 0 for corners outside. A line leaves a convex stone at one place and enters it at
    another: the corners between entry and exit stay, and the two intersections are appended.
    """
    each, last, outside = np.arange(len(stones)), corners - 1, excess > 0
    next_outside = np.roll(outside, -1, axis=1)
    last_inside = np.minimum(np.argmax(~outside & next_outside, axis=1), last)
    last_outside = np.minimum(np.argmax(outside & ~next_outside, axis=1), last)
    first_inside = np.where(last_outside == last, 0, last_outside + 1)
    count = (last_inside - first_inside) % corners + 1
    place = np.minimum(first_inside[:, None] + np.arange(_MAX_CORNERS), (first_inside + count)[:, None])
    result = np.take_along_axis(stones, place % corners[:, None], 1)
    first_outside = np.where(last_inside == last, 0, last_inside + 1)
    exit_ = _intersection(stones, excess, each, last_inside, first_outside)
    result[each, np.minimum(count, _MAX_CORNERS - 1)] = exit_
    entry = _intersection(stones, excess, each, last_outside, first_inside)
    np.copyto(result, entry[:, None], where=np.arange(_MAX_CORNERS) > count[:, None])
    return result, np.minimum(count + 2, _MAX_CORNERS)


def _intersection(stones: StoneCorners, excess: Floats, each: Counts, start: Counts, end: Counts) -> StoneCorners:
    """Where the side of each stone between two of its corners crosses the line."""
    first, second = excess[each, start], excess[each, end]
    corner = stones[each, start]
    crossing: StoneCorners = corner + first / (first - second) * (stones[each, end] - corner)
    return crossing


def _compact(stones: StoneCorners, corners: Counts) -> tuple[Floats, Counts]:
    """All corners in one array without repeated ones, and how many each stone has."""
    place, points, counts = np.arange(_MAX_CORNERS), [np.zeros(0, np.complex128)], [np.zeros(0, np.int64)]
    for piece in pieces(len(stones), _PIECE_STONES):
        own, last = stones[piece], corners[piece, None]
        before = np.take_along_axis(own, np.where(place == 0, last - 1, place - 1), 1)
        distinct = (np.abs(own - before) > 1e-6) & (place < last)
        distinct &= distinct.sum(axis=1, keepdims=True) >= 3
        points.append(own[distinct])
        counts.append(distinct.sum(axis=1))
    joined = np.concatenate(points)
    return np.stack([joined.real, joined.imag], 1), np.concatenate(counts)
