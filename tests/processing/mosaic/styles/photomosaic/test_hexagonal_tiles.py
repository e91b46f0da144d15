"""Tiles that are hexagons."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from processing.mosaic import STYLES, Result, TilePool, build_pool, parse, pool_from_tiles, render
from processing.mosaic.cells.hexagons import HexagonGrid, hexagon_size
from processing.mosaic.codec.decode import decode
from processing.mosaic.colour.srgb import linearise
from processing.mosaic.progress import Progress
from processing.mosaic.strip_canvas import StripCanvas
from processing.mosaic.style import RenderContext
from processing.mosaic.styles.photomosaic.matching import feasible_limits
from tests.processing.mosaic.cell_samples import inner_pixels, labels_of
from tests.processing.mosaic.pictures import encoded, noise, opened, scene
from tests.processing.mosaic.styles.photomosaic.test_photomosaic import PHOTO, render_photomosaic, tile_ids
from tests.processing.mosaic.tile_samples import colourful_pool, flat_tiles

COLOURS = [(230, 20, 20), (20, 230, 20), (20, 20, 230), (230, 230, 20), (20, 230, 230), (230, 20, 230)]


def hexagonal(pool: TilePool) -> TilePool:
    return pool_from_tiles(pool.ids.tolist(), pool.tiles, shape="hexagon")  # type: ignore[arg-type]


FLAT = hexagonal(pool_from_tiles(range(6), flat_tiles(COLOURS)))


def grid_of(result: Result) -> HexagonGrid:
    cell_map: Any = result.cell_map
    grid = HexagonGrid(result.width, result.height, cell_map["cell"], cell_map["cell_height"])
    assert (cell_map["shape"], cell_map["rows"], cell_map["columns"]) == ("hexagon", grid.rows, grid.columns)
    assert (cell_map["left"], cell_map["top"], cell_map["row_height"]) == (grid.left, grid.top, grid.row_height)
    return grid


@given(st.integers(1, 130), st.integers(1, 130), st.integers(8, 40))
@settings(max_examples=40, deadline=None)
def test_each_pixel_shows_the_tile_that_the_cell_map_names(width: int, height: int, cell: int) -> None:
    result = render_photomosaic(FLAT, encoded(noise(width, height)), cell=cell, shape="hexagon", apart=1)

    labels, pixels = labels_of(grid_of(result)), opened(result.data)
    expected = np.array(COLOURS, np.uint8)[tile_ids(result).ravel()[labels]]
    inner = inner_pixels(labels)
    assert np.array_equal(pixels[inner], expected[inner])
    assert (pixels.astype(int).max(axis=-1) > 100).all(), "at edges, the pixels are mixed from both cells alone"


def test_edges_are_antialiased() -> None:
    halves = np.zeros((64, 64, 3), np.uint8)
    halves[32:] = 255
    pool = hexagonal(pool_from_tiles([1, 2], flat_tiles([(0, 0, 0), (255, 255, 255)])))

    pixels = opened(render_photomosaic(pool, encoded(halves), cell=30, shape="hexagon", apart=1).data)

    values, counts = np.unique(pixels, return_counts=True)
    assert len(values) > 8
    assert counts[1:-1].sum() < 0.05 * counts.sum()


@pytest.mark.parametrize("mirror", [False, True])
def test_tiles_show_the_middle_of_their_pictures_undistorted(mirror: bool) -> None:
    square = Image.new("RGB", (400, 400), "white")
    square.paste("black", (140, 140, 260, 260))
    pool, flat = build_pool([(1, encoded(np.asarray(square)))], shape="hexagon"), np.full((400, 400, 3), 200, np.uint8)

    result = render_photomosaic(pool, encoded(flat), cell=90, shape="hexagon", mirror=mirror)

    grid, dark = grid_of(result), opened(result.data)[..., 0] < 128
    x, y = grid.centres(0, grid.count).round().astype(int)[grid.columns + 1].tolist()
    around = dark[y - 40 : y + 40, x - 40 : x + 40]
    across, down = (np.flatnonzero(around.any(axis=axis)) for axis in (0, 1))
    assert np.ptp(across) == pytest.approx(np.ptp(down), abs=2)
    assert across.mean() == pytest.approx(39.5, abs=1)
    assert down.mean() == pytest.approx(39.5, abs=1)


def test_a_head_at_the_top_of_a_portrait_is_seen_whole() -> None:
    y, x = np.indices((640, 360))
    head = np.hypot(x - 180, y - 124) < 90
    portrait = np.where(head[..., None], (220, 20, 20), (230, 230, 230)).astype(np.uint8)
    noisy = head[..., None] & (np.random.default_rng(1).random((640, 360, 1)) < 0.3)
    pool = build_pool([(1, encoded(np.where(noisy, portrait // 2, portrait)))], shape="hexagon", crops=1)

    result = render_photomosaic(pool, encoded(np.full((400, 400, 3), 200, np.uint8)), cell=90, shape="hexagon")

    grid, pixels = grid_of(result), opened(result.data).astype(int)
    cell = labels_of(grid) == grid.columns + 1
    seen = (cell & (pixels[..., 0] - pixels[..., 1] > 50)).sum() / (grid.wide / 360) ** 2
    assert seen > 0.97 * head.sum()


@given(st.integers(1, 90), st.integers(1, 12), st.none() | st.integers(1, 400), st.integers(0, 5))
@settings(max_examples=10, deadline=None)
def test_repeats_are_apart_and_uses_are_bounded(count: int, apart: int, most: int | None, seed: int) -> None:
    pool = hexagonal(colourful_pool(count))
    result = render_photomosaic(pool, shape="hexagon", apart=apart, most=most, seed=seed)

    ids = tile_ids(result)
    limits = feasible_limits(apart, most, tiles=count, cells=ids.size)
    assert np.unique(ids, return_counts=True)[1].max() <= limits.max_uses
    rows, columns = np.indices(ids.shape)
    for tile in np.unique(ids):
        y, x = rows[ids == tile], columns[ids == tile]
        distances = np.maximum(np.abs(y[:, None] - y), np.abs(x[:, None] - x))
        assert (distances[~np.eye(len(y), dtype=bool)] >= limits.min_distance).all()


@pytest.mark.parametrize("params", [{"tint": 50}, {"transfer": 100}])
def test_tint_and_transfer_bring_the_picture_nearer(params: dict[str, Any]) -> None:
    pool = hexagonal(colourful_pool(30))

    plain, nearer = (render_photomosaic(pool, shape="hexagon", **each) for each in ({}, params))

    assert nearer.quality.difference < plain.quality.difference * 0.75


def test_hexagons_match_as_well_as_squares() -> None:
    pool = colourful_pool(400)

    squares, hexagons = render_photomosaic(pool), render_photomosaic(hexagonal(pool), shape="hexagon")

    assert hexagons.quality.difference < squares.quality.difference * 1.1
    assert hexagons.quality.cells == pytest.approx(squares.quality.cells, rel=0.15)


def test_corners_that_are_cut_off_decide_nothing() -> None:
    """Of a tile that differs in the corners of its box alone, and one that differs a little everywhere."""
    tiles = flat_tiles([(120, 120, 120), (150, 150, 150)])
    for y in (slice(0, 4), slice(12, 16)):
        for x in (slice(0, 4), slice(12, 16)):
            tiles[0, y, x] = 200
    pool, grey = pool_from_tiles([1, 2], tiles), encoded(np.full((60, 60, 3), 120, np.uint8))

    squares = render_photomosaic(pool, grey, cell=20, apart=1)
    hexagons = render_photomosaic(hexagonal(pool), grey, cell=20, shape="hexagon", apart=1)

    assert np.unique(tile_ids(squares)).tolist() == [2]
    assert (tile_ids(hexagons) == 1).mean() > 0.7, "neighbours may make up for the corners"


@pytest.mark.parametrize("width", [1, 2, 3])
def test_margins_follow_the_borders(width: int) -> None:
    params = {"shape": "hexagon", "cell": 30, "margin": width, "margin_colour": "#000000"}
    white = hexagonal(pool_from_tiles([1], flat_tiles([(255, 255, 255)])))
    result = render_photomosaic(white, encoded(scene(900, 700)), **params)

    dark = 1 - opened(result.data)[..., 0] / 255
    labels = labels_of(grid_of(result))
    assert dark[inner_pixels(labels)].mean() < dark.mean() / 2
    assert result.quality.coverage == pytest.approx(1 - dark.mean(), abs=0.01)
    length = dark.sum() / width  # of all lines: half of six sides of each cell, less at edges and where lines meet
    side = (4 / (27**0.5) * 2 * 900 / 4) ** 0.5
    assert length == pytest.approx(3 * side * 900 * 700 / 900, rel=0.12)


@pytest.mark.parametrize("margin", [0, 3])
@pytest.mark.parametrize("pool", [None, hexagonal(colourful_pool(40))])
def test_strips_have_the_same_pixels(pool: TilePool | None, margin: int) -> None:
    recipe = parse({"style": "photomosaic", "shape": "hexagon", "size": 700, "cell": 30, "margin": margin})
    source, size = decode(encoded(scene(160, 120)), Progress()), (700, 525)
    paint = STYLES["photomosaic"].paint

    whole = paint(RenderContext(source, recipe.params, Progress(), size, pool)).canvas
    strips = paint(RenderContext(source, recipe.params, Progress(), size, pool, large_megapixels=0.0)).canvas

    assert isinstance(strips, StripCanvas)
    assert np.array_equal(opened(strips.encode("png", 90, Progress())), opened(whole.encode("png", 90, Progress())))


def test_without_a_pool_each_hexagon_is_the_picture_in_the_mean_of_the_cell() -> None:
    result = render_photomosaic(None, shape="hexagon")

    assert result.quality.difference < 3.5
    assert result.cell_map is None
    grid = HexagonGrid(320, 240, *hexagon_size(16, 320))
    labels = labels_of(grid)
    pixels, source = (linearise(each / 255.0) for each in (opened(result.data), scene(320, 240)))
    whole = np.flatnonzero(np.bincount(labels.ravel()) > 240)
    assert len(whole) > 150
    differences = [pixels[labels == cell].mean(axis=0) - source[labels == cell].mean(axis=0) for cell in whole[::9]]
    assert np.abs(differences).max() < 0.03


def test_a_reduced_jpeg_gives_nearly_the_same_hexagons() -> None:
    source, pool = scene(640, 480), hexagonal(colourful_pool(80))
    params = {"cell": 40, "shape": "hexagon"}

    exact, reduced = (render_photomosaic(pool, encoded(source, form), **params) for form in ("PNG", "JPEG"))

    assert (tile_ids(exact) == tile_ids(reduced)).mean() > 0.7
    own, of_reduced = (render_photomosaic(None, encoded(source, form), **params) for form in ("PNG", "JPEG"))
    assert np.abs(opened(own.data).astype(int) - opened(of_reduced.data)).mean() < 4


def test_hexagons_are_laid_in_an_animation() -> None:
    result = render(
        PHOTO, parse({"style": "photomosaic", "cell": 24, "shape": "hexagon", "reveal": True, "format": "webp"})
    )

    assert result.format == "webp"


def test_every_picture_is_used_on_request() -> None:
    result = render_photomosaic(hexagonal(colourful_pool(120)), shape="hexagon", apart=2, every=True)

    assert len(np.unique(tile_ids(result))) == 120
