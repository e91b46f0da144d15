"""Metadata of a content: Kodo's etag, type and size by its bytes, and the variables of callbacks."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import qiniu
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from models.bucket import Stat
from models.bucket.embedded.sniff import UNKNOWN, SniffedImage, sniff
from models.bucket.embedded.variables import render_template, template_values
from models.bucket.etag import BLOCK_BYTES, Etag, of_blocks

STAT = Stat("u/猫 &.png", 12, "Fabc", "image/png", 0.0)


@pytest.mark.parametrize("size", [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES, 9_000_000])
def test_the_etag_equals_the_sdks_for_any_chunk_size(size: int, tmp_path: Path) -> None:
    data = (bytes(range(251)) * (size // 251 + 1))[:size]
    path = tmp_path / "data"
    path.write_bytes(data)

    for piece in (777_777, BLOCK_BYTES, size + 1):
        etag = Etag()
        for at in range(0, size, piece):
            etag.update(data[at : at + piece])
        assert etag.text() == qiniu.etag(str(path)) if size else etag.text() == "Fto5o-5ea0sNMlW_75VgGJCv2AcJ"


def test_the_etag_of_one_block_is_that_of_a_small_file() -> None:
    etag = Etag()
    etag.update(b"abc")

    assert etag.text() == of_blocks([bytes.fromhex("a9993e364706816aba3e25717850c26c9cd0d89d")])


@pytest.mark.parametrize("size", [(1, 1), (300, 200), (5000, 7)])
@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("PNG", {}),
        ("GIF", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True, "icc_profile": bytes(70_000), "comment": b"x" * 1000}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}),
        ("AVIF", {"speed": 10}),
    ],
)
def test_type_and_size_of_images_written_by_pillow(form: str, options: dict[str, Any], size: tuple[int, int]) -> None:
    file = io.BytesIO()
    Image.new("RGB", size, "red").save(file, form, **options)

    image = sniff(reader(file.getvalue()))

    assert image == SniffedImage(f"image/{form.lower()}", *size)
    assert image.format == form.lower()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"<svg/>",
        b"<html>\x89PNG\r\n\x1a\n",
        b"%PDF",
        b"BM",
        b"II*\0",
        b"\0\0\1\0",
        b"RIFF\0\0\0\0WAVE",
        b"GIF8",
    ],
)
def test_other_contents_are_unknown(content: bytes) -> None:
    assert sniff(reader(content)) == SniffedImage(UNKNOWN)


@given(
    st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8 "]),
    st.binary(max_size=200),
)
def test_damaged_images_raise_nothing(head: bytes, rest: bytes) -> None:
    image = sniff(reader(head + rest))

    assert image.mime.startswith("image/")
    assert (image.width is None) == (image.height is None)


def test_a_webp_that_begins_with_an_unknown_chunk_has_no_size() -> None:
    assert sniff(reader(b"RIFF\0\0\0\0WEBPICCP" + b"\1" * 40)) == SniffedImage("image/webp")


def test_a_jpeg_with_endless_markers_is_abandoned() -> None:
    endless = b"\xff\xd8\xff" + b"\xff" * 1_000_000
    calls = []

    def read_at(start: int, size: int) -> bytes:
        calls.append(start)
        return endless[start : start + size]

    assert sniff(read_at) == SniffedImage("image/jpeg")
    assert len(calls) < 1000


def test_variables_in_a_form_are_escaped_and_unknown_ones_are_empty() -> None:
    values = template_values(
        STAT,
        SniffedImage("image/png", 3, 4),
        bucket="b",
        end_user="7",
        filename="a&b=c:猫.tar.gz",
        custom={"x:param": "1 2"},
    )
    known_variables = "k=$(key)&n=$(fname)&s=$(fsize)&e=${etag}&w=$(imageInfo.width)&p=$(x:param)&u=$(endUser)&t=$(ext)"
    template = known_variables + "&x=$(fparam)&h=$(hash)"

    filled = render_template(template, "application/x-www-form-urlencoded", values)

    assert dict(parse_qsl(filled, keep_blank_values=True)) == {
        "k": "u/猫 &.png",
        "n": "a&b=c:猫.tar.gz",
        "s": "12",
        "e": "Fabc",
        "w": "3",
        "p": "1 2",
        "u": "7",
        "x": "",
        "h": "",
        "t": ".gz",
    }


def test_variables_in_json_are_encoded_with_or_without_quotes() -> None:
    values = template_values(STAT, SniffedImage(UNKNOWN), bucket="b", end_user="7", filename='q"\\', custom={})

    filled = render_template(
        '{"a":$(key),"b":"$(fname)","c":$(fsize),"d":$(imageInfo.width),"e":"$(no)"}', "application/json", values
    )

    assert json.loads(filled) == {"a": "u/猫 &.png", "b": 'q"\\', "c": 12, "d": None, "e": ""}


def test_a_clients_variable_cannot_replace_the_buckets() -> None:
    values = template_values(
        STAT, SniffedImage(UNKNOWN), bucket="b", end_user="7", filename="", custom={"x:endUser": "8", "endUser": "8"}
    )

    assert render_template("$(endUser)", "", values) == "7"


def test_a_value_that_looks_like_a_variable_is_not_expanded() -> None:
    values = template_values(STAT, SniffedImage(UNKNOWN), bucket="b", end_user="7", filename="$(endUser)", custom={})

    assert render_template("$(fname)", "", values) == "%24%28endUser%29"


def reader(content: bytes) -> Callable[[int, int], bytes]:
    return lambda start, size: content[start : start + size]
