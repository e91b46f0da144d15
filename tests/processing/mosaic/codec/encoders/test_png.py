"""PNG is exact, as a whole and in strips, and other threads run while it is encoded."""

from __future__ import annotations

import io
import os
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import parse, render
from processing.mosaic.codec.encoders.encode import encode
from processing.mosaic.codec.encoders.png import PngStrips
from processing.mosaic.progress import Progress
from tests.processing.mosaic.pictures import encoded, noise, opened, scene

SIZES = [(1, 1), (7, 3), (300, 63), (64, 64), (41, 65), (5, 700)]


def read(data: bytes) -> tuple[str, tuple[int, int], bytes]:
    with Image.open(io.BytesIO(data)) as image:
        return image.mode, image.size, image.tobytes()


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("size", SIZES)
def test_a_png_is_exact(size: tuple[int, int], mode: str) -> None:
    image = Image.fromarray(noise(*size)).convert(mode)
    if mode == "RGBA":
        image.putalpha(image.getchannel("G"))

    assert read(encode(image, "png", 85, Progress())) == (mode, size, image.tobytes())


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("heights", [(128, 128, 5), (1, 1, 1), (700,)])
def test_a_png_of_strips_is_exact(heights: tuple[int, ...], mode: str) -> None:
    image = Image.fromarray(noise(41, sum(heights))).convert(mode)

    strips, top = PngStrips(image.size, mode, 300), 0
    for height in heights:
        strips.add(image.crop((0, top, image.width, top + height)))
        top += height

    assert read(strips.finish()) == (mode, image.size, image.tobytes())


@pytest.mark.parametrize("recipe", [
    {"style": "hexagon"},
    {"style": "triangle"},
    {"style": "lowpoly"},
    {"style": "brick"},
    {"style": "beads"},
    {"style": "numbers"},
], ids=lambda recipe: recipe["style"])  # fmt: skip
def test_a_mosaic_is_about_as_small_as_from_pillow_or_smaller(recipe: dict[str, object]) -> None:
    """Flat cells are runs of zeros, and studs repeat: each is found by another strategy of zlib."""
    rendered = opened(render(encoded(scene(900, 700)), parse(recipe | {"format": "png"})).data)
    image, usual = Image.fromarray(rendered), io.BytesIO()
    image.save(usual, "PNG", compress_level=1)

    assert len(encode(image, "png", 85, Progress())) < 1.1 * len(usual.getvalue())


def test_a_blank_strip_at_the_top_decides_nothing() -> None:
    """Where the first rows say nothing, the strategy is chosen by those below."""
    rng = np.random.default_rng(7)
    letters = np.tile(rng.integers(0, 256, (32, 32, 3), np.uint8), (30, 25, 1))
    blank = np.full((200, 800, 3), 255, np.uint8)

    alone, below = (
        len(encode(Image.fromarray(pixels), "png", 85, Progress()))
        for pixels in (letters, np.concatenate((blank, letters)))
    )

    assert below < 1.05 * alone + 2000


def test_other_threads_run_while_a_png_is_encoded() -> None:
    """The interpreter takes its lock from no thread in this test: another one runs only if the encoder releases it."""
    image = Image.fromarray(noise(900, 1200))
    turns, ended = 0, False

    def count() -> None:
        nonlocal turns
        while not ended:
            turns += 1
            os.sched_yield()

    interval_s = sys.getswitchinterval()
    thread = threading.Thread(target=count)
    sys.setswitchinterval(1000)
    try:
        thread.start()
        before = turns
        encode(image, "png", 85, Progress())
        during = turns - before
    finally:
        ended = True
        sys.setswitchinterval(interval_s)
        thread.join()

    assert during > 5
