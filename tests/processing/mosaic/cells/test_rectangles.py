"""Rectangles between pixels are painted by the exact area that they take of each pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from processing.mosaic.cells import rectangles
from processing.mosaic.cells.raster import fill_cells
from processing.mosaic.cells.rectangles import RectangleCells
from processing.mosaic.cells.strips import Strips
from processing.mosaic.colour.srgb import Floats
from processing.mosaic.progress import Progress

FINE = 8  # places in a pixel where edges of these tests may lie
GROUND = (250, 0, 9)


def random_boxes(width: int, height: int, seed: int) -> Floats:
    """(n, 4) rectangles of a grid of random distances, some with joints around them, in eighths of a pixel."""
    rng = np.random.default_rng(seed)
    x, y = (
        np.unique([3, *rng.integers(0, side * FINE, max(1, side // 2)), side * FINE - 5]) / FINE
        for side in (width, height)
    )
    column, row = (grid.ravel() for grid in np.meshgrid(range(len(x) - 1), range(len(y) - 1)))
    joint = rng.choice([0.0, 1 / FINE, 0.5])
    boxes = np.stack([x[column], y[row], x[column + 1] - joint, y[row + 1] - joint], 1)
    return boxes[(boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])]


def painted_finely(boxes: Floats, colours: np.ndarray, width: int, height: int) -> np.ndarray:
    """(height, width, channels): the means of a picture FINE times as large, each box in its colour; the last is the
    ground."""
    fine = np.tile(colours[-1].astype(float), (height * FINE, width * FINE, 1))
    for (left, top, right, bottom), colour in zip((boxes * FINE).astype(int), colours, strict=False):
        fine[top:bottom, left:right] = colour
    return fine.reshape(height, FINE, width, FINE, -1).mean(axis=(1, 3))


@pytest.mark.parametrize("piece_px", [40, 1 << 17])
@given(st.integers(4, 60), st.integers(4, 60), st.integers(0, 999))
@settings(max_examples=40, deadline=None)
def test_a_pixel_has_the_mean_of_what_lies_in_it(piece_px: int, width: int, height: int, seed: int) -> None:
    boxes = random_boxes(width, height, seed)
    colours = np.random.default_rng(seed).integers(0, 256, (len(boxes), 3)).astype(np.uint8)
    image = Image.new("RGB", (width, height))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rectangles, "PIECE_PX", piece_px)
        fill_cells(image, Strips(RectangleCells(width, height, boxes, 2.0)), colours, GROUND, Progress())

    expected = painted_finely(boxes, np.vstack([colours, GROUND]), width, height)
    assert np.abs(np.asarray(image) - expected).max() <= 0.51


def test_a_pixel_is_as_opaque_as_what_lies_in_it() -> None:
    boxes = np.array([[0.0, 0.0, 1.25, 2.0], [1.25, 0.0, 1.5, 2.0]])
    colours = np.array([[200, 100, 0], [0, 100, 200]], np.uint8)
    image = Image.new("RGBA", (2, 2))

    alphas = np.array([255, 128], np.uint8)
    fill_cells(image, Strips(RectangleCells(2, 2, boxes, 2.0)), colours, GROUND, Progress(), alphas=alphas)

    assert image.getpixel((0, 1)) == (200, 100, 0, 255)
    assert image.getpixel((1, 1)) == (133, 100, 67, 96)  # the light of two quarters, one of them half as opaque
