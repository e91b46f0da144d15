"""Small tiles where there is detail, large ones elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.mosaic import STYLES, Result, TilePool, parse, pool_from_tiles, render
from processing.mosaic.cells.split_grid import SplitGrid
from processing.mosaic.codec.decode import decode
from processing.mosaic.progress import Progress
from processing.mosaic.strip_canvas import StripCanvas
from processing.mosaic.style import RenderContext
from processing.mosaic.styles.photomosaic.matching import feasible_limits
from tests.processing.mosaic.cell_samples import inner_pixels, labels_of
from tests.processing.mosaic.pictures import encoded, noise, opened, scene
from tests.processing.mosaic.styles.photomosaic.test_photomosaic import PHOTO, render_photomosaic
from tests.processing.mosaic.tile_samples import colourful_pool, flat_tiles

COLOURS = [(230, 20, 20), (20, 230, 20), (20, 20, 230), (230, 230, 20), (20, 230, 230), (230, 20, 230)]
FLAT = pool_from_tiles(range(6), flat_tiles(COLOURS))


def calm_and_busy(side: int, factor: int = 1) -> np.ndarray:
    """A plain half, and one with squares of a quarter of a cell."""
    pixels = np.full((8 * side, 12 * side, 3), 150, np.uint8)
    rng = np.random.default_rng(1)
    pixels[:, 8 * side :] = rng.integers(0, 256, (32, 16, 3)).repeat(side // 4, 0).repeat(side // 4, 1)
    return pixels.repeat(factor, 0).repeat(factor, 1)


def grid_of(result: Result) -> SplitGrid:
    cell_map: Any = result.cell_map
    split = np.array(cell_map["split"], bool).reshape(cell_map["rows"], cell_map["columns"])
    grid = SplitGrid(result.width, result.height, cell_map["cell"], cell_map["cell_height"], split)
    assert len(cell_map["tiles"]) == len(cell_map["mirrored"]) == grid.count == result.quality.cells
    return grid


def tiles_of(result: Result) -> np.ndarray:
    cell_map: Any = result.cell_map
    return np.array(cell_map["tiles"])


@given(st.integers(1, 130), st.integers(1, 130), st.integers(8, 40), st.sampled_from(["1:1", "4:3", "3:4"]))
@settings(max_examples=40, deadline=None)
def test_each_pixel_shows_the_tile_that_the_cell_map_names(width: int, height: int, cell: int, shape: str) -> None:
    pool = pool_from_tiles(range(6), flat_tiles(COLOURS), shape=shape)

    result = render_photomosaic(pool, encoded(noise(width, height)), cell=cell, shape=shape, split=True, apart=1)

    labels, pixels = labels_of(grid_of(result)), opened(result.data)
    expected = np.array(COLOURS, np.uint8)[tiles_of(result)[labels]]
    inner = inner_pixels(labels)
    assert np.array_equal(pixels[inner], expected[inner])


def test_cells_are_small_where_there_is_detail_alone() -> None:
    split = grid_of(render_photomosaic(FLAT, encoded(calm_and_busy(24)), cell=24, split=True)).split

    assert split[:, 9:].mean() > 0.9
    assert not split[:, :7].any()
    plain = render_photomosaic(FLAT, encoded(np.full((96, 96, 3), 90, np.uint8)), cell=24, split=True)
    assert not grid_of(plain).split.any(), "a plain picture has none"


def test_a_picture_of_another_size_has_its_small_cells_at_the_same_places() -> None:
    small = render_photomosaic(FLAT, encoded(calm_and_busy(16)), cell=16, split=True)
    large = render_photomosaic(FLAT, encoded(calm_and_busy(16, factor=4)), cell=64, split=True)

    assert np.array_equal(grid_of(small).split, grid_of(large).split)


def test_small_cells_show_more_of_the_picture() -> None:
    source, pool = encoded(calm_and_busy(24)), colourful_pool(500)

    one, two, all_small = (
        np.abs(opened(render_photomosaic(pool, source, **params).data).astype(int) - calm_and_busy(24))[:, 240:].mean()
        for params in ({"cell": 24}, {"cell": 24, "split": True}, {"cell": 12})
    )

    assert two < 0.92 * one
    assert two < 1.05 * all_small


@given(st.integers(1, 400), st.integers(1, 6), st.none() | st.integers(1, 400), st.integers(0, 5), st.booleans())
@settings(max_examples=15, deadline=None)
def test_repeats_are_apart_and_uses_are_bounded(
    count: int, apart: int, most: int | None, seed: int, mirror: bool
) -> None:
    params = {"apart": apart, "most": most, "seed": seed, "mirror": mirror, "split": True, "cell": 20}
    result = render_photomosaic(colourful_pool(count), **params)

    grid, tiles = grid_of(result), tiles_of(result)
    limits = feasible_limits(apart, most, tiles=count, cells=grid.count, parts=4)
    assert np.unique(tiles, return_counts=True)[1].max() <= limits.max_uses
    row, column = np.divmod(grid.place, grid.columns)
    for tile in np.unique(tiles) if limits.min_distance > 1 else ():
        y, x = row[tiles == tile], column[tiles == tile]
        distances = np.maximum(np.abs(y[:, None] - y), np.abs(x[:, None] - x))
        assert (distances[~np.eye(len(y), dtype=bool)] >= limits.min_distance).all()


@pytest.mark.parametrize("most", [None, 4])
def test_every_picture_is_used_on_request(most: int | None) -> None:
    result = render_photomosaic(colourful_pool(120), split=True, apart=2, every=True, most=most)

    assert len(np.unique(tiles_of(result))) == 120


@pytest.mark.parametrize("params", [{"tint": 50}, {"transfer": 100}])
def test_tint_and_transfer_bring_the_picture_nearer(params: dict[str, Any]) -> None:
    plain, nearer = (render_photomosaic(colourful_pool(30), split=True, **each) for each in ({}, params))

    assert nearer.quality.difference < plain.quality.difference * 0.75


def test_margins_are_drawn_around_small_tiles_too() -> None:
    params = {"cell": 24, "split": True, "margin": 2, "margin_colour": "#000000"}
    result = render_photomosaic(FLAT, encoded(calm_and_busy(24)), **params)

    dark = (opened(result.data) == 0).all(axis=-1)
    labels = labels_of(grid_of(result))
    borders = np.zeros_like(dark)
    for axis in (0, 1):
        before, after = (np.delete(labels, place, axis=axis) for place in (-1, 0))
        crossed = np.pad(before != after, [(0, 1) if axis == each else (0, 0) for each in (0, 1)])
        borders |= crossed | np.roll(crossed, 1, axis=axis)
    assert np.array_equal(dark, borders)
    assert result.quality.coverage == pytest.approx(1 - dark.mean(), abs=0.004), "corners are counted twice"


@pytest.mark.parametrize("margin", [0, 3])
@pytest.mark.parametrize("pool", [None, colourful_pool(40)])
def test_strips_have_the_same_pixels(pool: TilePool | None, margin: int) -> None:
    recipe = parse({"style": "photomosaic", "split": True, "size": 700, "cell": 30, "margin": margin})
    source, size = decode(encoded(scene(160, 120)), Progress()), (700, 525)
    paint = STYLES["photomosaic"].paint

    whole = paint(RenderContext(source, recipe.params, Progress(), size, pool)).canvas
    strips = paint(RenderContext(source, recipe.params, Progress(), size, pool, large_megapixels=0.0)).canvas

    assert isinstance(strips, StripCanvas)
    assert np.array_equal(opened(strips.encode("png", 90, Progress())), opened(whole.encode("png", 90, Progress())))


def test_without_a_pool_small_copies_are_where_the_detail_is() -> None:
    one, two = (render_photomosaic(None, encoded(calm_and_busy(24)), cell=24, split=split) for split in (False, True))

    assert one.quality.cells * 1.5 < two.quality.cells < one.quality.cells * 3
    assert two.quality.difference < 4
    errors = [np.abs(opened(result.data).astype(int) - calm_and_busy(24))[:, 200:].mean() for result in (one, two)]
    assert errors[1] < errors[0]


def test_a_reduced_jpeg_gives_nearly_the_same_cells() -> None:
    source = scene(640, 480)
    exact, reduced = (render_photomosaic(None, encoded(source, form), cell=32, split=True) for form in ("PNG", "JPEG"))

    assert exact.quality.cells == pytest.approx(reduced.quality.cells, rel=0.05)
    assert np.abs(opened(exact.data).astype(int) - opened(reduced.data)).mean() < 6


def test_cells_of_two_sizes_are_laid_in_an_animation() -> None:
    recipe = {"style": "photomosaic", "cell": 24, "split": True, "reveal": True, "format": "webp"}

    assert render(PHOTO, parse(recipe)).format == "webp"


def test_hexagons_are_not_split() -> None:
    plain, split = (render_photomosaic(None, shape="hexagon", split=split) for split in (False, True))

    assert plain.data == split.data
