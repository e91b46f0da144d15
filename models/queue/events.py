"""Events about tasks, published to every server on this database through one capped collection.

All servers read the same collection in the same order, so an event id means the same on each of them, before and after
a restart. Events are not the record: MongoDB drops the oldest, and a crash may lose the latest.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from models.database import Database, Document

LINGER_S = 0.01
"""The end of a task and the start of the next one come at about the same time: they are one call."""
SPACING_S = 0.2
"""Between two calls while tasks run: each costs two calls of the driver, as every server reads what is new. The ends of
tasks, which are recorded together, do not wait for it, and take along what does."""
MAX_DELAY_S = 2 * SPACING_S
"""From a change of a task until its event is stored, while the database answers."""
CAPPED_SIZE_BYTES = 2 * 1024 * 1024

URGENT = ("cancel", "queue")
"""Kinds that are not held back."""

EventKind = Literal["task", "progress", "cancel", "queue", "start"]


@dataclass(frozen=True, slots=True)
class Event:
    """kind: an EventKind. id: opaque text; finds the event again, but has no order."""

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
        self._publishing = database.batchers.make(self._insert, linger_s=LINGER_S, spacing_s=SPACING_S)

    async def ensure_collection(self) -> None:
        """Create the collection and insert a first event: a tailable cursor on an empty collection ends at once."""
        await self._database.create_capped("events", size_bytes=CAPPED_SIZE_BYTES)
        await self._publishing.submit({"kind": "start", "server": self._server, "data": {}})

    def publish(self, kind: EventKind, data: dict[str, Any], *, prompt: bool = False) -> None:
        """Publish to every server, this one included, in the order of the calls.

        Non-blocking and best effort: events are dropped if the database is unavailable. prompt: within LINGER_S.
        """
        event = {"kind": kind, "server": self._server, "data": data}
        self._publishing.submit_nowait(event, at_once=kind in URGENT, prompt=prompt)

    async def drain(self) -> None:
        """Wait until every published event is written or dropped."""
        await self._publishing.drain()

    async def tail(self) -> AsyncIterator[Event | None]:
        """The stored events, oldest first, then None, then every new event.

        Ends only by cancellation or DatabaseUnavailable.
        """
        async for document in self._database.tail("events"):
            if document is None:
                yield None
            else:
                yield Event(str(document["_id"]), document["kind"], document["server"], document["data"])

    async def _insert(self, events: list[Document]) -> Sequence[None]:
        await self._events.insert_many(events)
        return [None] * len(events)
