"""docs/operations.md: the nginx example, in front of a server and without one."""

from __future__ import annotations

import getpass
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.simple_httpclient import HTTPStreamClosedError

from models import errors
from tests.support.client import ApiClient
from tests.support.operations_page import block
from tests.support.pictures import png
from tests.support.process import ServerProcess, free_port
from tests.support.waiting import finished, until

pytestmark = pytest.mark.skipif(
    not (which("nginx") and which("openssl")), reason="nginx (apt-get install nginx-light) or openssl"
)


def make_certificate(folder: Path) -> None:
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-days", "2"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
        ],
        check=True,
        capture_output=True,
        timeout=300,
    )


@contextmanager
def nginx(folder: Path, *, tls_port: int, plain_port: int, server_port: int, dead_port: int) -> Iterator[None]:
    """Debian's nginx with the page's example: ports and certificate replaced, and a second server that is dead."""
    site = block("nginx")
    for theirs, ours in {
        "# server 127.0.0.1:8889": f"server 127.0.0.1:{dead_port}",
        "127.0.0.1:8888": f"127.0.0.1:{server_port}",
        "listen 80;": f"listen 127.0.0.1:{plain_port};",
        "listen 443 ssl": f"listen 127.0.0.1:{tls_port} ssl",
        "https://tessera.example": f"https://localhost:{tls_port}",
        "/etc/ssl/tessera.example.pem": str(folder / "cert.pem"),
        "/etc/ssl/tessera.example.key": str(folder / "key.pem"),
        "server_name tessera.example": "server_name localhost",
    }.items():
        assert theirs in site, theirs
        site = site.replace(theirs, ours)
    places = "".join(f"{kind}_temp_path {folder / kind};" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if getpass.getuser() == "root" else ""
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder / 'nginx.pid'}; {user} events {{}}\n"
        f"http {{ access_log off; client_body_temp_path {folder / 'body'}; {places}\n{site}\n}}\n"
    )
    command = ["nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    subprocess.run([*command, "-t"], check=True, capture_output=True, timeout=300)
    process = subprocess.Popen(command)
    try:
        yield
    finally:
        process.terminate()
        process.wait(120)


@dataclass(frozen=True)
class Proxy:
    """A running nginx as in the example. port: where it expects the server."""

    public_url: str
    plain_url: str
    port: int
    client: AsyncHTTPClient


@pytest.fixture
def proxy(io_loop: Any, tmp_path: Path) -> Iterator[Proxy]:
    make_certificate(tmp_path)
    tls, plain, port = free_port(), free_port(), free_port()
    client = AsyncHTTPClient(force_instance=True, defaults={"ca_certs": str(tmp_path / "cert.pem")})
    with nginx(tmp_path, tls_port=tls, plain_port=plain, server_port=port, dead_port=free_port()):
        yield Proxy(f"https://localhost:{tls}", f"http://127.0.0.1:{plain}", port, client)
    client.close()


@pytest.mark.gen_test
async def test_the_nginx_example_serves_the_complete_flow_unbuffered_and_limits_uploads(
    proxy: Proxy, tmp_path: Path
) -> None:
    server = ServerProcess(
        tmp_path / "data",
        f"--public_url={proxy.public_url}",
        "--trusted_proxies=127.0.0.1",
        environment={"SSL_CERT_FILE": str(tmp_path / "cert.pem")},
    )
    server.base_url = f"http://127.0.0.1:{proxy.port}"
    with server:
        heard: list[bytes] = []
        ada = await ApiClient(proxy.client, proxy.public_url).sign_up("ada")
        events = HTTPRequest(f"{proxy.public_url}/tasks/events/", streaming_callback=heard.append, request_timeout=60)
        listening = proxy.client.fetch(events, raise_error=False)

        await until(lambda: bool(heard))
        uploaded = await ada.upload(png())
        task = await ada.add_task(uploaded["url"])
        done = await finished(ada, task["id"])

        assert done["state"] == "done"
        assert [line for line in (await ada.get("/health"))["warnings"] if "certificate" in line] == []
        await until(lambda: b'"state":"done"' in b"".join(heard))  # nginx would hold it back for longer
        assert set(ada.cookies) == {"__Host-session"}
        over = await ada.request("POST", "/up", body=b"x" * 22_200_000)
        assert (over.status, b"nginx" in over.body) == (413, True)
        moved = await ada.get(f"{proxy.plain_url}/i/7")
        assert (moved.status, moved.headers["Location"]) == (301, f"{proxy.public_url}/i/7")
        answer = await ada.get("/health")
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])
        await until(lambda: f"[{answer.headers['X-Request-ID']}]" in server.log)  # written after the response
    with suppress(HTTPStreamClosedError):
        await listening


async def is_answered(proxy: Proxy) -> bool:
    with suppress(OSError):
        return bool(await proxy.client.fetch(proxy.public_url, raise_error=False))
    return False


@pytest.mark.gen_test
async def test_without_a_server_the_nginx_example_tells_streams_to_retry_and_answers_as_we_do(proxy: Proxy) -> None:
    await until(partial(is_answered, proxy))
    stream = await ApiClient(proxy.client, proxy.public_url).get("/api/tasks/events/")
    failed = await proxy.client.fetch(f"{proxy.public_url}/api/session/", raise_error=False)
    browser = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": "zh-CN,zh;q=0.9"}
    page = await proxy.client.fetch(f"{proxy.public_url}/gallery", headers=browser, raise_error=False)

    assert (stream.status, stream.headers["Content-Type"]) == (200, "text/event-stream")
    assert stream.body == b"retry: 2000\nevent: reset\ndata: {}\n\n"
    assert (failed.code, failed.headers["Retry-After"]) == (503, "5")
    assert failed.headers["Content-Type"] == "application/json"
    body = json.loads(failed.body)
    assert (body["code"], body["error"], body["message"]) == (-1, errors.Unavailable.slug, errors.Unavailable.en)
    assert (page.code, page.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert f"<p>{errors.Unavailable.zh}</p>" in page.body.decode()
