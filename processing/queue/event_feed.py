"""The event feed: task events of all servers, in one order, for the subscribers on this server."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from models import errors
from models.queue.events import Event, Events
from models.queue.task import ACTIVE, FINAL, Task, TaskState, from_document, to_document
from processing.background import background

log = logging.getLogger(__name__)

MAX_EVENTS = 2000
RECONNECT_DELAY_S = 0.5
START_TIMEOUT_S = 10.0

EventCallback = Callable[["TaskEvent"], None]


@dataclass(frozen=True, slots=True)
class TaskEvent:
    """An event as subscribers get it. task: None if it is not about one; percent: of that task.

    kind: those of models.queue.events, and `reset`: events were missed, read the state again. paused: of a `queue`
    event.
    """

    id: str
    kind: str
    task: Task | None = None
    percent: int = 0
    paused: bool = False


def publish_task(events: Events, task: Task) -> None:
    """Publish the present state of a task."""
    events.publish("task", _event_data(task), prompt=task.state in FINAL)


def publish_cancel(events: Events, task: Task) -> None:
    """Ask the server that runs this attempt at the task to stop it."""
    events.publish("cancel", _event_data(task))


def _event_data(task: Task) -> dict[str, object]:
    return {"_id": task.id, **to_document(task), "server": task.server}


@asynccontextmanager
async def follow_events(events: Events) -> AsyncIterator[EventFeed]:
    """A feed that follows the events during the block. Raises TimeoutError if it cannot start within 10 s."""
    feed = EventFeed(events)
    await events.ensure_collection()
    async with background(feed.follow()):
        async with asyncio.timeout(START_TIMEOUT_S):
            await feed.caught_up.wait()
        yield feed
        await events.drain()


class EventFeed:
    """Made by `follow_events`. Callbacks are called on the loop with each event and must not block."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._callbacks: set[EventCallback] = set()
        self._recent: deque[TaskEvent] = deque(maxlen=MAX_EVENTS)
        self._running: dict[int, Task] = {}
        self._attempts: dict[int, int] = {}  # at each of the last MAX_EVENTS tasks, as the latest event about it says
        self._percents: dict[int, int] = {}
        self.caught_up = asyncio.Event()

    @property
    def last_id(self) -> str:
        """The id of the newest event."""
        return self._recent[-1].id if self._recent else ""

    def subscribe(self, callback: EventCallback) -> Callable[[], None]:
        """Call `callback` with every event from now on. Returns a function that ends this."""
        self._callbacks.add(callback)
        return lambda: self._callbacks.discard(callback)

    def since(self, event_id: str) -> list[TaskEvent] | None:
        """The events after this one, oldest first; None if it is not remembered any more."""
        recent = list(self._recent)
        for index, event in enumerate(recent):
            if event.id == event_id:
                return recent[index + 1 :]
        return None

    def percent(self, task: Task) -> int:
        """The progress of a task, 0 to 100. It never falls, even if another server starts the task again."""
        if task.state is TaskState.DONE:
            return 100
        return self._percents.get(task.id, 0)

    async def follow(self) -> None:
        """Follow the events until cancelled; connect again after an outage."""
        while True:
            try:
                await self._follow_once()
            except errors.DatabaseUnavailable:
                log.warning("events: the database does not answer; following again shortly")
            except Exception:  # pragma: no cover - a bug of ours
                log.exception("events: following them failed; following again shortly")
            await asyncio.sleep(RECONNECT_DELAY_S)

    async def _follow_once(self) -> None:
        """Dispatch every event after the last known one; `reset` if that one is gone."""
        last_id, backlog, catching_up = self.last_id, list[Event](), True
        async for event in self._events.tail():
            if event is None:
                catching_up = False
                self._catch_up(last_id, backlog)
            elif catching_up:
                backlog.append(event)
            else:
                self._receive(event)

    def _catch_up(self, last_id: str, backlog: list[Event]) -> None:
        ids = [event.id for event in backlog]
        missed = backlog[ids.index(last_id) + 1 :] if last_id in ids else backlog
        if last_id and last_id not in ids:
            self._recent.clear()  # who resumes after an earlier event has missed some too
            self._dispatch(TaskEvent("", "reset"))
        for event in missed:
            self._receive(event)
        self.caught_up.set()

    def _receive(self, event: Event) -> None:
        task_event = self._to_task_event(event)
        if task_event is not None:
            self._dispatch(task_event)

    def _is_late(self, task: Task) -> bool:
        """Whether this is how a task was queued that has begun since: it may be leased before its request says so."""
        return (
            task.state is TaskState.QUEUED and task.started is None and task.attempts < self._attempts.get(task.id, 0)
        )

    def _to_task_event(self, event: Event) -> TaskEvent | None:
        """None for an event that came too late."""
        if event.kind == "progress":
            task_id = event.data["id"]
            self._percents[task_id] = max(event.data["percent"], self._percents.get(task_id, 0))
            return TaskEvent(event.id, event.kind, self._running.get(task_id), self._percents[task_id])
        if event.kind == "queue":
            return TaskEvent(event.id, event.kind, paused=bool(event.data.get("paused")))
        task = from_document(event.data) if "_id" in event.data else None
        if task is not None and event.kind == "task":
            if self._is_late(task):
                return None
            self._track(task)
        return TaskEvent(event.id, event.kind, task, self.percent(task) if task else 0)

    def _track(self, task: Task) -> None:
        """From an event about its state; one that asks to cancel it may come after its end."""
        self._attempts.pop(task.id, None)
        self._attempts[task.id] = task.attempts
        if len(self._attempts) > MAX_EVENTS:
            del self._attempts[next(iter(self._attempts))]
        if task.state is TaskState.RUNNING:
            self._running[task.id] = task
        else:
            self._running.pop(task.id, None)
        if task.state not in ACTIVE:
            self._percents.pop(task.id, None)

    def _dispatch(self, event: TaskEvent) -> None:
        if event.id:
            self._recent.append(event)
        for callback in list(self._callbacks):
            try:
                callback(event)
            except Exception:
                log.exception("events: a subscriber failed and is removed")
                self._callbacks.discard(callback)
