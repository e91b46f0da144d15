"""A file is written step by step where the format allows it, and can be stopped meanwhile."""

from __future__ import annotations

import pytest
from PIL import Image

from processing.mosaic.encoding import encode
from processing.mosaic.stage import Stage
from tests.processing.mosaic.pictures import noise, opened


def test_writing_a_png_reports_as_it_grows() -> None:
    pixels, seen = noise(900, 700), []

    data = encode(Image.fromarray(pixels), "png", 85, Stage(seen.append))

    assert (opened(data) == pixels).all()
    assert len(seen) > 10
    assert sorted(seen) == seen
    assert 0.8 < seen[-1] <= 1.0


def test_writing_a_png_can_be_stopped() -> None:
    def stop(fraction: float) -> None:
        if fraction > 0.2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        encode(Image.fromarray(noise(900, 700)), "png", 85, Stage(stop))


@pytest.mark.parametrize("format", ["jpeg", "webp"])
def test_the_other_formats_go_to_a_descriptor_in_one_call(format: str) -> None:
    data = encode(Image.fromarray(noise(90, 70)), format, 85, Stage())

    assert opened(data).shape == (70, 90, 3)
