"""Exchange: where tiles may be used only so often, the first cells get the best ones; pairs of cells then swap tiles.

Two cells swap where that brings both together nearer to the picture, and as far as the distance of repeats allows. The
result comes to within some percent of the best assignment (Hungarian method, which knows no distance of repeats).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...progress import Progress, pieces
from .places import Places
from .products import PRODUCT_COLUMNS, LeastProducts
from .vectors import Vectors

_MAX_ROUNDS, _ROUND_CELLS = 24, 150_000  # rounds, and cells looked at in all rounds together: about a second
_PIECE_CELLS = 1 << 12  # of which views are compared at a time
_BLOCK = PRODUCT_COLUMNS  # cells of which every pair is compared
_LEAST_GAIN = 1e-5


def exchange_tiles(
    assignment: NDArray[np.int32],
    places: Places,
    cells: Vectors,
    weights: NDArray[np.float32],
    views: list[Vectors],
    min_distance: int,
    seed: int,
    progress: Progress,
    *,
    mirror: bool = False,
) -> None:
    """Swap tiles in place. cells: (n, d), at `places`. weights: (n,), how much each cell's error counts.
    views: what a cell may show of m tiles, (m, d) each. min_distance: of two cells with the same tile. mirror: every
    second view is the one before it mirrored."""
    reach, rng = min_distance - 1, np.random.default_rng(seed)
    rows, columns, parts = places.size
    padded = np.full((rows + 2 * reach, columns + 2 * reach, parts), -1, np.int32)
    ys, xs, part = places.row, places.column, places.part
    padded[ys + reach, xs + reach, part] = assignment
    rounds = min(_MAX_ROUNDS, _ROUND_CELLS // len(cells))
    block_cells = min(_BLOCK, -(-len(cells) // 2))  # of all cells every round would find the same pairs
    for number in range(rounds):
        order = rng.permutation(len(cells))
        for piece in pieces(len(order), block_cells):
            block = order[piece]
            current = padded[ys[block] + reach, xs[block] + reach, part[block]]
            views_of_block = LeastProducts([view[current] for view in views], 0, mirror=mirror)
            for first, second in _gaining_pairs(cells[block], weights[block], views_of_block):
                one, other = ((int(ys[cell]), int(xs[cell]), int(part[cell])) for cell in block[[first, second]])
                _swap(padded, one, other, reach)
            progress((number + piece.stop / len(order)) / rounds)
    assignment[:] = padded[ys + reach, xs + reach, part]


def use_every_tile(
    assignment: NDArray[np.int32],
    cells: Vectors,
    weights: NDArray[np.float32],
    views: list[Vectors],
    progress: Progress,
) -> None:
    """Give every unused tile the cell that loses least, of those whose tile is used elsewhere too. In place."""
    uses = np.bincount(assignment, minlength=len(views[0]))
    current = np.min([np.einsum("nd,nd->n", cells, view[assignment]) for view in views], axis=0) * weights
    unused = np.flatnonzero(uses == 0)
    for number, tile in enumerate(unused.tolist()):
        losses = np.min([cells @ view[tile] for view in views], axis=0) * weights - current
        losses[uses[assignment] == 1] = np.inf
        cell = int(losses.argmin())
        uses[assignment[cell]] -= 1
        uses[tile] = 1
        current[cell] += losses[cell]
        assignment[cell] = tile
        progress((number + 1) / len(unused))


def nearest_views(cells: Vectors, views: list[Vectors], tiles: NDArray[np.integer[Any]]) -> NDArray[np.int32]:
    """(n,): which view of its tile is nearest to each cell. cells: (n, d). tiles: (n,)."""
    nearest = np.empty(len(cells), np.int32)
    for piece in pieces(len(cells), _PIECE_CELLS):
        costs = [np.einsum("nd,nd->n", cells[piece], view[tiles[piece]]) for view in views]
        nearest[piece] = np.argmin(costs, axis=0)
    return nearest


def _gaining_pairs(cells: Vectors, weights: NDArray[np.float32], tiles: LeastProducts) -> list[tuple[int, int]]:
    """The pairs of cells that gain most from swapping, each cell in one pair at most. tiles: of the cells."""
    costs = tiles(cells)[:, : len(cells)] * weights[:, None]
    own = np.diag(costs)
    gains = own[:, None] + own - costs - costs.T
    partners, pairs = gains.argmax(axis=1), []
    best = gains[np.arange(len(cells)), partners]
    free = np.ones(len(cells), bool)
    for first in np.argsort(-best, kind="stable").tolist():
        second = int(partners[first])
        if best[first] < _LEAST_GAIN:
            break
        if free[first] and free[second]:
            free[[first, second]] = False
            pairs.append((first, second))
    return pairs


def _swap(padded: NDArray[np.int32], first: tuple[int, int, int], second: tuple[int, int, int], reach: int) -> None:
    """Swap the tiles of two cells unless one of them would stand near its equal. They are row, column, part."""
    inner = [(y + reach, x + reach, part) for y, x, part in (first, second)]
    around = [padded[y : y + 2 * reach + 1, x : x + 2 * reach + 1] for y, x, _ in (first, second)]
    tiles = padded[inner[0]], padded[inner[1]]
    padded[inner[0]], padded[inner[1]] = -1, -1
    if np.any(around[0] == tiles[1]) or np.any(around[1] == tiles[0]):
        padded[inner[0]], padded[inner[1]] = tiles
    else:
        padded[inner[1]], padded[inner[0]] = tiles
