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
from models.queue.tasks import LIVE, Task, TaskState, from_document

log = logging.getLogger(__name__)

KEPT_EVENTS = 2000
RECONNECT_PAUSE_S = 0.5
START_TIMEOUT_S = 10.0

Listener = Callable[["News"], None]


@dataclass(frozen=True, slots=True)
class News:
    """One event as listeners get it. task: where it is about one; percent: how far that one is.

    kind: those of events, and `reset`: something was missed, ask again. paused: of a `queue` event.
    """

    id: str
    kind: str
    task: Task | None = None
    percent: int = 0
    paused: bool = False


class LiveView:
    """Follows the events of all servers. `async with` starts and stops it.

    A listener is called on the loop with each event and must not block.
    """

    def __init__(self, events: Events) -> None:
        self._events = events
        self._listeners: set[Listener] = set()
        self._recent: deque[News] = deque(maxlen=KEPT_EVENTS)
        self._running: dict[int, Task] = {}
        self._percents: dict[int, int] = {}
        self._caught_up = asyncio.Event()
        self._follow: asyncio.Task[None] | None = None

    async def __aenter__(self) -> LiveView:
        await self._events.prepare()
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

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every event from now on; returns what ends that."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def since(self, event_id: str) -> list[News] | None:
        """What came after an event, oldest first; None if that is not known any more."""
        recent = list(self._recent)
        for place, news in enumerate(recent):
            if news.id == event_id:
                return recent[place + 1 :]
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
            await asyncio.sleep(RECONNECT_PAUSE_S)

    async def _follow_once(self) -> None:
        """Tell every event that came after the last one that we know; where that one is forgotten, tell `reset`."""
        last, remembered, behind = self.last_id, list[Event](), True
        async for event in self._events.news():
            if event is None:
                behind = False
                self._catch_up(last, remembered)
            elif behind:
                remembered.append(event)
            else:
                self._tell(self._read(event))

    def _catch_up(self, last: str, remembered: list[Event]) -> None:
        ids = [event.id for event in remembered]
        fresh = remembered[ids.index(last) + 1 :] if last in ids else remembered
        if last and last not in ids:
            self._tell(News("", "reset"))
        for event in fresh:
            self._tell(self._read(event))
        self._caught_up.set()

    def _read(self, event: Event) -> News:
        if event.kind == "progress":
            number = event.data["id"]
            self._percents[number] = max(event.data["percent"], self._percents.get(number, 0))
            return News(event.id, event.kind, self._running.get(number), self._percents[number])
        if event.kind == "queue":
            return News(event.id, event.kind, paused=bool(event.data.get("paused")))
        task = from_document(event.data) if "_id" in event.data else None
        if task is not None:
            self._note(task)
        return News(event.id, event.kind, task, self.percent(task) if task else 0)

    def _note(self, task: Task) -> None:
        if task.state is TaskState.RUNNING:
            self._running[task.id] = task
        else:
            self._running.pop(task.id, None)
        if task.state not in LIVE:
            self._percents.pop(task.id, None)

    def _tell(self, news: News) -> None:
        if news.id:
            self._recent.append(news)
        for listener in list(self._listeners):
            try:
                listener(news)
            except Exception:
                log.exception("events: a listener failed and is dropped")
                self._listeners.discard(listener)
