"""Exchange: where tiles may be used only so often, the first cells get the best ones; pairs of cells then swap tiles.

Two cells swap where that brings both together nearer to the picture, and as far as the distance of repeats allows. The
result comes to within some percent of the best assignment (Hungarian method, which knows no distance of repeats).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...progress import Progress, pieces

Vectors = NDArray[np.float32]

_MAX_ROUNDS, _ROUND_CELLS = 8, 60_000  # rounds, and cells looked at in all rounds together: about a second
_BLOCK = 512  # cells of which every pair is compared
_LEAST_GAIN = 1e-5


def exchange_tiles(
    assignment: NDArray[np.int32],
    cells: Vectors,
    variants: list[Vectors],
    min_distance: int,
    seed: int,
    progress: Progress,
) -> None:
    """Swap tiles in place. cells: (rows * columns, d). variants: (n, d) of the tiles, and of the mirrored ones if they
    may be used. min_distance: of two cells with the same tile."""
    reach, rng = min_distance - 1, np.random.default_rng(seed)
    padded = np.pad(assignment, reach, constant_values=-1)
    rows, columns = assignment.shape
    rounds = min(_MAX_ROUNDS, _ROUND_CELLS // len(cells))
    for number in range(rounds):
        order = rng.permutation(len(cells))
        for piece in pieces(len(order), _BLOCK):
            block = order[piece]
            ys, xs = np.divmod(block, columns)
            current = padded[ys + reach, xs + reach]
            for first, second in _gaining_pairs(cells[block], [each[current] for each in variants]):
                _swap(padded, (ys[first], xs[first]), (ys[second], xs[second]), reach)
            progress((number + piece.stop / len(order)) / rounds)
    assignment[:] = padded[reach : reach + rows, reach : reach + columns]


def use_every_tile(assignment: NDArray[np.int32], cells: Vectors, variants: list[Vectors], progress: Progress) -> None:
    """Give every unused tile the cell that loses least, of those whose tile is used elsewhere too. In place."""
    flat = assignment.reshape(-1)
    uses, lengths = np.bincount(flat, minlength=len(variants[0])), (variants[0] ** 2).sum(axis=1)
    current = lengths[flat] - 2.0 * np.max([np.einsum("nd,nd->n", cells, each[flat]) for each in variants], axis=0)
    unused = np.flatnonzero(uses == 0)
    for number, tile in enumerate(unused.tolist()):
        losses = lengths[tile] - 2.0 * np.max([cells @ each[tile] for each in variants], axis=0) - current
        losses[uses[flat] == 1] = np.inf
        cell = int(losses.argmin())
        uses[flat[cell]] -= 1
        uses[tile] = 1
        current[cell] += losses[cell]
        flat[cell] = tile
        progress((number + 1) / len(unused))


def _gaining_pairs(cells: Vectors, variants: list[Vectors]) -> list[tuple[int, int]]:
    """The pairs of cells that gain most from swapping, each cell in one pair at most. variants: what the cells show."""
    costs = (variants[0] ** 2).sum(axis=1) - 2.0 * np.max([cells @ each.T for each in variants], axis=0)
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
