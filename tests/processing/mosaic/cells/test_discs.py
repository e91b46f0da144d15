"""Discs that are cut at the edges of their cells."""

from __future__ import annotations

import math

import numpy as np
import pytest

from processing.mosaic.cells.cells import Circle, Polygon
from processing.mosaic.cells.discs import CutDisc, DiscCoverage, cell_distances, window_margin


@pytest.mark.parametrize("side", [2, 3, 8, 13, 40])
def test_cells_do_not_overlap_and_leave_no_gap(side: int) -> None:
    row_height, shift = max(1, round(side * 0.866)), side - side // 2
    margin = window_margin(side, row_height, shift)
    times_covered = np.zeros((side * 9 + 9, side * 8), int)

    for row in range(7):
        left, top = -(row % 2) * shift, row * row_height - margin + side
        inside = np.isfinite(cell_distances(side, row_height, shift if row % 2 else -shift, margin))
        for column in range(1, 7):
            x = left + column * side
            times_covered[top : top + len(inside), x : x + side] += inside

    middle = times_covered[side * 2 : side * 5, side * 2 : side * 5]
    assert (middle == 1).all()


@pytest.mark.parametrize("side", [3, 8, 13])
def test_rows_at_different_distances_leave_no_gap_either(side: int) -> None:
    shift = side - side // 2
    steps = [round(side * 0.866) + row % 2 for row in range(8)]
    margin = max(window_margin(side, step, shift) for step in steps)
    times_covered = np.zeros((side * 9 + 9, side * 8), int)

    top = side - margin
    for row in range(7):
        turned = shift if row % 2 else -shift
        inside = np.isfinite(cell_distances(side, steps[row], turned, margin, below=steps[row + 1]))
        for column in range(1, 7):
            x = column * side - row % 2 * shift
            times_covered[top : top + len(inside), x : x + side] += inside
        top += steps[row + 1]

    assert (times_covered[side * 2 : side * 5, side * 2 : side * 5] == 1).all()


@pytest.mark.parametrize("side", [3, 8, 13])
def test_cells_between_pixels_do_not_overlap_and_leave_no_gap(side: int) -> None:
    row_height, shift = round(side * 0.866 * 16) / 16, side / 2
    margin = window_margin(side, row_height, shift)
    times_covered = np.zeros((side * 9 + 9, side * 8), int)

    for row in range(7):
        x, y = side - row % 2 * shift, side + row * row_height
        left, top = math.ceil(x - 0.5), math.ceil(y - 0.5)
        inside = np.isfinite(cell_distances(side, row_height, shift, margin, offset=(x - left, y - top)))
        for column in range(6):
            start = left + column * side
            times_covered[top - margin : top - margin + len(inside), start : start + side] += inside

    assert (times_covered[side * 2 : side * 5, side * 2 : side * 5] == 1).all()


@pytest.mark.parametrize("smooth", [True, False])
def test_coverage_is_what_the_pixels_show(smooth: bool) -> None:
    distances = cell_distances(20, 17, 10, window_margin(20, 17, 10))
    discs = DiscCoverage(distances, smooth=smooth)

    for level in discs.levels(np.array([0.1, 0.5, 0.9, 1.0])).tolist():
        depths = discs.radii[level] - distances[np.isfinite(distances)]
        shares = np.clip(depths + 0.5, 0, 1) if smooth else depths > 0
        assert shares.mean() == pytest.approx(discs.coverage[level], abs=1e-4)


def test_coverage_reaches_one() -> None:
    discs = DiscCoverage(cell_distances(8, 8, 0, 0), smooth=True)

    assert discs.coverage[discs.levels(np.array([1.0]))] == pytest.approx(1.0)


def test_a_disc_is_a_circle_until_it_meets_the_edge_of_its_cell() -> None:
    discs = CutDisc(20, 20, 0)

    assert discs.outline(5, 5, 9) == Circle(5, 5, 9)
    cut = discs.outline(0, 0, 99)
    assert isinstance(cut, Polygon)
    assert np.abs(np.array(cut.points)).max() == pytest.approx(10)
    assert np.hypot(*np.array(cut.points).T).max() == pytest.approx(200**0.5)
