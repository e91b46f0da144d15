"""Swaps bring capped tiles near to the best assignment, and keep repeats apart."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from processing.mosaic.progress import Progress
from processing.mosaic.styles.photomosaic.exchange import exchange_tiles
from processing.mosaic.styles.photomosaic.places import Places

ROWS, COLUMNS, TILES, USES = 20, 30, 150, 4
PLACES = Places.of_grid(ROWS, COLUMNS)


def costs_of(cells: np.ndarray, tiles: np.ndarray) -> np.ndarray:
    return ((cells[:, None] - tiles) ** 2).sum(axis=-1)


def cell_points(cells: np.ndarray) -> np.ndarray:
    """What `exchange_tiles` takes: products with `view` are squared distances less a constant."""
    return np.pad(cells, ((0, 0), (0, 1)), constant_values=1.0)


def view(tiles: np.ndarray) -> np.ndarray:
    return np.concatenate([-2.0 * tiles, (tiles**2).sum(axis=1, keepdims=True)], axis=1)


@pytest.mark.parametrize(("min_distance", "above"), [(1, 1.12), (3, 1.5)])
def test_swaps_come_near_to_the_best_assignment(min_distance: int, above: float) -> None:
    """The best one knows no distance of repeats."""
    rng = np.random.default_rng(5)
    cells, tiles = (rng.normal(size=(count, 6)).astype(np.float32) for count in (ROWS * COLUMNS, TILES))
    costs = costs_of(cells, tiles)
    _, columns = linear_sum_assignment(np.repeat(costs, USES, axis=1))
    best = costs[np.arange(len(cells)), columns // USES].mean()
    assignment = np.arange(ROWS * COLUMNS, dtype=np.int32) % TILES
    uses = np.bincount(assignment)

    weights = np.ones(len(cells), np.float32)
    exchange_tiles(assignment, PLACES, cell_points(cells), weights, [view(tiles)], min_distance, 0, Progress())

    assert np.array_equal(np.bincount(assignment), uses)
    assert costs[np.arange(len(cells)), assignment].mean() < best * above
    grid = assignment.reshape(ROWS, COLUMNS)
    for down in range(min_distance):
        for across in range(-min_distance + 1, min_distance):
            if (down, across) > (0, 0):
                shifted = np.roll(grid, (-down, -across), (0, 1))
                inside = slice(max(0, -across), COLUMNS - max(0, across))
                assert not (grid == shifted)[: ROWS - down, inside].any()


def test_small_pictures_are_compared_in_other_blocks_each_round() -> None:
    """In the same block each round, cells whose swap the distance of repeats forbids would find each other again."""
    rng = np.random.default_rng(5)
    rows, columns, tiles = 12, 15, rng.normal(size=(45, 6)).astype(np.float32)
    cells = rng.normal(size=(rows * columns, 6)).astype(np.float32)
    assignment = np.arange(rows * columns, dtype=np.int32) % len(tiles)
    before = costs_of(cells, tiles)[np.arange(len(cells)), assignment].mean()

    places, weights = Places.of_grid(rows, columns), np.ones(len(cells), np.float32)
    exchange_tiles(assignment, places, cell_points(cells), weights, [view(tiles)], 3, 0, Progress())

    assert costs_of(cells, tiles)[np.arange(len(cells)), assignment].mean() < 0.45 * before


def test_cells_whose_errors_count_more_come_nearer() -> None:
    rng = np.random.default_rng(5)
    cells, tiles = (rng.normal(size=(count, 6)).astype(np.float32) for count in (ROWS * COLUMNS, TILES))
    detailed = rng.random(len(cells)) < 0.2
    means = []
    for weight in (1.0, 3.0):
        assignment = np.arange(ROWS * COLUMNS, dtype=np.int32) % TILES
        weights = np.where(detailed, weight, 1.0).astype(np.float32)
        exchange_tiles(assignment, PLACES, cell_points(cells), weights, [view(tiles)], 1, 0, Progress())
        costs = costs_of(cells, tiles)[np.arange(len(cells)), assignment]
        means.append((costs[detailed].mean(), costs.mean()))

    assert means[1][0] < 0.9 * means[0][0]
    assert means[1][1] < 1.1 * means[0][1], "the others pay little for it"


def test_many_cells_get_fewer_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    assignment, places = np.zeros(160_000, np.int32), Places.of_grid(1, 160_000)
    reports: list[float] = []

    cells, tile = np.zeros((160_000, 1), np.float32), np.zeros((1, 1), np.float32)
    exchange_tiles(assignment, places, cells, np.ones(160_000, np.float32), [tile], 1, 0, Progress(reports.append))

    assert reports == []
