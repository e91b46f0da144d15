"""Matching: which tile each cell of a photomosaic shows, as an assignment problem with limits on reuse."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...progress import Progress, pieces
from ...tiles.features import GRID, Features
from .exchange import exchange_tiles, nearest_views, use_every_tile
from .places import Places
from .products import PRODUCT_ROWS, LeastProducts
from .vectors import (
    EQUAL,
    MEANS,
    FieldWeights,
    Vectors,
    cell_vectors,
    cell_weights,
    means_of_cells,
    means_of_views,
    view_vectors,
)

Assignment = NDArray[np.int32]  # (n,), index of a picture

_DIFFUSION = np.array([0.4, 0.7, 0.7], np.float32)  # of each mean's error: structure suffers from more of lightness
_MAX_DIFFUSED = 0.03 * GRID  # of a mean: more turns what the pool cannot show into noise
_BESIDE, _DIAGONAL = 0.47, 0.22  # of a cell that is seen blurred by half a cell, what comes from each neighbour
_BETWEEN_PARTS = 1.5  # the same from the other parts of a place together, of the mean of all its parts
_NEVER = np.float32(1e9)
_SCORES = 1 << 20  # scores computed at a time
MAX_SCORES = 80_000_000  # computed of one mosaic: with large pools, fewer crops of each picture are searched


class Matching(NamedTuple):
    """What each cell shows: the index of a picture, which of its crops, and whether mirrored; (n,) each."""

    pictures: Assignment
    crops: NDArray[np.int32]
    mirrored: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ReuseLimits:
    """min_distance: of two cells with the same tile, in rows or columns. max_uses: of one tile."""

    min_distance: int
    max_uses: int


def feasible_limits(min_distance: int, max_uses: int | None, *, tiles: int, cells: int, parts: int = 1) -> ReuseLimits:
    """The strictest limits, up to the given ones, that a pool of that size can always meet.

    A cell needs a tile that none of its (2 * min_distance - 1)^2 - 1 neighbours shows and that is not used up. The
    neighbours get at most half of the pool, so that the other half can be chosen from by similarity.
    parts: the cells that a place of the grid may have, each of which is a neighbour.
    """
    while min_distance > 1 and parts * (2 * min_distance - 1) ** 2 > max(1, tiles // 2):
        min_distance -= 1
    neighbours = 1 if min_distance == 1 else parts * (2 * min_distance - 1) ** 2
    spare = tiles - neighbours  # tiles that may be used up while every cell still has one
    least_uses = (cells - 1) // (spare + 1) + 1
    return ReuseLimits(min_distance, max(cells if max_uses is None else max_uses, least_uses))


def assign_tiles(
    cells: Features,
    places: Places,
    tiles: Features,
    limits: ReuseLimits,
    seed: int,
    progress: Progress,
    *,
    every: bool = False,
    mirror: bool = False,
    field_weights: FieldWeights = EQUAL,
) -> Matching:
    """The picture that each cell shows, and how: the nearest thumbnail in OKLab that the limits allow.

    cells: (n, GRID * GRID, 3), at `places`; tiles: (m, crops, GRID * GRID, 3). limits: of `feasible_limits`.
    Cells that are `min_distance`, at least 2, rows or columns apart do not affect each other: they form groups that are
    assigned at once, one group after another in a seeded order. If more cells of a group want a tile than it has uses
    left, those with most detail get it. Neighbours make up for a part of the errors of the means, as in error
    diffusion, so that the colours are right when seen from a distance. Where tiles are used up, or had to be used,
    pairs of cells swap theirs afterwards.
    every: no tile stays unused; there must not be more tiles than cells. mirror: tiles may be mirrored.
    """
    vectors, done = cell_vectors(cells, field_weights), 0
    views = view_vectors(tiles, mirror=mirror, field_weights=field_weights)
    limited = every or limits.max_uses < len(cells)
    weights = cell_weights(cells, places) if limited else np.ones(len(vectors), np.float32)
    per_crop = 1 + mirror
    searched = max(1, MAX_SCORES // (len(vectors) * len(tiles) * per_crop)) * per_crop
    products = LeastProducts(views[:searched], 1, mirror=mirror)
    search, searching = _Search(vectors, weights, views, products, places, limits), progress.sub(0.0, 0.5)
    for group in places.independent_groups(max(2, limits.min_distance), seed):
        for piece in pieces(len(group), search.piece):
            search.place(group[piece])
            done += piece.stop - piece.start
            searching(done / len(cells))
    assignment, nearest = search.assignment(), search.views
    if every:
        use_every_tile(assignment, vectors, weights, views, progress.sub(0.5, 0.6))
    if every or np.bincount(assignment).max() == limits.max_uses:
        exchanging = progress.sub(0.6, 1.0)
        distance = limits.min_distance
        exchange_tiles(assignment, places, vectors, weights, views, distance, seed, exchanging, mirror=mirror)
        nearest = nearest_views(vectors, views, assignment)
    return Matching(assignment, nearest // per_crop, nearest % per_crop == 1)


class _Search:
    """The state of one matching. products: with the views by which pictures are chosen; they then show the best of all.
    Their column after those of the tiles stands for "no tile": neighbours without a tile yet point at the last one."""

    def __init__(
        self,
        cells: Vectors,
        weights: NDArray[np.float32],
        views: list[Vectors],
        products: LeastProducts,
        places: Places,
        limits: ReuseLimits,
    ) -> None:
        self._cells, self._weights, self._all_views, self._places = cells, weights, views, places
        self._reach, tiles, (rows, columns, parts) = limits.min_distance - 1, len(views[0]), places.size
        self.views, self._shares = np.zeros(len(cells), np.int32), places.shares[:, None]
        self._errors = np.zeros((rows + 2, columns + 2, len(MEANS)), np.float32)
        self._uses_left = np.full(tiles, limits.max_uses)
        self._products = products
        self._assignment = np.full((rows + 2 * self._reach, columns + 2 * self._reach, parts), -1, np.int32)
        self.piece = max(1, _SCORES // products.columns // PRODUCT_ROWS) * PRODUCT_ROWS

    def place(self, group: NDArray[np.int64]) -> None:
        """Assign a tile to each of these cells, none of which is near another."""
        ys, xs = self._places.row[group], self._places.column[group]
        targets = self._targets(group, ys, xs)
        scores = self._scores(targets, ys, xs)
        waiting = np.arange(len(group))
        while len(waiting):
            best = scores[waiting].argmin(axis=1) if len(waiting) < len(group) else scores.argmin(axis=1)
            accepted = self._accepted(best, group[waiting])
            placed, chosen = waiting[accepted], best[accepted]
            y, x, cells = ys[placed], xs[placed], group[placed]
            self._assignment[y + self._reach, x + self._reach, self._places.part[cells]] = chosen
            nearest = nearest_views(targets[placed], self._all_views, chosen)
            self.views[cells] = nearest
            means = np.select(
                [(nearest == number)[:, None] for number in range(len(self._all_views))],
                [means_of_views(view[chosen]) for view in self._all_views],
            )
            self._errors[y + 1, x + 1] += (means - means_of_cells(self._cells[cells])) * self._shares[cells]
            np.subtract.at(self._uses_left, chosen, 1)
            used_up = np.flatnonzero(self._uses_left == 0)
            self._products.forbid(used_up)
            waiting = waiting[~accepted]
            if len(waiting):
                scores[:, used_up] = _NEVER

    def assignment(self) -> Assignment:
        places, reach = self._places, self._reach
        assignment: Assignment = self._assignment[places.row + reach, places.column + reach, places.part]
        return assignment

    def _scores(self, targets: Vectors, ys: NDArray[np.int64], xs: NDArray[np.int64]) -> NDArray[np.float32]:
        """(cells, more than tiles): squared distance less a constant; _NEVER for tiles of neighbours and for none."""
        scores = self._products(targets)
        if self._reach:
            around = np.arange(2 * self._reach + 1)
            near = self._assignment[ys[:, None, None] + around[:, None], xs[:, None, None] + around]
            scores[np.arange(len(ys))[:, None], near.reshape(len(ys), -1)] = _NEVER
        return scores

    def _targets(self, group: NDArray[np.int64], ys: NDArray[np.int64], xs: NDArray[np.int64]) -> Vectors:
        """(cells, d): what the cells should show, so that the means of their neighbours' errors cancel out."""
        blurred = _BETWEEN_PARTS * self._errors[ys + 1, xs + 1]  # of the parts beside it
        for y, x in product((-1, 0, 1), repeat=2):
            if y or x:
                blurred += (_DIAGONAL if y and x else _BESIDE) * self._errors[ys + 1 + y, xs + 1 + x]
        targets = self._cells[group]
        targets[:, MEANS] -= np.clip(_DIFFUSION * blurred, -_MAX_DIFFUSED, _MAX_DIFFUSED)
        return targets

    def _accepted(self, best: NDArray[np.intp], cells: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which cells get their best tile: for each tile those with most detail, as many as it has uses left."""
        order = np.lexsort((-self._weights[cells], best))
        wanted = best[order]
        starts = np.flatnonzero(np.diff(wanted, prepend=-1))
        rank = np.arange(len(wanted)) - np.repeat(starts, np.diff(starts, append=len(wanted)))
        accepted = np.empty(len(best), bool)
        accepted[order] = rank < self._uses_left[wanted]
        return accepted
