"""Scanline runs."""

from __future__ import annotations

import numpy as np

from processing.mosaic.cells.runs import runs_from_edges


def test_runs_from_edges_follow_pixel_centres_and_drop_empty_runs() -> None:
    edges = np.array([[-3.0, 1.5, 1.6, 9.0], [0.2, 0.5, 3.49, 3.51]])
    cells = np.array([[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]], np.int32)

    runs = runs_from_edges(edges, cells, 4)

    labels = np.repeat(runs.cells, runs.lengths).reshape(2, 4)
    assert labels.tolist() == [[1, 2, 3, 3], [7, 7, 7, 8]]
