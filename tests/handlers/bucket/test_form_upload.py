"""Form uploads to the embedded bucket: what is let in, under which name and whose, and what is refused."""

from __future__ import annotations

import asyncio
import base64
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from models.bucket.embedded.errors import TooManyUploads
from models.bucket.embedded.received import ReceivedBytes, RequestBytes
from models.bucket.embedded.unauthenticated import UnauthenticatedBytes
from tests.models.bucket.installations import (
    FORM_TYPE,
    LIMIT_BYTES,
    Installation,
    error_of,
    form,
    open_embedded,
    png,
    post,
    token_of,
    upload,
)
from tests.support.waiting import until

TWICE = 2 * b'--seam\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'


@pytest.fixture
def where(io_loop: Any, tmp_path: Path) -> Iterator[Installation]:
    with open_embedded(io_loop, tmp_path) as installation:
        yield installation


@pytest.mark.requirement(19)
@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"deadline": 1}, 401),
        ({"scope": "another:u/1.png"}, 631),
        ({"scope": "tessera:u/2.png"}, 403),
        ({"fsizeLimit": 10}, 413),
        ({"fsizeMin": 10_000_000}, 403),
        ({"mimeLimit": "image/jpeg"}, 403),
        ({"mimeLimit": "!image/png"}, 403),
    ],
)
async def test_the_policy_decides(where: Installation, changes: dict[str, Any], status: int) -> None:
    response = await upload(where.sign_upload(), png(), token=token_of(where, **changes))

    assert response.code == status
    assert json.loads(response.body)["error"]
    assert (where.receiver.callbacks, where.files()) == ([], [])


@pytest.mark.gen_test
@pytest.mark.parametrize("token", ["", "a", "a:b", "a:b:c", "a:b:c:d", "猫:b:c", ":" * 9, "a:b:" + "x" * 20_000, "\0"])
async def test_what_is_no_token_is_401(where: Installation, token: str) -> None:
    assert (await upload(where.sign_upload(), png(), token=token)).code == 401


@pytest.mark.requirement(19)
@pytest.mark.gen_test
async def test_a_token_changed_by_one_letter_is_401(where: Installation) -> None:
    good = where.sign_upload().token
    access, sign, encoded = good.split(":")
    other = encoded.replace(encoded[20], "A" if encoded[20] != "A" else "B", 1)
    unknown_field = base64.urlsafe_b64encode(b'{"scope":"tessera","deadline":9999999999,"fsizeLimt":1}').decode()

    for token in (f"{access}x:{sign}:{encoded}", f"{access}:{sign[::-1]}:{encoded}", f"{access}:{sign}:{other}"):
        assert error_of(await upload(where.sign_upload(), png(), token=token)) == (401, "bad token")
    assert (await upload(where.sign_upload(), png(), token=f"{access}:{sign}:{unknown_field}")).code == 401


@pytest.mark.requirement(21)
@pytest.mark.gen_test
@pytest.mark.parametrize(
    "content", [b"<html></html>", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"", b"GIF8", b"\x89PNG"]
)
async def test_a_file_that_is_no_picture_is_refused_whatever_its_name(where: Installation, content: bytes) -> None:
    response = await upload(where.sign_upload(), content)

    assert response.code in (400, 403)
    assert where.files() == []


@pytest.mark.requirement(20)
@pytest.mark.gen_test
@pytest.mark.parametrize(
    "name",
    ["../../x", "a\\b", "<img src=x onerror=alert(1)>", "'; DROP", "x" * 300, "\u202egnp", "猫 😀.png", "a&b=c:d"],
)
async def test_a_file_name_is_relayed_unchanged_and_names_no_file(where: Installation, name: str) -> None:
    before = set(where.folder.parent.iterdir())

    await upload(where.sign_upload(), png(), fname=name)

    assert where.receiver.callbacks[0].filename == name
    assert [path.split("/")[0] for path in where.files()] == ["objects"]
    assert set(where.folder.parent.iterdir()) == before


@pytest.mark.gen_test
async def test_the_name_of_the_file_part_is_used_when_there_is_no_other(where: Installation) -> None:
    ticket = where.sign_upload()

    await post(
        ticket.upload_url,
        form({"token": ticket.token, "key": ticket.key}, png(), "猫.png"),
        {"Content-Type": FORM_TYPE},
    )

    assert where.receiver.callbacks[0].filename == "猫.png"


@pytest.mark.requirement(18)
@pytest.mark.gen_test
async def test_the_owner_is_who_asked_for_the_token_whatever_the_client_says(where: Installation) -> None:
    await upload(
        where.sign_upload(), png(), endUser="8", fname="x&endUser=8", **{"x:param": "&endUser=8", "x:endUser": "8"}
    )

    assert where.receiver.callbacks[0].owner_id == 7


@pytest.mark.gen_test
async def test_fields_of_kodo_that_we_ignore_do_no_harm(where: Installation) -> None:
    more = {"x-qn-meta-note": "a note", "accept": "text/plain", "x:other": "unused"}

    response = await upload(where.sign_upload(), png(), **more)

    assert (response.code, response.body) == (200, where.receiver.body)
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["X-Reqid"]


@pytest.mark.gen_test
async def test_fields_after_a_file_of_any_allowed_size_count_as_well(where: Installation) -> None:
    """The official SDKs for Java, and for JavaScript before version 4, send the file first."""
    ticket, data = where.sign_upload(), png().ljust(LIMIT_BYTES, b"\0")
    head = b'--seam\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + data + b"\r\n"
    tail = form({"token": ticket.token, "key": ticket.key}, b"").split(
        b'--seam\r\nContent-Disposition: form-data; name="file"'
    )[0]

    response = await post(ticket.upload_url, head + tail + b"--seam--\r\n", {"Content-Type": FORM_TYPE})

    assert response.code == 200
    assert where.bucket.stat("u/1.png").size_bytes == LIMIT_BYTES
    assert where.bucket.unauthenticated.total == 0


@pytest.mark.gen_test
async def test_a_checksum_must_be_a_number_and_match(where: Installation) -> None:
    ticket = where.sign_upload()

    assert error_of(await upload(ticket, png(), crc32="wrong")) == (400, "crc32 is not a decimal number")
    assert error_of(await upload(ticket, png(), crc32="1")) == (406, "crc32 is not correct")
    assert (await upload(ticket, png(), crc32=str(zlib.crc32(png())))).code == 200


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"token=x", "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
        (b"", FORM_TYPE),
        (b"--seam--\r\n", FORM_TYPE),
        (form({}, png(), last=b""), FORM_TYPE),
        (form({}, png())[:150], FORM_TYPE),
        (form({"a": "b"}, png()).replace(b'name="file"', b'name="other"'), FORM_TYPE),
        (form({str(number): "x" for number in range(101)}, png()), FORM_TYPE),
        (form({"long": "x" * 300_000}, png()), FORM_TYPE),
        (form({}, png(), last=b"\r\n") + form({}, png()), FORM_TYPE),
        (form({}, png(), last=b"\r\n") + form({}, png()).removeprefix(b"--seam\r\n"), FORM_TYPE),
        (TWICE + form({}, png()), FORM_TYPE),
        (form({"token": "t"}, png()), "multipart/form-data"),
        (form({"token": "t"}, png()), "multipart/form-data; boundary=" + "x" * 400),
        (
            b'--seam\r\nContent-Disposition: form-data; name="a"\r\nX-Long: '
            + b"y" * 10_000
            + b"\r\n\r\n1\r\n--seam--\r\n",
            FORM_TYPE,
        ),
    ],
)
async def test_a_malformed_form_is_400(
    where: Installation, body: bytes, content_type: str, expect_log: Callable[[str], None]
) -> None:
    expect_log("python_multipart")

    response = await post(where.up_url, body, {"Content-Type": content_type})

    assert response.code == 400
    assert where.files() == []


@pytest.mark.requirement(52)
@pytest.mark.gen_test
async def test_the_end_of_a_form_without_a_token_frees_the_disk(where: Installation) -> None:
    """The client sends the file first and then a slow epilogue."""
    file_part = b'--seam\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    address = urlsplit(where.up_url)
    head = (
        f"POST /up HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: {FORM_TYPE}\r\nContent-Length: 9000000\r\n\r\n"
    )
    _, client = await asyncio.open_connection(address.hostname, address.port)

    client.write(head.encode() + file_part + bytes(700_000))
    occupied = await until(lambda: max(0, where.bucket.unauthenticated.total - 699_000))
    await until(lambda: is_staged(where, True))
    client.write(b"\r\n--seam--\r\n" + b"slow")
    await until(lambda: is_staged(where, False))

    assert 699_000 + occupied == pytest.approx(700_000, abs=100)
    assert where.bucket.unauthenticated.total == 0
    client.close()
    await client.wait_closed()


async def is_staged(where: Installation, staged: bool) -> bool:
    return bool(where.files()) is staged


@pytest.mark.requirement(52)
def test_unauthenticated_bytes_are_bounded_for_each_address_and_for_all() -> None:
    counted = UnauthenticatedBytes(address_limit_bytes=100, total_limit_bytes=150)
    counted.add("a", 60)
    counted.add("a", 40)
    counted.add("b", 40)

    for address, count in (("a", 1), ("b", 61), ("c", 11)):
        with pytest.raises(TooManyUploads):
            counted.add(address, count)
    counted.remove("a", 100)
    counted.add("b", 60)

    assert counted.total == 100


@pytest.mark.requirement(52)
@pytest.mark.gen_test
async def test_the_files_that_one_token_writes_at_once_are_bounded(where: Installation) -> None:
    """Connections that send all but the end of the form, with the token of one user, on parts of the limit."""
    where.bucket.received = ReceivedBytes(largest_bytes=100_000)
    ticket, address = where.sign_upload(), urlsplit(where.up_url)
    body = form({"token": ticket.token, "key": ticket.key}, png().ljust(650_000, b"\0"))
    head = (
        f"POST /up HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: {FORM_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    reader, first = await asyncio.open_connection(address.hostname, address.port)
    first.write(head.encode() + body[:-20])
    await until(lambda: is_staged(where, True))

    refused = await upload(ticket, png().ljust(650_000, b"\0"))
    staged = where.files()
    first.write(body[-20:])
    response = await reader.readline()
    after = await upload(where.sign_upload("u/2.png"), png().ljust(650_000, b"\0"))
    first.close()

    assert (refused.code, len(staged)) == (573, 1)
    assert b"200" in response
    assert after.code == 200
    assert where.bucket.received.total == 0


@pytest.mark.requirement(52)
def test_received_bytes_are_bounded_for_each_user_and_each_address() -> None:
    received = ReceivedBytes(largest_bytes=10)

    def count(user: str, address: str, count: int) -> RequestBytes:
        request = received.of_request(user, address)
        request.add(count)
        return request

    first = count("7", "a", 80)
    with pytest.raises(TooManyUploads):
        count("7", "b", 1)
    for user, size in (("8", 80), ("9", 80), ("0", 80)):
        count(user, "a", size)
    with pytest.raises(TooManyUploads):
        count("10", "a", 1)
    count("0", "b", 100)
    with first:
        pass
    first.release()
    count("7", "a", 80)

    assert received.total == 2 * 320 + 200
