"""Tiles show the part of a picture with most detail; nobody's head is cut off."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from processing.mosaic.tiles.centering import tile_centering


def with_detail(width: int, height: int, left: int, top: int, side: int) -> Image.Image:
    """A plain picture with a square of noise."""
    pixels = np.full((height, width, 3), 120, np.uint8)
    pixels[top : top + side, left : left + side] = np.random.default_rng(1).integers(0, 256, (side, side, 1))
    return Image.fromarray(pixels)


@pytest.mark.parametrize(("left", "low", "high"), [(0, 0.0, 0.3), (200, 0.7, 1.0)])
def test_the_square_of_a_wide_picture_shows_its_detail(left: int, low: float, high: float) -> None:
    x, y = tile_centering(with_detail(300, 100, left, 0, 100))

    assert low <= x <= high
    assert y == 0.5


def test_an_upright_picture_is_cut_at_the_bottom_rather_than_at_the_head() -> None:
    x, y = tile_centering(with_detail(100, 300, 0, 200, 100))

    assert x == 0.5
    assert y <= 1 / 3


def test_a_head_at_the_top_stays_whole() -> None:
    assert tile_centering(with_detail(90, 160, 20, 4, 50))[1] <= 0.06


@pytest.mark.parametrize("size", [(64, 64), (64, 66), (1, 1)])
def test_a_square_is_shown_whole(size: tuple[int, int]) -> None:
    assert tile_centering(Image.new("RGB", size)) == (0.5, 0.5)


def test_a_plain_picture_shows_its_middle() -> None:
    assert tile_centering(Image.new("RGB", (320, 160)))[0] == pytest.approx(0.5, abs=0.05)
