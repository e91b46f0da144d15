"""OKLab."""

from __future__ import annotations

import numpy as np
import pytest

from processing.mosaic.colour.oklab import delta_e, oklab_to_srgb, srgb_to_oklab
from tests.processing.mosaic.pictures import noise


def test_black_and_white_are_100_apart_and_equal_colours_0() -> None:
    black, white = np.zeros((1, 3), np.uint8), np.full((1, 3), 255, np.uint8)

    assert delta_e(black, white)[0] == pytest.approx(100, abs=0.01)
    assert delta_e(white, white)[0] == 0


def test_srgb_survives_a_round_trip() -> None:
    colours = noise(50, 50).reshape(-1, 3)

    assert np.array_equal(oklab_to_srgb(srgb_to_oklab(colours)), colours)
