"""Hexagons for pictures: no gap, no cell outside the picture, nearly regular."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.mosaic.cells.hexagons import ASPECT, HexagonGrid, hexagon_size
from tests.processing.mosaic.cell_samples import labels_of

LENGTHS = st.integers(1, 150)
SIDES = st.integers(8, 60)


def hexagon_grid(width: int, height: int, side: int) -> HexagonGrid:
    return HexagonGrid(width, height, *hexagon_size(side, width))


@given(LENGTHS, LENGTHS, SIDES)
@settings(max_examples=150, deadline=None)
def test_every_pixel_lies_in_one_cell_and_every_cell_is_seen(width: int, height: int, side: int) -> None:
    grid = hexagon_grid(width, height, side)

    labels = labels_of(grid)

    assert (grid.runs(0, height).lengths > 0).all()
    assert np.array_equal(np.unique(labels), np.arange(grid.rows * grid.columns))


@given(LENGTHS, LENGTHS, SIDES)
@settings(max_examples=40, deadline=None)
def test_an_outline_contains_the_pixels_of_its_cell(width: int, height: int, side: int) -> None:
    grid = hexagon_grid(width, height, side)
    labels = labels_of(grid)
    y, x = np.indices(labels.shape) + 0.5

    for cell, outline in enumerate(grid.outlines()):
        points = np.array(outline.points)
        first, second = points[:, None, None], np.roll(points, -1, axis=0)[:, None, None]
        along = second - first
        left_of = along[..., 0] * (y - first[..., 1]) - along[..., 1] * (x - first[..., 0])
        assert np.array_equal((left_of > 1e-9).all(axis=0), labels == cell) or (np.abs(left_of) < 1e-9).any()


@pytest.mark.parametrize("side", [8, 12, 20, 64, 200])
def test_cells_are_nearly_regular_and_as_large_as_squares(side: int) -> None:
    wide, high = hexagon_size(side, 4000)

    assert wide * high * 3 / 4 == pytest.approx(side * side, rel=0.02)
    assert wide / high == pytest.approx(ASPECT, rel=0.02)


@given(st.integers(40, 400), st.integers(40, 400), SIDES)
@settings(max_examples=60, deadline=None)
def test_a_picture_four_times_as_large_has_the_same_cells(width: int, height: int, side: int) -> None:
    small, large = hexagon_grid(width, height, side), hexagon_grid(4 * width, 4 * height, 4 * side)

    assert (large.rows, large.columns) == (small.rows, small.columns)
    assert np.allclose(large.centres(0, large.count), 4 * small.centres(0, small.count))


@given(LENGTHS, LENGTHS, SIDES)
@settings(max_examples=60, deadline=None)
def test_boxes_of_whole_pixels_leave_no_gap(width: int, height: int, side: int) -> None:
    grid = hexagon_grid(width, height, side)
    wide, high = grid.box

    for row in range(grid.rows):
        lefts = grid.box_lefts(row)
        assert lefts[0] <= 0 or row % 2 == 0
        assert lefts[-1] + wide >= width or row % 2
        assert set(np.diff(lefts).tolist()) <= {wide - 1, wide}
        reach = grid.box_top(row) + high
        assert reach >= (height if row == grid.rows - 1 else grid.box_top(row + 1) + high // 4)
    assert grid.box_top(0) <= 0


def test_opposite_edges_cut_the_cells_alike() -> None:
    labels = labels_of(hexagon_grid(300, 200, 24))
    areas = np.bincount(labels.ravel())
    first, last = np.unique(labels[0]), np.unique(labels[-1])

    assert areas[first].sum() == pytest.approx(areas[last].sum(), rel=0.1)
    left, right = (areas[np.unique(labels[:, column])].sum() for column in (0, -1))
    assert left == pytest.approx(right, rel=0.1)


def test_a_reduced_picture_has_the_same_cells() -> None:
    grid = HexagonGrid(320, 240, 28, 32)

    reduced = grid.reduced(4, 80, 60)

    assert (labels_of(reduced) == labels_of(grid)[2::4, 2::4]).mean() > 0.96  # a pixel's middle is now between four
    assert np.allclose(reduced.centres(0, grid.count) * 4, grid.centres(0, grid.count))
    assert next(reduced.outlines()).points[0] == pytest.approx([value / 4 for value in next(grid.outlines()).points[0]])
