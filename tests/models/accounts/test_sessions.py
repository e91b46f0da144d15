"""Sessions: only the user has the token, and it expires."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from models.accounts.sessions import IDLE_TIMEOUT, LIFETIME, Sessions
from models.database import Database


@pytest.fixture
def sessions(database: Database) -> Sessions:
    return Sessions(database)


@pytest.mark.requirement(30)
@pytest.mark.gen_test
async def test_a_token_finds_its_session_and_is_not_in_the_database(sessions: Sessions, database: Database) -> None:
    token = await sessions.open(7, "ada")

    session = await sessions.find(token)

    assert session is not None
    assert (session.user_id, session.username, len(token)) == (7, "ada", 43)
    stored = await database.collection("sessions").find({}, sort="_id", limit=10)
    assert token not in str(stored)


@pytest.mark.requirement(30)
@pytest.mark.gen_test
async def test_a_changed_or_closed_token_is_invalid(sessions: Sessions) -> None:
    token = await sessions.open(7, "ada")

    assert await sessions.find(token[:-1] + ("A" if token[-1] != "A" else "B")) is None
    assert await sessions.find("") is None
    await sessions.close(token)
    assert await sessions.find(token) is None


@pytest.mark.gen_test
async def test_all_sessions_but_one_can_be_closed(sessions: Sessions) -> None:
    tokens = [await sessions.open(7, "ada") for _ in range(3)]
    other = await sessions.open(8, "bea")

    await sessions.close_all(7, except_token=tokens[0])

    assert [await sessions.find(token) is not None for token in (*tokens, other)] == [True, False, False, True]


@pytest.mark.requirement(66)
@pytest.mark.gen_test
async def test_a_user_has_a_bounded_number_of_sessions(
    sessions: Sessions, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.accounts.sessions.MAX_SESSIONS", 3)
    records, other = database.collection("sessions"), await sessions.open(8, "bea")
    tokens = [await sessions.open(7, "ada") for _ in range(3)]
    two_hours_ago = datetime.now(UTC) - timedelta(hours=2)
    await records.update_many({"user_id": 7}, {"$set": {"expires": two_hours_ago + IDLE_TIMEOUT}})
    await sessions.find(tokens[1])

    tokens += [await sessions.open(7, "ada") for _ in range(2)]

    assert await records.count_documents({}) == 4
    assert [await sessions.find(tokens[at]) is not None for at in (1, 3, 4)] == [True] * 3, "the one in use stays"
    assert await sessions.find(other) is not None


@pytest.mark.gen_test
async def test_an_idle_session_expires_and_a_used_one_is_extended_up_to_its_lifetime(
    sessions: Sessions, database: Database
) -> None:
    token, records = await sessions.open(7, "ada"), database.collection("sessions")
    now = datetime.now(UTC)
    nearly_expired = {"expires": now + IDLE_TIMEOUT / 4, "created": now - LIFETIME + IDLE_TIMEOUT / 2}
    await records.update_one({"user_id": 7}, {"$set": nearly_expired})

    await sessions.find(token)

    session = await sessions.find(token)
    assert session is not None
    assert abs(session.expires - (now + IDLE_TIMEOUT / 2)) < timedelta(minutes=1)
    await records.update_one({"user_id": 7}, {"$set": {"expires": now - timedelta(seconds=1)}})
    assert await sessions.find(token) is None
