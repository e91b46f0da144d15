"""The segments of a JPEG."""

from __future__ import annotations

from processing.mosaic.codec.formats.jpeg import segments


def test_markers_without_a_length_are_passed_over_up_to_the_end() -> None:
    comment = b"\xff\xfe\x00\x03a"

    read = [
        each.marker for each in segments(b"\xff\xd8\xff\x01" + comment + b"\xff\xd0" + comment + b"\xff\xd9" + comment)
    ]

    assert read == [0xFE, 0xFE]
