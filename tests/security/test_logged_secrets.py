"""Whole runs that log no secret, on each bucket, also when the bucket fails."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.support import kodo as kodo_server
from tests.support.client import ApiClient, ApiResponse
from tests.support.kodo_state import FakeKodo, Faults
from tests.support.pictures import png
from tests.support.process import ROOT, ServerProcess
from tests.support.waiting import finished, until

PASSWORDS = ("the first long password", "the-second/long+password", "a wrong long password", "an open door password")
SECRET_NAMES = {"password", "new_password", "token", "secret", "upload_token"}
COOKIE_SECRET = "a cookie secret made up for one run"


class RecordingClient(ApiClient):
    """A client that records every password, token and key that it sends or receives."""

    secrets: set[str]

    async def request(
        self, method: str, path: str, *, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> ApiResponse:
        response = await super().request(method, path, body=body, headers=headers)
        self.secrets |= set(self.cookies.values()) | set((headers or {}).get("Authorization", "").split()[1:])
        pairs = [*parse_qsl(urlsplit(path).query), *_pairs(body or b""), *_pairs(response.body)]
        self.secrets |= {value for name, value in pairs if name in SECRET_NAMES and value}
        return response


def _pairs(body: bytes) -> list[tuple[str, str]]:
    """Names and values of a JSON object, a form, or a multipart form."""
    if body.startswith(b"--"):
        fields = re.findall(rb'name="([^"]+)"\r\n\r\n(.*?)\r\n--', body, re.S)
        return [(name.decode(), value.decode(errors="replace")) for name, value in fields]
    try:
        values = json.loads(body)
    except ValueError:
        return parse_qsl(body.decode(errors="replace"))
    texts = values.items() if isinstance(values, dict) else ()
    return [(name, value) for name, value in texts if isinstance(value, str)]


def recording_client(client: AsyncHTTPClient, base_url: str) -> RecordingClient:
    api = RecordingClient(client, base_url)
    api.secrets = set()
    return api


def spellings(secret: str) -> set[str]:
    """As it is, encoded in a URL and in JSON, and the signature alone of a signed value."""
    parts = {part for part in secret.split()[-1].split(":") if len(part) >= 20}
    return {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], *parts}


def secrets_in(log: str, secrets: set[str]) -> list[str]:
    return sorted(word for secret in secrets for word in spellings(secret) if word in log)


@pytest.mark.requirement(42)
@pytest.mark.gen_test
async def test_a_run_logs_no_secret_and_one_json_object_per_line(tmp_path: Path) -> None:
    environment = {"TESSERA_COOKIE_SECRET": COOKIE_SECRET}
    arguments = ("--log_json=true", "--allowed_sources=127.0.0.1:9")
    client = AsyncHTTPClient(force_instance=True)
    with ServerProcess(tmp_path / "data", *arguments, environment=environment) as server:
        api = recording_client(client, server.base_url)
        await _sign_in_every_way(api)
        await _send_bad_requests(api)
        bucket_keys = json.loads((server.data_dir / "bucket-keys.json").read_text())
        admin_log = await _reset_password(api, server.data_dir)
    client.close()

    lines = [json.loads(line) for line in server.log.splitlines()]
    assert {"task", "request", "image", "user"} <= {name for line in lines for name in line}
    assert {line["level"] for line in lines} <= {"info", "warning"}
    secrets = api.secrets | {COOKIE_SECRET, *bucket_keys.values()}
    assert {*PASSWORDS, "a-token-in-a-query", "a-key-in-a-bad-body:x"} <= secrets
    assert len(secrets) >= 15
    assert secrets_in(server.log + admin_log, secrets) == []


@pytest.mark.gen_test
async def test_a_run_on_a_private_kodo_that_fails_sometimes_logs_no_secret(
    tmp_path: Path, on_shared_mongod: tuple[str, ...]
) -> None:
    client = AsyncHTTPClient(force_instance=True)
    async with on_kodo(tmp_path / "data", tmp_path / "other", on_shared_mongod) as (server, kodo, check_output):
        api = recording_client(client, server.base_url)
        await api.sign_up("ada", PASSWORDS[0])
        uploaded = await api.upload()
        assert (await finished(api, (await api.add_task(uploaded["url"]))["id"]))["state"] == "done"
        await _fail_and_recover(api, server, kodo, uploaded["url"])
        await api.post("/api/image/delete/", id=uploaded["id"])
    client.close()

    assert {word.partition(" ")[0] for word in kodo.credentials if " " in word} == {"Qiniu", "QBox"}
    secrets = api.secrets | kodo.credentials | {kodo.access_key, kodo.secret_key, COOKIE_SECRET}
    assert len(secrets) >= 20
    assert all(words in server.log for words in FAULTS)
    assert ("ok   upload and callback" in check_output[0], "made-up" in check_output[0]) == (True, False)
    assert secrets_in(server.log + check_output[0], secrets) == []


@asynccontextmanager
async def on_kodo(
    data_dir: Path, other: Path, options: Sequence[str]
) -> AsyncIterator[tuple[ServerProcess, FakeKodo, list[str]]]:
    """A server on a private Kodo. At the end the list has the output of `--check` with the same settings."""
    kodo = FakeKodo("kodo-access-key-made-up", "kodo-secret-key-made-up", "pictures", private=True)
    listening = kodo_server.start(kodo)
    environment = {
        "TESSERA_QINIU_ACCESS_KEY": kodo.access_key,
        "TESSERA_QINIU_SECRET_KEY": kodo.secret_key,
        "TESSERA_COOKIE_SECRET": COOKIE_SECRET,
    }
    chosen = {"qiniu_bucket": kodo.bucket, "qiniu_domain": f"{kodo.base}/io", "qiniu_uc_url": kodo.base}
    arguments = [*options, *(f"--{name}={value}" for name, value in {**chosen, "qiniu_private": "true"}.items())]
    server, check_output = ServerProcess(data_dir, *arguments, environment=environment), list[str]()
    await asyncio.to_thread(server.start)
    try:
        yield server, kodo, check_output
        check_output.append(await asyncio.to_thread(_check, arguments, environment, other))
    finally:
        await asyncio.to_thread(server.stop)
        listening.stop()
        await listening.close_all_connections()


FAULTS = {
    "RemoteDisconnected": Faults(drop=True),
    "ProtocolError": Faults(truncate=True),
    "answered with 401": Faults(status=401),
}
"""Faults of the bucket, by the words that the log has for each."""


async def _fail_and_recover(api: ApiClient, server: ServerProcess, kodo: FakeKodo, url: str) -> None:
    """One task during which the bucket fails in three ways and then recovers."""
    task: dict[str, Any] | None = None
    for words, kodo.faults in FAULTS.items():
        task = task or await api.add_task(url, {"style": "mosaic", "cell": 9})

        async def is_logged(words: str = words) -> bool:
            return words in server.log

        await until(is_logged)
    assert task is not None
    kodo.faults = Faults()
    assert (await finished(api, task["id"]))["state"] == "done"


async def _reset_password(api: RecordingClient, data_dir: Path) -> str:
    """By the administration command. Returns its log."""
    command = [sys.executable, "admin.py", "--yes", f"--data_dir={data_dir}", "password", "ada"]
    done = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    await api.sign_in("ada", done.stdout.split()[-1])
    return str(done.stderr)


def _check(arguments: list[str], environment: dict[str, str], data_dir: Path) -> str:
    """The output of `server.py --check`."""
    command = [sys.executable, "server.py", "--check", "--port=0", f"--data_dir={data_dir}", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=300, check=False
    )
    return done.stdout + done.stderr


async def _sign_in_every_way(api: ApiClient) -> None:
    """The complete flow, with every way to authenticate."""
    first, second, wrong, _ = PASSWORDS
    await api.sign_up("ada", first)
    profile = await api.get("/api/user/query/", username="ada", password=first)
    bearer = {"Authorization": f"Bearer {profile['token']}"}
    await api.get("/api/user/query/", username="ada", password=wrong)
    await api.get("/api/session/", headers=bearer)
    ticket = await api.post("/api/image/token/", filename="a.png")
    await api.post_form(ticket["upload_url"], {"token": ticket["token"], "key": ticket["key"]}, "a.png", png())
    await api.post_form(ticket["upload_url"], {"token": ticket["token"] + "x", "key": ticket["key"]}, "a.png", png())
    task = await api.add_task(ticket["url"])
    assert (await finished(api, task["id"]))["state"] == "done"
    await api.add_task("http://127.0.0.1:9/a.png?token=signature-of-a-source")
    await api.post("/api/user/change/", password=first, new_password=second)
    await api.post("/api/user/export/", password=second)
    await api.post("/api/user/delete/", password=PASSWORDS[3])


async def _send_bad_requests(api: RecordingClient) -> None:
    """Secrets in the wrong places, and malformed requests."""
    api.secrets |= {"a-token-in-a-broken-header", "v1cookie", "a-key-in-a-bad-body", "signature-of-a-source"}
    for path in ("/", "/static/app.css", "/static/../../etc/passwd", "/bucket/none", "/api/feed/", "/made/up", "/rs/x"):
        await api.get(path, token="a-token-in-a-query")
    await api.request(
        "POST", "/api/user/query/", body=b'{"password": "a-key-in-a-bad-body', headers={"Content-Type": "x"}
    )
    await api.request("POST", "/api/image/upload", body=b"a", headers={"Authorization": "QBox a-key-in-a-bad-body:x"})
    await api.new_client().get("/api/session/", headers={"Cookie": "session=djFjb29raWU=|1700000000|v1cookie"})
    raw(api.base_url, b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a-token-in-a-broken-header\x01\r\n\r\n")
    raw(api.base_url, b"a-token-in-a-broken-header\r\n\r\n")


def raw(base_url: str, request: bytes) -> bytes:
    """Send these bytes; the first bytes of the response."""
    parts: Any = urlsplit(base_url)
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
        connection.sendall(request)
        return connection.recv(4096)
