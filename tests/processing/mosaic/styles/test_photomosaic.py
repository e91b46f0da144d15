"""A photomosaic shows, in every cell, the tile that fits, and keeps its rules with any pool."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.mosaic import BadParameter, NotAPicture, Result, TilePool, build_pool, parse, pool_from_tiles, render
from processing.mosaic import tile_pool as pool_module
from processing.mosaic.styles.photomosaic import own_tiles as pieces
from processing.mosaic.styles.photomosaic.matching import feasible_limits
from processing.mosaic.tile_pool import thumbnail_features
from tests.processing.mosaic.pictures import encoded, noise, opened, scene

PHOTO = encoded(scene(320, 240))


def flat_tiles(colours: list[tuple[int, int, int]]) -> np.ndarray:
    return np.array(colours, np.uint8)[:, None, None, :].repeat(16, 1).repeat(16, 2)


def colourful(count: int) -> TilePool:
    """Tiles of soft noise in all colours, with ids from 1000."""
    chance = np.random.default_rng(count)
    base = chance.integers(0, 200, (count, 1, 1, 3)) + chance.integers(0, 56, (count, 8, 8, 3))
    return pool_from_tiles(range(1000, 1000 + count), base.astype(np.uint8).repeat(2, 1).repeat(2, 2))


def render_photomosaic(pool: TilePool | None, source: bytes = PHOTO, **params: Any) -> Result:
    return render(source, parse({"style": "photomosaic", "cell": 16, "tint": 0, **params}), pool=pool)


def tile_ids(result: Result) -> np.ndarray:
    """(rows, columns) of tile ids."""
    cell_map: Any = result.cell_map
    return np.array(cell_map["tiles"]).reshape(cell_map["rows"], cell_map["columns"])


def test_each_cell_shows_the_tile_that_the_cell_map_names() -> None:
    pool = colourful(60)

    result = render_photomosaic(pool)

    pixels, ids = opened(result.data), tile_ids(result)
    assert ids.shape == (15, 20)
    for row, column in [(0, 0), (7, 3), (14, 19)]:
        cell = pixels[row * 16 : row * 16 + 16, column * 16 : column * 16 + 16]
        assert np.array_equal(cell, pool.tiles[ids[row, column] - 1000])


def test_of_flat_tiles_the_one_is_chosen_that_looks_nearest() -> None:
    halves = np.zeros((32, 64, 3), np.uint8)
    halves[:, :32], halves[:, 32:] = (210, 40, 30), (30, 60, 190)
    pool = pool_from_tiles([5, 6, 7], flat_tiles([(0, 0, 255), (255, 0, 0), (0, 255, 0)]))

    assert tile_ids(render_photomosaic(pool, encoded(halves), apart=1)).tolist() == [[6, 6, 5, 5], [6, 6, 5, 5]]


def test_tiles_of_one_mean_are_told_apart_by_their_structure() -> None:
    tile = np.zeros((16, 16, 3), np.uint8)
    tile[:, :8] = 255
    pool = pool_from_tiles([1, 2, 3, 4], np.stack([np.rot90(tile, turn) for turn in range(4)]))
    source = np.concatenate([np.rot90(tile, turn) for turn in (2, 0, 3, 1)], axis=1)

    assert tile_ids(render_photomosaic(pool, encoded(source), apart=1)).tolist() == [[3, 1, 4, 2]]


@given(st.integers(1, 90), st.integers(1, 12), st.none() | st.integers(1, 400), st.integers(0, 5))
@settings(max_examples=25, deadline=None)
def test_repeats_stay_apart_and_uses_within_bounds(count: int, apart: int, most: int | None, seed: int) -> None:
    ids = tile_ids(render_photomosaic(colourful(count), apart=apart, most=most, seed=seed))

    rules = feasible_limits(apart, most, tiles=count, cells=ids.size)
    assert np.unique(ids, return_counts=True)[1].max() <= rules.max_uses
    reach = range(-rules.min_distance + 1, rules.min_distance)
    padded = np.pad(ids, rules.min_distance - 1, constant_values=-1)
    near = sum(
        np.count_nonzero(padded[dy + rules.min_distance - 1 :, dx + rules.min_distance - 1 :][:15, :20] == ids)
        for dy in reach
        for dx in reach
    )
    assert near == ids.size  # each cell finds its own tile in its own place only


def test_a_large_pool_keeps_the_rules_that_were_asked_for_and_a_small_one_what_it_can() -> None:
    assert feasible_limits(4, 10, tiles=2000, cells=7500) == feasible_limits(4, 10, tiles=5000, cells=7500)
    assert (
        feasible_limits(4, 10, tiles=2000, cells=7500).min_distance,
        feasible_limits(4, 10, tiles=2000, cells=7500).max_uses,
    ) == (4, 10)
    assert feasible_limits(4, 10, tiles=20, cells=7500).min_distance == 2
    assert feasible_limits(4, 10, tiles=20, cells=7500).max_uses * 20 >= 7500
    assert feasible_limits(4, None, tiles=1, cells=300).min_distance == 1


@pytest.mark.parametrize("count", [1, 20, 2000])
def test_pools_of_any_size_work_and_larger_ones_come_nearer(count: int) -> None:
    result = render_photomosaic(colourful(count), apart=2)

    assert result.quality.cells == 300
    assert result.quality.repeats == (300 if count < 300 else result.quality.repeats)
    if count == 2000:
        assert result.quality.difference < render_photomosaic(colourful(20), apart=2).quality.difference


def test_tint_brings_the_picture_nearer_and_keeps_the_tiles() -> None:
    plain, tinted = (render_photomosaic(colourful(30), tint=tint) for tint in (0, 50))

    assert np.array_equal(tile_ids(plain), tile_ids(tinted))
    assert tinted.quality.difference < plain.quality.difference * 0.75


def test_without_a_pool_the_picture_is_its_own() -> None:
    first, same, other = (render_photomosaic(None, seed=seed) for seed in (3, 3, 4))

    assert first.data == same.data
    assert first.data != other.data
    assert first.quality.difference < 6
    assert len(np.unique(tile_ids(first))) > 50


def test_pieces_that_are_cut_again_when_they_are_used_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    first = render_photomosaic(None)

    monkeypatch.setattr(pieces, "_MAX_CACHED_PX", 0)

    again = render_photomosaic(None)
    assert again.data == first.data
    assert np.array_equal(tile_ids(again), tile_ids(first))


def test_the_fields_of_large_tiles_are_their_means_too(monkeypatch: pytest.MonkeyPatch) -> None:
    tiles = noise(6 * 128, 128).reshape(128, 6, 128, 3).swapaxes(0, 1)
    by_rows = thumbnail_features(tiles)

    monkeypatch.setattr(pool_module, "_LARGE_PX", 64)

    assert np.allclose(by_rows, thumbnail_features(tiles), atol=0.003)  # a byte apart where a mean lies between two
    assert (by_rows == thumbnail_features(tiles)).mean() > 0.9


def test_the_recipe_may_name_some_pictures_of_the_pool() -> None:
    ids = tile_ids(render_photomosaic(colourful(40), tiles=[1003, 1007, 1011], apart=1))

    assert set(ids.ravel().tolist()) <= {1003, 1007, 1011}


@pytest.mark.parametrize(("pool", "tiles"), [(colourful(3), [1000, 77]), (None, [1000])])
def test_pictures_that_the_pool_does_not_hold_are_refused(pool: TilePool | None, tiles: list[int]) -> None:
    with pytest.raises(BadParameter) as caught:
        render_photomosaic(pool, tiles=tiles)

    assert caught.value.details["field"] == "tiles"


def test_a_pool_is_collected_from_files_of_any_size_and_can_be_pickled() -> None:
    files = [(9, encoded(noise(30, 200))), (4, encoded(scene(400, 300), "JPEG")), (2, encoded(noise(1, 1)))]

    pool = build_pool(files)

    again = pickle.loads(pickle.dumps(pool))
    assert again.ids.tolist() == [9, 4, 2]
    assert again.tiles.shape == (3, 64, 64, 3)
    assert render_photomosaic(again).data == render_photomosaic(pool).data


def test_a_damaged_tile_and_an_empty_pool_are_refused() -> None:
    with pytest.raises(NotAPicture):
        build_pool([(1, b"nothing")])
    with pytest.raises(BadParameter):
        build_pool([])


@pytest.mark.parametrize("size", [(1, 1), (7, 90), (333, 101)])
@pytest.mark.parametrize("cell", [8, 13, 40])
def test_any_size_and_cell_is_filled_whole(size: tuple[int, int], cell: int) -> None:
    pool = pool_from_tiles([1], flat_tiles([(12, 200, 99)]))

    pixels = opened(render_photomosaic(pool, encoded(noise(*size)), cell=cell).data)

    assert pixels.shape == (size[1], size[0], 3)
    assert (pixels == (12, 200, 99)).all()


def test_a_reduced_jpeg_chooses_nearly_the_same_tiles() -> None:
    source = scene(640, 480)

    exact, quick = (
        tile_ids(render_photomosaic(colourful(80), encoded(source, *kind), cell=32)) for kind in (["PNG"], ["JPEG"])
    )

    assert (exact == quick).mean() > 0.7
