"""A tint moves each field of a tile towards the picture, blended from field to field, at any size."""

from __future__ import annotations

import numpy as np
import pytest

from processing.mosaic import Region, parse, pool_from_tiles, render, render_region
from tests.processing.mosaic.pictures import encoded, opened, scene
from tests.processing.mosaic.styles.photomosaic.test_photomosaic import render_photomosaic
from tests.processing.mosaic.tile_samples import colourful_pool, flat_tiles

GREY = pool_from_tiles([1], flat_tiles([(128, 128, 128)]))


@pytest.mark.parametrize("cell", [20, 33, 64, 200])
def test_a_tint_is_linear_between_the_middles_of_fields_at_any_size(cell: int) -> None:
    ramp = np.tile(np.linspace(100, 156, cell).round().astype(np.uint8)[None, :, None], (cell, 2, 3))
    middles = cell * (np.arange(4) + 0.5) / 4 - 0.5

    row = opened(render_photomosaic(GREY, encoded(ramp), cell=cell, tint=100).data)[cell // 2, :cell, 0].astype(float)

    at_middles = np.interp(middles, np.arange(cell), row)
    assert row == pytest.approx(np.interp(np.arange(cell), middles, at_middles), abs=1)
    assert row[1:-1] == pytest.approx(ramp[0, 1 : cell - 1, 0], abs=8), "as far as outer fields allow"
    assert row + row[::-1] == pytest.approx(256, abs=2), "symmetrical"


def test_a_tint_is_the_same_in_rows_and_in_columns() -> None:
    ramp = np.tile(np.linspace(60, 200, 32).round().astype(np.uint8)[None, :, None], (32, 1, 3))

    across, down = (
        opened(render_photomosaic(GREY, encoded(source), cell=32, tint=80).data).astype(int)
        for source in (ramp, ramp.swapaxes(0, 1))
    )

    assert np.abs(across - down.swapaxes(0, 1)).max() <= 1


def test_bytes_end_at_black_and_white() -> None:
    tile, halves = np.full((32, 32, 3), 225, np.uint8), np.full((32, 32, 3), 255, np.uint8)
    tile[:, :16], halves[:, :16] = 30, 0
    pool = pool_from_tiles([1], tile[None])

    pixels = opened(render_photomosaic(pool, encoded(halves), cell=32, tint=100, mirror=False).data)

    assert not pixels[:, 10:13].any(), "the fields beside the edge are moved beyond black, and white"
    assert (pixels[:, 19:22] == 255).all()


def test_the_strips_of_a_large_tinted_result_are_its_regions() -> None:
    recipe = parse({"style": "photomosaic", "size": 2400, "cell": 75, "format": "png", "tint": 60})
    source, pool, region = encoded(scene(320, 240)), colourful_pool(60), Region((0.3, 0.4, 0.5, 0.6))

    whole, part = render(source, recipe, pool=pool), render_region(source, recipe, region, pool=pool)

    left, top, right, bottom = part.box
    assert np.array_equal(opened(whole.data)[top:bottom, left:right], opened(part.data))
