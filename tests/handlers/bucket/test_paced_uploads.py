"""Uploads to the embedded bucket at the pace of their client: all ways to send a file, and none is dropped as slow."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handlers.transport.body_pace import BodyPace
from models.bucket.signature import encode
from tests.models.bucket.installations import FORM_TYPE, Installation, form, open_embedded, png, post
from tests.support.waiting import until

CLIENT = "127.0.0.66"
RATE, BURST_BYTES = 1000, 100_000
MIB = 1 << 20


class Pauses:
    """Pauses that last until they are ended; time does not pass."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.ended = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await self.ended.wait()


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def where(io_loop: Any, tmp_path: Path, pauses: Pauses) -> Iterator[Installation]:
    """A bucket that bears a stalled client for a moment only."""
    pace = BodyPace(RATE, burst_bytes=BURST_BYTES, clock=lambda: 0.0, sleep=pauses.sleep)
    with open_embedded(io_loop, tmp_path, body_pace=pace, stall_s=0.2) as installation:
        yield installation


def whole_form(where: Installation, data: bytes) -> tuple[str, str, bytes, str]:
    ticket = where.sign_upload()
    return "POST", "/up", form({"token": ticket.token, "key": ticket.key}, data), FORM_TYPE


def block(_: Installation, data: bytes) -> tuple[str, str, bytes, str]:
    return "POST", f"/up/mkblk/{len(data)}", data, "application/octet-stream"


async def started_part(where: Installation, headers: dict[str, str]) -> str:
    root = f"/up/buckets/tessera/objects/{encode(b'u/1.png')}/uploads"
    started = await post(where.base + root, b"", headers)
    return f"{root}/{json.loads(started.body)['uploadId']}/1"


async def stalled_client_is_dropped(where: Installation) -> None:
    """From now on a whole period of the minimum rate has passed."""
    host, port = where.base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"POST /up HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM_TYPE}\r\nContent-Length: 99\r\n\r\n".encode())
    assert await reader.read() == b""
    writer.close()


@pytest.mark.requirement(68)
@pytest.mark.gen_test
@pytest.mark.parametrize("way", ["form", "part", "block"])
async def test_a_client_that_is_held_back_is_not_dropped_as_slow(where: Installation, pauses: Pauses, way: str) -> None:
    data = png() + bytes(MIB)
    headers = {"Authorization": f"UpToken {where.sign_upload().token}"}
    if way == "part":
        method, path, body, kind = "PUT", await started_part(where, headers), data, "application/octet-stream"
    else:
        method, path, body, kind = {"form": whole_form, "block": block}[way](where, data)

    upload = asyncio.create_task(
        post(where.base + path, body, {**headers, "Content-Type": kind}, method, source_address=CLIENT)
    )
    await until(lambda: pauses.seconds)
    for _ in range(2):
        await stalled_client_is_dropped(where)
    was_held = not upload.done()
    pauses.ended.set()
    response = await upload

    assert was_held
    assert response.code == 200
    assert pauses.seconds[-1] == pytest.approx((len(body) - BURST_BYTES) / RATE)
    if way == "block":
        assert json.loads(response.body)["crc32"] == zlib.crc32(data)


@pytest.mark.requirement(68)
@pytest.mark.gen_test
async def test_a_client_that_leaves_while_it_is_held_back_leaves_nothing(where: Installation, pauses: Pauses) -> None:
    host, port = where.base.removeprefix("http://").split(":")
    _, _, body, _ = whole_form(where, png() + bytes(MIB))
    _, writer = await asyncio.open_connection(host, int(port), local_addr=(CLIENT, 0))
    head = f"POST /up HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM_TYPE}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body[: MIB // 2])
    await until(lambda: pauses.seconds)

    writer.transport.abort()
    pauses.ended.set()

    await until(lambda: where.bucket.received.total == 0 and where.files() == [])
