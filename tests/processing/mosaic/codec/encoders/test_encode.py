"""Encoding can be stopped, reports progress where the format allows it, and names formats that fit."""

from __future__ import annotations

import io
from threading import Event

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import BadParameter
from processing.mosaic.codec.encoders.encode import check_size, encode, encode_animation
from processing.mosaic.codec.encoders.gif import encode_gif
from processing.mosaic.progress import Progress
from tests.processing.mosaic.pictures import noise, opened


def test_encoding_a_png_reports_as_the_file_grows() -> None:
    pixels = noise(900, 700)
    fractions: list[float] = []

    data = encode(Image.fromarray(pixels), "png", 85, Progress(fractions.append))

    assert (opened(data) == pixels).all()
    assert len(fractions) > 10
    assert sorted(fractions) == fractions
    assert 0.8 < fractions[-1] <= 1.0


def test_encoding_a_png_can_be_stopped() -> None:
    def stop(fraction: float) -> None:
        if fraction > 0.2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        encode(Image.fromarray(noise(900, 700)), "png", 85, Progress(stop))


@pytest.mark.parametrize("format", ["jpeg", "webp"])
def test_encoding_the_other_formats_polls_the_callback(format: str, polled: Event) -> None:
    pixels = noise(90, 70)
    fractions: list[float] = []

    def on_progress(fraction: float) -> None:
        fractions.append(fraction)
        polled.set()

    encoded = encode(Image.fromarray(pixels), format, 100, Progress(on_progress))

    assert np.abs(opened(encoded).astype(int) - pixels).mean() < 60
    assert set(fractions) == {0.0}


@pytest.mark.parametrize("format", ["jpeg", "webp"])
def test_encoding_the_other_formats_can_be_stopped(format: str, polled: Event) -> None:
    def stop(_fraction: float) -> None:
        polled.set()
        raise InterruptedError

    with pytest.raises(InterruptedError):
        encode(Image.fromarray(noise(90, 70)), format, 85, Progress(stop))


@pytest.mark.parametrize(
    ("size", "format", "allowed"),
    [
        ((70_000, 10), "jpeg", "png for 70000 x 10 pixels"),
        ((10, 70_000), "webp", "png for 10 x 70000 pixels"),
        ((20_000, 10), "webp", "jpeg, png, gif for 20000 x 10 pixels"),
    ],
)
def test_the_error_for_a_large_image_names_the_formats_that_fit(
    size: tuple[int, int], format: str, allowed: str
) -> None:
    with pytest.raises(BadParameter) as refused:
        check_size(*size, format)

    assert refused.value.details == {"field": "format", "value": format, "allowed": allowed}


def test_the_error_for_an_animation_too_detailed_for_webp_names_the_formats_that_fit() -> None:
    frame = Image.fromarray(noise(1056, 1056)).resize((4224, 4224), Image.Resampling.NEAREST)

    with pytest.raises(BadParameter) as refused:
        encode_animation(iter([frame, frame]), [40, 40], "webp", 80)

    assert refused.value.details["field"] == "format"
    assert refused.value.details["allowed"] == "gif, png for a picture of 4224 x 4224 pixels with this much detail"


def test_frames_with_more_colours_together_than_a_gif_can_hold_share_a_palette() -> None:
    ramp = np.repeat(np.arange(200, dtype=np.uint8)[None, :, None], 8, axis=0)
    zeros = np.zeros_like(ramp)
    frames = [np.dstack(channels) for channels in ((ramp, zeros, zeros), (zeros, ramp, zeros))]

    data = encode_gif([Image.fromarray(frame) for frame in frames], [100, 100])

    with Image.open(io.BytesIO(data)) as image:
        decoded = []
        for number in range(image.n_frames):
            image.seek(number)
            decoded.append(np.asarray(image.convert("RGB")))
    assert len(np.unique(np.concatenate(decoded).reshape(-1, 3), axis=0)) <= 255
    assert np.abs(np.array(decoded).astype(int) - frames).max() <= 8
