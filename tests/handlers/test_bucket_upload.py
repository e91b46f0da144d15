"""Uploads to the embedded bucket: what is let in, what is refused, and that nothing half is ever left."""

from __future__ import annotations

import asyncio
import base64
import json
import resource
import socket
import struct
import time
from collections.abc import Iterator

import pytest

from models.bucket.policy import picture_policy, upload_token
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
    until,
    upload,
)


@pytest.fixture
def where(io_loop, tmp_path) -> Iterator[Installation]:
    with open_embedded(io_loop, tmp_path, callback_timeout_s=0.3) as found:
        yield found


@pytest.fixture
def impatient(io_loop, tmp_path) -> Iterator[Installation]:
    """A bucket that bears a stalled client for a moment only."""
    with open_embedded(io_loop, tmp_path, stall_s=0.3) as found:
        yield found


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file may grow beyond 2 MiB: the same border of the code as a full disk, and needs no privilege."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def policy(where: Installation, **changes: object) -> str:
    """A token like a grant's, but for these fields."""
    fields = picture_policy(
        "tessera", "u/1.png", owner_id=7, size_limit_bytes=LIMIT_BYTES, callback_url=where.base + "/api/image/upload"
    )
    return upload_token(where.keys, {**fields, **changes})


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
async def test_the_policy_decides(where, changes, status):
    response = await upload(where.grant(), png(), token=policy(where, **changes))

    assert response.code == status
    assert json.loads(response.body)["error"]
    assert (where.receiver.heard, where.files()) == ([], [])


@pytest.mark.gen_test
@pytest.mark.parametrize("token", ["", "a", "a:b", "a:b:c", "a:b:c:d", "猫:b:c", ":" * 9, "a:b:" + "x" * 20_000, "\0"])
async def test_what_is_no_token_is_401(where, token):
    assert (await upload(where.grant(), png(), token=token)).code == 401


@pytest.mark.gen_test
async def test_a_token_changed_by_one_letter_is_401(where):
    good = where.grant().token
    access, sign, encoded = good.split(":")
    other = encoded.replace(encoded[20], "A" if encoded[20] != "A" else "B", 1)
    unknown_field = base64.urlsafe_b64encode(b'{"scope":"tessera","deadline":9999999999,"fsizeLimt":1}').decode()

    for token in (f"{access}x:{sign}:{encoded}", f"{access}:{sign[::-1]}:{encoded}", f"{access}:{sign}:{other}"):
        assert error_of(await upload(where.grant(), png(), token=token)) == (401, "bad token")
    assert (await upload(where.grant(), png(), token=f"{access}:{sign}:{unknown_field}")).code == 401


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "content", [b"<html></html>", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"", b"GIF8", b"\x89PNG"]
)
async def test_no_picture_no_entry_whatever_it_calls_itself(where, content):
    response = await upload(where.grant(), content)

    assert response.code in (400, 403)
    assert where.files() == []


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "name",
    ["../../x", "a\\b", "<img src=x onerror=alert(1)>", "'; DROP", "x" * 300, "\u202egnp", "猫 😀.png", "a&b=c:d"],
)
async def test_a_file_name_travels_letter_for_letter_and_names_no_file(where, name):
    before = set(where.folder.parent.iterdir())

    await upload(where.grant(), png(), fname=name)

    assert where.receiver.heard[0].filename == name
    assert [path.split("/")[0] for path in where.files()] == ["objects"]
    assert set(where.folder.parent.iterdir()) == before


@pytest.mark.gen_test
async def test_the_name_of_the_file_part_is_used_when_there_is_no_other(where):
    grant = where.grant()

    await post(
        grant.upload_url, form({"token": grant.token, "key": grant.key}, png(), "猫.png"), {"Content-Type": FORM_TYPE}
    )

    assert where.receiver.heard[0].filename == "猫.png"


@pytest.mark.gen_test
async def test_the_owner_is_who_asked_for_the_token_whatever_the_client_says(where):
    await upload(where.grant(), png(), endUser="8", fname="x&endUser=8", **{"x:param": "&endUser=8", "x:endUser": "8"})

    assert where.receiver.heard[0].owner_id == 7


@pytest.mark.gen_test
async def test_fields_after_the_file_count_as_well(where):
    grant = where.grant()
    head = b'--seam\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + png() + b"\r\n"
    tail = form({"token": grant.token, "key": grant.key}, b"").split(
        b'--seam\r\nContent-Disposition: form-data; name="file"'
    )[0]

    response = await post(grant.upload_url, head + tail + b"--seam--\r\n", {"Content-Type": FORM_TYPE})

    assert response.code == 200


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
async def test_a_form_that_is_none_is_400(where, body, content_type, expect_log):
    expect_log("python_multipart")

    response = await post(where.up_url, body, {"Content-Type": content_type})

    assert response.code == 400
    assert where.files() == []


@pytest.mark.gen_test
async def test_a_body_far_beyond_the_limit_is_refused_by_its_length(where):
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
async def test_a_file_beyond_the_limit_is_413_and_leaves_nothing(where):
    response = await upload(where.grant(), png() + bytes(LIMIT_BYTES))

    assert error_of(response) == (413, "exceed FsizeLimit")
    await nothing_left(where)


@pytest.mark.gen_test
async def test_a_full_disk_is_507_leaves_nothing_and_heals(where, small_disk, expect_log):
    expect_log("storage_full")

    answers = await asyncio.gather(*(upload(where.grant(f"u/{n}.png"), png() + bytes(4 << 20)) for n in range(4)))

    assert [answer.code for answer in answers] == [507] * 4
    await nothing_left(where)
    assert where.receiver.heard == []
    assert (await upload(where.grant(), png())).code == 200


@pytest.mark.gen_test
async def test_clients_that_leave_half_way_leave_nothing(where):
    host, port = where.base.removeprefix("http://").split(":")
    body = form({"token": where.grant().token, "key": "u/1.png"}, png() + bytes(2 << 20))
    head = f"POST /up HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM_TYPE}\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    async def leave() -> None:
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(head + body[: len(body) // 2])
        await writer.drain()
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    await asyncio.gather(*(leave() for _ in range(40)))

    await nothing_left(where)
    assert where.receiver.heard == []
    assert (await upload(where.grant(), png())).code == 200


@pytest.mark.gen_test
async def test_a_client_that_leaves_before_the_answer_has_uploaded_once_and_may_repeat(where):
    where.receiver.hold = asyncio.Event()
    host, port = where.base.removeprefix("http://").split(":")
    grant = where.grant()
    body = form({"token": grant.token, "key": grant.key}, png())
    head = f"POST /up HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM_TYPE}\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(head + body)
    await until(lambda: where.receiver.heard)
    writer.transport.abort()
    where.receiver.hold.set()

    assert (await upload(grant, png())).code == 200
    assert len(where.receiver.heard) == 2
    assert len([path for path in where.files() if path.startswith("objects/")]) == 1


@pytest.mark.gen_test
@pytest.mark.parametrize(("status", "body"), [(200, b"not json"), (500, b"{}"), (302, b"{}"), (200, b""), (401, b"{}")])
async def test_a_callback_without_a_good_answer_is_579_with_kodos_fields(where, status, body):
    where.receiver.status, where.receiver.body = status, body

    response = await upload(where.grant(), png(), fname="猫.png")

    document = json.loads(response.body)
    assert response.code == 579
    assert document["callback_url"] == where.base + "/api/image/upload"
    assert document["callback_bodyType"] == "application/x-www-form-urlencoded"
    assert "filename=%E7%8C%AB.png" in document["callback_body"]
    assert (document["err_code"], document["key"], document["token"]) == (status, "u/1.png", "")
    assert document["hash"] == where.bucket.stat("u/1.png").etag


@pytest.mark.gen_test
async def test_a_callback_that_never_answers_is_579_within_its_time(where):
    where.receiver.hold = asyncio.Event()
    start = time.monotonic()

    response = await upload(where.grant(), png())

    where.receiver.hold.set()
    assert (response.code, json.loads(response.body)["err_code"]) == (579, 502)
    assert time.monotonic() - start < 3


@pytest.mark.gen_test
async def test_the_next_callback_address_is_tried_when_one_fails(where):
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    dead = f"http://127.0.0.1:{closed.getsockname()[1]}/dead"

    token = policy(where, callbackUrl=f"{dead};{where.base}/nothing;{where.base}/api/image/upload")
    response = await upload(where.grant(), png(), token=token)

    closed.close()
    assert (response.code, response.body) == (200, where.receiver.body)


@pytest.mark.gen_test
async def test_a_json_callback_is_signed_whole_and_parsed(where):
    body = '{"key":$(key),"filename":"$(fname)","width":$(imageInfo.width),"param":$(x:param),"x":$(no)}'
    token = policy(where, callbackBody=body, callbackBodyType="application/json")

    response = await upload(where.grant(), png(30, 20), token=token, fname='q"\\猫', **{"x:param": "{}"})

    (heard,) = where.receiver.heard
    assert response.code == 200
    assert (heard.key, heard.filename, heard.width, heard.param) == ("u/1.png", 'q"\\猫', 30, "{}")


@pytest.mark.gen_test
async def test_without_a_callback_the_answer_is_hash_and_key(where):
    response = await upload(where.grant(), png(), token=policy(where, callbackUrl="", callbackBody=""))

    assert json.loads(response.body) == {"hash": where.bucket.stat("u/1.png").etag, "key": "u/1.png"}


@pytest.mark.gen_test
async def test_twenty_uploads_of_one_key_at_once_make_one_object(where):
    answers = await asyncio.gather(*(upload(where.grant(), png()) for _ in range(20)))

    assert {answer.code for answer in answers} == {200}
    assert [path.split("/")[0] for path in where.files()] == ["objects"]


@pytest.mark.gen_test
async def test_writing_a_large_file_does_not_hold_up_the_loop(where):
    worst_s = 0.0
    task = asyncio.ensure_future(upload(where.grant(), png() + bytes(11 << 20)))

    while not task.done():
        start = time.monotonic()
        await asyncio.sleep(0)
        worst_s = max(worst_s, time.monotonic() - start)

    assert (await task).code == 200
    assert worst_s < 0.25
    assert (await get(where.bucket.url("u/1.png"), "HEAD")).headers["Content-Length"] == str(len(png()) + (11 << 20))


async def nothing_left(where: Installation) -> None:
    await until(lambda: where.files() == [])


@pytest.mark.gen_test
async def test_a_stranger_without_a_token_gets_little_disk(where):
    head = b'--seam\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'

    response = await post(where.up_url, head + png() + bytes(9 << 20), {"Content-Type": FORM_TYPE})

    assert error_of(response) == (413, "exceed FsizeLimit")
    await nothing_left(where)


@pytest.mark.gen_test
@pytest.mark.parametrize("drip", [b"", b"x"])
async def test_a_body_that_only_drips_is_cut_off_and_leaves_nothing(impatient, drip):
    host, port = impatient.base.removeprefix("http://").split(":")
    body = form({"token": impatient.grant().token, "key": "u/1.png"}, png() + bytes(2 << 20))
    head = f"POST /up HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM_TYPE}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    reader, writer = await asyncio.open_connection(host, int(port))

    writer.write(head + body[:1000])
    closed = asyncio.ensure_future(reader.read())
    async with asyncio.timeout(5):
        while not closed.done():
            writer.write(drip)
            await asyncio.wait([closed], timeout=0.02)

    assert closed.exception() is not None or closed.result() == b""
    writer.close()
    await nothing_left(impatient)


@pytest.mark.gen_test
async def test_a_slow_line_gets_its_file_through(impatient):
    host, port = impatient.base.removeprefix("http://").split(":")
    body = form({"token": impatient.grant().token, "key": "u/1.png"}, png() + bytes(60_000))
    head = f"POST /up HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM_TYPE}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    reader, writer = await asyncio.open_connection(host, int(port))

    writer.write(head)
    for at in range(0, len(body), 2000):
        writer.write(body[at : at + 2000])
        await asyncio.wait([asyncio.ensure_future(writer.drain())], timeout=0.03)
        await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.03)
    status = await asyncio.wait_for(reader.readline(), 5)

    assert status.startswith(b"HTTP/1.1 200 ")
    writer.close()
