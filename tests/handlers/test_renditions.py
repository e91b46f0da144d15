"""Renditions: what the page draws on is the image as the server decodes it, whatever a browser makes of the file."""

from __future__ import annotations

import asyncio
import io
import threading
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from handlers.services import Services
from processing.images.renditions import PER_CLIENT_LIMIT
from processing.mosaic import decode_image, parse, render
from processing.rendering import Cancelled
from tests.hostile import heif
from tests.processing.mosaic.codec.files import (
    app1,
    exif,
    jpeg,
    png,
    png_chunk,
    raw_profile_chunk,
    webp,
    xmp,
    xmp_chunk,
    xmp_segment,
)
from tests.support.client import ApiClient, ApiResponse
from tests.support.waiting import until

PHOTO = np.full((240, 320, 3), 90, np.uint8)
PHOTO[40:100, 200:260] = (255, 0, 0)  # the number plate
STORED = Image.fromarray(PHOTO)
BINARY = {"Content-Type": "application/octet-stream"}


async def rendition(api: ApiClient, data: bytes, query: str = "") -> ApiResponse:
    return await api.request("POST", "/api/rendition/" + query, body=data, headers=BINARY)


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def is_red(image: np.ndarray) -> np.ndarray:
    return (image[..., 0] > 150) & (image[..., 1] < 90)


def files(orientation: int) -> dict[str, bytes]:
    other = orientation % 8 + 1
    return {
        "jpeg exif": jpeg(STORED, app1(orientation)),
        "jpeg xmp": jpeg(STORED, xmp_segment(orientation)),
        "jpeg both, contradicting": jpeg(STORED, app1(orientation), xmp_segment(other)),
        "png exif": png(STORED, png_chunk(b"eXIf", exif(orientation))),
        "png xmp": png(STORED, xmp_chunk(orientation)),
        "png raw profile": png(STORED, raw_profile_chunk(orientation)),
        "png all, contradicting": png(
            STORED, png_chunk(b"eXIf", exif(orientation)), raw_profile_chunk(other), xmp_chunk(other)
        ),
        "webp exif": webp(STORED, exif=exif(orientation)),
        "webp xmp": webp(STORED, xmp=xmp(orientation)),
        "webp both, contradicting": webp(STORED, exif=exif(orientation), xmp=xmp(other)),
    }


@pytest.mark.gen_test
@pytest.mark.parametrize("orientation", range(1, 9))
async def test_what_is_drawn_on_the_rendition_is_hidden_in_the_file(api: ApiClient, orientation: int) -> None:
    for name, data in files(orientation).items():
        answer = await rendition(api, data, "?max_side=200&format=png")
        drawn_on = pixels(answer.body)
        rows, columns = np.nonzero(is_red(drawn_on))
        height, width = drawn_on.shape[:2]
        region = [columns.min() / width, rows.min() / height, (columns.max() + 1) / width, (rows.max() + 1) / height]

        hidden = pixels(render(data, parse({"style": "redact", "regions": [region], "format": "png"})).data)
        source = np.asarray(decode_image(data).image).astype(int)
        box = np.zeros(hidden.shape[:2], bool)
        side, spread = 8, 60  # blocks around the region, as far as the format may have spread it
        full_height, full_width = box.shape
        top, left = int(region[1] * full_height) - spread, int(region[0] * full_width) - spread
        bottom, right = int(region[3] * full_height) + spread, int(region[2] * full_width) + spread
        box[max(0, top - side) : bottom + side, max(0, left - side) : right + side] = True

        assert not is_red(hidden).any(), name
        assert np.array_equal(hidden[~box], source[~box]), name
        assert (int(answer.headers["X-Image-Width"]), int(answer.headers["X-Image-Height"])) == (
            full_width,
            full_height,
        )


@pytest.mark.gen_test
async def test_browsers_that_cannot_show_heic_get_a_webp(api: ApiClient) -> None:
    answer = await rendition(api, heif.heic(256))

    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/webp")
    assert answer.headers["Cache-Control"] == "no-store"
    assert pixels(answer.body).shape == (256, 256, 3)


@pytest.mark.gen_test
async def test_it_is_scaled_down_and_its_full_size_is_told(api: ApiClient) -> None:
    answer = await rendition(api, jpeg(Image.new("RGB", (1600, 800)), app1(6)), "?max_side=100&format=jpeg")

    assert answer.headers["Content-Type"] == "image/jpeg"
    assert pixels(answer.body).shape == (100, 50, 3)
    assert (answer.headers["X-Image-Width"], answer.headers["X-Image-Height"]) == ("800", "1600")


@pytest.mark.gen_test
async def test_what_is_no_image_and_what_is_damaged_is_refused(api: ApiClient) -> None:
    whole = jpeg(STORED)

    text, cut = await rendition(api, b"no image"), await rendition(api, whole[: len(whole) // 2])

    assert (text.status, text["error"]) == (cut.status, cut["error"]) == (422, "not_a_picture")
    assert "damaged" in cut["message"]


@pytest.mark.gen_test
async def test_a_file_larger_than_an_upload_is_refused(api: ApiClient, services: Services) -> None:
    answer = await rendition(api, bytes(services.upload_limit_bytes + 1))

    assert (answer.status, answer["error"]) == (413, "too_large")


@pytest.mark.gen_test
async def test_each_client_has_few_at_a_time(api: ApiClient, services: Services) -> None:
    for _ in range(PER_CLIENT_LIMIT):
        services.renditions.acquire("127.0.0.1")

    busy = await rendition(api, jpeg(STORED))
    for _ in range(PER_CLIENT_LIMIT):
        services.renditions.release("127.0.0.1")

    assert (busy.status, busy["error"]) == (429, "too_many_requests")
    assert (await rendition(api, jpeg(STORED))).status == 200


@pytest.mark.gen_test
async def test_an_image_that_nobody_waits_for_any_more_is_not_decoded(api: ApiClient, services: Services) -> None:
    disconnected = threading.Event()
    disconnected.set()

    with pytest.raises(Cancelled):
        await services.renditions.make(
            jpeg(STORED), max_side=100, format="webp", client="203.0.113.9", cancelled=disconnected
        )


@pytest.mark.gen_test
async def test_a_rendition_is_given_up_with_its_connection(
    api: ApiClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, data = urlsplit(api.base_url), jpeg(STORED)
    begun, make, ends = asyncio.Event(), services.renditions.make, []

    async def make_later(*arguments: Any, cancelled: threading.Event, **named: Any) -> Any:
        begun.set()
        await until(cancelled.is_set)
        try:
            return await make(*arguments, cancelled=cancelled, **named)
        except Cancelled as error:
            ends.append(error)
            raise

    monkeypatch.setattr(services.renditions, "make", make_later)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    fields = f"Host: {address.netloc}\r\nContent-Type: application/octet-stream\r\nContent-Length: {len(data)}"
    writer.write(f"POST /api/rendition/ HTTP/1.1\r\n{fields}\r\n\r\n".encode() + data)
    await begun.wait()
    writer.close()

    await until(lambda: ends)
