"""Means of cells are exact, and cells are painted where their pixels are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from processing.mosaic.cells import raster, strips
from processing.mosaic.cells.grid import SquareGrid
from processing.mosaic.cells.lattice import Lattice
from processing.mosaic.cells.raster import cell_means, fill_cells
from processing.mosaic.cells.runs import BACKGROUND
from processing.mosaic.cells.strips import Strips
from processing.mosaic.progress import Progress
from tests.processing.mosaic.cell_samples import KINDS, labels_of, polygon_cells, tiling_of
from tests.processing.mosaic.pictures import noise, true_mean


@pytest.mark.parametrize("linear", [True, False])
def test_means_over_many_bands_are_exact(linear: bool) -> None:
    pixels = noise(1500, 1100)
    grid = SquareGrid(1500, 1100, 370)

    means = cell_means(Image.fromarray(pixels), Strips(grid), linear, Progress())

    for cell, colour in enumerate(means.colours):
        top, left = cell // grid.columns * 370, cell % grid.columns * 370
        assert np.abs(colour - true_mean(pixels[top : top + 370, left : left + 370], linear)).max() <= 0.51
    assert means.areas.sum() == 1500 * 1100


@pytest.mark.parametrize("linear", [True, False])
@given(st.sampled_from(sorted(KINDS)), st.integers(1, 60), st.integers(1, 60), st.integers(2, 25))
@settings(max_examples=60, deadline=None)
def test_means_of_cells_that_span_several_strips_are_exact(
    linear: bool, kind: str, width: int, height: int, side: int
) -> None:
    pixels, cells = noise(width, height), KINDS[kind](width, height, side)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strips, "RUNS_PER_STRIP", 60)
        means = cell_means(Image.fromarray(pixels), Strips(cells), linear, Progress())

    labels = labels_of(cells)
    assert np.array_equal(means.areas, np.bincount(labels[labels != BACKGROUND], minlength=cells.count))
    for cell in np.unique(labels[labels != BACKGROUND]):
        assert np.abs(means.colours[cell] - true_mean(pixels[labels == cell], linear)).max() <= 0.51
    assert not means.colours[means.areas == 0].any()


def test_pixels_of_no_cell_are_painted_in_the_background() -> None:
    cells = polygon_cells(10, 10, [[(2.0, 2.0), (8.0, 2.0), (8.0, 8.0), (2.0, 8.0)]], 6.0)
    image = Image.new("RGB", (10, 10), "white")

    fill_cells(image, Strips(cells), np.array([[9, 8, 7]], np.uint8), (1, 2, 3), Progress())

    assert image.getpixel((0, 0)) == (1, 2, 3)
    assert image.getpixel((5, 5)) == (9, 8, 7)


@pytest.mark.parametrize("samples", [2, 3])
@given(st.sampled_from(["hexagon", "triangle", "diamond"]), st.integers(4, 80), st.sampled_from([0.0, 1.3, 6.0]))
@settings(max_examples=30, deadline=None)
def test_the_edges_of_a_lattice_are_means_of_samples(samples: int, shape: str, side: int, grout: float) -> None:
    cells = Lattice(83, 131, tiling_of(shape, side, grout), side)
    colours = np.random.default_rng(side).integers(0, 256, (cells.count, 3)).astype(np.uint8)
    image, ground = Image.new("RGB", (83, 131)), (250, 0, 9)
    fine = cells.enlarged(samples)
    painted = np.append(colours, [ground], axis=0).astype(np.uint8)[labels_of(fine)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raster, "SAMPLES", samples)
        fill_cells(image, Strips(cells), colours, ground, Progress())

    assert image.tobytes() == Image.fromarray(painted).reduce(samples).tobytes()
