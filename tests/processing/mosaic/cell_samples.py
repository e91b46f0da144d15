"""Every kind of cells in small sizes, and their pixels as labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from processing.mosaic.cells.cells import Cells
from processing.mosaic.cells.grid import RectangleGrid, SquareGrid, cell_count
from processing.mosaic.cells.hexagons import HexagonGrid, hexagon_size
from processing.mosaic.cells.lattice import HexagonalTiling, TriangularTiling
from processing.mosaic.cells.polygons import FilledCells, PolygonCells
from processing.mosaic.cells.runs import BACKGROUND
from processing.mosaic.cells.split_grid import SplitGrid
from processing.mosaic.styles.dots.dot_grid import DotGrid
from processing.mosaic.styles.tilings import (
    DiamondParams,
    HexagonParams,
    TriangleParams,
    diamond_lattice,
    hexagon_lattice,
    triangle_lattice,
)


def labels_of(cells: Cells) -> np.ndarray:
    """(height, width) the cell of each pixel."""
    runs = cells.runs(0, cells.height)
    return np.repeat(runs.cells, runs.lengths).reshape(cells.height, cells.width)


def inner_pixels(labels: np.ndarray) -> np.ndarray:
    """(height, width) bool: pixels of cells two pixels or more from any other, so that no edge cuts them."""
    padded = np.pad(labels, 2, constant_values=BACKGROUND - 1)
    height, width = labels.shape
    windows = [padded[y : y + height, x : x + width] == labels for y in range(5) for x in range(5)]
    return np.logical_and.reduce(windows) & (labels != BACKGROUND)


def tiling_of(shape: str, side: int, grout: float) -> HexagonalTiling | TriangularTiling:
    if shape == "triangle":
        return TriangularTiling(side, round(side * 6.928) / 8, grout)
    slope = side * 0.75 if shape == "diamond" else round(side * 2.309) / 8
    return HexagonalTiling(side, 0 if shape == "diamond" else 2 * slope, slope, grout)


def polygon_cells(
    width: int, height: int, polygons: Sequence[Sequence[tuple[float, float]]], pitch: float
) -> PolygonCells:
    return PolygonCells(width, height, np.concatenate(polygons), np.array([len(points) for points in polygons]), pitch)


def bent_squares(width: int, height: int, side: int, seed: int) -> PolygonCells:
    """Squares with randomly displaced shared corners, covering the picture and a margin around it."""
    columns, rows = width // side + 4, height // side + 4
    corners = np.stack(np.meshgrid(np.arange(columns) - 1.0, np.arange(rows) - 1.0), -1) * side
    corners += np.random.default_rng(seed).uniform(-side / 3, side / 3, corners.shape)
    clockwise = [(0, 0), (0, 1), (1, 1), (1, 0)]
    polygons = [
        np.array([corners[row + y, column + x] for y, x in clockwise])
        for row in range(rows - 1)
        for column in range(columns - 1)
    ]
    return polygon_cells(width, height, polygons, float(side))


def filled_squares(width: int, height: int, side: int, seed: int) -> FilledCells:
    """Bent squares with joints between them, behind which each goes on."""
    whole = bent_squares(width, height, side, seed)
    polygons = [np.array(outline.points) for outline in whole.outlines()]
    inset = [points + (points.mean(axis=0) - points) * 0.2 for points in polygons]
    return FilledCells(polygon_cells(width, height, inset, float(side)), whole)


def split_grid(width: int, height: int, side: int, seed: int, stretch: float = 1.0) -> SplitGrid:
    """Rectangles of two sizes at random."""
    wide, high = side * stretch, side / stretch
    shape = cell_count(height, high), cell_count(width, wide)
    return SplitGrid(width, height, wide, high, np.random.default_rng(seed).random(shape) < 0.4)


KINDS: dict[str, Callable[[int, int, int], Cells]] = {
    "hexagon": lambda width, height, side: hexagon_lattice(width, height, HexagonParams(cell=side)),
    "diamond with joints": lambda width, height, side: diamond_lattice(
        width, height, DiamondParams(cell=side, grout=2)
    ),
    "triangle": lambda width, height, side: triangle_lattice(width, height, TriangleParams(cell=side)),
    "hexagon for pictures": lambda width, height, side: HexagonGrid(width, height, *hexagon_size(side, width)),
    "square": SquareGrid,
    "rectangle": lambda width, height, side: RectangleGrid(width, height, side * 1.1547, side / 1.1547),
    "square of two sizes": lambda width, height, side: split_grid(width, height, side, 3),
    "rectangle of two sizes": lambda width, height, side: split_grid(width, height, side, 3, 1.1547),
    "dot": lambda width, height, side: DotGrid(width, height, side, staggered=False),
    "staggered dot": lambda width, height, side: DotGrid(width, height, side, staggered=True),
    "bent square": lambda width, height, side: bent_squares(width, height, side, 7),
    "bent square with filled joints": lambda width, height, side: filled_squares(width, height, side, 7),
}
"""Every partition, by width, height and side."""
