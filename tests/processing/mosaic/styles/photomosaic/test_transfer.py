"""Tiles take on the colours of their cells, by any share."""

from __future__ import annotations

import numpy as np
import pytest

from processing.mosaic import pool_from_tiles
from tests.processing.mosaic.pictures import encoded, opened
from tests.processing.mosaic.styles.photomosaic.test_photomosaic import render_photomosaic


@pytest.mark.parametrize("share", [0, 50, 100])
def test_tiles_take_on_mean_and_spread_of_their_cells(share: int) -> None:
    fields = np.array([100, 140, 100, 140], np.uint8).repeat(8)
    cell = np.broadcast_to(fields[None, :, None], (32, 32, 3))  # mean 120, spread 20
    tile = np.broadcast_to(((fields.astype(int) - 120) * 2 + 80)[None, :, None], (32, 32, 3))  # mean 80, spread 40
    pool = pool_from_tiles([1], tile.astype(np.uint8)[None])

    pixels = opened(render_photomosaic(pool, encoded(cell), cell=32, transfer=share, mirror=False).data).astype(float)

    assert pixels.mean() == pytest.approx(80 + 40 * share / 100, abs=1)
    assert pixels.std() == pytest.approx(40 - 20 * share / 100, abs=1)
