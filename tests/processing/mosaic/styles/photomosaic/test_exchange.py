"""Swaps bring capped tiles near to the best assignment, and keep repeats apart."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from processing.mosaic.progress import Progress
from processing.mosaic.styles.photomosaic.exchange import exchange_tiles

ROWS, COLUMNS, TILES, USES = 20, 30, 150, 4


def costs_of(cells: np.ndarray, tiles: np.ndarray) -> np.ndarray:
    return ((cells[:, None] - tiles) ** 2).sum(axis=-1)


@pytest.mark.parametrize(("min_distance", "above"), [(1, 1.12), (3, 1.5)])
def test_swaps_come_near_to_the_best_assignment(min_distance: int, above: float) -> None:
    """The best one knows no distance of repeats."""
    rng = np.random.default_rng(5)
    cells, tiles = (rng.normal(size=(count, 6)).astype(np.float32) for count in (ROWS * COLUMNS, TILES))
    costs = costs_of(cells, tiles)
    _, columns = linear_sum_assignment(np.repeat(costs, USES, axis=1))
    best = costs[np.arange(len(cells)), columns // USES].mean()
    assignment = np.arange(ROWS * COLUMNS, dtype=np.int32).reshape(ROWS, COLUMNS) % TILES
    uses = np.bincount(assignment.ravel())

    exchange_tiles(assignment, cells, [tiles], min_distance, 0, Progress())

    assert np.array_equal(np.bincount(assignment.ravel()), uses)
    assert costs[np.arange(len(cells)), assignment.ravel()].mean() < best * above
    for down in range(min_distance):
        for across in range(-min_distance + 1, min_distance):
            if (down, across) > (0, 0):
                shifted = np.roll(assignment, (-down, -across), (0, 1))
                inside = slice(max(0, -across), COLUMNS - max(0, across))
                assert not (assignment == shifted)[: ROWS - down, inside].any()


def test_many_cells_get_fewer_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    assignment = np.zeros((1, 70_000), np.int32)
    reports: list[float] = []

    exchange_tiles(
        assignment, np.zeros((70_000, 1), np.float32), [np.zeros((1, 1), np.float32)], 1, 0, Progress(reports.append)
    )

    assert reports == []
