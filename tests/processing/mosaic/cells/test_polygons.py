"""Polygons are scan-converted by pixel centres, without gaps or overlaps between neighbours."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.mosaic.cells.runs import BACKGROUND
from processing.mosaic.progress import pieces
from tests.processing.mosaic.cell_samples import bent_squares, labels_of, polygon_cells
from tests.processing.mosaic.svg_raster import inside


@given(st.integers(1, 60), st.integers(1, 60), st.integers(3, 20), st.integers(0, 999))
@settings(max_examples=40, deadline=None)
def test_polygons_that_share_corners_cover_every_pixel_once(width: int, height: int, side: int, seed: int) -> None:
    cells = bent_squares(width, height, side, seed)

    runs = cells.runs(0, height)

    assert (runs.cells != BACKGROUND).all()
    assert runs.lengths.sum() == width * height
    assert (runs.lengths > 0).all()


def test_a_pixel_belongs_to_the_polygon_that_contains_its_centre() -> None:
    cells = bent_squares(90, 70, 11, 3)
    labels = labels_of(cells)

    y, x = np.mgrid[0:70, 0:90] + 0.5
    for cell, outline in enumerate(cells.outlines()):
        assert np.array_equal(labels == cell, inside(list(outline.points), x, y))


def test_runs_are_the_same_in_bands() -> None:
    star = [[(50 + 40 * np.cos(a * 2.4), 50 + 40 * np.sin(a * 2.4)) for a in range(5)]]
    cells = polygon_cells(100, 100, star, 10.0)

    whole = cells.runs(0, 100)
    bands = [cells.runs(rows.start, rows.stop) for rows in pieces(100, 7)]

    labels = np.concatenate([np.repeat(band.cells, band.lengths) for band in bands])
    assert np.array_equal(np.repeat(whole.cells, whole.lengths), labels)


def test_a_polygon_goes_on_behind_a_smaller_one_that_lies_on_it() -> None:
    large = [(0.0, 0.0), (40.0, 0.0), (40.0, 10.0), (0.0, 10.0)]
    small = [(5.0, 2.0), (9.0, 2.0), (9.0, 4.0), (5.0, 4.0)]
    behind_both = [(4.0, 1.0), (20.0, 1.0), (20.0, 6.0), (4.0, 6.0)]

    labels = labels_of(polygon_cells(50, 12, [large, small, behind_both], 10.0))

    covered = np.zeros((12, 50), bool)
    covered[:10, :40] = True
    assert np.array_equal(labels != BACKGROUND, covered)
    assert (labels[:10, 21:40] == 0).all()
    assert (labels[2:4, 5:9] == 1).all()
    assert (labels[4:6, 4:20] == 2).all()
