"""Products of matrices as many small ones, which fit into the processor's cache and leave the interpreter lock free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .vectors import EVEN, ODD, Vectors

# Of one product: above 2 ** 18 multiplications OpenBLAS starts threads, which here only wait.
PRODUCT_ROWS, PRODUCT_COLUMNS = 32, 320
_FORBIDDEN = np.float32(1e9)


class LeastProducts:
    """The least product of each cell with any view of each tile. columns: of what a call returns."""

    def __init__(self, views: Sequence[Vectors], more: int, *, mirror: bool) -> None:
        """views: (tiles, d) each, of cells whose last number is 1. more: columns after those of the tiles, forbidden.

        mirror: every second view is the one before it mirrored, which turns the sign of all odd waves. The lesser of
        both products is then the even waves' share less the odd waves' without its sign.
        """
        tiles = len(views[0])
        self.columns = tiles + more + -(tiles + more) % PRODUCT_COLUMNS
        padding = (0, self.columns - tiles)
        self._parts = (EVEN, ODD) if mirror else (slice(None),)
        self._views = [
            [_column_blocks(np.pad(view[:, part].T, ((0, 0), padding))) for part in self._parts]
            for view in views[:: len(self._parts)]
        ]
        self._memory: NDArray[np.float32] = np.empty((3, 0, self.columns), np.float32)
        self.forbid(np.arange(tiles, self.columns))

    def forbid(self, columns: NDArray[np.integer[Any]]) -> None:
        """From now on no product in these columns is the least of a row."""
        block, column = np.divmod(columns, PRODUCT_COLUMNS)
        for blocks, *_ in self._views:
            blocks[block, -1, column] = _FORBIDDEN

    def __call__(self, cells: Vectors) -> NDArray[np.float32]:
        """(len(cells), columns). The next call uses the same memory."""
        padded = np.pad(cells, ((0, -len(cells) % PRODUCT_ROWS), (0, 0)))
        if len(padded) > self._memory.shape[1]:
            self._memory = np.empty((3, len(padded), self.columns), np.float32)
        memory: list[NDArray[np.float32]] = list(self._memory[:, : len(padded)])
        least, product, odd_product = memory
        cell_parts = [np.ascontiguousarray(padded[:, part]) for part in self._parts]
        for number, blocks in enumerate(self._views):
            current = product if number else least
            _multiply(cell_parts[0], blocks[0], current)
            if len(blocks) > 1:
                _multiply(cell_parts[1], blocks[1], odd_product)
                np.abs(odd_product, out=odd_product)
                current -= odd_product
            if number:
                np.minimum(least, product, out=least)
        return least[: len(cells)]


def _column_blocks(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """(rows, n * PRODUCT_COLUMNS) -> (n, rows, PRODUCT_COLUMNS)."""
    return np.ascontiguousarray(matrix.reshape(len(matrix), -1, PRODUCT_COLUMNS).transpose(1, 0, 2))


def _multiply(left: NDArray[np.float32], blocks: NDArray[np.float32], product: NDArray[np.float32]) -> None:
    """product = left times the matrix of these column blocks. left: of a multiple of PRODUCT_ROWS."""
    tiled = product.reshape(-1, PRODUCT_ROWS, len(blocks), PRODUCT_COLUMNS).transpose(0, 2, 1, 3)
    np.matmul(left.reshape(-1, 1, PRODUCT_ROWS, left.shape[1]), blocks, out=tiled)
