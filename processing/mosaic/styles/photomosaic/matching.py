"""Matching: which tile each cell of a photomosaic shows, as an assignment problem with limits on reuse."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...progress import Progress, pieces
from ...scaled import Picture
from ...style import RenderContext
from ...tiles.features import GRID, Features, mirrored_features, thumbnail_features
from .exchange import exchange_tiles, use_every_tile

Assignment = NDArray[np.int32]  # (rows, columns), index of a tile

SAMPLES = 2 * GRID
"""Pixels across a cell from which its thumbnail is averaged in linear light."""

_MEANS = [0, GRID * GRID, GRID * GRID + 4]  # where a vector holds the means of lightness and of both colour axes
_DIFFUSION = np.array([0.4, 0.7, 0.7], np.float32)  # of each mean's error: structure suffers from more of lightness
_MAX_DIFFUSED = 0.03 * GRID  # of a mean: more turns what the pool cannot show into noise
_BESIDE, _DIAGONAL = 0.47, 0.22  # of a cell that is seen blurred by half a cell, what comes from each neighbour
_NEVER = np.float32(1e9)
_SCORES = 1 << 20  # scores computed at a time
_PIECE_CELLS = 1 << 13  # converted at a time, in double precision
# Of one matrix product: above 2 ** 18 multiplications OpenBLAS starts threads, which here only wait.
_PRODUCT_ROWS, _PRODUCT_COLUMNS = 32, 340


def cell_features(context: RenderContext[Any], cell: tuple[int, int], progress: Progress) -> Features:
    """(rows, columns, GRID * GRID, 3) OKLab thumbnails of cells, from the top left. cell: result pixels.

    Cells that the right or bottom edge cuts are padded with the edge's pixels.
    """
    columns, rows = (-(-length // side) for length, side in zip(context.size, cell, strict=True))
    small = _sample(context, cell)
    features = np.empty((rows, columns, GRID * GRID, 3), np.float32)
    for top, bottom in progress.bands(columns * SAMPLES, rows * SAMPLES, step=SAMPLES):
        band = np.asarray(small.crop((0, top, small.width, min(bottom, small.height))))
        band = band[:, : columns * SAMPLES]
        missing_rows, missing_columns = bottom - top - band.shape[0], columns * SAMPLES - band.shape[1]
        band = np.pad(band, ((0, missing_rows), (0, missing_columns), (0, 0)), mode="edge")
        squares = band.reshape(-1, SAMPLES, columns, SAMPLES, 3).transpose(0, 2, 1, 3, 4)
        thumbnails = thumbnail_features(squares.reshape(-1, SAMPLES, SAMPLES, 3))
        features[top // SAMPLES : bottom // SAMPLES] = thumbnails.reshape(-1, columns, GRID * GRID, 3)
    return features


def _sample(context: RenderContext[Any], cell: tuple[int, int]) -> Picture:
    """The picture at SAMPLES pixels a cell, by Pillow; exact means where a sample is a whole number of pixels."""
    image = context.image
    if cell[0] == cell[1] and cell[0] % (SAMPLES * context.reduction) == 0:
        factor = cell[0] // (SAMPLES * context.reduction)
        return image if factor == 1 else image.reduce(factor)
    width, height = (max(1, round(length * SAMPLES / side)) for length, side in zip(context.size, cell, strict=True))
    return image.resize((width, height), Image.Resampling.BOX)


@dataclass(frozen=True, slots=True)
class ReuseLimits:
    """min_distance: of two cells with the same tile, in rows or columns. max_uses: of one tile."""

    min_distance: int
    max_uses: int


def feasible_limits(min_distance: int, max_uses: int | None, *, tiles: int, cells: int) -> ReuseLimits:
    """The strictest limits, up to the given ones, that a pool of that size can always meet.

    A cell needs a tile that none of its (2 * min_distance - 1)^2 - 1 neighbours shows and that is not used up. The
    neighbours get at most half of the pool, so that the other half can be chosen from by similarity.
    """
    while min_distance > 1 and (2 * min_distance - 1) ** 2 > max(1, tiles // 2):
        min_distance -= 1
    spare = tiles - (2 * min_distance - 1) ** 2  # tiles that may be used up while every cell still has one
    least_uses = (cells - 1) // (spare + 1) + 1
    return ReuseLimits(min_distance, max(cells if max_uses is None else max_uses, least_uses))


def assign_tiles(
    cells: Features,
    tiles: Features,
    limits: ReuseLimits,
    seed: int,
    progress: Progress,
    *,
    every: bool = False,
    mirror: bool = False,
) -> tuple[Assignment, NDArray[np.bool_]]:
    """The tile that each cell shows: the nearest thumbnail in OKLab that the limits allow; and whether it is mirrored.

    cells: (rows, columns, GRID * GRID, 3); tiles: (n, GRID * GRID, 3). limits: as `feasible_limits` returns them.
    Cells that are `min_distance`, at least 2, rows or columns apart do not affect each other: they form groups that are
    assigned at once, one group after another in a seeded order. If more cells of a group want a tile than it has uses
    left, the nearest cells get it. Neighbours make up for a part of the errors of the means, as in error diffusion, so
    that the colours are right when seen from a distance. Where tiles are used up, or had to be used, pairs of cells
    swap theirs afterwards.
    every: no tile stays unused; there must not be more tiles than cells. mirror: tiles may be mirrored.
    """
    rows, columns = cells.shape[:2]
    vectors, done = _dct_features(cells).reshape(rows * columns, -1), 0
    variants = [_dct_features(each) for each in ([tiles, mirrored_features(tiles)] if mirror else [tiles])]
    search, searching = _Search(vectors, variants, (rows, columns), limits), progress.sub(0.0, 0.5)
    for group in _independent_groups(rows, columns, max(2, limits.min_distance), seed):
        for piece in pieces(len(group), search.piece):
            search.place(group[piece])
            done += piece.stop - piece.start
            searching(done / (rows * columns))
    assignment = search.assignment()
    if every:
        use_every_tile(assignment, vectors, variants, progress.sub(0.5, 0.6))
    if every or np.bincount(assignment.ravel()).max() == limits.max_uses:
        exchange_tiles(assignment, vectors, variants, limits.min_distance, seed, progress.sub(0.6, 1.0))
    return assignment, _is_mirrored(assignment, vectors, variants)


def _is_mirrored(
    assignment: Assignment, cells: NDArray[np.float32], variants: list[NDArray[np.float32]]
) -> NDArray[np.bool_]:
    """(rows, columns): whether the mirrored tile is nearer to its cell."""
    nearer = np.zeros(assignment.size, bool)
    if len(variants) == 2:
        flat = assignment.ravel()
        for piece in pieces(flat.size, _PIECE_CELLS):
            costs = [((cells[piece] - each[flat[piece]]) ** 2).sum(axis=1) for each in variants]
            nearer[piece] = costs[1] < costs[0]
    return nearer.reshape(assignment.shape)


class _Search:
    """The state of one matching."""

    def __init__(
        self,
        cells: NDArray[np.float32],
        variants: list[NDArray[np.float32]],
        size: tuple[int, int],
        limits: ReuseLimits,
    ) -> None:
        self._cells, self._columns = cells, size[1]
        self._reach = limits.min_distance - 1
        tiles = variants[0]
        self._means, self._errors = tiles[:, _MEANS], np.zeros((size[0] + 2, size[1] + 2, len(_MEANS)), np.float32)
        self._uses_left = np.full(len(tiles), limits.max_uses)
        # The last column stands for "no tile" and is never chosen: neighbours without a tile yet point at it.
        more = _PRODUCT_COLUMNS - len(tiles) % _PRODUCT_COLUMNS
        self._weights = [_column_blocks(np.pad(-2.0 * each.T, ((0, 0), (0, more)))) for each in variants]
        self._constant = np.pad((tiles**2).sum(axis=1), (0, more), constant_values=_NEVER)  # equal for mirrored ones
        self._assignment = np.full((size[0] + 2 * self._reach, size[1] + 2 * self._reach), -1, np.int32)
        self.piece = max(1, _SCORES // len(self._constant) // _PRODUCT_ROWS) * _PRODUCT_ROWS

    def place(self, group: NDArray[np.int64]) -> None:
        """Assign a tile to each of these cells, none of which is near another."""
        ys, xs = np.divmod(group, self._columns)
        scores = self._scores(group, ys, xs)
        waiting = np.arange(len(group))
        while len(waiting):
            best = scores[waiting].argmin(axis=1) if len(waiting) < len(group) else scores.argmin(axis=1)
            accepted = self._accepted(best, scores[waiting, best])
            chosen, (y, x) = best[accepted], (ys[waiting[accepted]], xs[waiting[accepted]])
            self._assignment[y + self._reach, x + self._reach] = chosen
            self._errors[y + 1, x + 1] = self._means[chosen] - self._cells[group[waiting[accepted]]][:, _MEANS]
            np.subtract.at(self._uses_left, chosen, 1)
            used_up = np.flatnonzero(self._uses_left == 0)
            self._constant[used_up] = _NEVER
            waiting = waiting[~accepted]
            if len(waiting):
                scores[:, used_up] = _NEVER

    def assignment(self) -> Assignment:
        rows, columns = self._assignment.shape
        return self._assignment[self._reach : rows - self._reach, self._reach : columns - self._reach].copy()

    def _scores(self, group: NDArray[np.int64], ys: NDArray[np.int64], xs: NDArray[np.int64]) -> NDArray[np.float32]:
        """(cells, more than tiles): squared distance less a constant; _NEVER for tiles of neighbours and for none."""
        targets = self._targets(group, ys, xs)
        scores = _product(targets, self._weights[0])
        for weights in self._weights[1:]:
            np.minimum(scores, _product(targets, weights), out=scores)
        scores += self._constant
        if self._reach:
            around = np.arange(2 * self._reach + 1)
            near = self._assignment[ys[:, None, None] + around[:, None], xs[:, None, None] + around]
            scores[np.arange(len(group))[:, None], near.reshape(len(group), -1)] = _NEVER
        return scores

    def _targets(self, group: NDArray[np.int64], ys: NDArray[np.int64], xs: NDArray[np.int64]) -> NDArray[np.float32]:
        """(cells, d): what the cells should show, so that the means of their neighbours' errors cancel out."""
        blurred = np.zeros((len(group), len(_MEANS)), np.float32)
        for y, x in product((-1, 0, 1), repeat=2):
            if y or x:
                blurred += (_DIAGONAL if y and x else _BESIDE) * self._errors[ys + 1 + y, xs + 1 + x]
        targets = self._cells[group]
        targets[:, _MEANS] -= np.clip(_DIFFUSION * blurred, -_MAX_DIFFUSED, _MAX_DIFFUSED)
        return targets

    def _accepted(self, best: NDArray[np.intp], cost: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which cells get their best tile: for each tile the nearest cells, as many as it has uses left."""
        order = np.lexsort((cost, best))
        wanted = best[order]
        starts = np.flatnonzero(np.diff(wanted, prepend=-1))
        rank = np.arange(len(wanted)) - np.repeat(starts, np.diff(starts, append=len(wanted)))
        accepted = np.empty(len(best), bool)
        accepted[order] = rank < self._uses_left[wanted]
        return accepted


def _column_blocks(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """(rows, n * _PRODUCT_COLUMNS) -> (n, rows, _PRODUCT_COLUMNS)."""
    return np.ascontiguousarray(matrix.reshape(len(matrix), -1, _PRODUCT_COLUMNS).transpose(1, 0, 2))


def _product(left: NDArray[np.float32], blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    """left times the matrix of these column blocks, as small products that fit into the processor's cache and that
    NumPy computes without the interpreter lock."""
    padded = np.pad(left, ((0, -len(left) % _PRODUCT_ROWS), (0, 0)))
    scores = np.empty((len(padded), len(blocks) * _PRODUCT_COLUMNS), np.float32)
    tiled = scores.reshape(-1, _PRODUCT_ROWS, len(blocks), _PRODUCT_COLUMNS).transpose(0, 2, 1, 3)
    np.matmul(padded.reshape(-1, 1, _PRODUCT_ROWS, left.shape[1]), blocks, out=tiled)
    return scores[: len(left)]


def _dct_features(thumbnails: Features) -> NDArray[np.float32]:
    """(..., GRID * GRID, 3) -> (..., 24): vectors whose distances are the perceived distances of the thumbnails.

    A cosine transform: all waves of lightness, but only the 2 x 2 coarsest waves of the two colour axes, as the eye
    resolves colour coarsely.
    """
    waves = np.arange(GRID)
    basis = np.cos(np.pi * (2 * waves + 1) * waves[:, None] / (2 * GRID)) * np.sqrt(2 / GRID)
    basis[0] /= np.sqrt(2)
    basis_2d = np.einsum("ui,vj->uvij", basis, basis).reshape(GRID, GRID, GRID * GRID)
    fine, coarse = basis_2d.reshape(-1, GRID * GRID).T, basis_2d[:2, :2].reshape(4, GRID * GRID).T
    flat = thumbnails.reshape(-1, *thumbnails.shape[-2:])
    features = np.empty((len(flat), GRID * GRID + 8), np.float32)
    for piece in pieces(len(flat), _PIECE_CELLS):
        lab = flat[piece]
        parts = [lab[..., 0] @ fine, lab[..., 1] @ coarse, lab[..., 2] @ coarse]
        np.concatenate(parts, axis=-1, out=features[piece])
    return features.reshape(*thumbnails.shape[:-2], -1)


def _independent_groups(rows: int, columns: int, min_distance: int, seed: int) -> list[NDArray[np.int64]]:
    """The cells in groups, within each of which any two are at least `min_distance` rows or columns apart."""
    cells = np.arange(rows * columns).reshape(rows, columns)
    groups = [cells[y::min_distance, x::min_distance].ravel() for y in range(min_distance) for x in range(min_distance)]
    order = np.random.default_rng(seed).permutation(len(groups))
    return [groups[index] for index in order if groups[index].size]
