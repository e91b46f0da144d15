"""The server process: started, stopped, killed, misconfigured."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.support.client import ApiClient
from tests.support.pictures import png
from tests.support.process import ROOT, ServerProcess, suspend
from tests.support.waiting import LIMIT_S, finished, until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path / "data") as started:
        yield started


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server for tests that leave it as it is."""
    with ServerProcess(tmp_path_factory.mktemp("running") / "data", "--access=open") as started:
        yield started


@pytest.fixture
def server_on_shared_mongod(tmp_path: Path, on_shared_mongod: tuple[str, ...]) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path / "data", *on_shared_mongod) as started:
        yield started


@pytest.fixture
def client(io_loop: Any) -> Iterator[AsyncHTTPClient]:
    http_client = AsyncHTTPClient(force_instance=True)
    yield http_client
    http_client.close()


@pytest.mark.gen_test
async def test_the_flow_continues_after_a_kill_between_any_two_steps(
    server_on_shared_mongod: ServerProcess, client: AsyncHTTPClient
) -> None:
    server = server_on_shared_mongod

    def killed() -> ApiClient:
        server.kill()
        server.start()
        return ApiClient(client, server.base_url, dict(ada.cookies), ada.username, ada.user_id)

    ada = ApiClient(client, server.base_url)
    await ada.post("/api/user/add/", username="ada", email="ada@example.com", password="a long enough password")
    ada = await killed().sign_in("ada")
    ada = killed()
    ticket = await ada.post("/api/image/token/", filename="a.png")
    ada = killed()
    form = {"token": ticket["token"], "key": ticket["key"]}
    uploaded = await ada.post_form(ticket["upload_url"], form, "a.png", png(800, 600))
    ada = killed()
    task = await ada.add_task(uploaded["url"])
    ada = killed()

    done = await finished(ada, task["id"])

    ada = killed()
    picture = await ada.get(done["result_url"])
    assert (done["state"], picture.status) == ("done", 200)
    assert [image["id"] for image in (await ada.get("/api/feed/"))["images"]] == [done["result_id"]]


@pytest.mark.gen_test
async def test_tasks_that_wait_or_run_at_a_stop_are_done_after_the_next_start(
    server: ServerProcess, client: AsyncHTTPClient
) -> None:
    ada = await ApiClient(client, server.base_url).sign_up("ada")
    url = (await ada.upload(png(1600, 1200)))["url"]
    tasks = [await ada.add_task(url, {"style": "mosaic", "cell": cell}) for cell in range(5, 13)]

    codes = []
    for number in (signal.SIGTERM, signal.SIGHUP):
        codes.append(server.stop(number))
        server.start()

    assert codes == [0, 0]
    for task in tasks:
        assert (await finished(ada, task["id"]))["state"] == "done"
    assert "Traceback" not in server.log
    assert "was destroyed but it is pending" not in server.log


@pytest.mark.gen_test
async def test_an_unavailable_database_is_503_until_it_is_back(server: ServerProcess, client: AsyncHTTPClient) -> None:
    ada = await ApiClient(client, server.base_url).sign_up("ada")
    mongod = int(server.log.split(" mongod: ")[1].split()[0])
    await suspend(mongod)

    async with asyncio.timeout(LIMIT_S):
        answer = await ada.get("/api/user/query/", username="ada")

    assert (answer.status, answer["code"] < 1, answer["error"]) == (503, True, "database_unavailable")
    assert (await ada.get("/health")).status == 503
    os.kill(mongod, signal.SIGKILL)

    async def healthy() -> bool:
        return (await ada.get("/health")).status == 200

    await until(healthy)
    assert (await ada.get("/api/session/"))["user"]["username"] == "ada"


def test_the_embedded_database_has_no_port_and_dies_with_the_server(server: ServerProcess) -> None:
    mongod = Path("/proc") / server.log.split(" mongod: ")[1].split()[0]
    command = (mongod / "cmdline").read_text().split("\0")

    assert not any(part.startswith("--port") for part in command)
    bound = next(part.partition("=")[2] for part in command if part.startswith("--bind_ip"))
    assert Path(bound).is_socket()
    assert Path(bound).parent.stat().st_mode & 0o777 == 0o700
    server.kill()
    ended = subprocess.run(["tail", f"--pid={mongod.name}", "-f", "/dev/null"], timeout=300, check=False)
    assert ended.returncode == 0


def test_a_second_server_on_the_same_folder_is_refused(running: ServerProcess) -> None:
    second = run_server(f"--data_dir={running.data_dir}", "--port=0")

    assert (second.returncode, second.stderr.count("\n")) == (2, 1)
    assert "in use by another server" in second.stderr


def test_an_occupied_port_is_one_clear_line(running: ServerProcess, tmp_path: Path) -> None:
    port = running.base_url.rpartition(":")[2]

    second = run_server(f"--data_dir={tmp_path / 'other'}", f"--port={port}")

    assert (second.returncode, second.stderr.count("\n")) == (2, 1)
    assert f"127.0.0.1:{port} cannot be served" in second.stderr


def test_an_unknown_setting_is_one_clear_line(tmp_path: Path) -> None:
    ended = run_server(f"--data_dir={tmp_path}", "--colour=red")

    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert "--colour" in ended.stderr


def test_files_with_keys_are_readable_by_the_owner_only(running: ServerProcess) -> None:
    for name in ("cookie-secret", "server-id", "bucket-keys.json"):
        assert (running.data_dir / name).stat().st_mode & 0o777 == 0o600


def test_open_access_is_logged_as_a_warning(running: ServerProcess) -> None:
    assert "WARNING" in running.log
    assert "anyone who can reach this address may act as any user" in running.log


def run_server(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A server that is expected to refuse to start."""
    return subprocess.run(
        [sys.executable, "server.py", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
