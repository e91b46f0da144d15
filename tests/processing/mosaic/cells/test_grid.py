"""Grids of rectangular cells."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.mosaic.cells.grid import SquareGrid
from tests.processing.mosaic.cell_samples import labels_of


@given(st.integers(1, 90), st.integers(1, 90), st.integers(2, 30), st.floats(0.1, 3.0))
@settings(max_examples=60, deadline=None)
def test_a_scaled_grid_has_the_same_cells_in_whole_pixels(width: int, height: int, side: int, factor: float) -> None:
    grid = SquareGrid(width, height, side)

    scaled = grid.scaled(max(1, round(width * factor)), max(1, round(height * factor)))

    assert (scaled.columns, scaled.rows) == (grid.columns, grid.rows)
    assert (scaled.wide, scaled.high) == (scaled.wide // 1, scaled.high // 1)
    middles_x, middles_y = (np.arange(length) + 0.5 for length in (scaled.width, scaled.height))
    columns = np.minimum(middles_x * side / scaled.wide, width - 1).astype(int)
    rows = np.minimum(middles_y * side / scaled.high, height - 1).astype(int)
    assert np.array_equal(labels_of(scaled), labels_of(grid)[rows[:, None], columns])
