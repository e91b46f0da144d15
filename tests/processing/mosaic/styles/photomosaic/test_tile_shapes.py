"""Tiles of other shapes than squares."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import BadParameter, build_pool
from tests.processing.mosaic.pictures import encoded, opened
from tests.processing.mosaic.styles.photomosaic.test_photomosaic import render_photomosaic
from tests.processing.mosaic.tile_samples import colourful_pool


@pytest.mark.parametrize(("shape", "cell"), [("4:3", (37, 28)), ("3:4", (28, 37)), ("3:2", (39, 26))])
def test_tiles_have_the_chosen_shape_and_show_that_part_of_their_pictures(shape: str, cell: tuple[int, int]) -> None:
    upper, lower = (230, 40, 40), (40, 40, 230)
    photo = Image.new("RGB", (4 * cell[0], 4 * cell[1]), upper)  # in the tile's own shape: nothing is cut off
    photo.paste(lower, (0, 2 * cell[1], photo.width, photo.height))
    pool = build_pool([(1, encoded(np.asarray(photo)))], shape=shape)

    result = render_photomosaic(pool, flat(3 * cell[0], 2 * cell[1]), cell=32, shape=shape, mirror=False)

    cell_map: Any = result.cell_map
    assert (cell_map["cell"], cell_map["cell_height"]) == pytest.approx(cell, rel=0.01)
    assert (cell_map["columns"], cell_map["rows"]) == (3, 2)
    pixels = opened(result.data).astype(int)
    for row in range(2):
        for column in range(3):
            middle = pixels[row * cell[1] :, column * cell[0] + cell[0] // 2]
            assert np.abs(middle[cell[1] // 5] - upper).max() <= 3
            assert np.abs(middle[cell[1] * 4 // 5] - lower).max() <= 3


def test_a_pool_that_was_cut_in_another_shape_is_refused() -> None:
    with pytest.raises(BadParameter) as refused:
        render_photomosaic(colourful_pool(3), shape="4:3")

    assert (refused.value.details["field"], refused.value.details["value"]) == ("shape", "4:3")


def flat(width: int, height: int) -> bytes:
    return encoded(np.full((height, width, 3), 120, np.uint8))
