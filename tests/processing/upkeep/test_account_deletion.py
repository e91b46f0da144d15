"""What a deletion leaves in records that other servers write; the rest is in tests/handlers/test_account.py."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.services import Services
from models.database import Database
from models.queue.events import Events
from tests.support.client import ApiClient


@pytest.mark.gen_test
async def test_events_that_another_server_holds_back_name_nobody_afterwards(
    api: ApiClient, services: Services, database: Database
) -> None:
    ada = await api.sign_up("zuzanna")
    other = Events(database, "other")
    about_ada: dict[str, Any] = {"id": 1, "owner": "zuzanna", "owner_id": ada.user_id, "state": "done", "server": None}

    other.publish("task", about_ada)
    await other.drain()
    other.publish("task", about_ada)  # waits for the time of the next call
    await services.account_deletions.begin(ada.user_id)
    assert await services.account_deletions.wait(ada.user_id, within_s=120)
    await other.drain()

    events = [document async for document in database.collection("events").iterate({})]
    assert len([event for event in events if event["server"] == "other"]) == 2
    assert "zuzanna" not in str(events)
