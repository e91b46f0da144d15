"""Pixels shared with NumPy equal Pillow's own copies, for every size and as long as they are used."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from PIL import Image

from processing.mosaic.colour.pixels import apply_lut, pixels

SEVERAL_BLOCKS = (2100, 2000)  # 16.8 MB at four bytes a pixel


def random_image(mode: str, size: tuple[int, int]) -> Image.Image:
    numbers = np.random.default_rng(7).integers(0, 256, (size[1], size[0], 4), np.uint8)
    if mode == "F":
        return Image.fromarray(numbers[..., 0].astype(np.float32) / 255)
    return Image.fromarray(numbers[..., 0] if mode == "L" else numbers[..., : len(mode)].copy())


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1), (37, 21), SEVERAL_BLOCKS])
@pytest.mark.parametrize("mode", ["L", "F", "RGB", "RGBA"])
def test_pixels_are_those_of_the_image(mode: str, size: tuple[int, int]) -> None:
    image = random_image(mode, size)
    copy = np.asarray(image)

    shared = pixels(image)

    assert shared.dtype == copy.dtype
    assert not shared.flags.writeable
    assert np.array_equal(shared[..., : len(mode)] if shared.ndim == 3 else shared, copy)


def test_an_image_in_one_block_is_shared() -> None:
    image = random_image("RGB", (40, 30))

    assert np.shares_memory(pixels(image), pixels(image))


@pytest.mark.parametrize("mode", ["F", "RGB"])
def test_pixels_outlive_their_image(mode: str) -> None:
    copies = [np.asarray(random_image(mode, (200, 100 + more))) for more in range(20)]
    shared = [pixels(random_image(mode, (200, 100 + more))) for more in range(20)]
    gc.collect()
    for more in range(60):  # overwrites memory that was freed
        Image.new(mode, (200, 100 + more % 20), 1)

    for array, copy in zip(shared, copies, strict=True):
        assert np.array_equal(array[..., :3] if array.ndim == 3 else array, copy)


@pytest.mark.parametrize("size", [(1, 1), (37, 21), (1, 20_000), SEVERAL_BLOCKS])
def test_values_are_looked_up_bit_for_bit(size: tuple[int, int]) -> None:
    image = random_image("RGB", size)
    table = np.random.default_rng(1).integers(0, 1 << 32, 256, np.uint32)

    result = apply_lut(image, table.view(np.float32))

    assert np.array_equal(result.view(np.uint32), np.moveaxis(table[np.asarray(image)], -1, 0))
