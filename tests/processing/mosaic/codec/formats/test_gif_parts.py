"""The frames of a GIF are found by its blocks."""

from __future__ import annotations

from processing.mosaic.codec.animation import frame_durations
from tests.processing.mosaic.codec.animated_files import Frame, gif

FRAMES = gif(Frame((255, 0, 0)), Frame((0, 255, 0)))[:-1]
EXTENSION = b"!\xfe\0"


def test_a_gif_of_very_many_blocks_counts_as_its_first_picture() -> None:
    assert frame_durations(FRAMES + EXTENSION * 90_000 + b";") == [100, 100]
    assert frame_durations(FRAMES + EXTENSION * 100_000 + b";") == []
