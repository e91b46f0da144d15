"""What both buckets promise, said once and run against the embedded one and against the Kodo peer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
import qiniu
from qiniu.http.endpoint import Endpoint
from qiniu.http.region import Region, ServiceName

from models.bucket import Bucket
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
def where(request, io_loop, tmp_path) -> Iterator[Installation]:
    if request.param == "embedded":
        with open_embedded(io_loop, tmp_path) as found:
            yield found
    else:
        with open_kodo(io_loop, private=request.param == "private kodo") as found:
            yield found


@pytest.mark.gen_test
async def test_an_upload_is_stored_called_back_and_answered_with_our_own_words(where):
    grant = where.grant("u/1.png")

    response = await upload(grant, png(30, 20), fname="a&b=:猫.png", **{"x:param": "p=1&q:2"})

    assert (response.code, response.body) == (200, where.receiver.body)
    (heard,) = where.receiver.heard
    assert (heard.key, heard.filename, heard.param, heard.owner_id) == ("u/1.png", "a&b=:猫.png", "p=1&q:2", 7)
    assert (heard.filesize, heard.mime, heard.width, heard.height) == (len(png(30, 20)), "image/png", 30, 20)
    assert heard.etag == (await asyncio.to_thread(where.bucket.stat, "u/1.png")).etag
    assert await asyncio.to_thread(read, where.bucket, "u/1.png") == png(30, 20)


@pytest.mark.requirement(20)
@pytest.mark.gen_test
@pytest.mark.parametrize("key", ODD_KEYS)
async def test_any_key_of_up_to_750_bytes_comes_back_as_it_went_in(where, key):
    stat = await asyncio.to_thread(where.bucket.put, key, png(), mime="image/png")

    assert stat.key == key
    assert await asyncio.to_thread(read, where.bucket, key) == png()
    assert [one.key for one in await asyncio.to_thread(listed, where.bucket)] == [key]
    assert where.bucket.key_of(where.bucket.url(key)) == key
    assert where.bucket.key_of(where.bucket.readable_url(key)) == key
    response = await get(where.bucket.readable_url(key))
    assert (response.code, response.body) == (200, png())


@pytest.mark.gen_test
async def test_keys_that_cannot_be_are_refused_before_anything_is_signed(where):
    for key in ("", "é" * 376, "\ud800"):
        with pytest.raises(BadParameter, match="key"):
            where.bucket.sign_upload(key, owner_id=7, size_limit_bytes=1000)


@pytest.mark.gen_test
async def test_what_is_not_there_is_not_found(where):
    for call in (where.bucket.stat, lambda key: read(where.bucket, key)):
        with pytest.raises(NotFound):
            await asyncio.to_thread(call, "nobody.png")


@pytest.mark.gen_test
async def test_deleting_twice_is_a_success_and_the_object_is_gone(where):
    await asyncio.to_thread(where.bucket.put, "a.png", png(), mime="image/png")

    await asyncio.to_thread(where.bucket.delete, "a.png")
    await asyncio.to_thread(where.bucket.delete, "a.png")

    with pytest.raises(NotFound):
        await asyncio.to_thread(where.bucket.stat, "a.png")
    assert error_of(await get(where.bucket.readable_url("a.png"))) == (404, "Document not found")


@pytest.mark.gen_test
async def test_a_list_has_every_object_under_the_prefix_and_crosses_pages(where):
    for number in range(5):
        await asyncio.to_thread(where.bucket.put, f"p/{number}", png(), mime="image/png")
    await asyncio.to_thread(where.bucket.put, "q", png(), mime="image/png")

    found = await asyncio.to_thread(listed, where.bucket, "p/")

    assert sorted(stat.key for stat in found) == [f"p/{number}" for number in range(5)]
    assert {stat.size_bytes for stat in found} == {len(png())}


@pytest.mark.gen_test
async def test_reading_stops_at_the_limit(where):
    await asyncio.to_thread(where.bucket.put, "a.png", png(), mime="image/png")

    with pytest.raises(SourceTooLarge):
        await asyncio.to_thread(where.bucket.read, "a.png", limit_bytes=len(png()) - 1, timeout_s=5)
    exact = await asyncio.to_thread(where.bucket.read, "a.png", limit_bytes=len(png()), timeout_s=5)
    assert exact == png()


@pytest.mark.gen_test
async def test_an_empty_object_is_refused(where):
    with pytest.raises(BadParameter):
        await asyncio.to_thread(where.bucket.put, "a.png", b"", mime="image/png")


@pytest.mark.gen_test
async def test_putting_the_same_again_is_a_success(where):
    first = await asyncio.to_thread(where.bucket.put, "a.png", png(), mime="image/png")

    assert (await asyncio.to_thread(where.bucket.put, "a.png", png(), mime="image/png")).etag == first.etag


@pytest.mark.gen_test
async def test_two_uploads_of_one_grant_call_back_twice_and_another_content_is_refused(where):
    grant = where.grant()

    for _ in range(2):
        assert (await upload(grant, png())).code == 200
    other = await upload(grant, png(colour="red"))

    assert error_of(other) == (614, "file exists")
    assert [heard.etag for heard in where.receiver.heard] == [where.receiver.heard[0].etag] * 2


@pytest.mark.requirement(19)
@pytest.mark.gen_test
async def test_a_token_is_for_its_key_its_size_pictures_and_its_bucket(where):
    grant = where.grant(size_limit_bytes=len(png()))
    html = b"<html><script>alert(1)</script>"

    assert (await upload(grant, png(), key="u/2.png")).code == 403
    assert (await upload(grant, png() + b"!")).code == 413
    assert (await upload(grant, html)).code == 403
    assert (await upload(grant, png(), token=grant.token[::-1])).code == 401
    assert (await upload(grant, png(), crc32="1")).code == 406
    assert where.receiver.heard == []


@pytest.mark.gen_test
async def test_a_callback_that_fails_is_579_and_the_file_stays(where):
    where.receiver.status = 500

    response = await upload(where.grant("u/9.png"), png())

    document = json.loads(response.body)
    assert (response.code, document["key"], document["err_code"]) == (579, "u/9.png", 500)
    assert (await asyncio.to_thread(where.bucket.stat, "u/9.png")).etag == document["hash"]


@pytest.mark.gen_test
async def test_the_real_sdk_uploads_in_one_piece_and_in_parts(where, tmp_path):
    regions = [Region(services={ServiceName.UP: [Endpoint.from_host(where.up_url)]})]
    small, large = where.grant("small.png"), where.grant("large.png")
    path = tmp_path / "large.png"
    path.write_bytes(png() + bytes(9 << 20))

    one = await asyncio.to_thread(
        qiniu.put_data, small.token, small.key, png(), {"x:param": "1"}, "text/html", regions=regions
    )
    many = await asyncio.to_thread(
        qiniu.put_file_v2, large.token, large.key, str(path), {"x:param": "2"}, regions=regions
    )

    assert [(answer, info.status_code) for answer, info in (one, many)] == [(json.loads(where.receiver.body), 200)] * 2
    assert [heard.param for heard in where.receiver.heard] == ["1", "2"]
    assert where.receiver.heard[1].filesize == path.stat().st_size
    assert where.receiver.heard[1].etag == qiniu.etag(str(path))


@pytest.mark.gen_test
async def test_a_callback_with_a_forged_signature_leaves_no_trace(where):
    await upload(where.grant(), png())
    forged = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"QBox {where.keys.access}:AAAA"}

    response = await post(where.base + "/api/image/upload", b"key=u%2F1.png&endUser=8", forged)

    assert (response.code, len(where.receiver.heard), where.receiver.refused) == (401, 1, 1)


def test_addresses_of_others_have_no_key(where):
    here = where.bucket.url("a.png")
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
        assert where.bucket.key_of(url) is None, url


def test_query_fragment_and_scheme_of_an_own_address_do_not_matter(where):
    here = where.bucket.url("猫.png")

    for url in (here, here + "?attname=x", here + "#top", here.replace("http:", "https:"), here.upper()[:4] + here[4:]):
        assert where.bucket.key_of(url) == "猫.png"


def read(bucket: Bucket, key: str) -> bytes:
    return bucket.read(key, limit_bytes=1 << 20, timeout_s=5)


def listed(bucket: Bucket, prefix: str = "") -> list:
    return list(bucket.list(prefix))
