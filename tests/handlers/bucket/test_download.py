"""Downloads from the embedded bucket: pictures and nothing else, whatever was uploaded and whatever is asked."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest

from models.bucket.signature import FORM, qbox
from tests.models.bucket.installations import Installation, error_of, get, open_embedded, png, post
from tests.support.waiting import until

GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
CONTENT = png(64, 48)


@pytest.fixture
def where(io_loop: Any, tmp_path: Path) -> Iterator[Installation]:
    with open_embedded(io_loop, tmp_path) as installation:
        installation.bucket.put("u/猫.png", CONTENT, mime="text/html")
        yield installation


@pytest.fixture
def impatient(io_loop: Any, tmp_path: Path) -> Iterator[Installation]:
    """A bucket that bears a stalled client for a moment only."""
    with open_embedded(io_loop, tmp_path, stall_s=0.2) as installation:
        yield installation


@pytest.mark.requirement(21)
@pytest.mark.gen_test
async def test_a_picture_is_sent_with_its_own_type_and_a_sandbox(where: Installation) -> None:
    response = await get(where.bucket.url("u/猫.png"))

    headers = response.headers
    assert (response.code, response.body, headers["Content-Type"]) == (200, CONTENT, "image/png")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["X-Reqid"]
    assert "Content-Disposition" not in headers


@pytest.mark.gen_test
async def test_head_has_the_same_headers_without_a_body(where: Installation) -> None:
    whole, head = [await get(where.bucket.url("u/猫.png"), method) for method in ("GET", "HEAD")]

    same = ("Content-Length", "Content-Type", "Etag", "Last-Modified", "Accept-Ranges")
    assert (head.code, head.body) == (200, b"")
    assert [head.headers[name] for name in same] == [whole.headers[name] for name in same]


@pytest.mark.gen_test
async def test_the_clients_metadata_are_headers_where_they_can_be(where: Installation) -> None:
    with where.bucket.objects.stage() as staged:
        staged.write(CONTENT)
        staged.commit("a.png", overwrite=True, custom={"age": "18", "name": "猫", "two-lines": "a\r\nSet-Cookie: b"})

    headers = (await get(where.bucket.url("a.png"), "HEAD")).headers

    assert headers["X-Qn-Meta-Age"] == "18"
    assert not {"X-Qn-Meta-Name", "X-Qn-Meta-Two-Lines", "Set-Cookie"} & headers.keys()


@pytest.mark.requirement(21)
@pytest.mark.gen_test
@pytest.mark.parametrize(
    "content", [b"<html><script>alert(1)</script>", b"<svg onload='alert(1)'/>", b"%PDF-1.4", b"x"]
)
async def test_a_file_that_is_no_picture_is_an_attachment(where: Installation, content: bytes) -> None:
    where.bucket.put("page.png", content, mime="text/html")

    response = await get(where.bucket.url("page.png"))

    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"] == "attachment"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.requirement(20, 22)
@pytest.mark.gen_test
@pytest.mark.parametrize(
    "path",
    [
        "nobody.png",
        "",
        "../../etc/passwd",
        "/etc/passwd",
        "%2e%2e%2f%2e%2e%2fkeys.json",
        "..%5ckeys.json",
        "%00",
        "u/%00.png",
        "%ff%fe",
        "objects",
        "x" * 1000,
        "u//%E7%8C%AB.png",
        "%F0%9F%98%80",
    ],
)
async def test_a_missing_or_impossible_key_is_document_not_found(where: Installation, path: str) -> None:
    assert error_of(await get(f"{where.base}/bucket/{path}")) == (404, "Document not found")


@pytest.mark.requirement(20)
@pytest.mark.gen_test
async def test_a_link_in_the_folder_is_not_followed(where: Installation, tmp_path: Path) -> None:
    (name,) = [path for path in where.files() if path.startswith("objects/")]
    (where.folder / name).rename(tmp_path / "moved")
    (where.folder / name).symlink_to(tmp_path / "moved")

    assert error_of(await get(where.bucket.url("u/猫.png"))) == (404, "Document not found")


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("range_header", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=5-9", 5, 10),
        ("bytes=10-", 10, len(CONTENT)),
        ("bytes=-7", len(CONTENT) - 7, len(CONTENT)),
        ("bytes=0-999999", 0, len(CONTENT)),
        ("bytes=-999999", 0, len(CONTENT)),
    ],
)
async def test_one_range_is_answered_with_206(where: Installation, range_header: str, start: int, end: int) -> None:
    response = await get(where.bucket.url("u/猫.png"), Range=range_header)

    assert (response.code, response.body) == (206, CONTENT[start:end])
    assert response.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(CONTENT)}"


@pytest.mark.requirement(22)
@pytest.mark.gen_test
@pytest.mark.parametrize("range_header", [f"bytes={len(CONTENT)}-", "bytes=999999-9999999", "bytes=-0"])
async def test_a_range_beyond_the_end_is_416(where: Installation, range_header: str) -> None:
    response = await get(where.bucket.url("u/猫.png"), Range=range_header)

    assert (response.code, response.headers["Content-Range"]) == (416, f"bytes */{len(CONTENT)}")


@pytest.mark.requirement(22)
@pytest.mark.gen_test
@pytest.mark.parametrize(
    "range_header",
    [
        "bytes=" + ",".join("0-" for _ in range(1000)),
        "bytes=0-1,2-3",
        "bytes=9-5",
        "bytes=-",
        "bytes=a-b",
        "lines=1-2",
        "bytes=" + "9" * 30 + "-",
    ],
)
async def test_a_header_that_is_not_one_range_gets_the_whole_picture(where: Installation, range_header: str) -> None:
    response = await get(where.bucket.url("u/猫.png"), Range=range_header)

    assert (response.code, response.body) == (200, CONTENT)


@pytest.mark.gen_test
async def test_a_cached_picture_is_304(where: Installation) -> None:
    etag = (await get(where.bucket.url("u/猫.png"), "HEAD")).headers["Etag"]

    again = await get(where.bucket.url("u/猫.png"), If_None_Match=etag)
    other = await get(where.bucket.url("u/猫.png"), If_None_Match='"another"')
    resumed = await get(where.bucket.url("u/猫.png"), Range="bytes=0-3", If_Range=etag)
    changed = await get(where.bucket.url("u/猫.png"), Range="bytes=0-3", If_Range='"another"')

    assert [again.code, other.code, resumed.code, changed.code] == [304, 200, 206, 200]
    assert again.body == b""


@pytest.mark.requirement(20)
@pytest.mark.gen_test
@pytest.mark.parametrize(
    "name", ['a"; filename=b.html', "<script>", "é猫😀", "a\r\nSet-Cookie: x=1", "../../x", "\u202egnp.exe"]
)
async def test_attname_saves_under_any_name_and_never_breaks_the_header(where: Installation, name: str) -> None:
    response = await get(where.bucket.url("u/猫.png") + "?attname=" + quote(name, safe=""))

    disposition = response.headers["Content-Disposition"]
    prefix = "attachment; filename*=UTF-8''"
    assert disposition.startswith(prefix)
    assert disposition.isascii()
    assert unquote(disposition.removeprefix(prefix)) == name
    assert "Set-Cookie" not in response.headers


@pytest.mark.gen_test
async def test_a_large_object_arrives_whole_and_a_client_that_leaves_does_no_harm(where: Installation) -> None:
    content = GIF + bytes(range(256)) * 8192 * 4
    where.bucket.put("large.gif", content, mime="image/gif")
    host, port = where.base.removeprefix("http://").split(":")

    for _ in range(5):
        with contextlib.closing(socket.create_connection((host, int(port)), timeout=60)) as leaver:
            leaver.sendall(b"GET /bucket/large.gif HTTP/1.1\r\nHost: x\r\n\r\n")
    response = await get(where.bucket.url("large.gif"))

    assert response.body == content


@pytest.mark.requirement(36)
@pytest.mark.gen_test
async def test_a_client_that_reads_nothing_is_cut_off(impatient: Installation) -> None:
    content = GIF + bytes(40 << 20)
    impatient.bucket.put("large.gif", content, mime="image/gif")
    host, port = impatient.base.removeprefix("http://").split(":")

    with contextlib.closing(socket.create_connection((host, int(port)), timeout=60)) as idle:
        idle.sendall(b"GET /bucket/large.gif HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: impatient.finished)
        taken = await asyncio.to_thread(read_all, idle)

    assert taken < len(content)


@pytest.mark.gen_test
async def test_management_takes_no_request_without_a_signature_that_covers_its_body(where: Installation) -> None:
    path, body = "/rs/batch", b"op=/delete/dGVzc2VyYTp1L-eMqy5wbmc="

    unsigned = await get(where.base + "/rsf/list?bucket=tessera")
    uncovered = [
        await post(where.base + path, body, {"Authorization": qbox(where.keys, path, signed), "Content-Type": kind})
        for signed, kind in ((b"", FORM), (b"", "text/plain"), (body, "text/plain"))
    ]

    assert {unsigned.code, *(response.code for response in uncovered)} == {401}
    assert where.bucket.stat("u/猫.png").size_bytes == len(CONTENT)


@pytest.mark.gen_test
async def test_a_page_elsewhere_may_ask_before_it_uploads_or_manages(where: Installation) -> None:
    for path in ("/up/buckets/tessera/objects/~/uploads", "/rs/batch", "/rsf/list"):
        response = await get(where.base + path, "OPTIONS")

        assert response.code == 204, path
        assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
        assert "PUT" in response.headers["Access-Control-Allow-Methods"]
        assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.gen_test
async def test_every_answer_has_a_request_id_and_cors_and_errors_are_json(where: Installation) -> None:
    expected = {
        "/bucket/none": 404,
        "/up": 405,
        "/up/none": 404,
        "/up/buckets/x/objects/y/uploads/" + "0" * 32: 401,
        "/rs/stat/AAAA": 401,
        "/rsf/list": 401,
        "/rsf/none": 404,
    }
    answers = [await get(where.base + path) for path in expected]
    answers.append(await post(where.base + "/rs/batch", bytes(3 << 20), {"Content-Type": FORM}))

    assert [answer.code for answer in answers] == [*expected.values(), 413]
    assert all(answer.headers["X-Reqid"] for answer in answers)
    assert all(answer.headers["Access-Control-Allow-Origin"] == "*" for answer in answers)
    assert all("error" in json.loads(answer.body) for answer in answers)


@pytest.mark.gen_test
async def test_a_client_that_has_this_version_by_its_date_gets_no_content(where: Installation) -> None:
    url = where.bucket.url("u/猫.png")
    whole = await get(url)
    date = whole.headers["Last-Modified"]

    async def status(since: str, **headers: str) -> int:
        return (await get(url, If_Modified_Since=since, **headers)).code

    assert await status(date) == 304
    assert await status("Thu, 01 Jan 1970 00:00:00 GMT") == await status("yesterday") == 200
    assert await status(date, If_None_Match='"other"') == 200


def read_all(connection: socket.socket) -> int:
    """How many bytes come until the end, by close or by reset."""
    taken = 0
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(1 << 20):
            taken += len(piece)
    return taken
