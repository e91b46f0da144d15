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
Stones = NDArray[np.complex128]  # (n, _MAX_CORNERS): corners of convex stones, x + iy, the last one repeated

_MAX_CORNERS = 12  # no stone gets more sides
_AS_COMPLEX = np.array([1.0, 1.0j])
_POWER = 4.0  # of the norm in which neighbours are compared: near to a square's
_PIECE_STONES = 1 << 12


@dataclass(frozen=True, slots=True)
class HalfPlanes:
    """Half planes that stones must stay in. owner: (n,) the stone. normal: (n,) unit vectors outwards. limit: (n,) of
    the dot product with that normal."""

    owner: Counts
    normal: Vectors
    limit: Floats

    def joined(self, other: HalfPlanes) -> HalfPlanes:
        return HalfPlanes(
            np.concatenate([self.owner, other.owner]),
            np.concatenate([self.normal, other.normal]),
            np.concatenate([self.limit, other.limit]),
        )


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
    places, axes = centres @ _AS_COMPLEX, np.exp(1j * angles)
    stones, corners = _oriented_squares(places, axes, halves), np.full(len(centres), 4)
    half_planes = _half_planes(places, angles, np.linalg.norm(halves, axis=1), weights)
    if limits is not None:
        half_planes = half_planes.joined(limits)
    progress(0.3)
    lines = _cutting_lines(half_planes, places, axes, halves)
    done, count = 0, len(lines[0])
    for owner, normals, bounds in _by_rank(*lines):
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


def _oriented_squares(places: Vectors, axes: Vectors, halves: Floats) -> Stones:
    """The stones before clipping."""
    along, across = axes * halves[:, 0], axes * halves[:, 1] * 1j
    corners = np.stack([along + across, across - along, -along - across, along - across], 1) + places[:, None]
    return np.concatenate([corners, corners[:, 3:].repeat(_MAX_CORNERS - 4, 1)], axis=1)


def _half_planes(places: Vectors, angles: Floats, radii: Floats, weights: Floats | None) -> HalfPlanes:
    """Half planes that stones must stay in, two for each pair whose circles meet."""
    reach = 2 * float(radii.max(initial=0))
    pairs = kd_tree(np.stack([places.real, places.imag], 1)).query_pairs(reach, output_type="ndarray")
    near = np.abs(places[pairs[:, 0]] - places[pairs[:, 1]]) < radii[pairs].sum(axis=1)
    pairs = pairs[near]
    normal = _separating_normals(places, angles, pairs)
    share = 0.5 if weights is None else weights[pairs[:, 0]] / weights[pairs].sum(axis=1)
    limit = _dot(places[pairs[:, 0]] * (1 - share) + places[pairs[:, 1]] * share, normal)
    return HalfPlanes(pairs.T.ravel(), np.concatenate([normal, -normal]), np.concatenate([limit, -limit]))


def _cutting_lines(
    planes: HalfPlanes, places: Vectors, axes: Vectors, halves: Floats
) -> tuple[Counts, Vectors, Floats]:
    """The half planes whose line cuts their stone's square, sorted by stone, the nearest to its centre first."""
    owner, normals, limits = planes.owner, planes.normal, planes.limit
    distance = limits - _dot(places[owner], normals)
    turned = normals * axes[owner].conj()
    cuts = distance < halves[owner, 0] * np.abs(turned.real) + halves[owner, 1] * np.abs(turned.imag)
    owner, normals, limits = owner[cuts], normals[cuts], limits[cuts]
    order = np.lexsort((distance[cuts], owner))
    return owner[order], normals[order], limits[order]


def _by_rank(owner: Counts, normals: Vectors, limits: Floats) -> Iterator[tuple[Counts, Vectors, Floats]]:
    """The first line of every stone, then the second line of the stones that have one, and so on."""
    rank = np.arange(len(owner)) - np.searchsorted(owner, owner)
    order = np.argsort(rank, kind="stable")
    for nth in np.split(order, np.cumsum(np.bincount(rank))[:-1]):
        yield owner[nth], normals[nth], limits[nth]


def _dot(vectors: Vectors, directions: Vectors) -> Floats:
    product: Floats = vectors.real * directions.real + vectors.imag * directions.imag
    return product


def _separating_normals(places: Vectors, angles: Floats, pairs: Counts) -> Vectors:
    """For each pair the unit normal of its separating line, from the first to the second."""
    first, second = pairs.T
    fourth_power = np.exp(4j * angles).astype(np.complex64)  # single precision is enough: both stones use the result
    frame = np.exp(np.complex64(0.25j) * np.angle(fourth_power[first] + fourth_power[second]))
    offset = (places[second] - places[first]).astype(np.complex64) * frame.conj()
    bent = (
        np.sign(offset.real) * np.abs(offset.real) ** _POWER + 1j * np.sign(offset.imag) * np.abs(offset.imag) ** _POWER
    )
    normal = bent / np.maximum(np.abs(bent), 1e-12) * frame
    return np.asarray(normal, np.complex128)


def _clip(stones: Stones, corners: Counts, excess: Floats) -> tuple[Stones, Counts]:
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


def _intersection(stones: Stones, excess: Floats, each: Counts, start: Counts, end: Counts) -> Stones:
    """Where the side of each stone between two of its corners crosses the line."""
    first, second = excess[each, start], excess[each, end]
    corner = stones[each, start]
    crossing: Stones = corner + first / (first - second) * (stones[each, end] - corner)
    return crossing


def _compact(stones: Stones, corners: Counts) -> tuple[Floats, Counts]:
    """All corners in one array without repeated ones, and how many each stone has."""
    place = np.arange(_MAX_CORNERS)
    before = np.take_along_axis(stones, np.where(place == 0, corners[:, None] - 1, place - 1), 1)
    distinct = (np.abs(stones - before) > 1e-6) & (place < corners[:, None])
    distinct &= distinct.sum(axis=1, keepdims=True) >= 3
    points = stones[distinct]
    return np.stack([points.real, points.imag], 1), distinct.sum(axis=1)
