"""The program that decodes HEIF and AVIF in a process of its own."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from processing.mosaic.codec.heif_decoder import decode, decode_deep_avif, is_deep_avif
from processing.mosaic.codec.isolated import PROGRAM
from tests.processing.mosaic.codec.files import linear_profile
from tests.processing.mosaic.codec.test_deep import linear_avif
from tests.processing.mosaic.codec.test_heif import IMAGE, QUARTERS, WRITERS, avif, heic

SIZE, PIXELS = IMAGE.size, IMAGE.width * IMAGE.height
TOP_BITS = (np.arange(40 * 100 * 3, dtype=np.uint16) % 1024).reshape(40, 100, 3) << 6
"""All values of 10 bits, each at the top of 16; rows of 100 pixels, which decoders pad."""


def heic_of(mode: str, values: np.ndarray) -> bytes:
    """A HEIC without loss."""
    file, target = pillow_heif.from_bytes(mode, (values.shape[1], values.shape[0]), values.tobytes()), io.BytesIO()
    file.save(target, quality=-1, chroma=444, matrix_coefficients=0)
    return target.getvalue()


@pytest.mark.parametrize("kind", list(WRITERS))
def test_the_program_writes_a_line_about_the_picture_its_profile_and_its_samples(kind: str) -> None:
    image, profile = IMAGE.copy(), linear_profile()
    image.info["icc_profile"] = profile
    data = heic(image) if kind == "HEIF" else avif(IMAGE, icc_profile=profile)

    command = [sys.executable, str(PROGRAM), kind, str(PIXELS)]
    written = subprocess.run(command, input=data, capture_output=True, check=True).stdout

    line, _, rest = written.partition(b"\n")
    size = list(SIZE)
    about = {"mode": "RGB", "size": size, "bits": 8, "orientation": 1, "profile_bytes": len(profile)}
    assert json.loads(line) == about
    assert rest[: len(profile)] == profile
    samples = np.frombuffer(rest[len(profile) :], np.uint8).reshape(QUARTERS.shape)
    assert np.abs(samples.astype(int) - QUARTERS).mean() < 3


@pytest.mark.parametrize("kind", list(WRITERS))
def test_a_picture_of_more_pixels_than_allowed_is_refused(kind: str) -> None:
    data = WRITERS[kind](IMAGE)

    assert decode(kind, PIXELS, data).size == SIZE
    with pytest.raises(ValueError, match="larger"):
        decode(kind, PIXELS - 1, data)


def test_a_heic_of_10_bits_is_read_with_all_of_them_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pillow_heif.options, "SAVE_HDR_TO_12_BIT", False)

    decoded = decode("HEIF", TOP_BITS.size, heic_of("RGB;16", TOP_BITS))

    assert (decoded.mode, decoded.size, decoded.bits) == ("RGB", (100, 40), 10)
    for top, bottom in ((0, 40), (7, 9)):
        rows = np.frombuffer(decoded.rows(top, bottom), np.uint16).reshape(-1, 100, 3)
        assert np.array_equal(rows >> 6, TOP_BITS[top:bottom] >> 6)


@pytest.mark.parametrize(("mode", "scale"), [("RGBa", 1), ("RGBa;16", 257)])
def test_premultiplied_colours_are_divided_by_their_opacity(mode: str, scale: int) -> None:
    values = np.full((48, 64, 4), 100) * scale
    values[..., 3] = 128 * scale

    decoded = decode("HEIF", PIXELS, heic_of(mode, values.astype(np.uint8 if scale == 1 else np.uint16)))

    assert (decoded.mode, decoded.bits) == ("RGBA", 8)
    samples = np.frombuffer(decoded.rows(0, 48), np.uint8).reshape(-1, 4)
    assert np.abs(samples.astype(int) - (199, 199, 199, 128)).max() <= 2


def test_an_avif_is_deep_by_a_bit_of_its_configuration() -> None:
    assert not is_deep_avif(avif(IMAGE))
    assert is_deep_avif(linear_avif(10))
    assert is_deep_avif(b"av1C" + bytes(8) + linear_avif(12)), "the same four letters may stand elsewhere"


def test_a_deep_avif_that_libavif_refuses_or_reads_otherwise_is_left_to_pillow() -> None:
    data = linear_avif(10)
    image, matrix = Image.open(io.BytesIO(data)), data.index(b"nclx") + 8
    unknown_matrix = data[:matrix] + struct.pack(">H", 3) + data[matrix + 2 :]

    assert decode_deep_avif(image, 1, data) is not None
    assert decode_deep_avif(image, 1, b"no picture") is None
    assert decode_deep_avif(Image.new("RGB", (5, 5)), 1, data) is None
    assert decode_deep_avif(image, 1, unknown_matrix) is None
