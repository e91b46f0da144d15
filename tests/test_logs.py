"""Logs: ids are fields, one line is one event, and nothing secret is ever written."""

from __future__ import annotations

import io
import json
import logging
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from tornado.httpclient import AsyncHTTPClient

from logs import JsonFormatter, PlainFormatter
from tests.client import Api
from tests.pictures import png
from tests.process import ServerProcess
from tests.waiting import finished

PASSWORDS = ("the first long password", "the-second/long+password", "a wrong long password", "an open door password")
COOKIE_SECRET = "a cookie secret made up for one run"


def formatted(formatter: logging.Formatter, message: str, *arguments: object, **extra: object) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    handler.emit(logging.getLogger().makeRecord("x", logging.INFO, "x", 1, message, arguments, None, extra=extra))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("message", "arguments", "fields"),
    [
        ("task %s: running, attempt %s", (5, 1), {"task": 5}),
        ("image %s: uploaded as %s [%s]", (7, "k", "ab12"), {"image": 7, "request": "ab12"}),
        ("%s %s %.1f ms [%s]", (200, "GET", 1.5, "ab12"), {"request": "ab12"}),
        ("bucket: %s belongs to nobody", ("k",), {}),
        ("nothing to fill in", (), {}),
    ],
)
def test_what_a_line_is_about_is_a_field_of_its_own(
    message: str, arguments: tuple[object, ...], fields: dict[str, object]
) -> None:
    line = json.loads(formatted(JsonFormatter(), message, *arguments))

    assert {name: line[name] for name in line.keys() - {"time", "level", "logger", "message"}} == fields
    assert line["message"] == message % arguments


def test_given_fields_are_taken_over() -> None:
    assert json.loads(formatted(JsonFormatter(), "hello", fields={"status": 200}))["status"] == 200


@pytest.mark.parametrize("formatter", [JsonFormatter(), PlainFormatter("%(message)s")])
def test_a_value_with_line_ends_stays_on_its_line(formatter: logging.Formatter) -> None:
    assert formatted(formatter, "path %s", "/a\r\nINFO forged: line").count("\n") == 1


@pytest.mark.gen_test(timeout=60)
async def test_a_whole_run_writes_no_secret_and_one_json_object_a_line(tmp_path: Path) -> None:
    secrets: set[str] = {COOKIE_SECRET, *PASSWORDS, *(urlencode({"p": word})[2:] for word in PASSWORDS)}
    environment = {"TESSERA_COOKIE_SECRET": COOKIE_SECRET}
    arguments = ("--log_json=true", "--allowed_sources=127.0.0.1:9")
    client = AsyncHTTPClient(force_instance=True)
    with ServerProcess(tmp_path / "data", *arguments, environment=environment) as server:
        api = Api(client, server.base_url)
        await _be_everybody(api, secrets)
        await _be_a_fool(api, secrets)
        secrets |= set(json.loads((server.data_dir / "bucket-keys.json").read_text()).values())
    client.close()

    lines = [json.loads(line) for line in server.log.splitlines()]
    assert {"task", "request", "image", "user"} <= {name for line in lines for name in line}
    assert {line["level"] for line in lines} <= {"info", "warning"}
    assert len(secrets) >= 15
    assert not [secret for secret in secrets if secret in server.log]


async def _be_everybody(api: Api, secrets: set[str]) -> None:
    """A whole trip, with each way of saying who one is."""
    first, second, wrong, _ = PASSWORDS
    await api.sign_up("ada", first)
    secrets |= set(api.cookies.values())
    asked = await api.get("/api/user/query/", username="ada", password=first)
    secrets |= {asked["token"], *api.cookies.values()}
    bearer = {"Authorization": f"Bearer {asked['token']}"}
    await api.get("/api/user/query/", username="ada", password=wrong)
    await api.newcomer().get("/api/session/", headers=bearer)
    grant = await api.post("/api/image/token/", filename="a.png")
    secrets |= {grant["token"], grant["token"].rpartition(":")[2]}
    await api.post_form(grant["upload_url"], {"token": grant["token"], "key": grant["key"]}, "a.png", png())
    await api.post_form(grant["upload_url"], {"token": grant["token"] + "x", "key": grant["key"]}, "a.png", png())
    task = await api.make(grant["url"])
    assert (await finished(api, task["id"]))["state"] == "done"
    secrets.add("signature-of-a-source")
    await api.make("http://127.0.0.1:9/a.png?sign=signature-of-a-source")
    await api.post("/api/user/change/", password=first, new_password=second)
    await api.post("/api/user/export/", password=second)
    await api.post("/api/user/delete/", password=wrong)


async def _be_a_fool(api: Api, secrets: set[str]) -> None:
    """Secrets where they do not belong, and requests that are none."""
    secrets |= {"a-token-in-a-query", "a-token-in-a-broken-header", "v1cookie", "a-key-in-a-bad-body"}
    for path in ("/", "/static/app.css", "/static/../../etc/passwd", "/bucket/none", "/api/feed/", "/made/up", "/rs/x"):
        await api.get(path, token="a-token-in-a-query")
    await api.ask("POST", "/api/user/query/", body=b'{"password": "a-key-in-a-bad-body', headers={"Content-Type": "x"})
    await api.ask("POST", "/api/image/upload", body=b"a", headers={"Authorization": "QBox a-key-in-a-bad-body:x"})
    await api.newcomer().get("/api/session/", headers={"Cookie": "session=djFjb29raWU=|1700000000|v1cookie"})
    raw(api.base_url, b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a-token-in-a-broken-header\x01\r\n\r\n")
    raw(api.base_url, b"a-token-in-a-broken-header\r\n\r\n")


def raw(base_url: str, request: bytes) -> bytes:
    """Whatever a server answers to these bytes."""
    parts: Any = urlsplit(base_url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(request)
        return connection.recv(4096)
