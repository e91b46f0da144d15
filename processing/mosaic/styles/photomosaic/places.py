"""Places: where the cells of a photomosaic lie in its grid, as far as matching has to know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Places:
    """row, column, part: (n,), of each cell. size: rows, columns, and how many parts a place of the grid may have."""

    row: Numbers
    column: Numbers
    part: Numbers
    size: tuple[int, int, int]

    @classmethod
    def of_grid(cls, rows: int, columns: int) -> Places:
        """One cell at each place, row by row."""
        row, column = np.divmod(np.arange(rows * columns), columns)
        return cls(row, column, np.zeros(rows * columns, np.intp), (rows, columns, 1))

    def __len__(self) -> int:
        return len(self.row)

    @property
    def shares(self) -> NDArray[np.float32]:
        """(n,): of its place of the grid that each cell takes."""
        place = self.row * self.size[1] + self.column
        shares: NDArray[np.float32] = (1.0 / np.bincount(place)[place]).astype(np.float32)
        return shares

    def independent_groups(self, min_distance: int, seed: int) -> list[Numbers]:
        """The cells in groups, within each of which any two are at least `min_distance` rows or columns apart."""
        cells = np.full(self.size, -1, np.intp)
        cells[self.row, self.column, self.part] = np.arange(len(self))
        steps = range(min_distance)
        groups = [
            cells[y::min_distance, x::min_distance, part].ravel()
            for part in range(self.size[2])
            for y in steps
            for x in steps
        ]
        order = np.random.default_rng(seed).permutation(len(groups))
        present = [groups[index][groups[index] >= 0] for index in order]
        return [group for group in present if group.size]
