"""Rounds: each is assigned once, whatever is asked for at the same time, on one server or on several."""

from __future__ import annotations

import asyncio

import pytest

from models.database import Database
from models.queue.rounds import Rounds


@pytest.mark.gen_test
async def test_simultaneous_rounds_follow_each_other(database: Database) -> None:
    rounds = Rounds(database)

    first, *assigned = await asyncio.gather(*(rounds.advance("one", 10, idle=False, step=3) for _ in range(30)))

    assert first == 13
    assert assigned == list(range(16, 103, 3))


@pytest.mark.gen_test
async def test_servers_that_advance_the_same_users_at_once_assign_no_round_twice(database: Database) -> None:
    servers = [Rounds(database) for _ in range(3)]
    await servers[0].advance("one", 0, idle=False)
    await servers[0].advance("two", 0, idle=False)

    async def many(server: Rounds, key: str) -> list[int]:
        return list(await asyncio.gather(*(server.advance(key, 0, idle=False) for _ in range(20))))

    for key in ("one", "two"):
        of_servers = await asyncio.gather(*(many(server, key) for server in servers))
        assert len({number for assigned in of_servers for number in assigned}) == 60


@pytest.mark.gen_test
async def test_the_rounds_of_a_user_without_waiting_tasks_count_for_two_seconds(database: Database) -> None:
    rounds = Rounds(database)
    await rounds.advance("one", 50, idle=False)
    await database.collection("rounds").update_many(
        {"_id": "one"}, [{"$set": {"assigned_at": {"$subtract": ["$$NOW", 3000]}}}]
    )

    assigned = await asyncio.gather(*(rounds.advance("one", 4, idle=True) for _ in range(3)))

    assert assigned == [5, 6, 7]
