"""A file is written step by step where the format allows it, and can be stopped meanwhile."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import progress as stage
from processing.mosaic.codec.encode import encode
from processing.mosaic.progress import Progress
from tests.processing.mosaic.pictures import noise, opened


def test_writing_a_png_reports_as_it_grows() -> None:
    pixels, seen = noise(900, 700), []

    data = encode(Image.fromarray(pixels), "png", 85, Progress(seen.append))

    assert (opened(data) == pixels).all()
    assert len(seen) > 10
    assert sorted(seen) == seen
    assert 0.8 < seen[-1] <= 1.0


def test_writing_a_png_can_be_stopped() -> None:
    def stop(fraction: float) -> None:
        if fraction > 0.2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        encode(Image.fromarray(noise(900, 700)), "png", 85, Progress(stop))


@pytest.mark.parametrize("format", ["jpeg", "webp"])
def test_the_other_formats_are_one_call_which_is_attended(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels, seen = noise(900, 700), []
    monkeypatch.setattr(stage, "_POLL_S", 0.001)

    data = encode(Image.fromarray(pixels), format, 100, Progress(seen.append))

    assert np.abs(opened(data).astype(int) - pixels).mean() < 60
    assert len(seen) > 1
    assert set(seen) == {0.0}


@pytest.mark.parametrize("format", ["jpeg", "webp"])
def test_they_can_be_stopped_all_the_same(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_fraction: float) -> None:
        raise InterruptedError

    monkeypatch.setattr(stage, "_POLL_S", 0)
    image = Image.fromarray(noise(900, 700))

    with pytest.raises(InterruptedError):
        encode(image, format, 85, Progress(stop))
