"""A server whose disk is full: health says so, nothing acknowledged is lost, and it goes on once there is space."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from tornado.httpclient import AsyncHTTPClient

from models import errors
from models.embedded_mongod import running_uri
from tests.support.client import ApiClient
from tests.support.process import ROOT, ServerProcess
from tests.support.waiting import until

DISK_MB = 400
"""mongod takes 50 for its journal."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own."""
    folder = tmp_path / "data"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, timeout=300, check=False).returncode:
        pytest.skip("only root, where the container allows it, can mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=300)


def fill(disk: Path) -> Path:
    """Leave nothing free. Returns the file that takes the space."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file, suppress(OSError):
        while True:
            file.write(b"x" * 1_000_000)
            file.flush()
    return ballast


def checkpoint(data_dir: Path) -> None:
    """What mongod does every minute by itself; without space it ends."""
    with MongoClient[dict[str, object]](running_uri(data_dir / "db")) as client, suppress(PyMongoError):
        client.admin.command("fsync")


@pytest.mark.gen_test
async def test_a_full_disk_is_named_by_health_and_survived(small_disk: Path) -> None:
    client = AsyncHTTPClient(force_instance=True)
    full, silent = "disk: 0 MB are free where data_dir is", "database: it does not answer"
    with ServerProcess(small_disk) as server:
        ada = await ApiClient(client, server.base_url).sign_up("ada")

        async def problems() -> list[str]:
            return list((await ada.get("/health"))["problems"])

        async def database_is_gone() -> bool:
            return await problems() == [silent, full]

        async def database_is_back() -> bool:
            return silent not in await problems()

        ballast = fill(small_disk)
        assert await problems() == [full]
        with pytest.raises(AssertionError, match=errors.StorageFull.en):
            await ada.upload()
        checkpoint(small_disk)
        await until(database_is_gone)
        assert (await ada.get("/api/session/")).status == 503
        await until(lambda: "mongod: cannot start: " in server.log)
        assert "only 0 MB are free" in server.log.rpartition("mongod: cannot start: ")[2]
        ballast.unlink()

        await until(database_is_back)
        assert (await ada.get("/api/session/"))["user"]["username"] == "ada"
        assert (await ada.upload())["id"]
        fill(small_disk)
    client.close()

    for arguments in ((), ("--check",)):
        assert "only 0 MB are free" in refusal_to_start(small_disk, *arguments)


def refusal_to_start(data_dir: Path, *arguments: str) -> str:
    """The line with which a server ends."""
    command = [sys.executable, "server.py", f"--data_dir={data_dir}", "--port=0", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1), ended.stderr
    return ended.stderr
