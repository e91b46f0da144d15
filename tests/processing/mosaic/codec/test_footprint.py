"""What decoding will hold in memory is told before any pixel is decoded."""

from __future__ import annotations

import pytest
from PIL import Image

from processing.mosaic import MosaicError, NotAPicture, decoded_pixels
from tests.hostile import CORPUS, Hostile
from tests.support.pictures import encoded

SIZE = (640, 480)


@pytest.mark.parametrize(
    ("mode", "format", "options", "expected"),
    [
        ("RGB", "JPEG", {}, 80 * 60),
        ("RGB", "JPEG", {"progressive": True}, 640 * 480),
        ("CMYK", "JPEG", {}, 640 * 480),
        ("RGB", "PNG", {}, 640 * 480),
        ("RGB", "WEBP", {}, 640 * 480),
        ("RGB", "GIF", {}, 640 * 480),
        ("RGB", "AVIF", {}, 640 * 480),
    ],
)
def test_only_a_sequential_jpeg_in_rgb_is_held_reduced(
    mode: str, format: str, options: dict[str, bool], expected: int
) -> None:
    data = encoded(Image.new(mode, SIZE), format, **options)

    assert decoded_pixels(data, reduction_for=lambda *_: 8) == expected


def test_without_a_reduction_all_pixels_are_held() -> None:
    assert decoded_pixels(encoded(Image.new("RGB", SIZE), "JPEG")) == 640 * 480


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"RIFF\x04\0\0\0WEBP", b"\xff\xd8\xff\xd9", b"hello"])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(NotAPicture):
        decoded_pixels(data)


@pytest.mark.parametrize("hostile", [each for each in CORPUS if not each.heavy], ids=lambda each: each.name)
def test_a_hostile_file_has_a_size_or_an_error_of_ours(hostile: Hostile) -> None:
    try:
        size = decoded_pixels(hostile.make())
    except MosaicError:
        return

    assert size >= 0, "decoding refuses what has no pixels"
