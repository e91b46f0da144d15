"""Lattices of hexagons, triangles and diamonds: no seam, no uncovered pixel, joints of the given width."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.mosaic.cells.lattice import Lattice
from tests.processing.mosaic.cell_samples import labels_of, tiling_of

SHAPES = ["hexagon", "triangle", "diamond"]
SIDES = st.integers(1, 70)


def areas_by_label(size: int, shape: str, side: int, grout: float) -> np.ndarray:
    """(count + 1,) pixels of each cell, the background first."""
    labels = labels_of(Lattice(size, size, tiling_of(shape, side, grout), side))
    return np.bincount(labels.ravel() + 1)


@given(st.sampled_from(SHAPES), SIDES, SIDES, st.integers(2, 90))
@settings(max_examples=40, deadline=None)
def test_every_pixel_lies_in_one_cell(shape: str, width: int, height: int, side: int) -> None:
    cells = Lattice(width, height, tiling_of(shape, side, 0), side)

    labels = labels_of(cells)

    assert (cells.runs(0, height).lengths > 0).all()
    assert labels.min() >= 0
    assert labels.max() < cells.count
    assert len(cells.centres(0, cells.count)) == cells.count == len(list(cells.outlines()))


@pytest.mark.parametrize(("shape", "area"), [("hexagon", 40 * 40 * 0.866), ("triangle", 692.8), ("diamond", 1200.0)])
def test_whole_cells_have_the_area_of_their_shape(shape: str, area: float) -> None:
    areas = areas_by_label(400, shape, 40, 0)[1:]

    assert areas.max() == pytest.approx(area, rel=0.04)
    assert (areas > 0.96 * area).sum() > 60


@pytest.mark.parametrize("shape", SHAPES)
def test_joints_have_the_given_width(shape: str) -> None:
    """A joint takes half its width off every side: perimeter x half, less what overlaps in the corners."""
    without, with_joints = (areas_by_label(600, shape, 60, grout)[1:] for grout in (0, 6))
    largest = without.argsort()[-40:]

    lost = np.median(without[largest] - with_joints[largest])

    sides, length = {"hexagon": (6, 34.64), "triangle": (3, 60.0), "diamond": (4, 54.08)}[shape]
    corners = {"hexagon": 3.46, "triangle": 5.2, "diamond": 4.33}[shape]
    assert lost == pytest.approx(3 * sides * length - 9 * corners, rel=0.04)


@given(st.sampled_from(SHAPES), SIDES, st.integers(4, 60), st.sampled_from([0, 3]), st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_distinct_rows_that_are_repeated_give_all_rows(
    shape: str, width: int, side: int, grout: float, step: int
) -> None:
    cells = Lattice(width, 90 * step, tiling_of(shape, side, grout), side)

    distinct, times = cells.distinct_rows(step)

    groups = labels_of(distinct).reshape(-1, step, width)
    assert np.array_equal(np.repeat(groups, times, axis=0).reshape(-1, width), labels_of(cells))


def test_rows_between_the_vertical_sides_of_hexagons_are_computed_once() -> None:
    cells = Lattice(400, 400, tiling_of("hexagon", 120, 0), 120)

    distinct, _ = cells.distinct_rows(1)

    assert distinct.height < 0.4 * cells.height
