"""Voronoi cells share their corners; insets drop sides that vanish; centroids are exact."""

from __future__ import annotations

import numpy as np
import pytest

from processing.mosaic.cells.convex import centroids, inset_polygons, voronoi_cells
from processing.mosaic.progress import Progress

TRAPEZIUM = np.array([[0.0, 0.0], [10.0, 0.0], [5.5, 9.0], [4.5, 9.0]])


def test_an_inset_drops_sides_that_vanish() -> None:
    points, counts = inset_polygons(TRAPEZIUM, np.array([4]), 2.0)
    _, empty_counts = inset_polygons(TRAPEZIUM, np.array([4]), 4.0)

    assert counts.tolist() == [3]
    assert points[:, 1].min() == pytest.approx(2.0)
    assert empty_counts.tolist() == [0]


def test_cells_that_meet_share_the_same_corner() -> None:
    seeds = np.random.default_rng(0).uniform(0, 100, (40, 2))

    points, counts = voronoi_cells(seeds, (100, 100), Progress())

    inner = points[((points > 0) & (points < 100)).all(axis=1)]
    assert (np.unique(inner, axis=0, return_counts=True)[1] == 3).all()
    assert counts.min() >= 3


def test_centroids_of_polygons_without_corners_are_left_out() -> None:
    square = np.array([[2.0, 2.0], [6.0, 2.0], [6.0, 4.0], [2.0, 4.0]])

    assert np.allclose(centroids(np.concatenate([square, square + 10]), np.array([4, 0, 4])), [[4, 3], [14, 13]])
    assert centroids(np.zeros((0, 2)), np.array([0])).shape == (0, 2)
