"""Matching: which tile each cell of a photomosaic shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...progress import Stage
from .tile_pool import GRID, Grids

Shown = NDArray[np.int32]  # (rows, columns), index of a tile

_MEAN_WEIGHT = 2.0  # how much more than its share the mean counts: from afar it is all that is seen
_NEVER = np.float32(1e9)
_SCORES = 1 << 19  # scores computed at a time
_PIECE = 1 << 13  # grids looked at together, in double precision
_PRODUCT = 1 << 18  # multiplications of one matrix product: above, OpenBLAS starts threads, which here only wait


@dataclass(frozen=True, slots=True)
class Rules:
    """apart: two cells with the same tile are at least so many columns or rows apart. most: uses of one tile."""

    apart: int
    most: int


def possible(apart: int, most: int | None, *, tiles: int, cells: int) -> Rules:
    """The strictest rules up to the wanted ones that a pool of that size can always keep.

    A cell must find a tile that none of its (2 * apart - 1)^2 - 1 neighbours shows and that is not used up; the
    neighbours get at most half of the pool, so that the other half can be chosen from by looks.
    """
    while apart > 1 and (2 * apart - 1) ** 2 > max(1, tiles // 2):
        apart -= 1
    free = tiles - (2 * apart - 1) ** 2  # used-up tiles that a cell can do without
    least = (cells - 1) // (free + 1) + 1
    return Rules(apart, max(cells if most is None else most, least))


def match(cells: Grids, tiles: Grids, rules: Rules, seed: int, stage: Stage) -> Shown:
    """The tile that each cell shows: the nearest in OKLab over all fields of the grid, as far as the rules allow.

    cells: (rows, columns, fields, 3); tiles: (n, fields, 3). rules: as `possible` returns them. Cells that are
    `apart` rows or columns from each other cannot disturb one another: they choose at the same time, and these
    groups take turns in a seeded order. Where more cells of a group want a tile than it has uses left, the
    nearest get it.
    """
    rows, columns = cells.shape[:2]
    search = _Search(_features(cells).reshape(rows * columns, -1), _features(tiles), (rows, columns), rules)
    done = 0
    for group in _groups(rows, columns, rules.apart, seed):
        for first in range(0, len(group), search.piece):
            piece = group[first : first + search.piece]
            search.place(piece)
            done += len(piece)
            stage(done / (rows * columns))
    return search.shown()


class _Search:
    """The state of one matching."""

    def __init__(self, cells: NDArray[np.float32], tiles: NDArray[np.float32], size: tuple[int, int], rules: Rules):
        self._cells, self._columns = cells, size[1]
        self._reach = rules.apart - 1
        self._left = np.full(len(tiles), rules.most)
        # One more column, "no tile", which is never chosen: neighbours that are still empty point at it.
        self._weights = np.zeros((cells.shape[1] + 1, len(tiles) + 1), np.float32)
        self._weights[:-1, :-1] = -2.0 * tiles.T
        self._weights[-1, :-1] = (tiles**2).sum(axis=1)
        self._weights[-1, -1] = _NEVER
        self._shown = np.full((size[0] + 2 * self._reach, size[1] + 2 * self._reach), -1, np.int32)
        self.piece = max(1, _SCORES // (len(tiles) + 1))

    def place(self, group: NDArray[np.int64]) -> None:
        """Choose for cells none of which is near another."""
        ys, xs = np.divmod(group, self._columns)
        scores = self._scores(group, ys, xs)
        waiting = np.arange(len(group))
        while len(waiting):
            best = scores[waiting].argmin(axis=1) if len(waiting) < len(group) else scores.argmin(axis=1)
            served = self._served(best, scores[waiting, best])
            chosen = best[served]
            self._shown[ys[waiting[served]] + self._reach, xs[waiting[served]] + self._reach] = chosen
            np.subtract.at(self._left, chosen, 1)
            used_up = np.flatnonzero(self._left == 0)
            self._weights[-1, used_up] = _NEVER
            waiting = waiting[~served]
            if len(waiting):
                scores[:, used_up] = _NEVER

    def shown(self) -> Shown:
        rows, columns = self._shown.shape
        return self._shown[self._reach : rows - self._reach, self._reach : columns - self._reach].copy()

    def _scores(self, group: NDArray[np.int64], ys: NDArray[np.int64], xs: NDArray[np.int64]) -> NDArray[np.float32]:
        """Squared distance of each cell to each tile, less a constant; neighbours' tiles never come first."""
        scores = _product(self._cells[group], self._weights[:-1])
        scores += self._weights[-1]
        if self._reach:
            around = np.arange(2 * self._reach + 1)
            near = self._shown[ys[:, None, None] + around[:, None], xs[:, None, None] + around]
            scores[np.arange(len(group))[:, None], near.reshape(len(group), -1)] = _NEVER
        return scores

    def _served(self, best: NDArray[np.intp], cost: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Who gets the tile they want: for each tile the nearest, as many as it has uses left."""
        order = np.lexsort((cost, best))
        wanted = best[order]
        firsts = np.flatnonzero(np.diff(wanted, prepend=-1))
        rank = np.arange(len(wanted)) - np.repeat(firsts, np.diff(firsts, append=len(wanted)))
        served = np.empty(len(best), bool)
        served[order] = rank < self._left[wanted]
        return served


def _product(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """left @ right, as a stack of small products, and without the interpreter lock."""
    height = max(2, min(8, _PRODUCT // right.size))
    stacked = np.zeros((-(-len(left) // height), height, left.shape[1]), np.float32)
    stacked.reshape(-1, left.shape[1])[: len(left)] = left
    product: NDArray[np.float32] = (stacked @ right).reshape(-1, right.shape[1])[: len(left)]
    return product


def _features(grids: Grids) -> NDArray[np.float32]:
    """(..., fields, 3) -> (..., 24): distances between these are those that are seen between the grids.

    A cosine transform of the fields: lightness whole, the two colour axes in their 2 x 2 coarsest waves, for the
    eye sees colour coarsely; of each axis the mean first, weighted.
    """
    waves = np.arange(GRID)
    basis = np.cos(np.pi * (2 * waves + 1) * waves[:, None] / (2 * GRID)) * np.sqrt(2 / GRID)
    basis[0] /= np.sqrt(2)
    both = np.einsum("ui,vj->uvij", basis, basis).reshape(GRID, GRID, GRID * GRID)
    both[0, 0] *= np.sqrt(_MEAN_WEIGHT)
    whole, coarse = both.reshape(-1, GRID * GRID).T, both[:2, :2].reshape(4, GRID * GRID).T
    flat = grids.reshape(-1, *grids.shape[-2:])
    features = np.empty((len(flat), GRID * GRID + 8), np.float32)
    for first in range(0, len(flat), _PIECE):
        some = flat[first : first + _PIECE]
        waves_of = [some[..., 0] @ whole, some[..., 1] @ coarse, some[..., 2] @ coarse]
        np.concatenate(waves_of, axis=-1, out=features[first : first + _PIECE])
    return features.reshape(*grids.shape[:-2], -1)


def _groups(rows: int, columns: int, apart: int, seed: int) -> list[NDArray[np.int64]]:
    """The cells in groups of which any two are at least `apart` rows or columns from each other."""
    cells = np.arange(rows * columns).reshape(rows, columns)
    groups = [cells[y::apart, x::apart].ravel() for y in range(apart) for x in range(apart)]
    order = np.random.default_rng(seed).permutation(len(groups))
    return [groups[index] for index in order if groups[index].size]
