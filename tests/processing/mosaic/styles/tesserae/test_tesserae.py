"""Stones follow the edges, none overlaps another, joints take little space, and rows close around a disc."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from scipy.spatial import cKDTree

from processing.mosaic import parse, render
from processing.mosaic.cells.polygons import PolygonCells
from processing.mosaic.codec.decode import Source
from processing.mosaic.progress import Progress
from processing.mosaic.style import RenderContext
from processing.mosaic.styles.tesserae.tesserae import TesseraeParams, place_stones
from tests.processing.mosaic.cell_samples import inner_pixels, labels_of
from tests.processing.mosaic.pictures import encoded, noise, opened, scene, true_mean
from tests.processing.mosaic.styles.tesserae.stone_coverage import times_covered


def flowers(width: int, height: int) -> np.ndarray:
    """Petals, a stem and a soft background: edges in every direction."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([60 + 60 * y / height, 90 + 80 * x / width, np.full(x.shape, 70.0)], -1)
    for across, down, size, colour in ((0.3, 0.35, 0.24, (220, 60, 40)), (0.7, 0.6, 0.3, (240, 200, 60))):
        dx, dy = (x - across * width) / height, (y - down * height) / height
        petals = np.hypot(dx, dy) < size * (0.75 + 0.25 * np.cos(5 * np.arctan2(dy, dx)))
        pixels[petals] = colour
        pixels[np.hypot(dx, dy) < size / 4] = (90, 40, 20)
    return pixels.astype(np.uint8)


def place(pixels: np.ndarray, **params: Any) -> PolygonCells:
    source = Source(Image.fromarray(pixels), pixels.shape[1], pixels.shape[0])
    return place_stones(RenderContext(source, TesseraeParams(**params), Progress()), Progress()).inset()


def outlines_of(cells: PolygonCells) -> list[np.ndarray]:
    return [np.array(outline.points) for outline in cells.outlines()]


@pytest.mark.parametrize("draw", [flowers, noise, scene])
@pytest.mark.parametrize("params", [{}, {"cell": 14, "irregularity": 1.0, "seed": 3}])
def test_no_stone_overlaps_another_and_85_percent_are_covered(
    draw: Callable[[int, int], np.ndarray], params: dict[str, Any]
) -> None:
    stones = outlines_of(place(draw(320, 240), **params))

    times = times_covered(stones, 320, 240)

    assert times.max() == 1
    assert (times == 1).mean() >= 0.85


def test_the_cells_are_the_stones_and_the_background_is_the_joints() -> None:
    cells = place(flowers(300, 200))

    labels = labels_of(cells)

    assert np.array_equal(labels >= 0, times_covered(outlines_of(cells), 300, 200) == 1)


def test_stones_at_strong_edges_are_parallel_to_them() -> None:
    """The longest side of each stone against the gradient of the blurred source, computed independently."""
    pixels = flowers(640, 480)
    grey = np.asarray(Image.fromarray(pixels).convert("L").filter(ImageFilter.GaussianBlur(3)), float)
    y, x = np.gradient(grey)
    strong = np.argwhere(np.hypot(x, y) > np.quantile(np.hypot(x, y), 0.95))
    stones = outlines_of(place(pixels, cell=10))

    distances, nearest = cKDTree(strong[:, ::-1]).query([stone.mean(axis=0) for stone in stones])
    errors = []
    for stone, (row, column) in ((stones[index], strong[nearest[index]]) for index in np.flatnonzero(distances < 7)):
        sides = np.roll(stone, -1, axis=0) - stone
        longest = sides[np.argmax(np.linalg.norm(sides, axis=1))]
        turn = np.arctan2(longest[1], longest[0]) - np.arctan2(y[row, column], x[row, column])
        errors.append(abs((turn + np.pi / 4) % (np.pi / 2) - np.pi / 4))

    assert len(errors) > 200
    assert np.degrees(np.median(errors)) < 15


def test_a_disc_is_surrounded_by_complete_rows() -> None:
    y, x = np.mgrid[0:300, 0:300]
    disc = np.where(np.hypot(x - 150, y - 150)[..., None] < 80, (220, 40, 40), (30, 40, 90)).astype(np.uint8)

    stones = outlines_of(place(disc, cell=10, irregularity=0.0, detail=0.0))

    radii = np.array([np.linalg.norm(stone.mean(axis=0) - (150, 150)) for stone in stones])
    inner, outer = (np.abs(radii - middle) < 2.5 for middle in (75, 85))
    assert abs(inner.sum() - 2 * np.pi * 75 / 10) < 6
    assert abs(outer.sum() - 2 * np.pi * 85 / 10) < 6
    assert (np.abs(radii - 80) < 2).sum() <= 3  # no stone lies across the edge


def areas_of(stones: list[np.ndarray]) -> np.ndarray:
    """Of polygons, by Gauss's formula."""
    return np.array(
        [
            abs(np.sum(stone[:, 0] * np.roll(stone[:, 1], -1) - np.roll(stone[:, 0], -1) * stone[:, 1])) / 2
            for stone in stones
        ]
    )


def test_irregularity_varies_the_sizes_of_stones() -> None:
    pixels = flowers(400, 300)

    spreads = []
    for irregularity in (0.0, 1.0):
        areas = areas_of(outlines_of(place(pixels, cell=10, irregularity=irregularity, detail=0.0)))
        spreads.append(areas.std() / areas.mean())

    assert spreads[0] < 0.11, "cuts at contours and at the frame leave some parts of stones"
    assert spreads[1] > 0.2
    assert spreads[1] > 1.5 * spreads[0]


def test_stones_are_smaller_at_detail() -> None:
    pixels = flowers(640, 480)

    stones = outlines_of(place(pixels, cell=10, detail=1.0, irregularity=0.0))

    middles = np.array([stone.mean(axis=0) for stone in stones])
    areas = areas_of(stones)
    on_flower = np.hypot(middles[:, 0] - 192, middles[:, 1] - 168) < 60
    far_away = (middles[:, 0] > 330) & (middles[:, 0] < 560) & (middles[:, 1] > 30) & (middles[:, 1] < 120)
    assert np.median(areas[far_away]) > 1.6 * np.median(areas[on_flower])


def test_stones_end_at_contours() -> None:
    """Of the stones at the edge of a disc, few contain both of its colours."""
    y, x = np.mgrid[0:300, 0:300]
    inside = np.hypot(x - 150, y - 150) < 80
    disc = np.where(inside[..., None], (220, 40, 40), (30, 40, 90)).astype(np.uint8)

    labels = labels_of(place(disc, cell=10))

    own = labels >= 0
    share = np.bincount(labels[own], inside[own]) / np.maximum(np.bincount(labels[own]), 1)
    touching = np.unique(labels[own & (np.abs(np.hypot(x - 150, y - 150) - 80) < 4)])
    assert len(touching) > 80
    assert np.minimum(share, 1 - share)[touching].mean() < 0.04


@pytest.mark.parametrize("andamento", ["regulatum", "tessellatum"])
def test_the_background_has_straight_rows_beyond_two_rows_around_everything(andamento: str) -> None:
    y, x = np.mgrid[0:300, 0:300]
    disc = np.where(np.hypot(x - 150, y - 150)[..., None] < 60, (220, 40, 40), (30, 40, 90)).astype(np.uint8)

    stones = outlines_of(place(disc, cell=10, andamento=andamento, irregularity=0.0, detail=0.0))

    middles = np.array([stone.mean(axis=0) for stone in stones])
    radii = np.hypot(middles[:, 0] - 150, middles[:, 1] - 150)
    background = (radii > 100) & (np.abs(middles - 150).max(axis=1) < 115)
    rows = middles[background, 1] % 10
    assert np.abs((rows - np.median(rows) + 5) % 10 - 5).mean() < 1.0
    assert abs((np.abs(radii - 65) < 2.5).sum() - 2 * np.pi * 65 / 10) < 8


@pytest.mark.parametrize("linear", [True, False])
def test_every_stone_is_the_mean_of_its_visible_pixels(linear: bool) -> None:
    source = noise(150, 110)
    params = {"cell": 11, "grout": 1, "material": "flat"}
    labels = labels_of(place(source, **params))

    result = opened(render(encoded(source), parse({"style": "tesserae", "linear": linear, **params})).data)

    interior = inner_pixels(labels)
    for stone in np.unique(labels[interior]):
        colours = result[interior & (labels == stone)]
        assert np.abs(colours - true_mean(source[labels == stone], linear)).max() <= 0.51


@given(st.integers(1, 90), st.integers(1, 90), st.integers(2, 60), st.integers(0, 64), st.integers(0, 999))
@settings(max_examples=25, deadline=None)
def test_any_size_cell_and_joint_is_painted(width: int, height: int, cell: int, grout: int, seed: int) -> None:
    recipe = parse({"style": "tesserae", "cell": cell, "grout": grout, "seed": seed, "irregularity": 1.0})

    result = render(encoded(noise(width, height, seed)), recipe)

    assert result.quality.cells >= 1
    assert result.quality.coverage > (0.05 if min(width, height) > 2 else 0.0)  # one stone may be all of a thin strip


def test_the_seed_changes_the_stones() -> None:
    first, second = (render(encoded(scene(90, 60)), parse({"style": "tesserae", "seed": seed})) for seed in (1, 2))

    assert first.data != second.data
