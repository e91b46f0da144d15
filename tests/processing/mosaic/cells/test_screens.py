"""Halftone screens of four inks."""

from __future__ import annotations

import numpy as np
import pytest

from processing.mosaic import BadParameter, parse, render
from processing.mosaic.cells.screens import INKS, separate
from processing.mosaic.colour.oklab import delta_e
from processing.mosaic.colour.srgb import linear_lut, to_bytes
from tests.processing.mosaic.pictures import encoded, opened, scene, true_mean

WHITE = np.ones(3)


def printed(pixels: np.ndarray, **params: object) -> np.ndarray:
    recipe = {"style": "dots", "screens": "cmyk", "cell": 8, "ground": "#ffffff", **params}
    return opened(render(encoded(pixels), parse(recipe)).data)


@pytest.mark.parametrize("colour", [(255, 255, 255), (200, 200, 200), (220, 170, 140), (120, 80, 60), (60, 110, 70)])
def test_the_inks_add_up_to_the_colour(colour: tuple[int, int, int]) -> None:
    light = linear_lut(True)[np.array([colour])]

    shares = separate(light, WHITE)

    mixed = np.prod(1 - shares[..., None] * (1 - linear_lut(True)[INKS]), axis=1)
    assert delta_e(to_bytes(mixed, linear=True), np.array([colour], np.uint8)).max() < 3


@pytest.mark.parametrize("smooth", [True, False])
@pytest.mark.parametrize("colour", [(200, 200, 200), (220, 170, 140), (120, 80, 60)])
def test_printed_pictures_keep_their_tone(colour: tuple[int, int, int], smooth: bool) -> None:
    result = printed(np.full((240, 320, 3), colour, np.uint8), smooth=smooth)

    mean = np.rint(true_mean(result)).astype(np.uint8)
    assert delta_e(mean, np.array(colour, np.uint8)) < 3


def test_all_inks_are_used_and_coverage_is_reported() -> None:
    result = render(encoded(scene(200, 150)), parse({"style": "dots", "screens": "cmyk", "smooth": False}))

    bare = (opened(result.data) == (0xF7, 0xF2, 0xE8)).all(axis=-1).mean()
    assert result.quality.coverage == pytest.approx(1 - bare, abs=0.01)


def test_there_is_no_svg() -> None:
    with pytest.raises(BadParameter):
        printed(scene(60, 40), format="svg")


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (90, 1)])
def test_tiny_pictures_are_printed(size: tuple[int, int]) -> None:
    assert printed(scene(*size)).shape == (size[1], size[0], 3)
