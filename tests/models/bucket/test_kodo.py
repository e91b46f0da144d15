"""Kodo when it misbehaves, and what only Kodo has: regions, private reading, replayed and reordered callbacks."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import qiniu
from tornado.ioloop import IOLoop

from models.bucket.keys import Keys
from models.bucket.kodo import FORM_LIMIT_BYTES, KodoBucket, KodoEndpoints
from models.bucket.policy import TOKEN_LIFE_S
from models.errors import BucketUnavailable, NotFound
from tests.models.bucket.installations import Installation, get, open_kodo, png, upload


@pytest.fixture
def installation(io_loop: IOLoop) -> Iterator[Installation]:
    with open_kodo(io_loop) as installation:
        yield installation


@pytest.fixture
def unresolved(io_loop: IOLoop) -> Iterator[Installation]:
    """A Kodo whose endpoints must be looked up."""
    with open_kodo(io_loop, look_up_region=True) as installation:
        yield installation


@pytest.fixture
def private(io_loop: IOLoop) -> Iterator[Installation]:
    with open_kodo(io_loop, private=True) as installation:
        yield installation


def read(bucket: KodoBucket, key: str = "a.png", timeout_s: float = 5) -> bytes:
    return bucket.read(key, limit_bytes=1 << 20, timeout_s=timeout_s)


@pytest.mark.gen_test
@pytest.mark.parametrize("faults", [{"status": 503}, {"status": 599}, {"status": 401}, {"status": 631}, {"drop": True}])
async def test_every_failure_becomes_bucket_unavailable(
    installation: Installation, faults: dict[str, Any], expect_log: Callable[[str], None]
) -> None:
    expect_log("bucket: |urllib3.connectionpool: Retrying")
    for name, value in faults.items():
        setattr(installation.kodo.faults, name, value)
    bucket = installation.bucket

    for call in (
        lambda: bucket.stat("a"),
        lambda: bucket.delete("a"),
        lambda: bucket.put("a", png(), mime="image/png"),
        lambda: list(bucket.list()),
        lambda: read(bucket),
    ):
        with pytest.raises(BucketUnavailable):
            await asyncio.to_thread(call)
    assert len(installation.kodo.calls) <= 12


@pytest.mark.gen_test
async def test_a_temporary_failure_is_retried(installation: Installation) -> None:
    installation.kodo.faults.status, installation.kodo.faults.times = 503, 1

    assert (await asyncio.to_thread(installation.bucket.put, "a.png", png(), mime="image/png")).key == "a.png"
    installation.kodo.faults.times = 1
    assert (await asyncio.to_thread(installation.bucket.stat, "a.png")).size_bytes == len(png())


@pytest.mark.gen_test
async def test_a_large_object_is_uploaded_in_parts_with_the_hash_of_one(installation: Installation) -> None:
    large = png() + bytes(FORM_LIMIT_BYTES)

    stored = await asyncio.to_thread(installation.bucket.put, "large.png", large, mime="image/png")

    assert installation.kodo.objects["large.png"].data == large
    assert (stored.size_bytes, stored.etag) == (len(large), installation.kodo.objects["large.png"].hash)
    (start, *parts, end) = installation.kodo.calls
    assert [call.split()[0] for call in (start, *parts, end)] == ["POST", *["PUT"] * 5, "POST"]
    assert all(call.startswith(f"PUT {end.split()[1]}/") for call in parts)  # to the same upload


@pytest.mark.gen_test
@pytest.mark.parametrize("fault", [{"drop_part": 3}, {"forget_upload": True}])
async def test_a_part_that_fails_is_bucket_unavailable(
    installation: Installation, fault: dict[str, Any], expect_log: Callable[[str], None]
) -> None:
    expect_log("bucket: |urllib3.connectionpool: Retrying")
    for name, value in fault.items():
        setattr(installation.kodo.faults, name, value)

    with pytest.raises(BucketUnavailable):
        await asyncio.to_thread(installation.bucket.put, "large.png", png() + bytes(FORM_LIMIT_BYTES), mime="image/png")
    assert "large.png" not in installation.kodo.objects


@pytest.mark.gen_test
async def test_a_response_without_a_request_id_is_rejected(
    installation: Installation, expect_log: Callable[[str], None]
) -> None:
    expect_log("bucket: ")
    installation.kodo.faults.no_request_id = True

    for call in (
        lambda: installation.bucket.put("a.png", png(), mime="image/png"),
        lambda: installation.bucket.stat("a.png"),
        lambda: list(installation.bucket.list()),
    ):
        with pytest.raises(BucketUnavailable):
            await asyncio.to_thread(call)


@pytest.mark.gen_test
@pytest.mark.parametrize("status", [400, 401, 403, 413, 419, 478, 573, 579, 608, 614, 630, 631, 640, 701])
async def test_a_rejection_is_not_retried(
    installation: Installation, status: int, expect_log: Callable[[str], None]
) -> None:
    expect_log(f"Kodo answered {status}")
    installation.kodo.faults.status = status

    with pytest.raises(BucketUnavailable):
        await asyncio.to_thread(installation.bucket.stat, "a.png")
    assert len(installation.kodo.calls) == 1


def test_the_sdk_has_short_timeouts_and_one_retry(installation: Installation) -> None:
    assert qiniu.config.get_default("connection_timeout") == 5
    assert qiniu.config.get_default("connection_retries") == 1


@pytest.mark.gen_test
async def test_a_stale_read_is_not_found_and_a_later_one_succeeds(installation: Installation) -> None:
    await asyncio.to_thread(installation.bucket.put, "a.png", png(), mime="image/png")
    installation.kodo.faults.stale_reads = 2

    with pytest.raises(NotFound):
        await asyncio.to_thread(installation.bucket.stat, "a.png")
    with pytest.raises(NotFound):
        await asyncio.to_thread(read, installation.bucket)
    assert await asyncio.to_thread(read, installation.bucket) == png()


@pytest.mark.gen_test
async def test_a_truncated_download_is_an_error(installation: Installation, expect_log: Callable[[str], None]) -> None:
    expect_log("download failed")
    await asyncio.to_thread(installation.bucket.put, "a.png", png(), mime="image/png")
    installation.kodo.faults.truncate = True

    with pytest.raises(BucketUnavailable):
        await asyncio.to_thread(read, installation.bucket)


@pytest.mark.requirement(8)
@pytest.mark.gen_test
async def test_a_redirect_is_not_followed(installation: Installation, expect_log: Callable[[str], None]) -> None:
    expect_log("download answered with 302")
    await asyncio.to_thread(installation.bucket.put, "secret.png", png(), mime="image/png")
    installation.kodo.faults.redirect = installation.bucket.url("secret.png")
    installation.kodo.calls.clear()

    with pytest.raises(BucketUnavailable):
        await asyncio.to_thread(read, installation.bucket)
    assert installation.kodo.calls == ["GET /io/a.png"]


@pytest.mark.gen_test
async def test_a_silent_bucket_is_abandoned_at_the_deadline(
    installation: Installation, expect_log: Callable[[str], None]
) -> None:
    expect_log("download failed")
    installation.kodo.faults.slow = asyncio.Event()

    with pytest.raises(BucketUnavailable):
        await asyncio.to_thread(read, installation.bucket, timeout_s=0.2)

    installation.kodo.faults.slow.set()


@pytest.mark.gen_test
async def test_the_region_is_looked_up_once_and_kept_in_memory_only(
    unresolved: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    for number in range(3):
        await asyncio.to_thread(unresolved.bucket.put, f"{number}.png", png(), mime="image/png")
        await asyncio.to_thread(unresolved.bucket.stat, f"{number}.png")

    assert unresolved.bucket.sign_upload("g.png", owner_id=1, size_limit_bytes=10).upload_url == unresolved.kodo.base
    assert unresolved.bucket.upload_origin() == unresolved.kodo.base
    assert unresolved.kodo.calls.count("GET /v4/query") == 1
    assert os.listdir(tmp_path) == []


@pytest.mark.gen_test
async def test_a_failed_region_look_up_is_repeated(unresolved: Installation, expect_log: Callable[[str], None]) -> None:
    expect_log("could not be looked up")
    unresolved.kodo.faults.status = 503

    with pytest.raises(BucketUnavailable):
        await asyncio.to_thread(unresolved.bucket.stat, "a")
    unresolved.kodo.faults.status = 0

    with pytest.raises(NotFound):
        await asyncio.to_thread(unresolved.bucket.stat, "a")


def test_configured_endpoints_are_not_looked_up() -> None:
    bucket = KodoBucket(
        Keys("a", "s"),
        "b",
        domain="cdn.example.com",
        callback_url="http://h/c",
        endpoints=KodoEndpoints("http://up.example", "http://rs.example", "http://rsf.example", "http://127.0.0.1:1"),
    )

    ticket = bucket.sign_upload("猫.png", owner_id=1, size_limit_bytes=10)

    assert (ticket.upload_url, ticket.url) == ("http://up.example", "https://cdn.example.com/%E7%8C%AB.png")


@pytest.mark.gen_test
async def test_a_private_bucket_is_readable_with_a_signature_only(private: Installation) -> None:
    await asyncio.to_thread(private.bucket.put, "猫 #?.png", png(), mime="image/png")

    assert await asyncio.to_thread(read, private.bucket, "猫 #?.png") == png()
    assert (await get(private.bucket.url("猫 #?.png"))).code == 401
    assert (await get(private.bucket.readable_url("猫 #?.png"))).code == 200
    query = dict(parse_qsl(urlsplit(private.bucket.readable_url("a.png")).query))
    assert list(query) == ["e", "token"]
    now = private.bucket.sign_upload("a.png", owner_id=1, size_limit_bytes=10).expires - TOKEN_LIFE_S
    assert 0 < int(query["e"]) - now <= 4200


@pytest.mark.gen_test
async def test_a_signed_url_expires(private: Installation) -> None:
    await asyncio.to_thread(private.bucket.put, "a.png", png(), mime="image/png")
    auth = qiniu.Auth(private.keys.access, private.keys.secret)

    assert (await get(auth.private_download_url(private.bucket.url("a.png"), expires=-1))).code == 401


def test_the_upload_origin_is_as_narrow_as_known(unresolved: Installation) -> None:
    def bucket(**addresses: str) -> KodoBucket:
        return KodoBucket(Keys("a", "s"), "b", domain="d", callback_url="c", endpoints=KodoEndpoints(**addresses))

    assert bucket().upload_origin() == "https://*.qiniup.com"
    assert bucket(up="http://up.example:81/x").upload_origin() == "http://up.example:81"
    assert bucket(uc="http://uc.example").upload_origin() == "http:"
    assert unresolved.bucket.upload_origin() == "http:"


@pytest.mark.gen_test
@pytest.mark.parametrize("style", ["QBox", "Qiniu"])
async def test_both_styles_of_callback_are_accepted(installation: Installation, style: str) -> None:
    installation.kodo.faults.style = style

    assert (await upload(installation.sign_upload(), png())).code == 200
    assert installation.receiver.callbacks[0].owner_id == 7


@pytest.mark.gen_test
async def test_a_callback_with_a_wrong_signature_is_579_to_the_browser(
    installation: Installation,
) -> None:
    installation.kodo.faults.wrong_signature = True

    assert (await upload(installation.sign_upload(), png())).code == 579
    assert (installation.receiver.callbacks, installation.receiver.rejected) == ([], 1)


@pytest.mark.gen_test
async def test_a_repeated_callback_has_the_same_body(installation: Installation) -> None:
    installation.kodo.faults.callbacks = 3

    assert (await upload(installation.sign_upload(), png())).code == 200
    assert len(installation.receiver.callbacks) == 3
    assert len(set(installation.receiver.callbacks)) == 1


def test_the_secret_key_is_not_in_the_repr() -> None:
    keys = Keys("an-access", "a-very-secret")
    bucket = KodoBucket(keys, "b", domain="d", callback_url="c")

    assert "a-very-secret" not in repr(bucket) + repr(keys)
