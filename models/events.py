"""Events: what happens to tasks, told to every server on this database through one capped collection.

All servers read the same collection in the same order, so an event's id means the same on each of them. Events are
news, not the record: the oldest are forgotten, and a crash may lose the last of them.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from models.database import Database

log = logging.getLogger(__name__)

KEPT_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Event:
    """kind: task, progress, cancel, queue or hello. id: text that orders nothing but finds it again."""

    id: str
    kind: str
    server: str
    data: dict[str, Any]


class Events:
    """The capped collection `events`: {kind, server, data}."""

    def __init__(self, database: Database, server: str) -> None:
        self._database = database
        self._events = database.collection("events", journaled=False)
        self._server = server

    async def prepare(self) -> None:
        """Make the collection. It must never be empty: a cursor that waits at its end needs an end."""
        await self._database.make_capped("events", size_bytes=KEPT_BYTES)
        await self.publish("hello", {})

    async def publish(self, kind: str, data: dict[str, Any]) -> None:
        """Tell every server, this one among them."""
        await self._events.insert({"kind": kind, "server": self._server, "data": data})

    async def news(self) -> AsyncIterator[Event]:
        """Every event from now on, as it comes; ends only by cancellation or DatabaseUnavailable."""
        async for found in self._database.tail("events"):
            yield Event(str(found["_id"]), found["kind"], found["server"], found["data"])
