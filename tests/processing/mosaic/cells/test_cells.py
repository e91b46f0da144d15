"""Means, raster and outlines of one cell list agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from processing.mosaic.cells import strips as slabs_module
from processing.mosaic.cells.cells import Cells
from processing.mosaic.cells.grid import SquareGrid
from processing.mosaic.cells.polygons import PolygonCells
from processing.mosaic.cells.raster import cell_means, fill_cells
from processing.mosaic.cells.runs import BACKGROUND, runs_from_edges
from processing.mosaic.cells.strips import Strips
from processing.mosaic.progress import Progress
from processing.mosaic.styles.dots import DotGrid
from processing.mosaic.styles.tilings import (
    DiamondParams,
    HexagonParams,
    TriangleParams,
    diamond_lattice,
    hexagon_lattice,
    triangle_lattice,
)
from tests.processing.mosaic.pictures import noise, true_mean
from tests.processing.mosaic.svg_raster import inside


def test_runs_from_edges_follow_pixel_centres_and_drop_empty_ones() -> None:
    edges = np.array([[-3.0, 1.5, 1.6, 9.0], [0.2, 0.5, 3.49, 3.51]])
    cells = np.array([[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]], np.int32)

    runs = runs_from_edges(edges, cells, 4)

    painted = np.repeat(runs.cells, runs.lengths).reshape(2, 4)
    assert painted.tolist() == [[1, 2, 3, 3], [7, 7, 7, 8]]


def cells_of(width: int, height: int, polygons: Sequence[Sequence[tuple[float, float]]], pitch: float) -> PolygonCells:
    return PolygonCells(width, height, np.concatenate(polygons), np.array([len(points) for points in polygons]), pitch)


def bent_squares(width: int, height: int, side: int, seed: int) -> PolygonCells:
    """Squares whose shared corners are moved by chance, over the picture and beyond."""
    across, down = width // side + 4, height // side + 4
    corners = np.stack(np.meshgrid(np.arange(across) - 1.0, np.arange(down) - 1.0), -1) * side
    corners += np.random.default_rng(seed).uniform(-side / 3, side / 3, corners.shape)
    turn = [(0, 0), (0, 1), (1, 1), (1, 0)]
    polygons = [
        np.array([corners[row + y, column + x] for y, x in turn])
        for row in range(down - 1)
        for column in range(across - 1)
    ]
    return cells_of(width, height, polygons, float(side))


def labels_of(cells: Cells) -> np.ndarray:
    """(height, width) the cell that each pixel lies in."""
    runs = cells.runs(0, cells.height)
    return np.repeat(runs.cells, runs.lengths).reshape(cells.height, cells.width)


KINDS: dict[str, Callable[[int, int, int], Cells]] = {
    "hexagon": lambda width, height, side: hexagon_lattice(width, height, HexagonParams(cell=side)),
    "jointed diamond": lambda width, height, side: diamond_lattice(width, height, DiamondParams(cell=side, grout=2)),
    "triangle": lambda width, height, side: triangle_lattice(width, height, TriangleParams(cell=side)),
    "square": SquareGrid,
    "dot": lambda width, height, side: DotGrid(width, height, side, staggered=False),
    "staggered dot": lambda width, height, side: DotGrid(width, height, side, staggered=True),
    "bent square": lambda width, height, side: bent_squares(width, height, side, 7),
}
"""Every way to cut a picture, by width, height, side."""


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
def test_means_of_cells_that_go_on_from_slab_to_slab_are_exact(
    linear: bool, kind: str, width: int, height: int, side: int
) -> None:
    pixels, cells = noise(width, height), KINDS[kind](width, height, side)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slabs_module, "_RUNS_PER_STRIP", 60)
        means = cell_means(Image.fromarray(pixels), Strips(cells), linear, Progress())

    labels = labels_of(cells)
    assert np.array_equal(means.areas, np.bincount(labels[labels != BACKGROUND], minlength=cells.count))
    for cell in np.unique(labels[labels != BACKGROUND]):
        assert np.abs(means.colours[cell] - true_mean(pixels[labels == cell], linear)).max() <= 0.51
    assert not means.colours[means.areas == 0].any()


@given(st.sampled_from(sorted(KINDS)), st.integers(1, 60), st.integers(1, 60), st.integers(2, 25))
@settings(max_examples=60, deadline=None)
def test_no_cell_of_a_row_or_below_is_under_its_first(kind: str, width: int, height: int, side: int) -> None:
    cells = KINDS[kind](width, height, side)
    labels = labels_of(cells).astype(np.int64)
    labels[labels == BACKGROUND] = cells.count

    least = np.minimum.accumulate(labels.min(axis=1)[::-1])[::-1]

    firsts = [cells.lowest_index(row) for row in range(height)]
    assert (np.array(firsts) <= least).all()
    assert firsts == sorted(firsts)


@given(st.sampled_from(sorted(KINDS)), st.integers(1, 60), st.integers(1, 60), st.integers(2, 25), st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_centres_are_the_same_in_pieces(kind: str, width: int, height: int, side: int, piece: int) -> None:
    cells = KINDS[kind](width, height, side)

    pieces = [cells.centres(first, min(first + piece, cells.count)) for first in range(0, cells.count, piece)]

    assert np.allclose(np.concatenate(pieces), cells.centres(0, cells.count), atol=1e-9)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(3, 20), st.integers(0, 999))
@settings(max_examples=40, deadline=None)
def test_polygons_that_share_corners_cover_every_pixel_once(width: int, height: int, side: int, seed: int) -> None:
    cells = bent_squares(width, height, side, seed)

    runs = cells.runs(0, height)

    assert (runs.cells != BACKGROUND).all()
    assert runs.lengths.sum() == width * height
    assert (runs.lengths > 0).all()


def test_a_pixel_belongs_to_the_polygon_that_its_centre_lies_in() -> None:
    cells = bent_squares(90, 70, 11, 3)
    labels = labels_of(cells)

    y, x = np.mgrid[0:70, 0:90] + 0.5
    for cell, outline in enumerate(cells.outlines()):
        assert np.array_equal(labels == cell, inside(list(outline.points), x, y))


def test_bands_do_not_change_what_polygons_paint() -> None:
    star = [[(50 + 40 * np.cos(a * 2.4), 50 + 40 * np.sin(a * 2.4)) for a in range(5)]]
    cells = cells_of(100, 100, star, 10.0)

    whole = cells.runs(0, 100)
    parts = [cells.runs(top, min(top + 7, 100)) for top in range(0, 100, 7)]

    joined = np.concatenate([np.repeat(part.cells, part.lengths) for part in parts])
    assert np.array_equal(np.repeat(whole.cells, whole.lengths), joined)


def test_the_ground_is_painted_where_no_cell_is() -> None:
    cells = cells_of(10, 10, [[(2.0, 2.0), (8.0, 2.0), (8.0, 8.0), (2.0, 8.0)]], 6.0)
    image = Image.new("RGB", (10, 10), "white")

    fill_cells(image, Strips(cells), np.array([[9, 8, 7]], np.uint8), (1, 2, 3), Progress())

    assert image.getpixel((0, 0)) == (1, 2, 3)
    assert image.getpixel((5, 5)) == (9, 8, 7)
