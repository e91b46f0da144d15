"""What the structure of a file tells before it is decoded."""

from __future__ import annotations

import pytest

from processing.mosaic import NotAPicture
from processing.mosaic.codec.formats.scan import MAX_FRAME_BLOCKS, check_jpeg, first_frame_end
from tests.processing.mosaic.pictures import encoded, scene


def test_a_jpeg_with_few_scans_may_have_their_marker_in_its_comments() -> None:
    photo = encoded(scene(64, 64), "JPEG", progressive=True)
    last = photo.rindex(b"\xff\xda")
    comment = b"\xff\xfe\x01\x02" + b"\xff\xda" * 128

    check_jpeg(photo[:last] + comment + photo[last:])
    with pytest.raises(NotAPicture):
        check_jpeg(photo[:-2] + photo[last:-2] * 128 + photo[-2:])


def test_a_first_frame_of_very_many_blocks_is_not_searched_for_its_end() -> None:
    head = b"GIF89a" + bytes(7)  # without a colour table
    whole, too_long = (
        head + b"\x2c" + bytes(9) + b"\x02" + b"\x01a" * blocks + b"\0"
        for blocks in (MAX_FRAME_BLOCKS - 1, MAX_FRAME_BLOCKS + 1)
    )

    assert first_frame_end(whole + b"\x3b") == len(whole)
    assert first_frame_end(too_long + b"\x3b") == len(too_long + b"\x3b")
