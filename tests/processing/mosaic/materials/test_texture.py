"""Textures have a size in cells: enlarged, they are the same ones."""

from __future__ import annotations

import numpy as np
import pytest

from processing.mosaic.materials.texture import Texture

SIDE = 160


def spots(spot_px: float, streaks: float, times: int) -> np.ndarray:
    """(SIDE, SIDE): the texture of a picture that is larger by a factor, reduced by the same factor."""
    side = SIDE * times
    rows = Texture(spot_px * times, streaks, 7).rows(0, side, side)
    return rows.reshape(SIDE, times, SIDE, times).mean(axis=(1, 3))


@pytest.mark.parametrize("streaks", [1.0, 6.0])
@pytest.mark.parametrize("spot_px", [0.2, 0.437, 0.7, 1.31, 4.83])
def test_a_texture_four_times_as_large_is_the_same_four_times_as_fine(spot_px: float, streaks: float) -> None:
    small, large = spots(spot_px, streaks, 1), spots(spot_px, streaks, 4)

    assert np.abs(large - small).mean() < 0.25, "of a standard deviation of 1"


def test_spots_smaller_than_a_pixel_blend_and_larger_ones_have_unit_contrast() -> None:
    contrasts = [float(spots(spot_px, 1.0, 1).std()) for spot_px in (0.05, 0.3, 1.0, 4.0)]

    assert contrasts[0] < 0.3 < contrasts[1] < 0.8 < contrasts[2]
    assert contrasts[3] == pytest.approx(1, abs=0.1)


def test_single_pixels_are_those_of_the_rows() -> None:
    texture = Texture(0.9, 4.0, 3)
    y, x = np.indices((30, 500))

    assert np.array_equal(texture.pixels(y.ravel(), x.ravel()), texture.rows(0, 30, 500))
