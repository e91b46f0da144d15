"""Uploads that go wrong: full disks, clients that leave, drip or send too much. Nothing half is ever left."""

from __future__ import annotations

import asyncio
import resource
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from models.bucket.embedded.objects import Objects
from models.bucket.embedded.staged import StagedFile
from tests.models.bucket.installations import (
    FORM_TYPE,
    LIMIT_BYTES,
    Installation,
    error_of,
    form,
    get,
    open_embedded,
    png,
    post,
    upload,
)
from tests.security import raw_http
from tests.support.waiting import until


@pytest.fixture
def where(io_loop: Any, tmp_path: Path) -> Iterator[Installation]:
    with open_embedded(io_loop, tmp_path) as installation:
        yield installation


@pytest.fixture
def impatient(io_loop: Any, tmp_path: Path) -> Iterator[Installation]:
    """A bucket that bears a stalled client for a moment only."""
    with open_embedded(io_loop, tmp_path, stall_s=0.3) as installation:
        yield installation


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file may grow beyond 2 MiB: the same border of the code as a full disk, and needs no privilege."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.gen_test
async def test_a_body_far_beyond_the_limit_is_refused_by_its_length(where: Installation) -> None:
    host, port = where.base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))

    writer.write(
        f"POST /up HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM_TYPE}\r\nContent-Length: 10000000000\r\n\r\n".encode()
    )
    answer = await asyncio.wait_for(reader.read(), 5)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"error"' in answer
    writer.close()


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("method", "length", "status"),
    [("POST", "abc", 400), ("POST", "-1", 400), ("POST", "9" * 5000, 413), ("OPTIONS", "4", 204), ("GET", "4", 405)],
)
async def test_malformed_requests_are_never_answered_with_500(
    where: Installation, method: str, length: str, status: int, expect_log: Callable[[str], None]
) -> None:
    expect_log("tornado.general|python_multipart")
    host, port = where.base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))

    head = f"{method} /up HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n"
    writer.write(f"{head}Content-Type: {FORM_TYPE}\r\n\r\nbody".encode())
    answer = await asyncio.wait_for(reader.readline(), 5)

    assert int(answer.split()[1]) == status
    writer.close()


@pytest.mark.gen_test
async def test_a_file_beyond_the_limit_is_413_and_leaves_nothing(where: Installation) -> None:
    response = await upload(where.sign_upload(), png() + bytes(LIMIT_BYTES))

    assert error_of(response) == (413, "exceed FsizeLimit")
    await nothing_left(where)


@pytest.mark.requirement(41)
@pytest.mark.gen_test
async def test_a_full_disk_is_507_leaves_nothing_and_recovers(
    where: Installation, small_disk: None, expect_log: Callable[[str], None]
) -> None:
    expect_log("storage_full")

    answers = await asyncio.gather(*(upload(where.sign_upload(f"u/{n}.png"), png() + bytes(4 << 20)) for n in range(4)))

    assert [answer.code for answer in answers] == [507] * 4
    await nothing_left(where)
    assert where.receiver.callbacks == []
    assert (await upload(where.sign_upload(), png())).code == 200


@pytest.mark.gen_test
async def test_clients_that_disconnect_half_way_leave_nothing(where: Installation) -> None:
    host, port = where.base.removeprefix("http://").split(":")
    body = form({"token": where.sign_upload().token, "key": "u/1.png"}, png() + bytes(2 << 20))
    head = f"POST /up HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM_TYPE}\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    async def disconnect() -> None:
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(head + body[: len(body) // 2])
        await writer.drain()
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    await asyncio.gather(*(disconnect() for _ in range(40)))

    await nothing_left(where)
    assert where.receiver.callbacks == []
    assert (await upload(where.sign_upload(), png())).code == 200


@pytest.mark.gen_test
async def test_a_client_without_a_token_gets_little_disk(where: Installation) -> None:
    start = b'--seam\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    too_large = await post(where.up_url, start + bytes(LIMIT_BYTES + 1), {"Content-Type": FORM_TYPE})
    where.bucket.unauthenticated.add("127.0.0.1", 30 << 20)

    too_much = await post(where.up_url, start + bytes(9 << 20), {"Content-Type": FORM_TYPE})

    assert error_of(too_large) == (413, "exceed FsizeLimit")
    assert error_of(too_much) == (573, "too many uploads without a token; send the token before the file")
    await nothing_left(where)


def form_request(installation: Installation, data: bytes) -> tuple[bytes, bytes]:
    """A form to upload as raw HTTP: head and body."""
    body = form({"token": installation.sign_upload().token, "key": "u/1.png"}, data)
    return raw_http.head("/up", f"Content-Type: {FORM_TYPE}", f"Content-Length: {len(body)}", "Connection: close"), body


@pytest.mark.gen_test
@pytest.mark.parametrize("drip", [b"", b"x"])
async def test_a_body_below_the_minimum_rate_is_cut_off_and_leaves_nothing(
    impatient: Installation, drip: bytes
) -> None:
    request, body = form_request(impatient, png() + bytes(2 << 20))

    response = await raw_http.exchange(impatient.base, request + body[:1000], *[drip] * 500, every_s=0.02)

    assert response == b""
    await nothing_left(impatient)


@pytest.mark.gen_test
async def test_a_slow_connection_can_upload(impatient: Installation) -> None:
    request, body = form_request(impatient, png() + bytes(20_000))
    pieces = [body[at : at + 2000] for at in range(0, len(body), 2000)]

    response = await raw_http.exchange(impatient.base, request, *pieces, every_s=0.06)

    assert response.startswith(b"HTTP/1.1 200 ")


@pytest.mark.gen_test
async def test_twenty_uploads_of_one_key_at_once_make_one_object(where: Installation) -> None:
    answers = await asyncio.gather(*(upload(where.sign_upload(), png()) for _ in range(20)))

    assert {answer.code for answer in answers} == {200}
    assert [path.split("/")[0] for path in where.files()] == ["objects"]


class StuckDisk(Objects):
    """Every write waits until `moving` is set. Nothing else can make a disk wait for as long as a test likes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.reached, self.moving = threading.Event(), threading.Event()

    def stage(self) -> StagedFile:
        self.reached.set()
        self.moving.wait(120)
        return super().stage()


@pytest.mark.gen_test
async def test_a_stuck_disk_delays_no_other_request(where: Installation) -> None:
    where.bucket.put("other.png", png(), mime="image/png")
    where.bucket.objects = StuckDisk(where.folder)

    stuck = asyncio.ensure_future(upload(where.sign_upload(), png()))
    others = [(await get(where.bucket.url("other.png"))).code for _ in range(5)]
    waited = not stuck.done()
    where.bucket.objects.moving.set()

    assert (others, waited) == ([200] * 5, True)
    assert (await stuck).code == 200


@pytest.mark.gen_test
async def test_a_token_must_still_be_valid_when_the_file_is_complete(where: Installation) -> None:
    where.bucket.objects = disk = StuckDisk(where.folder)
    ticket = where.sign_upload()
    sent = asyncio.ensure_future(upload(ticket, png()))

    await until(disk.reached.is_set)
    where.bucket.clock = lambda: ticket.expires + 9
    disk.moving.set()

    assert error_of(await sent) == (401, "token expired 9 seconds ago")
    await nothing_left(where)


async def nothing_left(where: Installation) -> None:
    await until(lambda: where.files() == [])
