"""A WebP of strips is the file that Pillow writes at once."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, _imaging, _webp

from processing.mosaic import BadParameter
from processing.mosaic.codec.encoders import webp
from processing.mosaic.codec.encoders.encode import encode
from processing.mosaic.codec.encoders.webp import WebpStrips, load_libwebp
from processing.mosaic.progress import Progress, pieces
from tests.processing.mosaic.pictures import noise, scene

SIZES = [(97, 61), (64, 128), (33, 387), (1, 7), (300, 1), (1, 1)]
STRIP_ROWS = 32
WITHOUT_MEMORY = """
import re, resource
from pathlib import Path
from processing.mosaic.codec.encoders.webp import WebpStrips
encoder = WebpStrips((12_000, 12_000), "RGB", 80)
used = int(re.search(r"VmSize:\\s*([0-9]+)", Path("/proc/self/status").read_text())[1]) * 1024
resource.setrlimit(resource.RLIMIT_AS, (used + (4 << 20), resource.RLIM_INFINITY))  # libwebp takes 11 MB
try:
    encoder.finish()
except Exception as error:
    print(type(error).__name__)
"""


def written_at_once(image: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    image.save(file, "WEBP", quality=quality, method=0)
    return file.getvalue()


def written_in_strips(image: Image.Image, quality: int) -> bytes:
    encoder = WebpStrips(image.size, image.mode, quality)
    for rows in pieces(image.height, STRIP_ROWS):
        encoder.add(image.crop((0, rows.start, image.width, rows.stop)))
    return encoder.finish()


@pytest.mark.parametrize("quality", [1, 60, 100])
@pytest.mark.parametrize("size", SIZES)
def test_strips_give_the_file_of_the_whole_picture(size: tuple[int, int], quality: int) -> None:
    image = Image.fromarray(scene(*size) // 2 + noise(*size) // 4)

    assert written_in_strips(image, quality) == written_at_once(image, quality)


@pytest.mark.parametrize("opaque_rows", [0, 2 * STRIP_ROWS, 400])
@pytest.mark.parametrize("size", SIZES)
def test_strips_that_are_transparent_in_part_give_the_file_of_the_whole(
    size: tuple[int, int], opaque_rows: int
) -> None:
    image, opacity = Image.fromarray(scene(*size)), np.resize(np.arange(256, dtype=np.uint8), size[::-1])
    opacity[:opaque_rows] = 255
    image.putalpha(Image.fromarray(opacity))

    assert written_in_strips(image, 80) == written_at_once(image, 80)


def test_a_webp_of_an_image_in_memory_is_that_file_as_well() -> None:
    image = Image.fromarray(scene(230, 170))

    assert encode(image, "webp", 85, Progress()) == written_at_once(image, 85)


def test_a_picture_with_many_details_is_encoded_so_that_the_modes_of_its_blocks_fit() -> None:
    """Pillow refuses it: they exceed half a megabyte."""
    strip = Image.fromarray(noise(1056, 32)).resize((4224, 128), Image.Resampling.NEAREST)
    encoder = WebpStrips((strip.width, 4224), "RGB", 80)
    for _ in range(33):
        encoder.add(strip)

    with Image.open(io.BytesIO(encoder.finish())) as image:
        pixels = np.asarray(image.convert("RGB"))

    assert pixels.shape == (4224, 4224, 3)
    decoded = np.asarray(Image.open(io.BytesIO(written_at_once(strip, 80))).convert("RGB")).astype(int)
    assert np.abs(pixels[-128:] - decoded).mean() < 8


@pytest.mark.parametrize(("mode", "formats"), [("RGB", "jpeg, png"), ("RGBA", "png")])
def test_the_error_for_what_libwebp_refuses_names_the_formats_that_fit(mode: str, formats: str) -> None:
    encoder = WebpStrips((16_390, 2), mode, 80)
    encoder.add(Image.new(mode, (16_390, 2)))

    with pytest.raises(BadParameter) as refused:
        encoder.finish()

    assert refused.value.details["field"] == "format"
    assert refused.value.details["allowed"] == f"{formats} for a picture of 16390 x 2 pixels with this much detail"


def test_a_lack_of_memory_is_not_reported_as_a_fault_of_the_picture() -> None:
    command = [sys.executable, "-c", WITHOUT_MEMORY]

    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.split() == ["MemoryError"]


def test_a_libwebp_with_other_structures_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webp, "ABI", 0x0300)

    assert load_libwebp() is None


def test_the_libwebp_of_pillow_is_used_where_it_is_a_library_of_its_own() -> None:
    assert load_libwebp(_webp.__file__) is not None
    assert load_libwebp(_imaging.__file__) is None
    assert load_libwebp("/no/such/library.so") is None
