"""Products of matrices as many small ones, which fit into the processor's cache and leave the interpreter lock free."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Of one product: above 2 ** 18 multiplications OpenBLAS starts threads, which here only wait.
PRODUCT_ROWS, PRODUCT_COLUMNS = 32, 320


def column_blocks(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """(rows, n * PRODUCT_COLUMNS) -> (n, rows, PRODUCT_COLUMNS)."""
    return np.ascontiguousarray(matrix.reshape(len(matrix), -1, PRODUCT_COLUMNS).transpose(1, 0, 2))


def small_products(left: NDArray[np.float32], blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    """left times the matrix of these column blocks."""
    padded = np.pad(left, ((0, -len(left) % PRODUCT_ROWS), (0, 0)))
    scores = np.empty((len(padded), len(blocks) * PRODUCT_COLUMNS), np.float32)
    tiled = scores.reshape(-1, PRODUCT_ROWS, len(blocks), PRODUCT_COLUMNS).transpose(0, 2, 1, 3)
    np.matmul(padded.reshape(-1, 1, PRODUCT_ROWS, left.shape[1]), blocks, out=tiled)
    return scores[: len(left)]
