"""The direction field."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from processing.mosaic.progress import Progress
from processing.mosaic.styles.tesserae.direction_field import compute_field


def test_the_field_of_one_straight_edge_is_straight() -> None:
    pixels = np.zeros((120, 160, 3), np.uint8)
    y, x = np.mgrid[0:120, 0:160]
    pixels[x + y > 140] = 255

    field = compute_field(Image.fromarray(pixels), 6.0, 0.5, Progress())

    points = np.array([[66.0, 66.0], [80.0, 68.0], [56.0, 76.0]])
    assert np.allclose(np.abs(field.angles(points)), np.pi / 4, atol=0.1)
    assert field.distance[60, 80] < 1.5
    assert field.distance[75, 80] == pytest.approx(15 / np.sqrt(2), abs=1.5)
