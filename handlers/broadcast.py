"""Broadcasts task events to the subscribers of this server as server-sent events.

Events within FLUSH_INTERVAL_S are sent together. A text is built once for all subscribers who may read the same, so
that each subscriber costs one write. A subscriber that does not read is disconnected; after reconnecting it gets
`reset`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from handlers.schemas.events import PositionEvent, QueueEvent, ResetEvent, sse_event
from handlers.schemas.tasks import Audience, TaskTotals, task_schema
from models import errors
from models.bucket import Bucket
from processing.background import background
from processing.queue.event_feed import EventFeed, TaskEvent
from processing.queue.snapshot import Position, QueueSnapshot
from processing.queue.status import REFRESH_S
from processing.queue.task_queue import TaskQueue

log = logging.getLogger(__name__)

FLUSH_INTERVAL_S = 0.05
HEARTBEAT_INTERVAL_S = 30.0
"""Half of the usual read timeout of proxies."""
HEARTBEAT = b":\n\n"
MAX_CONNECTION_AGE_S = 600.0
"""Of signed-in subscribers: they reconnect, and a session that has ended is noticed."""
UNREAD_LIMIT_BYTES = 128 * 1024
UNREAD_LIMIT_S = 20.0
YIELD_EVERY = 100
"""Writes before other tasks of the event loop may run."""
RECONNECT_DELAY_MS = 2000
RECONNECT = f"retry: {RECONNECT_DELAY_MS}\n".encode()
"""Part of the first event: some clients take a block without data for an event."""


@dataclass(eq=False, slots=True)
class Subscriber:
    """One connection. write: its future is done when the kernel has the bytes. close: ends the connection."""

    audience: Audience
    write: Callable[[bytes], asyncio.Future[None]]
    close: Callable[[], None]
    connected_at: float = field(default_factory=time.monotonic)
    written_at: float = 0.0
    unread_bytes: int = 0
    unread_since: float = 0.0
    sent_positions: dict[int, int] = field(default_factory=dict)

    def send(self, text: bytes) -> None:
        """Write, or close a connection whose client does not read."""
        now = time.monotonic()
        too_much = self.unread_bytes + len(text) > UNREAD_LIMIT_BYTES
        if self.unread_bytes and (too_much or now - self.unread_since > UNREAD_LIMIT_S):
            self.close()
            return
        if not self.unread_bytes:
            self.unread_since = now
        self.unread_bytes += len(text)
        self.written_at = now
        self.write(text).add_done_callback(lambda future: self._on_written(future, len(text)))

    def _on_written(self, future: asyncio.Future[None], size: int) -> None:
        self.unread_bytes -= size
        self.unread_since = time.monotonic()
        if not future.cancelled() and future.exception() is not None:
            self.close()


class EventBroadcaster:
    """`async with` starts and stops it."""

    def __init__(self, event_feed: EventFeed, queue: TaskQueue, bucket: Bucket) -> None:
        self._feed, self._queue, self._bucket = event_feed, queue, bucket
        self._subscribers: set[Subscriber] = set()
        self._events: list[TaskEvent] = []
        self._has_events = asyncio.Event()
        self._queue_changed = asyncio.Event()
        self._sent_queue_event = b""
        self._running = contextlib.AsyncExitStack()

    async def __aenter__(self) -> EventBroadcaster:
        self._running.callback(self.close)
        loops = (self._send_events(), self._send_queue_updates(), self._send_heartbeats())
        await self._running.enter_async_context(background(*(self._guard(loop) for loop in loops)))
        self._running.callback(self._feed.subscribe(self._on_event))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.aclose()

    def close(self) -> None:
        """Disconnect all subscribers; they reconnect, perhaps to another server."""
        for subscriber in list(self._subscribers):
            subscriber.close()

    @property
    def subscriber_count(self) -> int:
        return len(self._subscribers)

    async def add(self, subscriber: Subscriber, last_event_id: str | None) -> None:
        """Send the events after `last_event_id`, or `reset` where they are unknown, and then every new event."""
        missed = self._feed.since(last_event_id) if last_event_id else None
        if missed is None:
            text = sse_event("reset", ResetEvent(), self._feed.last_id)
        else:
            text = b"".join(self.event_text(event, subscriber.audience) for event in _latest(missed))
        self._subscribers.add(subscriber)
        subscriber.send(RECONNECT + (text or HEARTBEAT))
        with contextlib.suppress(errors.DatabaseUnavailable):
            snapshot = await self._queue.status.snapshot()
            user = subscriber.audience.user
            update = QueueUpdate(self._queue_event(snapshot), snapshot.positions_of({user.id} if user else ()))
            subscriber.send(update.text_for(subscriber))

    def remove(self, subscriber: Subscriber) -> None:
        self._subscribers.discard(subscriber)

    async def send_all(self, text_for: Callable[[Subscriber], bytes]) -> None:
        """Send each subscriber its text; none where that is empty."""
        for count, subscriber in enumerate(list(self._subscribers), 1):
            text = text_for(subscriber)
            if text and subscriber in self._subscribers:
                subscriber.send(text)
            if count % YIELD_EVERY == 0:
                await asyncio.sleep(0)  # pragma: no cover - more than 100 subscribers: in a drill

    async def send_heartbeats(self, now: float) -> None:
        """A comment for every connection without a write for HEARTBEAT_INTERVAL_S. now: of time.monotonic()."""
        for subscriber in list(self._subscribers):
            if subscriber.audience.user and now - subscriber.connected_at > MAX_CONNECTION_AGE_S:
                subscriber.close()  # pragma: no cover - after ten minutes
        await self.send_all(lambda each: HEARTBEAT if now - each.written_at > HEARTBEAT_INTERVAL_S else b"")

    def event_text(self, event: TaskEvent, audience: Audience) -> bytes:
        """What this audience may read of an event."""
        if event.task is None:
            return sse_event("reset", ResetEvent(), event.id) if event.kind == "reset" else b""
        bucket = self._bucket.for_host(audience.host)
        return sse_event("task", task_schema(event.task, event.percent, None, audience, bucket, listed=True), event.id)

    # --- loops ------------------------------------------------------------------------------------------------------

    def _on_event(self, event: TaskEvent) -> None:
        if event.kind in ("task", "reset", "progress") and (self._subscribers or self._events):
            self._events.append(event)
            self._has_events.set()
        if event.kind in ("task", "queue", "reset"):
            self._queue_changed.set()

    async def _send_events(self) -> None:
        while True:
            await self._has_events.wait()
            self._has_events.clear()
            events, self._events = _latest(self._events), []
            await self.send_all(_EventBatch(self, events).text_for)
            await asyncio.sleep(FLUSH_INTERVAL_S)

    async def _send_queue_updates(self) -> None:
        """Send totals and positions after the queue has changed."""
        while True:
            await self._queue_changed.wait()
            await asyncio.sleep(REFRESH_S)
            self._queue_changed.clear()
            if not self._subscribers:
                continue
            try:
                snapshot = await self._queue.status.snapshot()
            except errors.DatabaseUnavailable:  # pragma: no cover - the database becomes unavailable between two reads
                continue
            if self._queue.status.dirty:  # the snapshot was taken before the change
                self._queue_changed.set()
            users = {subscriber.audience.user.id for subscriber in self._subscribers if subscriber.audience.user}
            event = self._queue_event(snapshot)
            changed, self._sent_queue_event = event != self._sent_queue_event, event
            await self.send_all(QueueUpdate(event if changed else b"", snapshot.positions_of(users)).text_for)

    async def _send_heartbeats(self) -> None:
        while True:
            await asyncio.sleep(1)
            await self.send_heartbeats(time.monotonic())

    async def _guard(self, loop: Awaitable[None]) -> None:
        try:
            await loop
        except Exception:  # pragma: no cover - a bug of ours
            log.exception("broadcast: sending events failed")
            self.close()

    def _queue_event(self, snapshot: QueueSnapshot) -> bytes:
        return sse_event("queue", QueueEvent(paused=self._queue.paused, totals=TaskTotals(**snapshot.totals)))


class QueueUpdate:
    """One update of the queue. queue_event: for all, may be empty. positions: of queued tasks, by owner id."""

    def __init__(self, queue_event: bytes, positions: dict[int, list[tuple[int, Position]]]) -> None:
        self._queue_event, self._positions = queue_event, positions

    def text_for(self, subscriber: Subscriber) -> bytes:
        """The queue event, and the positions of the user's own tasks that differ from those sent before."""
        user = subscriber.audience.user
        own = self._positions.get(user.id, []) if user else []
        sent, subscriber.sent_positions = (
            subscriber.sent_positions,
            {task_id: position.number for task_id, position in own},
        )
        return self._queue_event + b"".join(
            sse_event("task", PositionEvent(id=task_id, position=position.number, estimate_s=position.wait_s))
            for task_id, position in own
            if sent.get(task_id) != position.number
        )


class _EventBatch:
    """Events that are sent together. Each text is built once for each audience."""

    def __init__(self, broadcaster: EventBroadcaster, events: list[TaskEvent]) -> None:
        self._broadcaster, self._events = broadcaster, events
        self._owner_ids = {event.task.owner.id for event in events if event.task is not None}
        self._texts: dict[Audience, bytes] = {}

    def text_for(self, subscriber: Subscriber) -> bytes:
        user = subscriber.audience.user
        if user is not None and user.id in self._owner_ids:
            return self._text(subscriber.audience)
        audience = subscriber.audience.common
        if audience not in self._texts:
            self._texts[audience] = self._text(audience)
        return self._texts[audience]

    def _text(self, audience: Audience) -> bytes:
        return b"".join(self._broadcaster.event_text(event, audience) for event in self._events)


def _latest(events: list[TaskEvent]) -> list[TaskEvent]:
    """The events without all but the last `progress` of each task."""
    latest: dict[object, TaskEvent] = {}
    for event in events:
        key: object = event.id
        if event.task is not None and event.kind == "progress":
            key = ("progress", event.task.id)
        latest.pop(key, None)
        latest[key] = event
    return list(latest.values())
