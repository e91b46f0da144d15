"""The embedded database: start, stop, crash and restart."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from models import errors
from models.database import Database
from models.embedded_mongod import Mongod, MongodError
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
