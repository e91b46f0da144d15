"""Rectangles of two sizes: no gap, and each cell where its box is."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.processing.mosaic.cell_samples import labels_of, split_grid

LENGTHS = st.integers(1, 90)


@given(LENGTHS, LENGTHS, st.integers(2, 25), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_each_pixel_lies_in_the_box_of_its_cell(width: int, height: int, side: int, seed: int) -> None:
    grid = split_grid(width, height, side, seed)

    labels, (y, x) = labels_of(grid), np.indices((height, width))

    assert (grid.runs(0, height).lengths > 0).all()
    left, top, wide, high = np.moveaxis(grid.boxes(0, grid.count)[labels], -1, 0)
    assert ((left <= x) & (x < left + wide) & (top <= y) & (y < top + high)).all()
    assert grid.count == grid.split.size + 3 * grid.split.sum()
    assert len(list(grid.outlines())) == grid.count


def test_cells_come_row_by_row_and_the_parts_of_one_together() -> None:
    grid = split_grid(40, 20, 10, 0)
    grid = type(grid)(40, 20, 10, 10, np.array([[False, True, False, False], [False] * 4]))

    assert grid.boxes(0, 6).tolist() == [
        [0, 0, 10, 10],
        [10, 0, 5, 5],
        [15, 0, 5, 5],
        [10, 5, 5, 5],
        [15, 5, 5, 5],
        [20, 0, 10, 10],
    ]
