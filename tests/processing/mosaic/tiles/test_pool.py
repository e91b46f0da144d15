"""Tile pools are built from files, can be pickled, and refuse what they do not hold."""

from __future__ import annotations

import pickle
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import (
    CROPS,
    BadParameter,
    NotAPicture,
    build_pool,
    pool_from_tiles,
)
from processing.mosaic.tiles import features
from processing.mosaic.tiles.duplicates import MAX_DIFFERENCE
from processing.mosaic.tiles.features import thumbnail_features
from tests.processing.mosaic.pictures import encoded, noise, scene
from tests.processing.mosaic.tile_samples import colourful_pool


def test_a_pool_is_built_from_files_of_any_size_and_can_be_pickled() -> None:
    files = [(9, encoded(noise(30, 200))), (4, encoded(scene(400, 300), "JPEG")), (2, encoded(noise(1, 1)))]

    pool = build_pool(files)

    copy = pickle.loads(pickle.dumps(pool))
    assert copy.ids.tolist() == [9, 4, 2]
    assert copy.tiles.shape == (3 * CROPS, 64, 64, 3)
    assert np.array_equal(copy.tiles, pool.tiles)
    assert np.array_equal(copy.features, pool.features)


def test_building_a_pool_takes_little_more_memory_than_the_pool() -> None:
    file = encoded(noise(80, 80))
    tracemalloc.start()

    pool = build_pool((number, file) for number in range(400))

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(pool.tiles, np.ndarray)
    assert pool.tiles.nbytes == 400 * CROPS * 64 * 64 * 3
    assert peak < 1.6 * pool.tiles.nbytes


def test_building_a_pool_reports_after_each_image_and_can_be_stopped() -> None:
    reports: list[float] = []

    def stop_at_second(fraction: float) -> None:
        reports.append(fraction)
        if len(reports) == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        build_pool([(number, encoded(noise(20, 20))) for number in range(5)], stop_at_second)
    assert reports == [0.0, 0.0]


def test_a_damaged_image_and_an_empty_pool_are_refused() -> None:
    with pytest.raises(NotAPicture):
        build_pool([(1, b"nothing")])
    with pytest.raises(BadParameter):
        build_pool([])


def test_a_part_of_a_pool_has_all_crops_of_its_pictures() -> None:
    files = [(number, encoded(scene(200, 100 + 30 * number))) for number in range(4)]
    pool, smaller = build_pool(files), build_pool(files, crops=1)

    part = pool.only([2, 0])

    assert (part.crop_count, smaller.crop_count) == (CROPS, 1)
    assert np.array_equal(part.tiles, np.concatenate([pool.tiles[2 * CROPS : 3 * CROPS], pool.tiles[:CROPS]]))
    assert np.array_equal(part.crops[:CROPS], pool.crops[2 * CROPS : 3 * CROPS])
    assert np.array_equal(pool.tiles[::CROPS], smaller.tiles), "the first is the largest"


def test_a_part_of_a_pool_has_each_tile_once() -> None:
    pool = colourful_pool(5)

    part = pool.only([1003, 1001, 1003])

    assert part.ids.tolist() == [1003, 1001]
    assert np.array_equal(part.tiles, pool.tiles[[3, 1]])
    with pytest.raises(BadParameter) as refused:
        pool.only([1000, 77])
    assert refused.value.details == {"field": "tiles", "value": "77", "allowed": "pictures of the tile pool"}


def test_the_same_picture_in_other_sizes_and_qualities_counts_once() -> None:
    pictures = [scene(400, 300), noise(300, 300), scene(300, 300)[::-1].copy()]
    smaller = np.asarray(Image.fromarray(pictures[0]).resize((200, 150), Image.Resampling.LANCZOS))
    files = [encoded(pictures[0]), encoded(pictures[1]), encoded(pictures[0], "JPEG", quality=60), encoded(smaller)]
    pool = build_pool(enumerate([*files, encoded(pictures[2]), encoded(pictures[1], "WEBP", quality=80)]))

    assert pool.ids[pool.distinct].tolist() == [0, 1, 4]
    some = pool.only([5, 3, 2, 1])
    assert some.ids[some.distinct].tolist() == [5, 3]
    assert len(pool) == 6


def test_pictures_with_the_same_thumbnail_and_other_details_are_two() -> None:
    dots = np.full((64, 64, 3), 60, np.uint8)
    dots[::2, ::2], dots[1::2, 1::2] = 200, 200
    stripes = np.full((64, 64, 3), 60, np.uint8)
    stripes[::2] = 200

    assert len(pool_from_tiles([1, 2, 3], np.stack([dots, stripes, dots])).distinct) == 2


def test_the_thumbnails_of_large_tiles_are_their_means_too(monkeypatch: pytest.MonkeyPatch) -> None:
    tiles = noise(6 * 128, 128).reshape(128, 6, 128, 3).swapaxes(0, 1)
    by_rows = thumbnail_features(tiles)

    monkeypatch.setattr(features, "LARGE_PX", 64)

    assert np.allclose(by_rows, thumbnail_features(tiles), atol=0.003)  # one byte more where a mean is between two
    assert (by_rows == thumbnail_features(tiles)).mean() > 0.9


def test_duplicates_are_found_whatever_stands_between_them() -> None:
    """Compared are neighbours by lightness; the number is that of the first one in the pool."""
    rng = np.random.default_rng(4)
    tiles = rng.integers(0, 256, (600, 1, 1, 3)) + rng.integers(-9, 10, (600, 16, 16, 3))
    tiles = np.clip(tiles, 0, 255).astype(np.uint8)
    tiles[[599, 300]], tiles[17] = tiles[5], tiles[450]

    equals = pool_from_tiles(range(600), tiles).first_equals

    assert (equals[[5, 300, 599]] == 5).all()
    assert equals[17] == equals[450] == 17
    for index, first in enumerate(equals.tolist()):
        assert np.abs(tiles[index].astype(int) - tiles[first]).mean() < MAX_DIFFERENCE
    assert 500 < len(np.unique(equals)) < 598
