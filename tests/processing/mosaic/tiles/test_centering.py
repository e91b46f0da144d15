"""Tiles show the part of a picture with most detail; nobody's head is cut off."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from processing.mosaic.tiles.centering import CORNER_SIZE, CROPS, tile_centering, tile_crops
from processing.mosaic.tiles.cutting import ASPECTS, crop_box


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


@pytest.mark.parametrize("aspect", ASPECTS.values())
@pytest.mark.parametrize("size", [(300, 100), (120, 100), (100, 100), (100, 130), (100, 400)])
def test_crops_of_a_picture_lie_in_it_and_have_the_shape_of_the_tile(size: tuple[int, int], aspect: float) -> None:
    centering = tile_centering(Image.new("RGB", size), aspect)
    crops = tile_crops(np.array([centering]), np.array([size[0] / size[1]]), aspect)[0]

    boxes = np.array([crop_box(crop, size, aspect) for crop in crops.tolist()])

    wide, high = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    assert (boxes > -1e-9).all()
    assert (boxes[:, 2:] < np.array(size) + 1e-9).all()
    assert wide / high == pytest.approx(aspect)
    assert wide / wide[0] == pytest.approx([1.0, *[CORNER_SIZE] * (CROPS - 1)])
    assert len(np.unique(boxes.round(3), axis=0)) == CROPS


def test_crops_of_an_upright_picture_keep_its_upper_part() -> None:
    for size in ((100, 101), (100, 130), (100, 400)):
        crops = tile_crops(np.array([[0.5, 0.0]]), np.array([size[0] / size[1]]))[0]
        assert crops[:, 1].max() <= 1 / 3, "of what is cut off, at most a third is where heads are"


def test_a_plain_picture_shows_its_middle() -> None:
    assert tile_centering(Image.new("RGB", (320, 160)))[0] == pytest.approx(0.5, abs=0.05)
