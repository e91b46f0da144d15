"""Cells choose among several crops of each picture, and those with detail come first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import CROPS, Result, TilePool, build_pool, parse, render
from processing.mosaic.progress import Progress
from processing.mosaic.styles.photomosaic import matching, vectors
from processing.mosaic.styles.photomosaic.places import Places
from processing.mosaic.styles.photomosaic.vectors import cell_vectors, cell_weights, view_vectors
from processing.mosaic.tiles.cutting import crop_box
from processing.mosaic.tiles.features import GRID, thumbnail_features
from tests.processing.mosaic.pictures import encoded, opened, scene
from tests.processing.mosaic.tile_samples import colourful_pool

CELL = 32


def render_photomosaic(pool: TilePool, source: bytes, **params: Any) -> Result:
    recipe = {"style": "photomosaic", "cell": CELL, "tint": 0, "mirror": False, "apart": 1, **params}
    return render(source, parse(recipe), pool=pool)


def pictures_of(count: int) -> list[tuple[int, bytes]]:
    """Parts of a scene, some upright."""
    whole, rng, files = scene(640, 480), np.random.default_rng(3), []
    for number in range(count):
        wide, high = rng.integers(80, 200, 2)
        x, y = rng.integers(0, 640 - wide), rng.integers(0, 480 - high)
        files.append((number, encoded(np.ascontiguousarray(whole[y : y + high, x : x + wide]))))
    return files


def test_a_cell_shows_the_crop_that_is_nearest_to_it() -> None:
    picture = scene(128, 128)
    pool = build_pool([(7, encoded(picture))], side=CELL)

    for crop in range(CROPS):
        box = crop_box(pool.crops[crop].tolist(), (128, 128), 1.0)
        source = Image.fromarray(picture).resize((2 * CELL, 2 * CELL), Image.Resampling.BOX, box=box)
        cells = np.tile(np.asarray(source.resize((CELL, CELL))), (2, 2, 1))
        cell_map = render_photomosaic(pool, encoded(cells)).cell_map
        assert cell_map is not None
        assert [cell_map["crops"][each] for each in cell_map["cell_crops"]] == [pool.crops[crop].tolist()] * 4  # type: ignore[index]


def test_the_cell_map_says_which_crop_of_which_picture_each_cell_shows() -> None:
    files = pictures_of(20)
    pool = build_pool(files, side=CELL)

    result = render_photomosaic(pool, encoded(scene(320, 256)), mirror=True)

    cell_map: Any = result.cell_map
    pixels = opened(result.data).reshape(cell_map["rows"], CELL, cell_map["columns"], CELL, 3)
    cells = pixels.transpose(0, 2, 1, 3, 4).reshape(-1, CELL, CELL, 3)
    assert len(set(cell_map["cell_crops"])) > 2
    for cell, tile, crop, mirrored in zip(
        cells, cell_map["tiles"], cell_map["cell_crops"], cell_map["mirrored"], strict=True
    ):
        number = np.flatnonzero((pool.crops[tile * CROPS :][:CROPS].round(4) == cell_map["crops"][crop]).all(axis=1))[0]
        part = pool.tiles[tile * CROPS + number]
        assert np.array_equal(cell, part[:, ::-1] if mirrored else part)


def test_more_crops_come_nearer_to_the_picture() -> None:
    files, source = pictures_of(40), encoded(scene(512, 384))

    one, all_crops = (
        render_photomosaic(build_pool(files, side=CELL, crops=crops), source, apart=2) for crops in (1, CROPS)
    )

    assert all_crops.quality.difference < 0.95 * one.quality.difference


def test_repeats_of_a_picture_keep_their_distance_and_limit_whichever_crops_they_show() -> None:
    cell_map: Any = render_photomosaic(
        build_pool(pictures_of(60), side=CELL), encoded(scene(512, 384)), apart=3, most=6
    ).cell_map
    ids = np.array(cell_map["tiles"]).reshape(cell_map["rows"], cell_map["columns"])

    assert np.bincount(ids.ravel()).max() <= 6
    for down, across in [(0, 1), (0, 2), (1, 0), (2, 0), (1, 1), (2, 2), (1, 2), (2, 1)]:
        assert not (ids[down:, across:] == ids[: ids.shape[0] - down, : ids.shape[1] - across]).any()
        assert not (ids[down:, : ids.shape[1] - across] == ids[: ids.shape[0] - down, across:]).any()


def test_large_pools_are_searched_by_their_largest_crops_and_still_show_any(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, source = build_pool(pictures_of(40), side=CELL), encoded(scene(512, 384))
    largest = build_pool(pictures_of(40), side=CELL, crops=1)
    thorough = render_photomosaic(pool, source, apart=2)

    monkeypatch.setattr(matching, "MAX_SCORES", 0)
    quick = render_photomosaic(pool, source, apart=2)

    assert quick.cell_map is not None
    assert thorough.cell_map is not None
    assert quick.cell_map["tiles"] != thorough.cell_map["tiles"]
    assert len(set(quick.cell_map["cell_crops"])) > 2  # type: ignore[call-overload]
    alone = render_photomosaic(largest, source, apart=2).quality.difference
    assert thorough.quality.difference < quick.quality.difference < alone


def test_cells_with_detail_count_more_than_plain_ones() -> None:
    cells = np.full((8, 20, GRID * GRID, 3), 0.5, np.float32)
    cells[2:5, 3:6, ::2, 0] = 0.9

    places = Places.of_grid(8, 20)
    weights = cell_weights(cells.reshape(160, -1, 3), places).reshape(8, 20)

    assert weights.min() == 1.0
    assert weights[3, 4] == weights.max() > 2.5
    assert weights[1, 4] > 1.5, "beside detail"
    assert (weights[:, 12:] == 1.0).all()
    assert (cell_weights(np.full_like(cells, 0.3).reshape(160, -1, 3), places) == 1.0).all(), "a plain picture"


@pytest.mark.parametrize("swaps", [True, False])
def test_where_tiles_are_used_up_detail_gets_the_better_ones(monkeypatch: pytest.MonkeyPatch, *, swaps: bool) -> None:
    """When cells choose, and when they swap tiles afterwards."""
    if not swaps:
        monkeypatch.setattr(matching, "exchange_tiles", lambda *_, **__: None)
    tiles = colourful_pool(150).features[:, None]
    cells = thumbnail_features(blocks(scene(640, 480), 16))
    limits = matching.feasible_limits(1, 8, tiles=len(tiles), cells=1200)
    places = Places.of_grid(30, 40)
    detailed = cell_weights(cells, places)
    detailed = detailed >= np.quantile(detailed, 0.75)

    errors = []
    for detail in (0.0, 1.0):
        monkeypatch.setattr(vectors, "DETAIL_WEIGHT", detail)
        chosen = matching.assign_tiles(cells, places, tiles, limits, 0, Progress()).pictures
        assert np.bincount(chosen).max() == 8
        errors.append(((cells.reshape(1200, -1) - tiles[chosen].reshape(1200, -1)) ** 2).sum(axis=1))

    assert errors[1][detailed].mean() < 0.97 * errors[0][detailed].mean()
    assert errors[1].mean() < 1.1 * errors[0].mean()


def blocks(pixels: np.ndarray, side: int) -> np.ndarray:
    high, wide = pixels.shape[:2]
    return pixels.reshape(high // side, side, wide // side, side, 3).swapaxes(1, 2).reshape(-1, side, side, 3)


def test_distances_are_those_of_the_thumbnails_with_edges_weighted() -> None:
    """Two differences of the same size: of the whole lightness, and of its edge."""
    plain = np.full((1, 1, GRID * GRID, 3), 0.5, np.float32)
    lighter, edge = plain.copy(), plain.copy()
    lighter[..., 0] += 0.1
    edge.reshape(GRID, GRID, 3)[:, : GRID // 2, 0] -= 0.1
    edge.reshape(GRID, GRID, 3)[:, GRID // 2 :, 0] += 0.1

    cell = cell_vectors(plain[0])
    own, whole, finer = (float((cell @ view_vectors(each, mirror=False)[0].T)[0, 0]) for each in (plain, lighter, edge))

    assert whole - own == pytest.approx(GRID * GRID * 0.01, rel=1e-3)
    assert 1.2 < (finer - own) / (whole - own) < 2.0


def test_mirrored_views_follow_their_crops() -> None:
    rng = np.random.default_rng(2)
    squares = rng.integers(0, 256, (6, 8, 8, 3)).astype(np.uint8)
    tiles = thumbnail_features(squares).reshape(2, 3, GRID * GRID, 3)
    turned = thumbnail_features(np.ascontiguousarray(squares[:, :, ::-1])).reshape(2, 3, GRID * GRID, 3)

    both, plain = view_vectors(tiles, mirror=True), view_vectors(tiles, mirror=False)
    mirrored = view_vectors(turned, mirror=False)

    assert len(both) == 6
    for crop in range(3):
        assert np.array_equal(both[2 * crop], plain[crop])
        assert both[2 * crop + 1] == pytest.approx(mirrored[crop], abs=1e-4)
