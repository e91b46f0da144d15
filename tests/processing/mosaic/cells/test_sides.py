"""The sides of cells give the distance of any point to the edge of its cell."""

from __future__ import annotations

import numpy as np
import pytest

from processing.mosaic.cells.cells import Pieces
from processing.mosaic.cells.grid import SquareGrid
from processing.mosaic.cells.sides import FAR, sides_of_polygons
from processing.mosaic.styles.tilings import (
    DiamondParams,
    HexagonParams,
    TriangleParams,
    diamond_lattice,
    hexagon_lattice,
    triangle_lattice,
)
from tests.processing.mosaic.cell_samples import bent_squares, labels_of

PIECES: dict[str, Pieces] = {
    "hexagon": hexagon_lattice(70, 50, HexagonParams(cell=14)),
    "diamond": diamond_lattice(70, 50, DiamondParams(cell=14)),
    "triangle": triangle_lattice(70, 50, TriangleParams(cell=17)),
    "square": SquareGrid(70, 50, 14),
    "square with bent sides": bent_squares(70, 50, 14, 7),
}


@pytest.mark.parametrize("kind", list(PIECES))
def test_a_pixel_is_inside_all_sides_of_its_own_cell_only(kind: str) -> None:
    pieces = PIECES[kind]
    labels, sides = labels_of(pieces), pieces.sides(0, pieces.count)
    y, x = np.mgrid[0 : pieces.height, 0 : pieces.width] + 0.5

    own = (sides[labels][..., 0] * x[..., None] + sides[labels][..., 1] * y[..., None] + sides[labels][..., 2]).min(-1)

    assert own.min() > -0.01
    assert (own < 0.6).mean() == pytest.approx(np.mean(_differs_from_a_neighbour(labels)), abs=0.12)
    lengths = np.hypot(sides[..., 0], sides[..., 1])
    assert np.all((np.abs(lengths - 1) < 1e-5) | (lengths == 0))


def test_a_part_of_the_cells_has_the_sides_of_that_part() -> None:
    pieces = PIECES["square with bent sides"]

    assert np.array_equal(pieces.sides(5, 12), pieces.sides(0, pieces.count)[5:12])


def _differs_from_a_neighbour(labels: np.ndarray) -> np.ndarray:
    padded = np.pad(labels, 1, mode="edge")
    height, width = labels.shape
    shifts = ((0, 1), (2, 1), (1, 0), (1, 2))
    return np.logical_or.reduce([padded[y : y + height, x : x + width] != labels for y, x in shifts])


def test_cells_without_corners_have_no_sides_and_contain_everything() -> None:
    sides = sides_of_polygons(np.empty((0, 2)), np.zeros(3, np.intp))

    assert sides.shape == (3, 1, 3)
    assert (sides[..., :2] == 0).all()
    assert (sides[..., 2] == FAR).all()
