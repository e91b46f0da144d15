"""Events: what happens to tasks, told to every server on this database through one capped collection.

All servers read the same collection in the same order, so an event's id means the same on each of them, before and
after a restart. Events are news, not the record: the oldest are forgotten, and a crash may lose the last of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from models.batcher import Batcher
from models.database import Database, Document

CAPPED_SIZE_BYTES = 2 * 1024 * 1024

EventKind = Literal["task", "progress", "cancel", "queue", "hello"]


@dataclass(frozen=True, slots=True)
class Event:
    """kind: a Word. id: text that orders nothing but finds it again."""

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
        self._publishing = Batcher(self._insert)

    async def ensure_collection(self) -> None:
        """Make the collection. It must never be empty: a cursor that waits at its end needs an end."""
        await self._database.create_capped("events", size_bytes=CAPPED_SIZE_BYTES)
        await self._publishing.submit({"kind": "hello", "server": self._server, "data": {}})

    def publish(self, kind: EventKind, data: dict[str, Any]) -> None:
        """Tell every server, this one among them, in the order of the calls. Never waits, never fails.

        News that the database does not take is lost: work stops for no news.
        """
        self._publishing.submit_nowait({"kind": kind, "server": self._server, "data": data})

    async def drain(self) -> None:
        """Wait until everything is told."""
        await self._publishing.drain()

    async def tail(self) -> AsyncIterator[Event | None]:
        """What is remembered, oldest first, then None, then every event as it comes.

        Ends only by cancellation or DatabaseUnavailable.
        """
        async for document in self._database.tail("events"):
            yield (
                Event(str(document["_id"]), document["kind"], document["server"], document["data"])
                if document
                else None
            )

    async def _insert(self, events: list[Document]) -> Sequence[None]:
        await self._events.insert_many(events)
        return [None] * len(events)
