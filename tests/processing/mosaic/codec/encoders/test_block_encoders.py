"""Files of flat blocks decode to the same blocks: PNG exactly, JPEG nearly."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.mosaic.codec.encoders.block_encoders import encode_block_jpeg, encode_block_png
from processing.mosaic.progress import Progress
from tests.processing.mosaic.pictures import noise, opened


def random_blocks(width: int, height: int, side: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(rows, columns, 3) colours, and the (height, width, 3) pixels of the blocks."""
    colours = noise(-(-width // side), -(-height // side), seed)
    return colours, colours.repeat(side, 0)[:height].repeat(side, 1)[:, :width]


@given(st.integers(1, 130), st.integers(1, 130), st.integers(2, 80), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_a_png_of_blocks_is_exact(width: int, height: int, side: int, seed: int) -> None:
    colours, pixels = random_blocks(width, height, side, seed)

    data = encode_block_png(colours, side, (width, height), Progress())

    assert np.array_equal(opened(data), pixels)


@given(st.integers(1, 130), st.integers(1, 130), st.sampled_from([8, 16, 24, 64]), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_a_jpeg_of_blocks_is_nearly_exact(width: int, height: int, side: int, seed: int) -> None:
    colours, pixels = random_blocks(width, height, side, seed)

    data = encode_block_jpeg(colours, side, (width, height), 100, Progress())

    assert np.abs(opened(data).astype(int) - pixels).max() <= 2


def test_progress_rises_to_the_end() -> None:
    colours, _ = random_blocks(64, 64, 8, 0)
    fractions: list[float] = []

    encode_block_png(colours, 8, (64, 64), Progress(fractions.append))

    assert fractions == [row / 8 for row in range(1, 9)]
