"""Where the corners of the triangles lie.

Weighted Poisson points on the ridges of the structure tensor; then rounds in which corners move down the gradient of
the error, the corners whose loss costs least are removed, and corners are added where the error is largest; last,
diagonals are exchanged while the corners settle.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...colour.srgb import Floats
from ...progress import Progress
from ...scipy_lazy import delaunay
from .error_field import ErrorField
from .mesh import (
    Edges,
    Indices,
    descent,
    edges_of,
    flip,
    mean_colours,
    settle,
    squared_errors,
    squared_lengths,
    triangle_sums,
    triangles_of,
    triangulate,
)

_ROUNDS = 10
_MOVES = 4  # of every corner in a round
_LAST_MOVES = 12
_STEPS = (0.25, 0.08)  # the longest move, of the triangles' pitch, in the first and the last round
_REPLACED = (0.12, 0.02)  # the share of corners that are removed and added, in the first and the last round
_CANDIDATES = 8  # for each point of the start
_LEAST_SAMPLES = 12  # for each triangle
_GRID = 64  # positions are multiples of 1/64 sample, so that rounding on another machine changes nothing
_BARYCENTRIC = np.array([(first + 1 / 3, second + 1 / 3) for first in range(8) for second in range(8 - first)]) / 8


def place_triangles(field: ErrorField, count: int, seed: int, progress: Progress) -> tuple[Floats, Indices]:
    """Corners, (n, 2) in samples, and about `count` triangles, which cover the picture without overlap.

    The corners on the border of the picture only move along it.
    """
    placement = _Placement(field, min(count, max(2, field.width * field.height // _LEAST_SAMPLES)), seed)
    progress(0.05)
    for number in range(_ROUNDS):
        placement.run_round(number / (_ROUNDS - 1), progress.sub(0.05 + 0.7 * number / _ROUNDS, 0.75))
    triangles = placement.settled(progress.sub(0.75, 1.0))
    return placement.points, triangles


class _Placement:
    """points: the corners, which change from step to step. pitch: the side of a square as large as a triangle."""

    def __init__(self, field: ErrorField, count: int, seed: int) -> None:
        self._field, self._rng = field, np.random.default_rng(seed)
        self._size = np.array([field.width, field.height], np.float64)
        self._pitch = float((self._size.prod() / count) ** 0.5)
        border = _border_points(self._size, 2.0 * self._pitch)
        inner = (count + 2 + len(border)) // 2 - len(border) if self._size.min() >= 4 else 0
        self.points = np.vstack([border, _ridge_points(field, max(0, inner), self._rng)])
        field.add_up()
        self._momentum = np.zeros_like(self.points)

    def run_round(self, share: float, progress: Progress) -> None:
        """Move, remove and add corners. share: 0 in the first round, 1 in the last one."""
        triangles = triangulate(self.points)
        edges = edges_of(triangles, len(self.points))
        for number in range(_MOVES):
            sums = triangle_sums(self._field, self.points, triangles, edges)
            self._move(triangles, edges, sums, self._pitch * _between(_STEPS, share))
            progress(number / (_MOVES + 2))
        removed = self._cheapest(round(len(self.points) * _between(_REPLACED, share)), progress)
        keep = np.ones(len(self.points), bool)
        keep[removed] = False
        points, momentum = self.points[keep], self._momentum[keep]
        added = self._worst_places(points, triangulate(points), len(removed))
        self.points, self._momentum = np.vstack([points, added]), np.vstack([momentum, np.zeros_like(added)])

    def settled(self, progress: Progress) -> Indices:
        """The triangles, after exchanging diagonals between the last moves."""
        triangles = triangulate(self.points)
        for number in range(_LAST_MOVES):
            share = number / _LAST_MOVES
            edges = edges_of(triangles, len(self.points))
            sums = triangle_sums(self._field, self.points, triangles, edges)
            if number % 2 == 0:
                triangles = flip(self._field, self.points, triangles, edges, sums)
                edges = edges_of(triangles, len(self.points))
                sums = triangle_sums(self._field, self.points, triangles, edges)
            self._move(triangles, edges, sums, self._pitch * _STEPS[1] * (1 - share) + 0.1)
            progress(share)
        return triangles

    def _move(self, triangles: Indices, edges: Edges, sums: Floats, longest: float) -> None:
        """Move all corners by at most `longest` samples."""
        fixed = self._on_border()
        direction = np.where(fixed, 0.0, descent(self._field, self.points, sums, edges))
        self._momentum = 0.6 * self._momentum + 0.4 * direction
        step = 3 * longest * self._momentum
        step *= np.minimum(1.0, longest / np.maximum(np.linalg.norm(step, axis=1), 1e-9))[:, None]
        inside = np.clip(self.points + step, np.minimum(1, self._size), np.maximum(self._size - 1, 0))
        moved = np.where(fixed, self.points, np.round(inside * _GRID) / _GRID)
        self.points = settle(self.points, moved, triangles)

    def _on_border(self) -> NDArray[np.bool_]:
        """(n, 2): whether a corner is on the border and must not leave it in x, or in y."""
        on_border: NDArray[np.bool_] = (self.points <= 0) | (self.points >= self._size)
        return on_border

    def _cheapest(self, count: int, progress: Progress) -> Indices:
        """At most `count` corners whose loss costs least, of a random set without neighbours.

        The triangles that fill the gap of a lost corner cover exactly the triangles around it, so that one
        triangulation without the set gives the exact cost for each of its corners.
        """
        points = self.points
        mesh = delaunay(points)
        triangles = triangles_of(mesh, points)
        candidate = self._independent(triangles)
        progress(_MOVES / (_MOVES + 2))
        remaining = np.flatnonzero(~candidate)
        filling = remaining[triangulate(points[remaining])]
        new, old = _missing(filling, triangles, len(points)), _missing(triangles, filling, len(points))
        owner = np.where(candidate[triangles[old]], triangles[old], -1).max(axis=1)
        around = mesh.simplices[mesh.find_simplex(points[filling[new]].mean(axis=1))]
        owner_of_new = np.where(candidate[around], around, -1).max(axis=1)
        errors = squared_errors(triangle_sums(self._field, points, triangles[old]))
        new_errors = squared_errors(triangle_sums(self._field, points, filling[new]))
        progress((_MOVES + 1) / (_MOVES + 2))
        cost = np.bincount(owner_of_new + 1, new_errors, len(points) + 1)[1:]
        cost -= np.bincount(owner + 1, errors, len(points) + 1)[1:]
        candidates = np.flatnonzero(candidate)
        return candidates[np.argsort(cost[candidates], kind="stable")[:count]]

    def _independent(self, triangles: Indices) -> NDArray[np.bool_]:
        """(n,): random corners inside the picture, no two of them in one triangle."""
        allowed = np.logical_not(self._on_border().any(axis=1))
        priority = np.where(allowed, self._rng.random(len(allowed)), -1.0)
        best = np.full(len(allowed), -1.0)
        np.maximum.at(best, triangles.ravel(), priority[triangles].max(axis=1).repeat(3))
        return allowed & (priority >= best) & (np.bincount(triangles.ravel(), minlength=len(allowed)) > 0)

    def _worst_places(self, points: Floats, triangles: Indices, count: int) -> Floats:
        """(count, 2): in each of the triangles with the largest error, the place of its strongest edges."""
        sums = triangle_sums(self._field, points, triangles)
        worst = np.argsort(-squared_errors(sums), kind="stable")[:count]
        first, second, third = points[triangles[worst].T]
        along, beside = (second - first)[:, None], (third - first)[:, None]
        places = first[:, None] + along * _BARYCENTRIC[:, :1] + beside * _BARYCENTRIC[:, 1:]
        field, index = self._field, self._field.index_of(places)
        errors = squared_lengths(field.lab.reshape(-1, 3).take(index, axis=0) - mean_colours(sums[worst])[:, None])
        weights = (errors * field.weights.take(index) * (field.strength.take(index) + 0.05)) ** 1.5 + 1e-9
        centres = (places * weights[..., None]).sum(axis=1) / weights.sum(axis=1)[:, None]
        rounded: Floats = np.round(centres * _GRID) / _GRID
        return rounded


def _between(ends: tuple[float, float], share: float) -> float:
    return ends[0] * (1 - share) + ends[1] * share


def _border_points(size: Floats, distance: float) -> Floats:
    """The corners of the picture, and points about `distance` apart on its border."""
    width, height = size.tolist()
    across, down = (np.linspace(0, side, max(1, round(side / distance)) + 1)[1:-1] for side in (width, height))
    across, down = np.round(across * _GRID) / _GRID, np.round(down * _GRID) / _GRID
    parts = [np.array([(0, 0), (width, 0), (0, height), (width, height)], np.float64)]
    parts += [np.stack([across, np.full(len(across), y)], axis=1) for y in (0.0, height)]
    parts += [np.stack([np.full(len(down), x), down], axis=1) for x in (0.0, width)]
    return np.vstack(parts)


def _ridge_points(field: ErrorField, count: int, rng: np.random.Generator) -> Floats:
    """(count, 2): points on ridges of the edge strength, farther apart where it is low (dart throwing)."""
    density: Floats = field.strength / 8
    np.clip(density, 0.0, 1.0, out=density)
    density += 0.02
    density **= 0.8
    cumulative = density.copy()
    cumulative[~field.ridges] *= 0.1
    cumulative = np.cumsum(cumulative, out=cumulative.reshape(-1))
    candidates = np.searchsorted(cumulative, rng.random(_CANDIDATES * count) * cumulative[-1])
    candidates = np.minimum(candidates, density.size - 1)
    radii = np.maximum(2, np.sqrt(density.sum() / max(count, 1) / density.ravel()[candidates]) * 0.62).astype(np.int64)
    taken = np.zeros(density.shape, bool)
    places: list[tuple[float, float]] = []
    rows, columns = np.divmod(candidates, field.width)
    for row, column, radius in zip(rows.tolist(), columns.tolist(), radii.tolist(), strict=True):
        if len(places) == count:
            break
        if not taken[row, column]:
            places.append((column + 0.5, row + 0.5))
            taken[max(0, row - radius) : row + radius + 1, max(0, column - radius) : column + radius + 1] = True
    rest = rng.random((count - len(places), 2)) * (field.width - 2, field.height - 2) + 1
    points = np.vstack([np.array(places).reshape(-1, 2), np.round(rest * _GRID) / _GRID])
    clipped: Floats = np.clip(points, 1, (field.width - 1, field.height - 1))
    return clipped


def _missing(triangles: Indices, others: Indices, point_count: int) -> NDArray[np.bool_]:
    """(m,): whether a triangle is not among the others."""
    keys = []
    for corners in (np.sort(triangles, axis=1), np.sort(others, axis=1)):
        keys.append((corners[:, 0] * point_count + corners[:, 1]) * point_count + corners[:, 2])
    return np.isin(keys[0], keys[1], invert=True)
