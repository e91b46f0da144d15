"""A photomosaic shows the nearest tile in every cell, within its limits on reuse, with any pool."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.mosaic import BadParameter, Result, TilePool, parse, pool_from_tiles, render
from processing.mosaic.colour.srgb import encode_srgb, linearise
from processing.mosaic.styles.photomosaic import assembly
from processing.mosaic.styles.photomosaic.matching import feasible_limits
from processing.mosaic.styles.photomosaic.own_picture import offsets_to_means, own_cell_size
from tests.processing.mosaic.pictures import encoded, noise, opened, scene
from tests.processing.mosaic.tile_samples import colourful_pool, flat_tiles

PHOTO = encoded(scene(320, 240))


def render_photomosaic(pool: TilePool | None, source: bytes = PHOTO, **params: Any) -> Result:
    return render(source, parse({"style": "photomosaic", "cell": 16, "tint": 0, "mirror": False, **params}), pool=pool)


def tile_ids(result: Result) -> np.ndarray:
    """(rows, columns)."""
    cell_map: Any = result.cell_map
    return np.array(cell_map["tiles"]).reshape(cell_map["rows"], cell_map["columns"])


def test_each_cell_shows_the_tile_that_the_cell_map_names() -> None:
    pool = colourful_pool(60)

    result = render_photomosaic(pool)

    pixels, ids = opened(result.data), tile_ids(result)
    assert ids.shape == (15, 20)
    for row, column in [(0, 0), (7, 3), (14, 19)]:
        cell = pixels[row * 16 : row * 16 + 16, column * 16 : column * 16 + 16]
        assert np.array_equal(cell, pool.tiles[ids[row, column] - 1000])


def test_the_flat_tile_of_the_nearest_colour_is_chosen() -> None:
    halves = np.zeros((32, 64, 3), np.uint8)
    halves[:, :32], halves[:, 32:] = (210, 40, 30), (30, 60, 190)
    pool = pool_from_tiles([5, 6, 7], flat_tiles([(0, 0, 255), (255, 0, 0), (0, 255, 0)]))

    assert tile_ids(render_photomosaic(pool, encoded(halves), apart=1)).tolist() == [[6, 6, 5, 5], [6, 6, 5, 5]]


def test_tiles_with_the_same_mean_are_distinguished_by_their_structure() -> None:
    tile = np.zeros((16, 16, 3), np.uint8)
    tile[:, :8] = 255
    pool = pool_from_tiles([1, 2, 3, 4], np.stack([np.rot90(tile, turns) for turns in range(4)]))
    source = np.concatenate([np.rot90(tile, turns) for turns in (2, 0, 3, 1)], axis=1)

    assert tile_ids(render_photomosaic(pool, encoded(source), apart=1)).tolist() == [[3, 1, 4, 2]]


@given(st.integers(1, 90), st.integers(1, 12), st.none() | st.integers(1, 400), st.integers(0, 5))
@settings(max_examples=25, deadline=None)
def test_repeats_are_apart_and_uses_are_bounded(count: int, apart: int, most: int | None, seed: int) -> None:
    ids = tile_ids(render_photomosaic(colourful_pool(count), apart=apart, most=most, seed=seed))

    limits = feasible_limits(apart, most, tiles=count, cells=ids.size)
    assert np.unique(ids, return_counts=True)[1].max() <= limits.max_uses
    reach = limits.min_distance - 1
    padded = np.pad(ids, reach, constant_values=-1)
    equal_neighbours = sum(
        np.count_nonzero(padded[dy:, dx:][:15, :20] == ids)
        for dy in range(2 * reach + 1)
        for dx in range(2 * reach + 1)
    )
    assert equal_neighbours == ids.size  # each cell equals only itself


@pytest.mark.parametrize("count", [1, 20, 2000])
def test_pools_of_any_size_work(count: int) -> None:
    result = render_photomosaic(colourful_pool(count), apart=2)

    assert result.quality.cells == 300
    assert count > 300 or result.quality.repeats == 300


def test_a_larger_pool_comes_nearer_to_the_picture() -> None:
    large, small = (render_photomosaic(colourful_pool(count), apart=2) for count in (2000, 20))

    assert large.quality.difference < small.quality.difference


def test_tint_brings_the_picture_nearer_with_the_same_tiles() -> None:
    plain, tinted, full = (render_photomosaic(colourful_pool(30), tint=tint) for tint in (0, 50, 100))

    assert np.array_equal(tile_ids(plain), tile_ids(tinted))
    assert tinted.quality.difference < plain.quality.difference * 0.75
    assert full.quality.difference < tinted.quality.difference * 0.5


@pytest.mark.parametrize(("tint", "expected"), [(50, [109, 109, 149, 149]), (100, [90, 90, 170, 170])])
def test_tint_moves_each_quarter_of_a_tile_on_its_own(tint: int, expected: list[int]) -> None:
    halves = np.zeros((16, 16, 3), np.uint8)
    halves[:, :8], halves[:, 8:] = 90, 170
    pool = pool_from_tiles([1], flat_tiles([(128, 128, 128)]))

    cell = opened(render_photomosaic(pool, encoded(halves), tint=tint).data).astype(int)

    fields = cell[..., 0].reshape(16, 4, 4).mean(axis=(0, 2))
    assert fields == pytest.approx(expected, abs=1), "each field has the mean that it was moved to"
    assert cell.min() > expected[0] - 11 * tint / 50, "hardly a halo"
    assert cell.max() < expected[-1] + 11 * tint / 50


def test_tints_are_not_blended_from_tile_to_tile() -> None:
    halves = np.zeros((16, 32, 3), np.uint8)
    halves[:, :16], halves[:, 16:] = 90, 170
    pool = pool_from_tiles([1], flat_tiles([(128, 128, 128)]))

    row = opened(render_photomosaic(pool, encoded(halves), tint=50).data)[8, :, 0].astype(int)

    assert np.ptp(row[:16]) == 0
    assert np.ptp(row[16:]) == 0
    assert row[16] - row[15] == pytest.approx(40, abs=2)


def test_neighbours_make_up_for_a_colour_that_no_tile_has() -> None:
    grey = encoded(np.full((160, 160, 3), 130, np.uint8))
    pool = pool_from_tiles([1, 2], flat_tiles([(110, 110, 110), (148, 148, 148)]))

    ids = tile_ids(render_photomosaic(pool, grey, apart=1))

    assert 0.3 < (ids == 1).mean() < 0.7


def test_a_cap_on_uses_costs_the_last_cells_no_more_than_the_first() -> None:
    capped = render_photomosaic(colourful_pool(120), most=3, apart=2)

    assert np.unique(tile_ids(capped), return_counts=True)[1].max() <= 3
    assert capped.quality.difference < 9.5


def test_tiles_are_mirrored_where_that_is_nearer() -> None:
    wedge = np.zeros((16, 16, 3), np.uint8)
    wedge[:, :8] = (np.arange(16) * 16)[:, None, None]
    pool = pool_from_tiles([7], wedge[None])
    source = np.concatenate([wedge, wedge[:, ::-1], wedge], axis=1)

    results = [render_photomosaic(pool, encoded(source), mirror=mirror) for mirror in (False, True)]
    plain, mirrored = (opened(result.data) for result in results)

    assert [result.cell_map and result.cell_map["mirrored"] for result in results] == [[0, 0, 0], [0, 1, 0]]
    assert np.array_equal(mirrored, source)
    assert np.array_equal(plain, np.concatenate([wedge] * 3, axis=1))


@pytest.mark.parametrize("params", [{}, {"most": 4}, {"every": True}])
def test_mirrored_tiles_come_nearer_under_the_same_limits(params: dict[str, Any]) -> None:
    pool = colourful_pool(120)
    plain, mirrored = (render_photomosaic(pool, apart=3, mirror=mirror, **params) for mirror in (False, True))

    assert mirrored.quality.difference < plain.quality.difference * 1.02
    uses = np.bincount(tile_ids(mirrored).ravel() - 1000, minlength=120)
    assert uses.max() <= params.get("most", 300)
    assert uses.min() >= bool(params.get("every"))


@pytest.mark.parametrize("most", [None, 2])
def test_every_picture_is_used_on_request(most: int | None) -> None:
    pool = colourful_pool(120)
    some, every = (render_photomosaic(pool, apart=2, most=most, every=every) for every in (False, True))

    assert len(np.unique(tile_ids(some))) < 120
    assert len(np.unique(tile_ids(every))) == 120
    assert every.quality.difference < some.quality.difference * 1.6
    with pytest.raises(BadParameter, match="301 pictures in 300 cells"):
        render_photomosaic(colourful_pool(301), every=True)


def test_a_picture_that_is_in_the_pool_four_times_repeats_no_closer() -> None:
    tiles = colourful_pool(30).tiles
    pool = pool_from_tiles(range(120), np.concatenate([tiles] * 4))

    ids = tile_ids(render_photomosaic(pool, apart=2))

    assert ids.max() < 30


def test_the_result_says_how_often_each_picture_is_used() -> None:
    tiles = flat_tiles([(200, 30, 30), (30, 30, 200), (200, 30, 30), (0, 255, 0)])
    halves = np.zeros((32, 64, 3), np.uint8)
    halves[:, :48], halves[:, 48:] = (200, 30, 30), (30, 30, 200)

    result = render_photomosaic(pool_from_tiles([5, 6, 7, 8], tiles), encoded(halves), apart=1)

    assert result.cell_map is not None
    assert result.cell_map["uses"] == {5: 6, 6: 2, 7: 6, 8: 0}, "7 is a duplicate of 5"


def test_margins_are_drawn_between_tiles_only() -> None:
    pixels = opened(render_photomosaic(colourful_pool(30), margin=2, margin_colour="#00ff00").data)

    lines = (pixels == (0, 255, 0)).all(axis=-1)
    assert np.flatnonzero(lines.all(axis=0)).tolist() == [
        x for column in range(1, 20) for x in (16 * column - 1, 16 * column)
    ]
    assert np.flatnonzero(lines.all(axis=1)).tolist() == [y for row in range(1, 15) for y in (16 * row - 1, 16 * row)]


def test_without_a_pool_each_cell_is_the_picture_in_the_mean_of_the_cell() -> None:
    source = scene(320, 240)

    result = render_photomosaic(None, encoded(source))

    pixels = opened(result.data)
    wide, high = own_cell_size(16, (320, 240))
    lefts, tops = (np.rint(np.arange(18) * side).astype(int).tolist() for side in (wide, high))
    for row, column in [(0, 0), (5, 8), (11, 14)]:
        box = (slice(tops[row], tops[row + 1]), slice(lefts[column], lefts[column + 1]))
        light = linearise(source[box] / 255.0).mean(axis=(0, 1))
        assert linearise(pixels[box] / 255.0).mean(axis=(0, 1)) == pytest.approx(light, abs=0.02)
    plain, mirrored = (pixels[tops[5] : tops[6], lefts[column] : lefts[column] + 18] for column in (8, 9))
    assert np.corrcoef(plain.ravel(), mirrored[:, ::-1].ravel())[0, 1] > 0.9
    assert result.quality.difference < 3.5
    assert result.cell_map is None


@pytest.mark.parametrize(("size", "shape"), [((400, 300), (18, 14)), ((90, 900), (11, 23)), ((640, 80), (23, 11))])
def test_own_cells_have_the_picture_s_shape_up_to_two_to_one(size: tuple[int, int], shape: tuple[int, int]) -> None:
    assert own_cell_size(16, size) == pytest.approx(shape, abs=0.5)


def test_offsets_give_the_mean_although_bytes_saturate() -> None:
    rng = np.random.default_rng(4)
    deviations = rng.integers(-120, 121, (12, 16, 3)).astype(np.int16)
    means = np.array([[0, 3, 12], [128, 200, 250], [255, 40, 90]], np.uint8)

    offsets = offsets_to_means(deviations, means)

    tiles = np.clip(deviations + offsets[:, None, None], 0, 255)
    means_of_tiles = encode_srgb(linearise(tiles / 255.0).mean(axis=(1, 2))) * 255
    assert means_of_tiles == pytest.approx(means, abs=2)


def test_the_recipe_may_name_some_pictures_of_the_pool() -> None:
    ids = tile_ids(render_photomosaic(colourful_pool(40), tiles=[1003, 1007, 1011], apart=1))

    assert set(ids.ravel().tolist()) <= {1003, 1007, 1011}


@pytest.mark.parametrize(("pool", "tiles"), [(colourful_pool(3), [1000, 77]), (None, [1000])])
def test_pictures_that_the_pool_does_not_hold_are_refused(pool: TilePool | None, tiles: list[int]) -> None:
    with pytest.raises(BadParameter) as refused:
        render_photomosaic(pool, tiles=tiles)

    assert refused.value.details["field"] == "tiles"


@pytest.mark.parametrize("size", [(1, 1), (7, 90), (333, 101)])
@pytest.mark.parametrize("cell", [8, 13, 40])
def test_every_pixel_is_painted_for_any_size_and_cell(size: tuple[int, int], cell: int) -> None:
    pool = pool_from_tiles([1], flat_tiles([(12, 200, 99)]))

    pixels = opened(render_photomosaic(pool, encoded(noise(*size)), cell=cell).data)

    assert pixels.shape == (size[1], size[0], 3)
    assert (pixels == (12, 200, 99)).all()


def test_a_reduced_jpeg_gets_nearly_the_same_tiles() -> None:
    source, pool = scene(640, 480), colourful_pool(80)

    exact, reduced = (tile_ids(render_photomosaic(pool, encoded(source, form), cell=32)) for form in ("PNG", "JPEG"))

    assert (exact == reduced).mean() > 0.7


def test_the_picture_does_not_depend_on_how_many_tiles_are_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = parse({"style": "photomosaic", "cell": 16})
    picture, pool = encoded(scene(160, 120)), colourful_pool(60)
    expected = render(picture, recipe, pool=pool).data

    monkeypatch.setattr(assembly, "MAX_RESIZED_BYTES", 4 * 16 * 16 * 25)

    assert render(picture, recipe, pool=pool).data == expected
