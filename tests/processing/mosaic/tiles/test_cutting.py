"""A part of a picture in any shape lies inside the picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from processing.mosaic.tiles.centering import CORNER_SIZE
from processing.mosaic.tiles.cutting import ASPECTS, cut_image

SIDES = st.integers(1, 400)
SHARES = st.sampled_from([0.0, 1 / 3, 0.5, 1.0])


@given(st.sampled_from(list(ASPECTS)), SIDES, SIDES, SHARES)
def test_pictures_of_any_size_are_cut(shape: str, width: int, height: int, share: float) -> None:
    for crop in (1.0, CORNER_SIZE):
        tile = cut_image(Image.new("RGB", (width, height), "red"), (16, 16), shape, (share, share, crop))

        assert (tile == (255, 0, 0)).all()


@pytest.mark.parametrize("shape", list(ASPECTS))
def test_the_part_has_the_shape_of_the_tile(shape: str) -> None:
    ramp = np.zeros((300, 300, 3), np.uint8)
    ramp[..., 0], ramp[..., 1] = np.arange(300) * 0.8, np.arange(300)[:, None] * 0.8

    pixels = cut_image(Image.fromarray(ramp), (64, 64), shape, (0.5, 0.5, 1.0)).astype(float)

    across, down = np.ptp(pixels[..., 0]), np.ptp(pixels[..., 1])
    assert across / down == pytest.approx(ASPECTS[shape], rel=0.03)
