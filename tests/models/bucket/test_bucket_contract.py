"""The contract of `Bucket`, tested with the embedded bucket and with the fake Kodo, public and private."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import qiniu
from qiniu.http.endpoint import Endpoint
from qiniu.http.region import Region, ServiceName
from tornado.ioloop import IOLoop

from models.bucket import Bucket, Stat
from models.errors import BadParameter, NotFound, SourceTooLarge
from tests.models.bucket.installations import (
    Installation,
    error_of,
    get,
    open_embedded,
    open_kodo,
    png,
    post,
    upload,
)

ODD_KEYS = [
    "图片/猫 1.png",
    "a b+c%20d#e?f&g=h.png",
    "..",
    "../../etc/passwd",
    "nul\0l.png",
    "é" * 375,
    "//x//",
    "'\"<i>",
]


@pytest.fixture(params=["embedded", "kodo", "private kodo"])
def installation(request: pytest.FixtureRequest, io_loop: IOLoop, tmp_path: Path) -> Iterator[Installation]:
    if request.param == "embedded":
        with open_embedded(io_loop, tmp_path) as installation:
            yield installation
    else:
        with open_kodo(io_loop, private=request.param == "private kodo") as installation:
            yield installation


@pytest.mark.gen_test
async def test_an_upload_is_stored_and_answered_with_the_callbacks_response(installation: Installation) -> None:
    ticket = installation.sign_upload("u/1.png")

    response = await upload(ticket, png(30, 20), fname="a&b=:猫.png", **{"x:param": "p=1&q:2"})

    assert (response.code, response.body) == (200, installation.receiver.body)
    (body,) = installation.receiver.callbacks
    assert (body.key, body.filename, body.param, body.owner_id) == (
        "u/1.png",
        "a&b=:猫.png",
        "p=1&q:2",
        7,
    )
    assert (body.filesize, body.mime, body.width, body.height) == (
        len(png(30, 20)),
        "image/png",
        30,
        20,
    )
    assert body.etag == (await asyncio.to_thread(installation.bucket.stat, "u/1.png")).etag
    assert await asyncio.to_thread(read, installation.bucket, "u/1.png") == png(30, 20)


@pytest.mark.requirement(20)
@pytest.mark.gen_test
@pytest.mark.parametrize("key", ODD_KEYS)
async def test_any_key_of_up_to_750_bytes_is_unchanged(installation: Installation, key: str) -> None:
    stat = await asyncio.to_thread(installation.bucket.put, key, png(), mime="image/png")

    assert stat.key == key
    assert await asyncio.to_thread(read, installation.bucket, key) == png()
    assert [one.key for one in await asyncio.to_thread(listed, installation.bucket)] == [key]
    assert installation.bucket.key_of(installation.bucket.url(key)) == key
    assert installation.bucket.key_of(installation.bucket.readable_url(key)) == key
    response = await get(installation.bucket.readable_url(key))
    assert (response.code, response.body) == (200, png())


@pytest.mark.gen_test
async def test_invalid_keys_are_rejected_before_signing(installation: Installation) -> None:
    for key in ("", "é" * 376, "\ud800"):
        with pytest.raises(BadParameter, match="key"):
            installation.bucket.sign_upload(key, owner_id=7, size_limit_bytes=1000)


@pytest.mark.gen_test
async def test_a_missing_object_is_not_found(installation: Installation) -> None:
    for call in (installation.bucket.stat, lambda key: read(installation.bucket, key)):
        with pytest.raises(NotFound):
            await asyncio.to_thread(call, "missing.png")


@pytest.mark.gen_test
async def test_a_copy_is_made_once_and_stays_when_its_source_is_replaced(installation: Installation) -> None:
    bucket = installation.bucket
    original = await asyncio.to_thread(bucket.put, "猫.png", png(), mime="image/png")
    copies = [await asyncio.to_thread(bucket.copy, "猫.png", "copy.png")]
    await asyncio.to_thread(bucket.put, "猫.png", png(colour="red"), mime="image/png")
    copies.append(await asyncio.to_thread(bucket.copy, "猫.png", "copy.png"))

    assert [(copy.key, copy.etag, copy.mime) for copy in copies] == [("copy.png", original.etag, "image/png")] * 2
    assert await asyncio.to_thread(read, bucket, "copy.png") == png()
    with pytest.raises(NotFound):
        await asyncio.to_thread(bucket.copy, "missing.png", "b.png")


@pytest.mark.gen_test
async def test_deleting_twice_succeeds_and_the_object_is_gone(installation: Installation) -> None:
    await asyncio.to_thread(installation.bucket.put, "a.png", png(), mime="image/png")

    await asyncio.to_thread(installation.bucket.delete, "a.png")
    await asyncio.to_thread(installation.bucket.delete, "a.png")

    with pytest.raises(NotFound):
        await asyncio.to_thread(installation.bucket.stat, "a.png")
    assert error_of(await get(installation.bucket.readable_url("a.png"))) == (404, "Document not found")


@pytest.mark.gen_test
async def test_a_list_has_every_object_with_the_prefix_over_several_pages(installation: Installation) -> None:
    for number in range(5):
        await asyncio.to_thread(installation.bucket.put, f"p/{number}", png(), mime="image/png")
    await asyncio.to_thread(installation.bucket.put, "q", png(), mime="image/png")

    stats = await asyncio.to_thread(listed, installation.bucket, "p/")

    assert sorted(stat.key for stat in stats) == [f"p/{number}" for number in range(5)]
    assert {stat.size_bytes for stat in stats} == {len(png())}


@pytest.mark.gen_test
async def test_reading_stops_at_the_limit(installation: Installation) -> None:
    await asyncio.to_thread(installation.bucket.put, "a.png", png(), mime="image/png")

    with pytest.raises(SourceTooLarge):
        await asyncio.to_thread(installation.bucket.read, "a.png", limit_bytes=len(png()) - 1, timeout_s=60)
    exact = await asyncio.to_thread(installation.bucket.read, "a.png", limit_bytes=len(png()), timeout_s=60)
    assert exact == png()


@pytest.mark.gen_test
async def test_the_limit_is_told_in_the_megabytes_of_the_setting(installation: Installation) -> None:
    large = png() + bytes(1_100_000)
    await asyncio.to_thread(installation.bucket.put, "a.png", large, mime="image/png")

    with pytest.raises(SourceTooLarge, match=r"larger than 1 MB\."):
        await asyncio.to_thread(installation.bucket.read, "a.png", limit_bytes=1_000_000, timeout_s=60)


@pytest.mark.gen_test
async def test_an_empty_object_is_rejected(installation: Installation) -> None:
    with pytest.raises(BadParameter):
        await asyncio.to_thread(installation.bucket.put, "a.png", b"", mime="image/png")


@pytest.mark.gen_test
async def test_putting_the_same_object_again_succeeds(installation: Installation) -> None:
    first = await asyncio.to_thread(installation.bucket.put, "a.png", png(), mime="image/png")

    assert (await asyncio.to_thread(installation.bucket.put, "a.png", png(), mime="image/png")).etag == first.etag


@pytest.mark.gen_test
async def test_a_repeated_upload_succeeds_and_one_with_other_content_is_rejected(
    installation: Installation,
) -> None:
    ticket = installation.sign_upload()

    for _ in range(2):
        assert (await upload(ticket, png())).code == 200
    other = await upload(ticket, png(colour="red"))

    assert error_of(other) == (614, "file exists")
    first, second = installation.receiver.callbacks
    assert first.etag == second.etag


@pytest.mark.requirement(19)
@pytest.mark.gen_test
async def test_a_token_allows_its_key_size_and_images_only(installation: Installation) -> None:
    ticket = installation.sign_upload(size_limit_bytes=len(png()))
    html = b"<html><script>alert(1)</script>"

    assert (await upload(ticket, png(), key="u/2.png")).code == 403
    assert (await upload(ticket, png() + b"!")).code == 413
    assert (await upload(ticket, html)).code == 403
    assert (await upload(ticket, png(), token=ticket.token[::-1])).code == 401
    assert (await upload(ticket, png(), crc32="1")).code == 406
    assert installation.receiver.callbacks == []


@pytest.mark.gen_test
async def test_a_failed_callback_is_579_and_the_file_stays(installation: Installation) -> None:
    installation.receiver.status = 500

    response = await upload(installation.sign_upload("u/9.png"), png())

    document = json.loads(response.body)
    assert (response.code, document["key"], document["err_code"]) == (579, "u/9.png", 500)
    assert (await asyncio.to_thread(installation.bucket.stat, "u/9.png")).etag == document["hash"]


@pytest.mark.gen_test
async def test_the_real_sdk_uploads_in_one_request_and_in_parts(installation: Installation, tmp_path: Path) -> None:
    regions = [Region(services={ServiceName.UP: [Endpoint.from_host(installation.up_url)]})]
    small, large = installation.sign_upload("small.png"), installation.sign_upload("large.png")
    path = tmp_path / "large.png"
    path.write_bytes(png() + bytes(9 << 20))

    one = await asyncio.to_thread(
        qiniu.put_data, small.token, small.key, png(), {"x:param": "1"}, "text/html", regions=regions
    )
    many = await asyncio.to_thread(
        qiniu.put_file_v2, large.token, large.key, str(path), {"x:param": "2"}, regions=regions
    )

    assert [(answer, info.status_code) for answer, info in (one, many)] == [
        (json.loads(installation.receiver.body), 200)
    ] * 2
    assert [callback.param for callback in installation.receiver.callbacks] == ["1", "2"]
    assert installation.receiver.callbacks[1].filesize == path.stat().st_size
    assert installation.receiver.callbacks[1].etag == qiniu.etag(str(path))


@pytest.mark.gen_test
async def test_a_callback_with_a_forged_signature_is_rejected(installation: Installation) -> None:
    await upload(installation.sign_upload(), png())
    forged = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Authorization": f"QBox {installation.keys.access}:AAAA",
    }

    response = await post(installation.base + "/api/image/upload", b"key=u%2F1.png&endUser=8", forged)

    assert (response.code, len(installation.receiver.callbacks), installation.receiver.rejected) == (401, 1, 1)


def test_foreign_urls_have_no_key(installation: Installation) -> None:
    here = installation.bucket.url("a.png")
    host = here.split("/")[2]
    for url in (
        "http://example.com/a.png",
        here.replace(host, f"{host}.example.com"),
        here.replace(host, f"user:pw@{host}"),
        here.replace("http:", "ftp:"),
        here.replace("http:", ""),
        here.removesuffix("a.png"),
        here + "%ff",
        here + "x" * 750,
        "http://[::1",
        "a.png",
        "",
    ):
        assert installation.bucket.key_of(url) is None, url


def test_query_fragment_and_scheme_are_ignored(installation: Installation) -> None:
    here = installation.bucket.url("猫.png")

    for url in (here, here + "?attname=x", here + "#top", here.replace("http:", "https:"), here.upper()[:4] + here[4:]):
        assert installation.bucket.key_of(url) == "猫.png"


def read(bucket: Bucket, key: str) -> bytes:
    return bucket.read(key, limit_bytes=1 << 20, timeout_s=60)


def listed(bucket: Bucket, prefix: str = "") -> list[Stat]:
    return list(bucket.list(prefix))
