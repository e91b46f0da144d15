"""Strokes are drawn part by part, as if at once."""

from __future__ import annotations

import numpy as np
import pytest

from processing.mosaic.colour.pixels import pixels
from processing.mosaic.segments.strokes import Stroke, Strokes

WIDTH, HEIGHT = 90, 70


def random_strokes(width: float) -> Strokes:
    rng = np.random.default_rng(5)
    return Strokes([Stroke(rng.uniform((0, 0), (WIDTH, HEIGHT), (7, 2)), width) for _ in range(12)])


@pytest.mark.parametrize("width", [0.7, 3.3, 9.0])
@pytest.mark.parametrize("rows", [1, 7, 32])
def test_bands_of_rows_are_those_of_the_whole(width: float, rows: int) -> None:
    strokes = random_strokes(width)
    whole = pixels(strokes.mask((0, 0, WIDTH, HEIGHT)))

    bands = [pixels(strokes.mask((0, top, WIDTH, min(HEIGHT, top + rows)))) for top in range(0, HEIGHT, rows)]

    assert 0 < whole.mean() < 255
    differing = np.concatenate(bands) != whole
    assert differing.mean() < 0.002  # Pillow rounds the sides of a wide line above its picture otherwise
