"""The live view: what every server says about tasks, in one order, for whoever listens here."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from models import errors
from models.queue.events import Event, Events
from models.queue.tasks import ACTIVE, Task, TaskState, from_document

log = logging.getLogger(__name__)

MAX_EVENTS = 2000
RECONNECT_DELAY_S = 0.5
START_TIMEOUT_S = 10.0

EventCallback = Callable[["TaskEvent"], None]


@dataclass(frozen=True, slots=True)
class TaskEvent:
    """One event as listeners get it. task: where it is about one; percent: how far that one is.

    kind: those of events, and `reset`: something was missed, ask again. paused: of a `queue` event.
    """

    id: str
    kind: str
    task: Task | None = None
    percent: int = 0
    paused: bool = False


class EventFeed:
    """Follows the events of all servers. `async with` starts and stops it.

    A listener is called on the loop with each event and must not block.
    """

    def __init__(self, events: Events) -> None:
        self._events = events
        self._callbacks: set[EventCallback] = set()
        self._recent: deque[TaskEvent] = deque(maxlen=MAX_EVENTS)
        self._running: dict[int, Task] = {}
        self._percents: dict[int, int] = {}
        self._caught_up = asyncio.Event()
        self._follow: asyncio.Task[None] | None = None

    async def __aenter__(self) -> EventFeed:
        await self._events.ensure_collection()
        self._follow = asyncio.create_task(self._follow_events())
        async with asyncio.timeout(START_TIMEOUT_S):
            await self._caught_up.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._events.drain()
        if self._follow:
            self._follow.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._follow

    @property
    def last_id(self) -> str:
        """The id of the newest event."""
        return self._recent[-1].id if self._recent else ""

    def subscribe(self, callback: EventCallback) -> Callable[[], None]:
        """Call `listener` with every event from now on; returns what ends that."""
        self._callbacks.add(callback)
        return lambda: self._callbacks.discard(callback)

    def since(self, event_id: str) -> list[TaskEvent] | None:
        """What came after an event, oldest first; None if that is not known any more."""
        recent = list(self._recent)
        for index, event in enumerate(recent):
            if event.id == event_id:
                return recent[index + 1 :]
        return None

    def percent(self, task: Task) -> int:
        """How far a task is, 0 to 100. It never falls, not even when the task starts again on another server."""
        if task.state is TaskState.DONE:
            return 100
        return self._percents.get(task.id, 0)

    async def _follow_events(self) -> None:
        while True:
            try:
                await self._follow_once()
            except errors.DatabaseUnavailable:
                log.warning("events: the database does not answer; following again shortly")
            except Exception:
                log.exception("events: following them failed; following again shortly")
            await asyncio.sleep(RECONNECT_DELAY_S)

    async def _follow_once(self) -> None:
        """Tell every event that came after the last one that we know; where that one is forgotten, tell `reset`."""
        last, backlog, catching_up = self.last_id, list[Event](), True
        async for event in self._events.tail():
            if event is None:
                catching_up = False
                self._catch_up(last, backlog)
            elif catching_up:
                backlog.append(event)
            else:
                self._dispatch(self._to_task_event(event))

    def _catch_up(self, last: str, backlog: list[Event]) -> None:
        ids = [event.id for event in backlog]
        missed = backlog[ids.index(last) + 1 :] if last in ids else backlog
        if last and last not in ids:
            self._dispatch(TaskEvent("", "reset"))
        for event in missed:
            self._dispatch(self._to_task_event(event))
        self._caught_up.set()

    def _to_task_event(self, event: Event) -> TaskEvent:
        if event.kind == "progress":
            task_id = event.data["id"]
            self._percents[task_id] = max(event.data["percent"], self._percents.get(task_id, 0))
            return TaskEvent(event.id, event.kind, self._running.get(task_id), self._percents[task_id])
        if event.kind == "queue":
            return TaskEvent(event.id, event.kind, paused=bool(event.data.get("paused")))
        task = from_document(event.data) if "_id" in event.data else None
        if task is not None:
            self._track(task)
        return TaskEvent(event.id, event.kind, task, self.percent(task) if task else 0)

    def _track(self, task: Task) -> None:
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
                log.exception("events: a listener failed and is dropped")
                self._callbacks.discard(callback)
