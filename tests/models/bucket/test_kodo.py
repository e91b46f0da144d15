"""Kodo when it misbehaves, and what only Kodo has: regions, private reading, replayed and reordered callbacks."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
import qiniu

from models.bucket.keys import Keys
from models.bucket.kodo import KodoBucket, KodoEndpoints
from models.errors import BucketUnavailable, NotFound
from tests.models.bucket.installations import Installation, get, open_kodo, png, upload


@pytest.fixture
def where(io_loop) -> Iterator[Installation]:
    with open_kodo(io_loop) as found:
        yield found


@pytest.fixture
def asking(io_loop) -> Iterator[Installation]:
    """A Kodo whose addresses must be asked for."""
    with open_kodo(io_loop, ask_region=True) as found:
        yield found


@pytest.fixture
def private(io_loop) -> Iterator[Installation]:
    with open_kodo(io_loop, private=True) as found:
        yield found


def read(bucket: KodoBucket, key: str = "a.png", timeout_s: float = 5) -> bytes:
    return bucket.read(key, limit_bytes=1 << 20, timeout_s=timeout_s)


@pytest.mark.gen_test
@pytest.mark.parametrize("faults", [{"status": 503}, {"status": 599}, {"status": 401}, {"status": 631}, {"drop": True}])
async def test_any_failure_is_one_error_of_ours(where, faults, expect_log):
    expect_log("bucket: |urllib3.connectionpool: Retrying")
    for name, value in faults.items():
        setattr(where.kodo.faults, name, value)
    bucket = where.bucket

    for call in (
        lambda: bucket.stat("a"),
        lambda: bucket.delete("a"),
        lambda: bucket.put("a", png(), mime="image/png"),
        lambda: list(bucket.list()),
        lambda: read(bucket),
    ):
        with pytest.raises(BucketUnavailable):
            await asyncio.to_thread(call)
    assert len(where.kodo.calls) <= 12


@pytest.mark.gen_test
async def test_a_failure_that_passes_is_not_noticed(where):
    where.kodo.faults.status, where.kodo.faults.times = 503, 1

    assert (await asyncio.to_thread(where.bucket.put, "a.png", png(), mime="image/png")).key == "a.png"
    where.kodo.faults.times = 1
    assert (await asyncio.to_thread(where.bucket.stat, "a.png")).size_bytes == len(png())


@pytest.mark.gen_test
async def test_an_answer_without_a_request_id_is_not_kodos_and_not_believed(where, expect_log):
    expect_log("bucket: ")
    where.kodo.faults.nameless = True

    for call in (
        lambda: where.bucket.put("a.png", png(), mime="image/png"),
        lambda: where.bucket.stat("a.png"),
        lambda: list(where.bucket.list()),
    ):
        with pytest.raises(BucketUnavailable):
            await asyncio.to_thread(call)


@pytest.mark.gen_test
@pytest.mark.parametrize("status", [400, 401, 403, 413, 419, 478, 573, 579, 608, 614, 630, 631, 640, 701])
async def test_a_refusal_is_not_asked_for_again(where, status, expect_log):
    expect_log(f"Kodo answered {status}")
    where.kodo.faults.status = status

    with pytest.raises(BucketUnavailable):
        await asyncio.to_thread(where.bucket.stat, "a.png")
    assert len(where.kodo.calls) == 1


def test_the_sdk_gives_up_within_seconds_and_tries_once_more_at_most(where):
    assert qiniu.config.get_default("connection_timeout") == 5
    assert qiniu.config.get_default("connection_retries") == 1


@pytest.mark.gen_test
async def test_a_reader_that_lags_behind_is_not_found_and_later_found(where):
    await asyncio.to_thread(where.bucket.put, "a.png", png(), mime="image/png")
    where.kodo.faults.lag = 2

    with pytest.raises(NotFound):
        await asyncio.to_thread(where.bucket.stat, "a.png")
    with pytest.raises(NotFound):
        await asyncio.to_thread(read, where.bucket)
    assert await asyncio.to_thread(read, where.bucket) == png()


@pytest.mark.gen_test
async def test_half_a_download_is_no_download(where, expect_log):
    expect_log("download failed")
    await asyncio.to_thread(where.bucket.put, "a.png", png(), mime="image/png")
    where.kodo.faults.truncate = True

    with pytest.raises(BucketUnavailable):
        await asyncio.to_thread(read, where.bucket)


@pytest.mark.requirement(8)
@pytest.mark.gen_test
async def test_a_redirect_is_never_followed(where, expect_log):
    expect_log("download answered with 302")
    await asyncio.to_thread(where.bucket.put, "secret.png", png(), mime="image/png")
    where.kodo.faults.redirect = where.bucket.url("secret.png")
    where.kodo.calls.clear()

    with pytest.raises(BucketUnavailable):
        await asyncio.to_thread(read, where.bucket)
    assert where.kodo.calls == ["GET /io/a.png"]


@pytest.mark.gen_test
async def test_a_bucket_that_is_silent_is_given_up_in_time(where, expect_log):
    expect_log("download failed")
    where.kodo.faults.slow = asyncio.Event()
    start = time.monotonic()

    with pytest.raises(BucketUnavailable):
        await asyncio.to_thread(read, where.bucket, timeout_s=0.2)

    where.kodo.faults.slow.set()
    assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    "dripped", [b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100, b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + b"x" * 99]
)
def test_a_bucket_that_drips_is_given_up_in_time(dripped, expect_log):
    expect_log("download failed")
    listener = socket.create_server(("127.0.0.1", 0))
    bucket = KodoBucket(
        Keys("a", "s"), "b", domain=f"http://127.0.0.1:{listener.getsockname()[1]}", callback_url="http://h/c"
    )

    given_up = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            for byte in dripped:
                try:
                    connection.sendall(bytes([byte]))
                except OSError:
                    return
                if given_up.wait(0.02):  # a slow peer is played, in a thread of its own
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    start = time.monotonic()

    with pytest.raises(BucketUnavailable):
        read(bucket, timeout_s=0.3)

    assert time.monotonic() - start < 1.5
    given_up.set()
    listener.close()
    thread.join(5)


@pytest.mark.gen_test
async def test_the_region_is_asked_for_once_and_kept_nowhere_but_in_memory(asking, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    for number in range(3):
        await asyncio.to_thread(asking.bucket.put, f"{number}.png", png(), mime="image/png")
        await asyncio.to_thread(asking.bucket.stat, f"{number}.png")

    assert asking.bucket.sign_upload("g.png", owner_id=1, size_limit_bytes=10).upload_url == asking.kodo.base
    assert asking.bucket.upload_origin() == asking.kodo.base
    assert asking.kodo.calls.count("GET /v4/query") == 1
    assert os.listdir(tmp_path) == []


@pytest.mark.gen_test
async def test_a_region_that_cannot_be_asked_for_is_unavailable_and_asked_for_again(asking, expect_log):
    expect_log("cannot be found out")
    asking.kodo.faults.status = 503

    with pytest.raises(BucketUnavailable):
        await asyncio.to_thread(asking.bucket.stat, "a")
    asking.kodo.faults.status = 0

    with pytest.raises(NotFound):
        await asyncio.to_thread(asking.bucket.stat, "a")


def test_explicit_addresses_take_no_question():
    bucket = KodoBucket(
        Keys("a", "s"),
        "b",
        domain="cdn.example.com",
        callback_url="http://h/c",
        endpoints=KodoEndpoints("http://up.example", "http://rs.example", "http://rsf.example", "http://127.0.0.1:1"),
    )

    grant = bucket.sign_upload("猫.png", owner_id=1, size_limit_bytes=10)

    assert (grant.upload_url, grant.url) == ("http://up.example", "https://cdn.example.com/%E7%8C%AB.png")


@pytest.mark.gen_test
async def test_a_private_bucket_reads_with_a_signature_and_not_without(private):
    await asyncio.to_thread(private.bucket.put, "猫 #?.png", png(), mime="image/png")

    assert await asyncio.to_thread(read, private.bucket, "猫 #?.png") == png()
    assert (await get(private.bucket.url("猫 #?.png"))).code == 401
    assert (await get(private.bucket.readable_url("猫 #?.png"))).code == 200
    query = dict(parse_qsl(urlsplit(private.bucket.readable_url("a.png")).query))
    assert list(query) == ["e", "token"]
    assert 0 < int(query["e"]) - time.time() <= 3600


@pytest.mark.gen_test
async def test_a_signed_address_ends_with_its_time(private):
    await asyncio.to_thread(private.bucket.put, "a.png", png(), mime="image/png")
    auth = qiniu.Auth(private.keys.access, private.keys.secret)

    assert (await get(auth.private_download_url(private.bucket.url("a.png"), expires=-1))).code == 401


def test_pages_may_send_to_where_kodo_takes_uploads_as_soon_as_that_is_known(asking):
    def bucket(**addresses: str) -> KodoBucket:
        return KodoBucket(Keys("a", "s"), "b", domain="d", callback_url="c", endpoints=KodoEndpoints(**addresses))

    assert bucket().upload_origin() == "https://*.qiniup.com"
    assert bucket(up="http://up.example:81/x").upload_origin() == "http://up.example:81"
    assert bucket(uc="http://uc.example").upload_origin() == "http:"
    assert asking.bucket.upload_origin() == "http:"


@pytest.mark.gen_test
@pytest.mark.parametrize("style", ["QBox", "Qiniu"])
async def test_both_styles_of_callback_are_heard(where, style):
    where.kodo.faults.style = style

    assert (await upload(where.grant(), png())).code == 200
    assert where.receiver.heard[0].owner_id == 7


@pytest.mark.gen_test
async def test_a_callback_signed_wrong_is_401_to_kodo_and_579_to_the_browser(where):
    where.kodo.faults.wrong_signature = True

    assert (await upload(where.grant(), png())).code == 579
    assert (where.receiver.heard, where.receiver.refused) == ([], 1)


@pytest.mark.gen_test
async def test_a_callback_repeated_says_the_same_each_time(where):
    where.kodo.faults.callbacks = 3

    assert (await upload(where.grant(), png())).code == 200
    assert len(where.receiver.heard) == 3
    assert len(set(where.receiver.heard)) == 1


def test_no_secret_is_in_what_is_shown_of_a_bucket():
    keys = Keys("an-access", "a-very-secret")
    bucket = KodoBucket(keys, "b", domain="d", callback_url="c")

    assert "a-very-secret" not in repr(bucket) + repr(keys)
