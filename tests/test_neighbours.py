"""Servers of two users beside a stock mongod: nobody takes what another one has on the machine."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pymongo import MongoClient
from tornado.httpclient import AsyncHTTPClient

from models.embedded_mongod import find_mongod
from tests.support.client import ApiClient
from tests.support.process import ServerProcess, free_port
from tests.support.waiting import finished, until

STOCK_USER, FIRST_USER, SECOND_USER = 65534, 65533, 65532
READING = "dac_read_search"
"""A clone may be in a private folder: the other users may read it, and write only what is theirs."""
DEFAULT_SOCKET = Path("/tmp/mongodb-27017.sock")
"""What a mongod without a port of its own makes, and takes away from another one."""


def become(user: int) -> list[str]:
    """A command line that goes on as that user."""
    ids = [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    return ["setpriv", *ids, f"--bounding-set=-all,+{READING}", f"--inh-caps=+{READING}", f"--ambient-caps=+{READING}"]


def can_become() -> bool:
    command = [*become(FIRST_USER), "true"]
    return os.geteuid() == 0 and bool(shutil.which("setpriv")) and not subprocess.run(command, check=False).returncode


pytestmark = pytest.mark.skipif(not can_become(), reason="only root can start servers as other users")


def folder_of(user: int, parent: Path) -> Path:
    """A private folder of a user."""
    folder = parent / str(user)
    folder.mkdir(mode=0o700)
    os.chown(folder, user, user)
    return folder


def server_of(user: int, parent: Path) -> ServerProcess:
    """A server with embedded database and bucket that this user runs."""
    code = f"import os, sys; os.execvp('setpriv', [*{become(user)!r}, sys.executable, *sys.argv[1:]])"
    return ServerProcess(folder_of(user, parent), program=("-c", code, "server.py"))


def owners_of(server: ServerProcess) -> set[int]:
    """Of the process and of all of its files, some of which may be moved meanwhile."""
    owners = {Path(f"/proc/{server.pid}").stat().st_uid}
    for path in server.data_dir.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            owners.add(path.stat().st_uid)
    return owners


@contextmanager
def stock_mongod(folder: Path, port: int) -> Iterator[None]:
    """As a distribution starts it: on TCP, with its socket in the system's temporary folder."""
    options = [f"--dbpath={folder}", f"--port={port}", "--wiredTigerCacheSizeGB=0.25", "--quiet"]
    process = subprocess.Popen([*become(STOCK_USER), find_mongod(), *options], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def sockets(port: int) -> list[int | None]:
    """The identities of stock sockets in the system's temporary folder, None where there is none."""
    paths = (DEFAULT_SOCKET, DEFAULT_SOCKET.with_name(f"mongodb-{port}.sock"))
    return [path.stat().st_ino if path.is_socket() else None for path in paths]


def count_in_stock(port: int) -> int:
    """Insert a document. Returns how many there are."""
    with MongoClient[dict[str, object]]("127.0.0.1", port) as client:
        client.test.things.insert_one({})
        return client.test.things.count_documents({})


@pytest.mark.gen_test
async def test_servers_of_two_users_run_beside_a_stock_mongod(tmp_path: Path) -> None:
    port, http = free_port(), AsyncHTTPClient(force_instance=True)
    with stock_mongod(folder_of(STOCK_USER, tmp_path), port):
        await until(lambda: sockets(port)[1])
        before = sockets(port)
        assert count_in_stock(port) == 1

        with server_of(FIRST_USER, tmp_path) as first, server_of(SECOND_USER, tmp_path) as second:
            for server, user in ((first, FIRST_USER), (second, SECOND_USER)):
                ada = await ApiClient(http, server.base_url).sign_up("ada")
                task = await ada.add_task((await ada.upload())["url"])
                assert (await finished(ada, task["id"]))["state"] == "done"
                assert owners_of(server) == {user}
            assert sockets(port) == before

        assert count_in_stock(port) == 2
        assert sockets(port) == before
    http.close()
