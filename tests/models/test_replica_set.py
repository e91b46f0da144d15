"""Records on a replica set: what is acknowledged has reached the majority of its members."""

from __future__ import annotations

import asyncio
import signal
from contextlib import closing
from pathlib import Path

import pytest

from models import errors
from models.accounts.users import Users
from models.database import Database
from models.index import Index
from tests.support.replica_set import replica_set


async def add_ada(users: Users) -> int:
    return await users.add(username="ada", email="ada@example.com", password_hash="hash")


@pytest.mark.gen_test
async def test_what_only_the_primary_holds_is_not_acknowledged(tmp_path: Path) -> None:
    async with replica_set(tmp_path, election_timeout_ms=60_000) as members:
        with closing(Database(f"{members.uri}&readPreference=secondary", "test")) as database:
            users = Users(database)
            await database.create_indexes({"users": users.indexes})
            secondaries = await members.secondaries()
            for secondary in secondaries:
                secondary.signal(signal.SIGSTOP)
            indexing = asyncio.create_task(database.create_indexes({"things": [Index("name")]}))

            with pytest.raises(errors.DatabaseUnavailable):
                await add_ada(users)
            with pytest.raises(errors.DatabaseUnavailable):  # not UsernameTaken: that user may be lost yet
                await add_ada(users)
            await database.collection("leases", journaled=False).insert_one({"_id": 1})
            assert await database.collection("leases").count_documents({}) == 1

            for secondary in secondaries:
                secondary.signal(signal.SIGCONT)
            await indexing
            with pytest.raises(errors.UsernameTaken):
                await add_ada(users)
