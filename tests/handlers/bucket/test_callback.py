"""The end of an upload to the embedded bucket: the callback, its answer relayed, and 579 when there is none."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handlers.bucket.callback import RESPONSE_LIMIT_BYTES
from tests.models.bucket.installations import (
    FORM_TYPE,
    Installation,
    form,
    open_embedded,
    png,
    token_of,
    upload,
)
from tests.support.waiting import until


@pytest.fixture
def where(io_loop: Any, tmp_path: Path) -> Iterator[Installation]:
    with open_embedded(io_loop, tmp_path) as installation:
        yield installation


@pytest.mark.gen_test
async def test_a_client_that_disconnects_before_the_response_may_repeat_its_upload(where: Installation) -> None:
    where.receiver.hold = asyncio.Event()
    host, port = where.base.removeprefix("http://").split(":")
    ticket = where.sign_upload()
    body = form({"token": ticket.token, "key": ticket.key}, png())
    head = f"POST /up HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM_TYPE}\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(head + body)
    await until(lambda: where.receiver.callbacks)
    writer.transport.abort()
    where.receiver.hold.set()

    assert (await upload(ticket, png())).code == 200
    assert len(where.receiver.callbacks) == 2
    assert len([path for path in where.files() if path.startswith("objects/")]) == 1


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"not json"),
        (500, b"{}"),
        (302, b"{}"),
        (200, b""),
        (401, b"{}"),
        (200, b"[%s]" % (b" " * RESPONSE_LIMIT_BYTES)),
    ],
)
async def test_a_callback_without_a_good_answer_is_579_with_kodos_fields(
    where: Installation, status: int, body: bytes
) -> None:
    where.receiver.status, where.receiver.body = status, body

    response = await upload(where.sign_upload(), png(), fname="猫.png")

    document = json.loads(response.body)
    assert response.code == 579
    assert document["callback_url"] == where.base + "/api/image/upload"
    assert document["callback_bodyType"] == "application/x-www-form-urlencoded"
    assert "filename=%E7%8C%AB.png" in document["callback_body"]
    assert (document["err_code"], document["key"], document["token"]) == (status, "u/1.png", "")
    assert document["hash"] == where.bucket.stat("u/1.png").etag


@pytest.mark.gen_test
async def test_a_callback_that_never_answers_is_579_within_its_time(where: Installation) -> None:
    where.bucket.callback_timeout_s = 0.3
    where.receiver.hold = asyncio.Event()

    response = await upload(where.sign_upload(), png())

    where.receiver.hold.set()
    assert (response.code, json.loads(response.body)["err_code"]) == (579, 502)


@pytest.mark.gen_test
async def test_the_next_callback_address_is_tried_when_one_fails(where: Installation) -> None:
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    dead = f"http://127.0.0.1:{closed.getsockname()[1]}/dead"

    token = token_of(where, callbackUrl=f"{dead};{where.base}/nothing;{where.base}/api/image/upload")
    response = await upload(where.sign_upload(), png(), token=token)

    closed.close()
    assert (response.code, response.body) == (200, where.receiver.body)


@pytest.mark.gen_test
async def test_the_callback_names_the_host_that_the_policy_names(where: Installation) -> None:
    response = await upload(where.sign_upload(), png(), token=token_of(where, callbackHost="tessera.example"))

    assert response.code == 200
    assert where.receiver.hosts == ["tessera.example"]


@pytest.mark.gen_test
async def test_a_json_callback_is_signed_whole_and_parsed(where: Installation) -> None:
    body = '{"key":$(key),"filename":"$(fname)","width":$(imageInfo.width),"param":$(x:param),"x":$(no)}'
    token = token_of(where, callbackBody=body, callbackBodyType="application/json")

    response = await upload(where.sign_upload(), png(30, 20), token=token, fname='q"\\猫', **{"x:param": "{}"})

    (heard,) = where.receiver.callbacks
    assert response.code == 200
    assert (heard.key, heard.filename, heard.width, heard.param) == ("u/1.png", 'q"\\猫', 30, "{}")


@pytest.mark.gen_test
async def test_without_a_callback_the_answer_is_hash_key_and_the_clients_variables(where: Installation) -> None:
    token = token_of(where, callbackUrl="", callbackBody="")

    response = await upload(where.sign_upload(), png(), token=token, **{"x:place": '"猫"', "x-qn-meta-a": "b"})

    etag = where.bucket.stat("u/1.png").etag
    assert json.loads(response.body) == {"hash": etag, "key": "u/1.png", "x:place": '"猫"'}
