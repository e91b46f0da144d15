"""The embedded database: start, stop, crash and restart."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from models import errors
from models.database import Database
from models.embedded_mongod import Mongod, MongodError, running_uri
from tests.support.waiting import LIMIT_S, until


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


@pytest.mark.gen_test
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

        assert await until(counted) == 2


@pytest.mark.gen_test
async def test_a_long_path_gets_a_socket_in_a_private_temporary_folder(tmp_path: Path) -> None:
    async with Mongod(tmp_path / ("long" * 30) / "db") as mongod:
        socket_path = Path(unquote(urlsplit(mongod.uri).netloc))

        assert len(bytes(socket_path)) <= 107
        assert socket_path.parent.stat().st_mode & 0o777 == 0o700
        assert await count(mongod.uri) == 0
    assert not socket_path.parent.exists()


@pytest.mark.gen_test
async def test_a_binary_that_fails_raises_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(MongodError, match="exited with code 1"):
        async with asyncio.timeout(LIMIT_S), Mongod(tmp_path / "db", binary="/bin/false"):
            pass


@pytest.mark.gen_test
async def test_a_missing_library_is_reported_with_its_remedy(tmp_path: Path) -> None:
    binary = tmp_path / "mongod"
    binary.write_text("#!/bin/sh\nexit 127\n")
    binary.chmod(0o755)

    with pytest.raises(MongodError, match="install libcurl4"):
        async with Mongod(tmp_path / "db", binary=str(binary)):
            pass


@pytest.mark.gen_test
async def test_its_log_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """mongod ignores the signal for a new log within a second of the last one."""
    monkeypatch.setattr("models.embedded_mongod.MAX_LOG_BYTES", 1000)
    monkeypatch.setattr("models.embedded_mongod.LOG_CHECK_INTERVAL_S", 3600.0)
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
    files = []
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            files.append(os.readlink(file))
    inodes = {name[len("socket:[") : -1] for name in files if name.startswith("socket:[")}
    rows = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    return {row[7] for row in rows if len(row) == 8 and row[6] in inodes}


@pytest.mark.gen_test
async def test_it_has_no_socket_outside_of_its_own_folder(tmp_path: Path) -> None:
    """A stock mongod listens in the system's temporary folder: servers of two users would fight for that name."""
    async with Mongod(tmp_path / "one" / "db") as one, Mongod(tmp_path / "two" / "db") as two:
        await add(one.uri)

        assert (await count(one.uri), await count(two.uri)) == (1, 0)
        for mongod in (one, two):
            assert unix_sockets(mongod.pid or 0) == {unquote(urlsplit(mongod.uri).netloc)}


@pytest.mark.gen_test
async def test_it_waits_for_the_mongod_of_a_killed_server_that_is_still_closing_its_files(tmp_path: Path) -> None:
    ending, log = Mongod(tmp_path / "db"), tmp_path / "mongod.log"
    await ending.spawn()
    await until(lambda: running_uri(tmp_path / "db"))
    await add(ending.uri)
    waiting = Mongod(tmp_path / "db")
    entering = asyncio.create_task(waiting.__aenter__())
    await until(lambda: "DBPathInUse" in log.read_text())
    waits = not entering.done()

    await ending.stop()

    await entering
    number = await count(waiting.uri)
    await waiting.__aexit__()
    assert (waits, number) == (True, 1)


@pytest.mark.gen_test
async def test_the_lines_of_a_log_without_an_error_are_no_reason(tmp_path: Path) -> None:
    binary = tmp_path / "mongod"
    binary.write_text("#!/bin/sh\nexit 3\n")
    binary.chmod(0o755)
    (tmp_path / "mongod.log").write_text('{"s": "I", "msg": "starting", "attr": {"error": "none"}}\nno JSON\n')

    with pytest.raises(MongodError, match=r"mongod exited with code 3; its log is \S+mongod.log"):
        async with Mongod(tmp_path / "db", binary=str(binary)):
            pass
