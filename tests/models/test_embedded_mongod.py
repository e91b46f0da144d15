"""The embedded database: start, stop, crash and restart."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from models import errors
from models.database import Database
from models.embedded_mongod import Mongod, MongodError, find_mongod
from tests.support.process import free_port
from tests.support.waiting import until


async def count(uri: str) -> int:
    database = Database(uri, "test")
    try:
        return await database.collection("things").count_documents({})
    finally:
        database.close()


async def add(uri: str) -> None:
    database = Database(uri, "test")
    await database.collection("things").insert_one({"value": 1})
    database.close()


@pytest.mark.gen_test(timeout=40)
async def test_data_survives_a_stop_and_a_kill(tmp_path: Path, expect_log: Any) -> None:
    expect_log("mongod: exited with code -9")
    async with Mongod(tmp_path / "db") as mongod:
        await add(mongod.uri)

    async with Mongod(tmp_path / "db") as mongod:
        await add(mongod.uri)
        killed = mongod.pid
        os.kill(killed or 0, signal.SIGKILL)

        async def counted() -> int | None:
            try:
                return await count(mongod.uri) if mongod.pid not in (killed, None) else None
            except errors.DatabaseUnavailable:
                return None

        assert await until(counted, timeout_s=20) == 2


@pytest.mark.gen_test(timeout=30)
async def test_a_long_path_gets_a_socket_in_a_private_temporary_folder(tmp_path: Path) -> None:
    async with Mongod(tmp_path / ("long" * 30) / "db") as mongod:
        socket_path = Path(unquote(urlsplit(mongod.uri).netloc))

        assert len(bytes(socket_path)) <= 107
        assert socket_path.parent.stat().st_mode & 0o777 == 0o700
        assert await count(mongod.uri) == 0
    assert not socket_path.parent.exists()


@pytest.mark.gen_test(timeout=30)
async def test_a_binary_that_fails_raises_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(MongodError, match="exited with code 1"):
        async with asyncio.timeout(20), Mongod(tmp_path / "db", binary="/bin/false"):
            pass


@pytest.mark.gen_test
async def test_a_missing_library_is_reported_with_its_remedy(tmp_path: Path) -> None:
    binary = tmp_path / "mongod"
    binary.write_text("#!/bin/sh\nexit 127\n")
    binary.chmod(0o755)

    with pytest.raises(MongodError, match="install libcurl4"):
        async with Mongod(tmp_path / "db", binary=str(binary)):
            pass


@pytest.mark.gen_test(timeout=30)
async def test_its_log_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.embedded_mongod.MAX_LOG_BYTES", 1000)
    monkeypatch.setattr("models.embedded_mongod.LOG_CHECK_INTERVAL_S", 0.05)
    log, before = tmp_path / "mongod.log", tmp_path / "mongod.log.1"
    async with Mongod(tmp_path / "db") as mongod:
        await until(before.exists)
        await until(log.exists)  # it goes on in a new file
        first = before.stat().st_ino
        await add(mongod.uri)
    async with Mongod(tmp_path / "db"):
        await until(lambda: before.stat().st_ino != first)

    assert sorted(name for name in os.listdir(tmp_path) if "log" in name) == ["mongod.log", "mongod.log.1"]


def unix_sockets(pid: int) -> set[str]:
    """The paths at which a process listens."""
    files = [os.readlink(file) for file in Path(f"/proc/{pid}/fd").iterdir()]
    inodes = {name[len("socket:[") : -1] for name in files if name.startswith("socket:[")}
    rows = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    return {row[7] for row in rows if len(row) == 8 and row[6] in inodes}


@pytest.mark.gen_test(timeout=30)
async def test_it_has_no_socket_outside_of_its_own_folder(tmp_path: Path) -> None:
    """A stock mongod listens in the system's temporary folder: servers of two users would fight for that name."""
    async with Mongod(tmp_path / "one" / "db") as one, Mongod(tmp_path / "two" / "db") as two:
        await add(one.uri)

        assert (await count(one.uri), await count(two.uri)) == (1, 0)
        for mongod in (one, two):
            assert unix_sockets(mongod.pid or 0) == {unquote(urlsplit(mongod.uri).netloc)}


DEFAULT_SOCKET = Path("/tmp/mongodb-27017.sock")
"""What a mongod without a port of its own makes, and takes away from another one."""
MONGOD = "program"
STOCK_USER, OTHER_USER = 65534, 65533


def folder_of(user: int, parent: Path) -> Path:
    """A private folder of a user."""
    folder = parent / str(user)
    for each in (folder, folder / "db", folder / "run"):
        each.mkdir(mode=0o700)
        os.chown(each, user, user)
    return folder


@contextmanager
def stock_mongod(folder: Path, port: int) -> Iterator[None]:
    """As a distribution starts it: on TCP, with its socket in the system's temporary folder."""
    options = [f"--dbpath={folder / 'db'}", f"--port={port}", "--wiredTigerCacheSizeGB=0.25", "--quiet"]
    process = subprocess.Popen([folder.parent / MONGOD, *options], user=STOCK_USER, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user of the machine may enter."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        try:
            os.link(find_mongod(), folder / MONGOD)  # the environment may be in a private folder
        except OSError:
            shutil.copy(find_mongod(), folder / MONGOD)
        yield folder


def mongod_of_another_user(folder: Path) -> str:
    """A program that becomes that user and then a mongod."""
    program = folder / "mongod"
    become = f"setpriv --reuid={OTHER_USER} --clear-groups {shlex.quote(str(folder / MONGOD))}"
    program.write_text(f'#!/bin/sh\nexec {become} "$@"\n')
    program.chmod(0o755)
    return str(program)


def sockets_of_others(port: int) -> list[int | None]:
    """The identities of the sockets in the system's temporary folder, None where there is none."""
    paths = (DEFAULT_SOCKET, DEFAULT_SOCKET.with_name(f"mongodb-{port}.sock"))
    return [path.stat().st_ino if path.is_socket() else None for path in paths]


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root can start mongod as others")
@pytest.mark.gen_test(timeout=60)
async def test_databases_of_two_users_run_beside_a_stock_mongod(tmp_path: Path, open_folder: Path) -> None:
    port = free_port()
    stock_uri = f"mongodb://127.0.0.1:{port}"
    with stock_mongod(folder_of(STOCK_USER, open_folder), port):
        await until(lambda: sockets_of_others(port)[1], timeout_s=20)
        before = sockets_of_others(port)

        others = Mongod(folder_of(OTHER_USER, open_folder) / "db", binary=mongod_of_another_user(open_folder))
        async with others, Mongod(tmp_path / "db") as ours:
            for uri in (others.uri, ours.uri, stock_uri):
                await add(uri)
                assert await count(uri) == 1

        await add(stock_uri)
        assert sockets_of_others(port) == before
