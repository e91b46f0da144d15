"""Means of the squares of a result that is larger than its source."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import parse
from processing.mosaic.cells.block_means import block_means
from processing.mosaic.codec.decode import decode
from processing.mosaic.progress import Progress
from processing.mosaic.scaled import scaled
from processing.mosaic.square_means import square_means
from processing.mosaic.style import RenderContext
from tests.processing.mosaic.pictures import encoded, scene


@pytest.mark.parametrize("side", [24, 33, 71])
@pytest.mark.parametrize("size", [(1280, 960), (1001, 751), (330, 248)])
def test_squares_of_an_enlarged_result_have_the_means_of_the_source(size: tuple[int, int], side: int) -> None:
    source = decode(encoded(scene(320, 240)), Progress())
    context = RenderContext(source, parse("mosaic").params, Progress(), size)

    means = square_means(context, side, True, Progress())

    expected = block_means(scaled(source.image, size), side, True, Progress())
    assert means.shape == expected.shape
    assert np.abs(means.astype(int) - expected).mean() < 1.0


def test_of_a_source_of_one_colour_all_squares_have_it() -> None:
    source = decode(encoded(np.asarray(Image.new("RGB", (30, 20), "#4080c0"))), Progress())
    context = RenderContext(source, parse("mosaic").params, Progress(), (3000, 2000))

    assert (square_means(context, 40, True, Progress()) == (0x40, 0x80, 0xC0)).all()
