"""Stained glass: exact panes, denser where there is detail, leading of the width asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.spatial import cKDTree

from processing.mosaic import parse, render
from processing.mosaic.cells.convex import inset_polygons, voronoi_cells
from processing.mosaic.cells.runs import BACKGROUND
from processing.mosaic.progress import Progress
from processing.mosaic.styles.voronoi.seeds import gradient_magnitude, stipple_points
from processing.mosaic.styles.voronoi.voronoi import panes
from tests.processing.mosaic.pictures import encoded, noise, opened, scene, true_mean


def scattered(width: int, height: int, count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, (width, height), (count, 2))


def labels(seeds: np.ndarray, size: tuple[int, int], leading: float) -> np.ndarray:
    runs = panes(seeds, size, leading, 10.0, Progress()).runs(0, size[1])
    return np.repeat(runs.cells, runs.lengths).reshape(size[1], size[0])


@given(st.integers(1, 80), st.integers(1, 80), st.integers(1, 60), st.integers(0, 999))
@settings(max_examples=40, deadline=None)
def test_without_leading_every_pixel_is_in_the_pane_of_its_nearest_seed(
    width: int, height: int, count: int, seed: int
) -> None:
    seeds = scattered(width, height, count, seed)
    y, x = np.mgrid[0:height, 0:width] + 0.5

    labels_of_pixels = labels(seeds, (width, height), 0)

    assert (labels_of_pixels != BACKGROUND).all()
    distances = np.linalg.norm(np.stack([x, y], -1) - seeds[labels_of_pixels], axis=-1)
    assert np.allclose(distances, cKDTree(seeds).query(np.stack([x, y], -1))[0], atol=1e-6)


@pytest.mark.parametrize("leading", [2, 5, 9])
def test_leading_is_what_lies_nearer_to_a_border_than_half_its_width(leading: int) -> None:
    seeds = scattered(200, 150, 60, 4)
    y, x = np.mgrid[0:150, 0:200] + 0.5
    places = np.stack([x, y], -1)
    to_all = places[:, :, None] - seeds
    squares = (to_all**2).sum(-1)
    own = squares.argmin(-1)
    apart = np.linalg.norm(seeds[own][:, :, None] - seeds, axis=-1)
    border = np.where(apart > 0, (squares - squares.min(-1, keepdims=True)) / (2 * np.maximum(apart, 1e-9)), np.inf)

    labels_of_pixels = labels(seeds, (200, 150), leading)

    expected = np.where(border.min(-1) < leading / 2, BACKGROUND, own)
    assert (labels_of_pixels != expected).mean() < 0.0005


def test_sides_that_are_squeezed_out_are_dropped() -> None:
    trapezium = np.array([[0.0, 0.0], [10.0, 0.0], [5.5, 9.0], [4.5, 9.0]])

    points, counts = inset_polygons(trapezium, np.array([4]), 2.0)
    gone = inset_polygons(trapezium, np.array([4]), 4.0)

    assert counts.tolist() == [3]
    assert points[:, 1].min() == pytest.approx(2.0)
    assert gone[1].tolist() == [0]


def test_every_corner_is_shared_exactly_by_the_cells_that_meet_there() -> None:
    points, counts = voronoi_cells(scattered(100, 100, 40), (100, 100), Progress())

    inner = points[((points > 0) & (points < 100)).all(axis=1)]
    assert (np.unique(inner, axis=0, return_counts=True)[1] == 3).all()
    assert counts.min() >= 3


@pytest.mark.parametrize("linear", [True, False])
def test_every_pane_is_the_mean_of_the_pixels_it_shows(linear: bool) -> None:
    source = noise(120, 90)
    recipe = parse({"style": "voronoi", "cell": 15, "leading": 2, "leading_colour": "#010203", "linear": linear})

    result = opened(render(encoded(source), recipe).data)

    pane_pixels = (result != (1, 2, 3)).any(axis=-1)
    for colour in np.unique(result[pane_pixels], axis=0):
        pane = (result == colour).all(axis=-1)
        assert np.abs(colour - true_mean(source[pane], linear)).max() <= 0.51


def test_panes_are_smaller_where_there_is_detail() -> None:
    pixels = np.full((200, 400, 3), 90, np.uint8)
    pixels[:, 200:] = noise(200, 200)

    density = 0.02 + gradient_magnitude(Image.fromarray(pixels), 5000)
    seeds = stipple_points(density, (400, 200), 400, steps=3, seed=0, progress=Progress())

    busy = (seeds[:, 0] > 200).sum()
    assert busy > 4 * (len(seeds) - busy)


def test_seeds_are_blue_noise() -> None:
    seeds = stipple_points(np.ones((60, 60)), (600, 600), 400, steps=3, seed=1, progress=Progress())

    nearest = cKDTree(seeds).query(seeds, 2)[0][:, 1]
    assert nearest.min() > 0.4 * 30
    assert nearest.mean() > 0.75 * 30  # chance alone gives 0.5


def test_another_seed_gives_other_panes_and_as_many_as_asked_for() -> None:
    source = encoded(scene(300, 200))

    first, second = (render(source, parse({"style": "voronoi", "cells": 150, "seed": seed})) for seed in (1, 2))

    assert first.data != second.data
    assert abs(first.quality.cells - 150) <= 5


def test_wide_leading_leaves_panes_to_see() -> None:
    result = render(encoded(scene(60, 40)), parse({"style": "voronoi", "cell": 8, "leading": 64}))

    assert result.quality.coverage > 0.3
