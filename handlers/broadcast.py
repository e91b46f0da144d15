"""The broadcast: what happens to tasks, as text, to everybody who listens here.

What happens within TICK_S is told together; a text is made once for all who may read the same, and each listener costs
one write. A listener that does not read is dropped: it will be told `reset` when it comes back.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from handlers.auth import AuthenticatedUser
from handlers.task_documents import Viewer, place_document, task_document
from models import errors
from models.bucket import Bucket
from processing.queue.event_feed import EventFeed, TaskEvent
from processing.queue.snapshot import Position, QueueSnapshot
from processing.queue.status import REFRESH_S
from processing.queue.task_queue import TaskQueue

log = logging.getLogger(__name__)

FLUSH_INTERVAL_S = 0.05
HEARTBEAT_S = 30.0
"""Half of what proxies wait for a word by default."""
MAX_CONNECTION_AGE_S = 600.0
"""A signed-in listener is asked to come back after this long, so that an ended session is noticed."""
HEARTBEAT = b":\n\n"
UNREAD_BYTES = 128 * 1024
UNREAD_S = 20.0
YIELD_EVERY = 100
"""So many listeners are written to before the loop may do something else."""
DEVELOPERS_SEE = 100
RETRY_MS = 2000

PlacesByOwner = dict[int, list[tuple[int, Position]]]


@dataclass(eq=False, slots=True)
class Subscriber:
    """One connection. write: hands bytes to it; its future ends when the kernel has them. beat: keeps the line alive at
    next to no cost, where nothing waits to be written. end: ends it."""

    reader: Viewer
    write: Callable[[bytes], asyncio.Future[None]]
    heartbeat: Callable[[], None]
    close: Callable[[], None]
    connected_at: float = field(default_factory=time.monotonic)
    sent_at: float = 0.0
    unread_bytes: int = 0
    unread_since: float = 0.0
    sent_positions: dict[int, int] = field(default_factory=dict)

    @property
    def audience(self) -> tuple[bool, errors.Language]:
        """Listeners of one audience read the same of tasks that are not their own."""
        person = self.reader.user
        return person is not None and person.developer, self.reader.language

    def send(self, text: bytes) -> None:
        now = time.monotonic()
        if self.unread_bytes and (self.unread_bytes + len(text) > UNREAD_BYTES or now - self.unread_since > UNREAD_S):
            self.close()
            return
        if not self.unread_bytes:
            self.unread_since = now
        self.unread_bytes += len(text)
        self.sent_at = now
        self.write(text).add_done_callback(lambda done: self._read(done, len(text)))

    def keep_alive(self, now: float) -> None:
        if self.unread_bytes:
            self.send(HEARTBEAT)
        else:
            self.sent_at = now
            self.heartbeat()

    def _read(self, done: asyncio.Future[None], size: int) -> None:
        self.unread_bytes -= size
        self.unread_since = time.monotonic()
        if not done.cancelled() and done.exception() is not None:
            self.close()


class EventBroadcaster:
    """`async with` starts and stops it."""

    def __init__(self, live: EventFeed, queue: TaskQueue, bucket: Bucket) -> None:
        self._live, self._queue, self._bucket = live, queue, bucket
        self._subscribers: set[Subscriber] = set()
        self._news: list[TaskEvent] = []
        self._happened = asyncio.Event()
        self._moved = asyncio.Event()
        self._told: bytes = b""
        self._seen = 0
        self._loops: list[asyncio.Task[None]] = []
        self._unlisten: Callable[[], None] = lambda: None

    async def __aenter__(self) -> EventBroadcaster:
        self._unlisten = self._live.subscribe(self._hear)
        loops = (self._tell_news(), self._tell_places(), self._keep_alive())
        self._loops = [asyncio.create_task(self._guard(loop)) for loop in loops]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._unlisten()
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        self.close()

    def close(self) -> None:
        """End all listeners; they come back, here or elsewhere."""
        for listener in list(self._subscribers):
            listener.close()

    @property
    def subscriber_count(self) -> int:
        return len(self._subscribers)

    async def join(self, listener: Subscriber, last_event_id: str | None) -> None:
        """Tell what came after an event, or `reset` where that is not known; then everything that happens."""
        missed = self._live.since(last_event_id) if last_event_id else None
        text = f"retry: {RETRY_MS}\n\n".encode()
        if missed is None:
            text += _event("reset", {}, self._live.last_id)
        else:
            text += b"".join(self._item(news, None, listener.reader) for news in _latest(missed))
        self._subscribers.add(listener)
        listener.send(text)
        with contextlib.suppress(errors.DatabaseUnavailable):
            sight = await self._queue.status.snapshot()
            own = sight.positions_of({listener.reader.user.id}) if listener.reader.user else {}
            listener.send(self._queue_event(sight, sight.revision) + self._places(listener, sight, own))

    def leave(self, listener: Subscriber) -> None:
        self._subscribers.discard(listener)

    # --- telling ----------------------------------------------------------------------------------------------------

    def _hear(self, news: TaskEvent) -> None:
        if news.kind in ("task", "reset", "progress") and (self._subscribers or self._news):
            self._news.append(news)
            self._happened.set()
        if news.kind in ("task", "queue", "reset"):
            self._moved.set()

    async def _tell_news(self) -> None:
        while True:
            await self._happened.wait()
            self._happened.clear()
            news, self._news = _latest(self._news), []
            await self._send_all(_Round(self, news).text)
            await asyncio.sleep(FLUSH_INTERVAL_S)

    async def _tell_places(self) -> None:
        """Totals and positions, when tasks have moved."""
        while True:
            await self._moved.wait()
            await asyncio.sleep(REFRESH_S)
            self._moved.clear()
            if not self._subscribers:
                continue
            try:
                sight = await self._queue.status.snapshot()
            except errors.DatabaseUnavailable:
                continue
            if self._queue.status.dirty:  # a look that was made just before this: there is more to tell
                self._moved.set()
            queue, owners = self._queue_event(sight, self._seen), sight.positions_of(self._people())
            fresh, self._told, self._seen = queue if queue != self._told else b"", queue, sight.revision
            await self._send_all(partial(self._standing, fresh, sight, owners))

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(1)
            now = time.monotonic()
            for listener in [
                one for one in self._subscribers if one.reader.user and now - one.connected_at > MAX_CONNECTION_AGE_S
            ]:
                listener.close()
            quiet = [one for one in self._subscribers if now - one.sent_at > HEARTBEAT_S]
            for count, listener in enumerate(quiet, 1):
                listener.keep_alive(now)
                if count % YIELD_EVERY == 0:
                    await asyncio.sleep(0)

    async def _send_all(self, text_for: Callable[[Subscriber], bytes], to: Iterable[Subscriber] | None = None) -> None:
        for count, listener in enumerate(list(self._subscribers if to is None else to), 1):
            text = text_for(listener)
            if text and listener in self._subscribers:
                listener.send(text)
            if count % YIELD_EVERY == 0:
                await asyncio.sleep(0)

    async def _guard(self, loop: Awaitable[None]) -> None:
        try:
            await loop
        except Exception:
            log.exception("broadcast: telling failed")
            self.close()

    # --- texts ------------------------------------------------------------------------------------------------------

    def _item(self, news: TaskEvent, place: Position | None, reader: Viewer) -> bytes:
        if news.task is None:
            return _event("reset", {}, news.id) if news.kind == "reset" else b""
        return _event("task", task_document(news.task, news.percent, place, reader, self._bucket), news.id)

    def _people(self) -> set[int]:
        return {listener.reader.user.id for listener in self._subscribers if listener.reader.user}

    def _queue_event(self, sight: QueueSnapshot, since: int) -> bytes:
        """since: the look that was told last; how positions have moved from there."""
        moves = [(move.revision, move.removed, move.inserted) for move in self._queue.status.changes_since(since)]
        told = {"paused": self._queue.paused, "totals": sight.totals, "sight": sight.revision, "moves": moves}
        return _event("queue", told)

    def _standing(self, queue: bytes, sight: QueueSnapshot, owners: PlacesByOwner, listener: Subscriber) -> bytes:
        return queue + self._places(listener, sight, owners)

    def _places(self, listener: Subscriber, sight: QueueSnapshot, owners: PlacesByOwner) -> bytes:
        """Waiting tasks of this person (of a developer: the first ones of all) whose position is not the told one."""
        person = listener.reader.user
        if person is None:
            return b""
        own = owners.get(person.id, [])
        seen = {task_id: (place, True) for task_id, place in own}
        if person.developer:
            first = ((task_id, sight.position_at(position)) for position, task_id in enumerate(sight.ids[:DEVELOPERS_SEE], 1))
            seen = {task_id: (place, False) for task_id, place in first} | seen
        told, listener.sent_positions = (
            listener.sent_positions,
            {one: place.number for one, (place, _) in seen.items()},
        )
        return b"".join(
            _event("task", place_document(task_id, place, mine=mine))
            for task_id, (place, mine) in seen.items()
            if told.get(task_id) != place.number
        )


class _Round:
    """One round of news: each text is made once for each audience."""

    def __init__(self, broadcast: EventBroadcaster, news: list[TaskEvent]) -> None:
        self._broadcast, self._news = broadcast, news
        self._owners = {item.task.owner.id for item in news if item.task is not None}
        self._common: dict[tuple[bool, errors.Language], bytes] = {}

    def text(self, listener: Subscriber) -> bytes:
        person = listener.reader.user
        if person is not None and person.id in self._owners:
            return self._write(listener.reader)
        audience = listener.audience
        if audience not in self._common:
            developer = AuthenticatedUser(-1, "", True) if audience[0] else None
            self._common[audience] = self._write(Viewer(developer, audience[1]))
        return self._common[audience]

    def _write(self, reader: Viewer) -> bytes:
        return b"".join(self._broadcast._item(item, None, reader) for item in self._news)


def _latest(news: list[TaskEvent]) -> list[TaskEvent]:
    """Of the reports of one task's progress in a row the last one."""
    kept: dict[object, TaskEvent] = {}
    for item in news:
        key: object = item.id
        if item.task is not None and item.kind == "progress":
            key = ("progress", item.task.id)
        kept.pop(key, None)
        kept[key] = item
    return list(kept.values())


def _event(kind: str, data: dict[str, object], event_id: str = "") -> bytes:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    number = f"id: {event_id}\n" if event_id else ""
    return f"{number}event: {kind}\ndata: {text}\n\n".encode()
