"""Opening the database that the settings name: one that starts later, and one that cannot be joined."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from data_dir import StartupError, lock_data_dir
from databases import open_database, open_or_join_database
from models.embedded_mongod import Mongod
from settings import Settings
from tests.support.waiting import until


@pytest.mark.gen_test
async def test_a_database_that_starts_after_the_server_is_waited_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    expect_log: Callable[[str], None],
) -> None:
    expect_log("database: no answer yet; retrying")
    monkeypatch.setattr("databases.DATABASE_RETRY_S", 0.01)
    mongod = Mongod(tmp_path / "db")

    async def open_and_ask() -> list[str]:
        async with open_database(Settings(data_dir=tmp_path / "data", mongodb_uri=mongod.uri)) as database:
            return await database.collection_names()

    opening = asyncio.create_task(open_and_ask())
    await until(lambda: "no answer yet" in caplog.text)
    async with mongod:
        assert await opening == []


@pytest.mark.gen_test
async def test_a_folder_in_use_without_a_database_that_answers_is_one_clear_line(tmp_path: Path) -> None:
    """As that of a server with a database elsewhere."""
    with (
        lock_data_dir(tmp_path),
        pytest.raises(StartupError, match="is in use and its database cannot be reached; stop that server first"),
    ):
        async with open_or_join_database(Settings(data_dir=tmp_path)):
            pass
