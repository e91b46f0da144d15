"""Tiles are cut from their files when they are used, and only some of them stay in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pytest

from processing.mosaic import (
    CROPS,
    BadParameter,
    PackedFeatures,
    TileCache,
    TileFiles,
    TilePool,
    build_pool,
    measure_features,
    parse,
    pool_of_features,
    render,
)
from processing.mosaic.tiles.cutting import ASPECTS
from tests.processing.mosaic.pictures import encoded, noise, opened, scene

CELL = 16


class Folder:
    """Files of pictures by id, and the ids that were read. A tile is named by picture * CROPS + crop."""

    def __init__(self, files: dict[int, bytes]) -> None:
        self.files, self.read_ids = files, list[int]()

    def read(self, ids: Sequence[int], _: int) -> Iterator[bytes]:
        self.read_ids += ids
        return (self.files[each] for each in ids)

    def pool(self, *, cache_bytes: int = 1 << 20, shape: str = "1:1") -> TilePool:
        packed = PackedFeatures.of([measure_features(data) for data in self.files.values()], shape)
        ids = list(self.files)
        files = TileFiles(np.repeat(ids, CROPS), packed.crops, self.read, TileCache(cache_bytes), shape)
        return pool_of_features(ids, packed, files)


@pytest.fixture(scope="module")
def pictures() -> dict[int, bytes]:
    """Parts of a scene, in different sizes and formats."""
    whole = scene(640, 480)
    return {
        100 + number: encoded(np.ascontiguousarray(whole[y : y + 160, x : x + 120 + 5 * number]), "PNG")
        for number, (y, x) in enumerate((y, x) for y in (0, 150, 300) for x in (0, 130, 260, 390))
    }


@pytest.mark.parametrize("shape", ["1:1", "3:2"])
def test_a_photomosaic_of_files_is_that_of_the_same_tiles_in_memory(pictures: dict[int, bytes], shape: str) -> None:
    recipe = parse({"style": "photomosaic", "cell": CELL, "shape": shape, "apart": 1})
    photo = encoded(scene(320, 240))

    from_files = render(photo, recipe, pool=Folder(pictures).pool(shape=shape))
    in_memory = render(photo, recipe, pool=build_pool(pictures.items(), shape=shape))

    assert alike(from_files.cell_map, in_memory.cell_map) > 0.95, "their corners are measured in the miniatures"
    assert abs(from_files.quality.difference - in_memory.quality.difference) < 0.2


def alike(first: Mapping[str, object] | None, second: Mapping[str, object] | None) -> float:
    """In how many of the cells two cell maps show the same, 0 to 1."""
    assert first is not None
    assert second is not None
    assert first["crops"] == second["crops"]
    return float(np.mean([np.equal(first[name], second[name]) for name in ("tiles", "cell_crops", "mirrored")]))


def test_a_photomosaic_of_small_cells_can_be_drawn_from_the_features_alone(pictures: dict[int, bytes]) -> None:
    recipe, photo = parse({"style": "photomosaic", "cell": 8, "apart": 1}), encoded(scene(160, 120))
    packed = PackedFeatures.of([measure_features(data) for data in pictures.values()], "1:1")

    sketched = render(photo, recipe, pool=pool_of_features(list(pictures), packed, packed))
    from_files = render(photo, recipe, pool=Folder(pictures).pool())

    assert sketched.cell_map == from_files.cell_map
    assert np.abs(opened(sketched.data).astype(int) - opened(from_files.data)).mean() < 8


def test_several_crops_of_a_picture_are_cut_from_one_reading(pictures: dict[int, bytes]) -> None:
    folder = Folder(pictures)
    tiles = folder.pool().tiles

    cut = list(tiles.cut(np.arange(12 * CROPS), (CELL, CELL)))

    assert folder.read_ids == list(pictures)
    parts = build_pool(pictures.items(), side=CELL).tiles
    assert isinstance(parts, np.ndarray)
    assert all(np.abs(part - each.astype(int)).mean() < 2 for part, each in zip(parts, cut, strict=True))


def test_corners_are_known_from_the_features_nearly_as_from_the_picture(pictures: dict[int, bytes]) -> None:
    for shape in ASPECTS:
        packed = Folder(pictures).pool(shape=shape)
        measured = build_pool(pictures.items(), shape=shape)

        assert np.array_equal(np.rint(packed.crops * 6), np.rint(measured.crops * 6))
        assert np.abs(packed.features - measured.features).mean() < 0.015


def test_only_used_pictures_are_read_each_once(pictures: dict[int, bytes]) -> None:
    folder = Folder(pictures)

    result = render(encoded(noise(64, 64)), parse({"style": "photomosaic", "cell": 32, "apart": 1}), pool=folder.pool())

    assert result.cell_map is not None
    tiles = result.cell_map["tiles"]
    assert isinstance(tiles, list)
    assert sorted(folder.read_ids) == sorted(set(tiles))


def test_as_many_tiles_stay_in_memory_as_the_cache_takes(pictures: dict[int, bytes]) -> None:
    folder, tile_bytes = Folder(pictures), CELL * CELL * 3
    tiles, everything = folder.pool(cache_bytes=5 * tile_bytes).tiles, CROPS * np.arange(12)

    first = list(tiles.cut(everything, (CELL, CELL)))
    folder.read_ids.clear()
    again = list(tiles.cut(CROPS * np.array([11, 0, 10]), (CELL, CELL)))

    assert folder.read_ids == [100], "the others are the last ones"
    assert all(np.array_equal(tile, first[index]) for tile, index in zip(again, (11, 0, 10), strict=True))


def test_a_picture_that_cannot_be_decoded_is_named(pictures: dict[int, bytes]) -> None:
    folder = Folder(pictures)
    pool = folder.pool()
    folder.files = {**pictures, 103: b"damaged"}

    with pytest.raises(BadParameter, match="tiles: 103"):
        list(pool.tiles.cut(CROPS * np.array([2, 3]), (CELL, CELL)))


def test_small_cells_can_be_drawn_from_the_features_alone() -> None:
    photo = scene(400, 200)
    packed = PackedFeatures.of([measure_features(encoded(photo))], "1:1")

    tile = next(packed.cut(np.array([0]), (10, 10)))

    left = round(float(packed.crops[0, 0]) * 200)
    whole = photo[:, left : left + 200].reshape(10, 20, 10, 20, 3).mean(axis=(1, 3))
    assert np.abs(tile - whole).mean() < 12
    assert len(measure_features(encoded(photo))) < 700
