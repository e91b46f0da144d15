"""The frames of GIF and animated PNG are composed as browsers do. The expected values are Chromium's (156)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import NotAPicture, TooManyPixels
from processing.mosaic.codec.animation import frame_durations
from processing.mosaic.codec.decode import Source, decode, read_size
from processing.mosaic.codec.frames import decode_frames
from processing.mosaic.progress import Progress
from tests.processing.mosaic.codec.animated_files import CLEAR, KEEP, RESTORE, Frame, apng, gif
from tests.processing.mosaic.codec.files import exif, linear_profile, png_chunk, saved
from tests.processing.mosaic.codec.test_colour import gamma
from tests.processing.mosaic.pictures import noise

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
BESIDE, CENTRE = (0, 0), (4, 4)
"""Pixels outside and inside of a frame of 4 x 4 pixels at 2, 2."""


def seen(source: Source, place: tuple[int, int]) -> tuple[int, ...] | None:
    """The colour of a pixel; None if it is transparent."""
    if source.alpha is not None and source.alpha.getpixel(place) == 0:
        return None
    return source.image.getpixel(place)


def first(data: bytes) -> Source:
    return decode(data, Progress(), background=None)


def frames(data: bytes) -> list[Source]:
    return list(decode_frames(data, len(frame_durations(data)), Progress(), background=None))


def test_a_default_picture_that_is_no_frame_is_never_shown() -> None:
    data = apng(Frame(GREEN), Frame(BLUE), apart=Frame(RED))

    assert seen(first(data), CENTRE) == GREEN
    assert [seen(frame, CENTRE) for frame in frames(data)] == [GREEN, BLUE]
    assert frame_durations(data) == [100, 100]
    assert seen(first(apng(Frame(GREEN), apart=Frame(RED))), CENTRE) == GREEN


@pytest.mark.parametrize("colours", [(RED, GREEN, BLUE), ((*RED, 255), (*GREEN, 255), (*BLUE, 255))], ids=len)
def test_it_is_transparent_beside_a_smaller_first_frame(colours: tuple[tuple[int, ...], ...]) -> None:
    red, green, blue = colours
    data = apng(Frame(green, 2, 2, 4), Frame(blue), apart=Frame(red))

    picture = first(data)
    in_frames = [[seen(frame, place) for place in (BESIDE, CENTRE)] for frame in frames(data)]

    assert [seen(picture, place) for place in (BESIDE, CENTRE)] == [None, GREEN]
    assert in_frames == [[None, GREEN], [BLUE, BLUE]]
    assert (picture.width, picture.height) == read_size(data) == picture.image.size == (8, 8)


def test_colour_and_orientation_of_the_file_are_those_of_its_frames() -> None:
    chunks = gamma(100_000) + png_chunk(b"eXIf", exif(6))
    data = apng(Frame((128, 128, 128), 0, 0, 4), Frame(BLUE), apart=Frame(RED), chunks=chunks)

    for picture in (first(data), frames(data)[0]):
        assert seen(picture, (7, 0)) == pytest.approx((188, 188, 188), abs=1)
        assert seen(picture, (0, 0)) is None


def with_short_control(data: bytes) -> bytes:
    start = data.index(b"fcTL") + 4
    return data[: start - 8] + png_chunk(b"fcTL", data[start : start + 25]) + data[start + 30 :]


@pytest.mark.parametrize(
    "data",
    [
        apng(Frame(GREEN), apart=Frame(RED), sequence=5),
        apng(Frame(GREEN, 4, 4), apart=Frame(RED)),
        apng(Frame(GREEN), apart=Frame(RED)).replace(b"acTL\0\0\0\1", b"acTL\0\0\0\0"),
        apng(Frame(GREEN), apart=Frame(RED)).replace(b"acTL\0\0\0\1", b"acTL\x80\0\0\1"),
        with_short_control(apng(Frame(GREEN), apart=Frame(RED))),
    ],
    ids=["sequence", "beyond the canvas", "no frames", "too many frames", "short control"],
)
def test_the_default_picture_is_shown_where_the_frames_are_invalid(data: bytes) -> None:
    assert seen(first(data), CENTRE) == RED
    assert frame_durations(data) == []


def test_a_damaged_first_frame_is_refused() -> None:
    whole = apng(Frame(GREEN), Frame(BLUE), apart=Frame(RED))
    place = whole.index(b"fdAT") + 12

    with pytest.raises(NotAPicture, match="damaged"):
        first(whole[:place] + b"\x55" + whole[place + 1 :])


@pytest.mark.parametrize(("disposal", "left"), [(KEEP, GREEN), (CLEAR, None), (RESTORE, RED)])
@pytest.mark.parametrize("make", [apng, gif])
def test_what_a_frame_leaves_behind(
    make: Callable[..., bytes], disposal: int, left: tuple[int, int, int] | None
) -> None:
    """The second frame covers the centre; the third covers a corner only."""
    data = make(Frame(RED), Frame(GREEN, 2, 2, 4, disposal), Frame(BLUE, 7, 7, 1))

    last = frames(data)[2]

    assert seen(last, CENTRE) == left
    assert seen(last, BESIDE) == RED
    assert seen(last, (7, 7)) == BLUE


@pytest.mark.parametrize(("over", "expected"), [(True, RED), (False, None)])
def test_a_transparent_frame_replaces_or_lets_through(over: bool, expected: tuple[int, ...] | None) -> None:
    data = apng(Frame((*RED, 255)), Frame((*GREEN, 0), over=over))

    assert seen(frames(data)[1], CENTRE) == expected


def test_frames_of_a_gif_have_tables_of_their_own_and_end_at_the_canvas() -> None:
    data = gif(Frame(RED), Frame((1, 1, 1)), Frame(BLUE, 6, 6, 4))

    pictures = frames(data)

    assert [seen(picture, CENTRE) for picture in pictures] == [RED, (1, 1, 1), (1, 1, 1)]
    assert {picture.image.size for picture in pictures} == {(8, 8)}
    assert seen(pictures[2], (7, 7)) == BLUE


def test_a_first_frame_beyond_the_canvas_of_a_gif_enlarges_it() -> None:
    data = gif(Frame(RED, 2, 2, 8), Frame(BLUE))

    assert {picture.image.size for picture in (first(data), *frames(data))} == {(10, 10)}


def test_the_profile_of_an_animated_webp_counts_in_every_frame() -> None:
    images = [Image.new("RGB", (8, 8), (grey, grey, grey)) for grey in (128, 90)]
    data = saved(
        images[0], "WEBP", save_all=True, append_images=images[1:], lossless=True, icc_profile=linear_profile()
    )

    greys = [np.asarray(frame.image)[4, 4, 0] for frame in frames(data)]

    assert greys == pytest.approx([188, 160], abs=2)
    assert seen(first(data), CENTRE) == pytest.approx((188, 188, 188), abs=2)


@pytest.mark.parametrize("make", [apng, gif])
def test_a_canvas_beyond_the_limit_is_refused_before_its_first_small_frame(make: Callable[..., bytes]) -> None:
    data = make(Frame(RED), Frame(GREEN), side=100)

    assert len(list(decode_frames(data, 2, Progress(), megapixels=0.01))) == 2
    with pytest.raises(TooManyPixels):
        next(decode_frames(data, 2, Progress(), megapixels=0.0099))


def test_an_animated_webp_with_a_damaged_frame_is_refused() -> None:
    images = [Image.fromarray(noise(40, 30, seed=seed)) for seed in (1, 2)]
    data = saved(images[0], "WEBP", save_all=True, append_images=images[1:], lossless=True)
    start = data.rindex(b"VP8L") + 14  # of the pixels of the second frame

    pictures = decode_frames(data[:start] + b"\xff" * 20 + data[start + 20 :], 2, Progress())

    assert np.array_equal(np.asarray(next(pictures).image), noise(40, 30, seed=1))
    with pytest.raises(NotAPicture, match="damaged"):
        next(pictures)
