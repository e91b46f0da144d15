"""Dots have the exact colours of their rectangles and the sizes of the recipe."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.mosaic import Result, parse, render
from processing.mosaic.cells.runs import BACKGROUND
from processing.mosaic.colour.srgb import linear_lut
from processing.mosaic.progress import Progress
from processing.mosaic.styles.dots.dot_grid import DotGrid
from processing.mosaic.styles.dots.dots import dot_radii
from processing.mosaic.styles.dots.inks import ink_coverage
from tests.bench.differences import blurred_difference
from tests.bench.looks import photographs
from tests.processing.mosaic.cell_samples import labels_of
from tests.processing.mosaic.pictures import encoded, noise, opened, scene, true_mean
from tests.processing.mosaic.svg_raster import rasterised

GROUND_COLOUR = (0xF7, 0xF2, 0xE8)
SAMPLES = sorted((Path(__file__).parents[5] / "static" / "samples").glob("*-small.jpg"))
GOLDEN_SOURCE = Path(__file__).parents[2] / "golden" / "source.png"


def render_dots(pixels: np.ndarray, **params: Any) -> Result:
    return render(encoded(pixels), parse({"style": "dots", **params}))


@given(st.integers(1, 80), st.integers(1, 80), st.integers(2, 40), st.booleans())
@settings(max_examples=60, deadline=None)
def test_every_pixel_lies_in_one_rectangle_and_one_dot_is_in_the_middle(
    width: int, height: int, side: int, staggered: bool
) -> None:
    grid = DotGrid(width, height, side, staggered=staggered)

    labels = labels_of(grid)

    assert labels.shape == (height, width)
    assert (labels != BACKGROUND).all()
    assert labels.max() < grid.count
    assert np.abs(grid.centres(0, grid.count) - (width / 2, height / 2)).max(axis=1).min() <= 1


@pytest.mark.parametrize("lattice", ["staggered", "square"])
@pytest.mark.parametrize("linear", [True, False])
def test_a_dot_has_the_exact_mean_of_its_rectangle(lattice: str, linear: bool) -> None:
    source = noise(120, 90)
    grid = DotGrid(120, 90, 12, staggered=lattice == "staggered")
    labels = labels_of(grid)

    result = opened(render_dots(source, cell=12, lattice=lattice, linear=linear, dot_size="airy").data)

    visible = 0
    for cell, (x, y) in enumerate(grid.centres(0, grid.count).astype(int)):
        if 0 <= x < 120 and 0 <= y < 90:
            visible += 1
            assert np.abs(result[y, x] - true_mean(source[labels == cell], linear)).max() <= 0.51
    assert visible > 60


@pytest.mark.parametrize(("size", "order"), [("airy", [2, 1, 0]), ("light", [0, 1, 2]), ("equal", [])])
def test_sizes_follow_the_lightness(size: str, order: list[int]) -> None:
    shades = np.array([[20] * 3, [120] * 3, [230] * 3], np.uint8)

    radii = dot_radii(shades, size, 40.0, Progress())

    assert radii.max() <= 20
    assert np.argsort(radii).tolist() == order if order else len(set(radii.tolist())) == 1


def test_coverage_is_the_share_of_pixels_that_are_not_ground() -> None:
    result = render_dots(np.full((200, 200, 3), 90, np.uint8), cell=20, smooth=False)

    share = (opened(result.data) != GROUND_COLOUR).any(axis=-1).mean()
    assert result.quality.coverage == pytest.approx(share, abs=1e-6)


def test_soft_edges_cover_as_much_as_hard_edges() -> None:
    soft, hard = (render_dots(scene(240, 180), cell=16, smooth=smooth) for smooth in (True, False))

    assert soft.quality.coverage == pytest.approx(hard.quality.coverage, abs=0.02)
    assert len(np.unique(opened(soft.data).reshape(-1, 3), axis=0)) > len(np.unique(opened(hard.data), axis=0))


def test_the_svg_of_soft_dots_is_antialiased_and_has_every_dot_once_above_a_larger_one() -> None:
    result = render_dots(scene(97, 61), cell=12, format="svg")

    assert b"geometricPrecision" in result.data
    assert len(re.findall(b"<(?:circle|polygon)", result.data)) == 2 * result.quality.cells


def test_only_palette_colours_and_the_ground_are_used() -> None:
    pixels = opened(render_dots(scene(90, 60), cell=10, palette=["#ff0000", "#0000ff"], smooth=False).data)

    colours = {tuple(colour) for colour in np.unique(pixels.reshape(-1, 3), axis=0).tolist()}
    assert colours == {GROUND_COLOUR, (255, 0, 0), (0, 0, 255)}


def test_dots_keep_the_tone_of_photographs() -> None:
    differences = []
    for photo in photographs([*SAMPLES, GOLDEN_SOURCE]).values():
        source = np.asarray(photo)
        differences.append(blurred_difference(source, opened(render_dots(source, cell=8).data), 8.0))

    assert np.mean(differences) <= 1.5, differences
    assert max(differences) <= 3.0, differences


@pytest.mark.parametrize("lattice", ["staggered", "square"])
@pytest.mark.parametrize("smooth", [True, False])
@pytest.mark.parametrize("cell", [2, 5, 8, 13, 30])
def test_ink_and_ground_add_up_to_the_mean(lattice: str, smooth: bool, cell: int) -> None:
    for colour in [(210, 160, 140), (60, 40, 30), (20, 20, 60), (255, 255, 255)]:
        flat = np.full((180, 240, 3), colour, np.uint8)

        result = opened(render_dots(flat, cell=cell, lattice=lattice, smooth=smooth).data)

        inner = result[cell * 2 : -cell * 2, cell * 2 : -cell * 2]
        assert np.abs(true_mean(inner) - colour).max() <= 8, colour


@given(st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=20), st.tuples(*[st.integers(0, 255)] * 3))
@settings(max_examples=60, deadline=None)
def test_there_is_an_ink_for_every_mean_and_ground(
    means: list[tuple[int, int, int]], ground: tuple[int, int, int]
) -> None:
    light, paper = linear_lut(True)[np.array(means)], linear_lut(True)[list(ground)]

    inks = paper + (light - paper) / ink_coverage(light, paper)[:, None]

    assert inks.min() >= -1e-5
    assert inks.max() <= 1 + 1e-5


@pytest.mark.parametrize("size", [(97, 61), (96, 105), (104, 112)])
def test_dark_pictures_have_no_gaps_at_the_edges(size: tuple[int, int]) -> None:
    red = np.full((size[1], size[0], 3), (60, 10, 10), np.uint8)

    result = opened(render_dots(red, cell=8, smooth=False).data).astype(int)

    assert np.abs(result - (60, 10, 10)).max() <= 1


@pytest.mark.parametrize("lattice", ["staggered", "square"])
def test_the_svg_of_tonal_dots_agrees_with_the_raster(lattice: str) -> None:
    source = scene(97, 61)
    raster = opened(render_dots(source, cell=12, lattice=lattice, smooth=False).data).astype(int)

    from_svg = rasterised(render_dots(source, cell=12, lattice=lattice, smooth=False, format="svg").data).astype(int)

    different = np.abs(from_svg - raster).max(axis=-1) > 1
    assert different.mean() < 0.03, f"{different.mean():.1%} of the pixels differ"


@pytest.mark.parametrize("staggered", [False, True])
def test_the_outline_of_a_cell_contains_its_pixels_and_cuts_none(staggered: bool) -> None:
    grid = DotGrid(37, 29, 7, staggered=staggered)
    labels = labels_of(grid)
    y, x = np.mgrid[0 : grid.height, 0 : grid.width] + 0.5

    corners = np.array([outline.points for outline in grid.outlines()])

    assert (corners == corners.round()).all()
    assert grid.enlarged(4) is None
    for cell, ((left, top), (right, bottom)) in enumerate(zip(corners.min(axis=1), corners.max(axis=1), strict=True)):
        assert np.array_equal((x > left) & (x < right) & (y > top) & (y < bottom), labels == cell)


@pytest.mark.parametrize("lattice", ["staggered", "square"])
def test_dots_that_are_painted_one_by_one_cover_what_is_reported(lattice: str) -> None:
    """Every second row of the staggered ones has a dot whose square is beside the picture."""
    result = render_dots(scene(1000, 700), cell=800, lattice=lattice, smooth=False)

    covered = (opened(result.data) != GROUND_COLOUR).any(axis=-1).mean()
    assert result.quality.coverage == pytest.approx(covered, abs=0.005)
