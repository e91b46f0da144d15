"""Exchange: where tiles may be used only so often, the first cells get the best ones; pairs of cells then swap tiles.

Two cells swap where that brings both together nearer to the picture, and as far as the distance of repeats allows. The
result comes to within some percent of the best assignment (Hungarian method, which knows no distance of repeats).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...progress import Progress, pieces
from .products import PRODUCT_COLUMNS, column_blocks, small_products
from .vectors import Vectors

_MAX_ROUNDS, _ROUND_CELLS = 24, 150_000  # rounds, and cells looked at in all rounds together: about a second
_PIECE_CELLS = 1 << 12  # of which views are compared at a time
_BLOCK = PRODUCT_COLUMNS  # cells of which every pair is compared
_LEAST_GAIN = 1e-5


def exchange_tiles(
    assignment: NDArray[np.int32],
    cells: Vectors,
    weights: NDArray[np.float32],
    views: list[Vectors],
    min_distance: int,
    seed: int,
    progress: Progress,
) -> None:
    """Swap tiles in place. cells: (rows * columns, d). weights: (rows * columns,), how much each cell's error counts.
    views: what a cell may show of n tiles, (n, d) each. min_distance: of two cells with the same tile."""
    reach, rng = min_distance - 1, np.random.default_rng(seed)
    padded = np.pad(assignment, reach, constant_values=-1)
    rows, columns = assignment.shape
    rounds = min(_MAX_ROUNDS, _ROUND_CELLS // len(cells))
    block_cells = min(_BLOCK, -(-len(cells) // 2))  # of all cells every round would find the same pairs
    for number in range(rounds):
        order = rng.permutation(len(cells))
        for piece in pieces(len(order), block_cells):
            block = order[piece]
            ys, xs = np.divmod(block, columns)
            current = padded[ys + reach, xs + reach]
            for first, second in _gaining_pairs(cells[block], weights[block], [view[current] for view in views]):
                _swap(padded, (ys[first], xs[first]), (ys[second], xs[second]), reach)
            progress((number + piece.stop / len(order)) / rounds)
    assignment[:] = padded[reach : reach + rows, reach : reach + columns]


def use_every_tile(
    assignment: NDArray[np.int32],
    cells: Vectors,
    weights: NDArray[np.float32],
    views: list[Vectors],
    progress: Progress,
) -> None:
    """Give every unused tile the cell that loses least, of those whose tile is used elsewhere too. In place."""
    flat = assignment.reshape(-1)
    uses = np.bincount(flat, minlength=len(views[0]))
    current = np.min([np.einsum("nd,nd->n", cells, view[flat]) for view in views], axis=0) * weights
    unused = np.flatnonzero(uses == 0)
    for number, tile in enumerate(unused.tolist()):
        losses = np.min([cells @ view[tile] for view in views], axis=0) * weights - current
        losses[uses[flat] == 1] = np.inf
        cell = int(losses.argmin())
        uses[flat[cell]] -= 1
        uses[tile] = 1
        current[cell] += losses[cell]
        flat[cell] = tile
        progress((number + 1) / len(unused))


def nearest_views(cells: Vectors, views: list[Vectors], tiles: NDArray[np.integer[Any]]) -> NDArray[np.int32]:
    """(n,): which view of its tile is nearest to each cell. cells: (n, d). tiles: (n,)."""
    nearest = np.empty(len(cells), np.int32)
    for piece in pieces(len(cells), _PIECE_CELLS):
        costs = [np.einsum("nd,nd->n", cells[piece], view[tiles[piece]]) for view in views]
        nearest[piece] = np.argmin(costs, axis=0)
    return nearest


def _gaining_pairs(cells: Vectors, weights: NDArray[np.float32], views: list[Vectors]) -> list[tuple[int, int]]:
    """The pairs of cells that gain most from swapping, each cell in one pair at most. views: of what the cells show."""
    padding = (0, -len(cells) % PRODUCT_COLUMNS)
    costs = small_products(cells, column_blocks(np.pad(views[0].T, ((0, 0), padding))))
    for view in views[1:]:
        np.minimum(costs, small_products(cells, column_blocks(np.pad(view.T, ((0, 0), padding)))), out=costs)
    costs = costs[:, : len(cells)] * weights[:, None]
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


def _swap(padded: NDArray[np.int32], first: tuple[int, int], second: tuple[int, int], reach: int) -> None:
    """Swap the tiles of two cells unless one of them would stand near its equal. first, second: row and column."""
    inner = [(y + reach, x + reach) for y, x in (first, second)]
    around = [padded[y : y + 2 * reach + 1, x : x + 2 * reach + 1] for y, x in (first, second)]
    tiles = padded[inner[0]], padded[inner[1]]
    padded[inner[0]], padded[inner[1]] = -1, -1
    if np.any(around[0] == tiles[1]) or np.any(around[1] == tiles[0]):
        padded[inner[0]], padded[inner[1]] = tiles
    else:
        padded[inner[1]], padded[inner[0]] = tiles
