"""Stained glass: exact panes, and leading of the given width."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.spatial import cKDTree

from processing.mosaic import parse, render
from processing.mosaic.cells.runs import BACKGROUND
from processing.mosaic.codec.decode import Source
from processing.mosaic.progress import Progress
from processing.mosaic.style import RenderContext
from processing.mosaic.styles.voronoi.voronoi import pane_count, pane_seeds, panes
from tests.processing.mosaic.cell_samples import inner_pixels, labels_of
from tests.processing.mosaic.pictures import encoded, noise, opened, scene, true_mean


def random_points(width: int, height: int, count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, (width, height), (count, 2))


@given(st.integers(1, 80), st.integers(1, 80), st.integers(1, 60), st.integers(0, 999))
@settings(max_examples=40, deadline=None)
def test_without_leading_every_pixel_is_in_the_pane_of_its_nearest_seed(
    width: int, height: int, count: int, seed: int
) -> None:
    seeds = random_points(width, height, count, seed)
    y, x = np.mgrid[0:height, 0:width] + 0.5

    labels = labels_of(panes(seeds, (width, height), 0, 10.0, Progress()))

    assert (labels != BACKGROUND).all()
    distances = np.linalg.norm(np.stack([x, y], -1) - seeds[labels], axis=-1)
    assert np.allclose(distances, cKDTree(seeds).query(np.stack([x, y], -1))[0], atol=1e-6)


@pytest.mark.parametrize("leading", [2, 5, 9])
def test_leading_covers_the_pixels_within_half_its_width_of_a_border(leading: int) -> None:
    seeds = random_points(200, 150, 60, 4)
    y, x = np.mgrid[0:150, 0:200] + 0.5
    squares = ((np.stack([x, y], -1)[:, :, None] - seeds) ** 2).sum(-1)
    own = squares.argmin(-1)
    between_seeds = np.linalg.norm(seeds[own][:, :, None] - seeds, axis=-1)
    excess = squares - squares.min(-1, keepdims=True)
    to_border = np.where(between_seeds > 0, excess / (2 * np.maximum(between_seeds, 1e-9)), np.inf)

    labels = labels_of(panes(seeds, (200, 150), leading, 10.0, Progress()))

    expected = np.where(to_border.min(-1) < leading / 2, BACKGROUND, own)
    assert (labels != expected).mean() < 0.0005


@pytest.mark.parametrize("linear", [True, False])
def test_every_pane_is_the_mean_of_its_visible_pixels(linear: bool) -> None:
    source = noise(120, 90)
    recipe = parse({"style": "voronoi", "panes": "voronoi", "cell": 15, "leading": 2, "linear": linear})
    context = RenderContext(Source(Image.fromarray(source), 120, 90), recipe.params, Progress())
    seeds = pane_seeds(context, pane_count(recipe.params, 120, 90), Progress())
    labels = labels_of(panes(seeds, (120, 90), 2, 15.0, Progress()))

    result = opened(render(encoded(source), recipe).data)

    interior = inner_pixels(labels)
    for pane in np.unique(labels[interior]):
        colours = result[interior & (labels == pane)]
        assert np.abs(colours - true_mean(source[labels == pane], linear)).max() <= 0.51


def test_the_seed_changes_the_panes_but_not_their_number() -> None:
    source = encoded(scene(300, 200))

    first, second = (
        render(source, parse({"style": "voronoi", "panes": "voronoi", "cells": 150, "seed": seed})) for seed in (1, 2)
    )

    assert first.data != second.data
    assert abs(first.quality.cells - 150) <= 5


def test_wide_leading_leaves_panes_visible() -> None:
    result = render(encoded(scene(60, 40)), parse({"style": "voronoi", "panes": "voronoi", "cell": 8, "leading": 64}))

    assert result.quality.coverage > 0.3
