"""The live view: what every server says about tasks, in one order, for whoever listens here."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from models import errors
from models.events import Event, Events
from models.tasks import LIVE, Task, from_document

log = logging.getLogger(__name__)

KEPT_EVENTS = 2000
RECONNECT_PAUSE_S = 0.5

Listener = Callable[["News"], None]


@dataclass(frozen=True, slots=True)
class News:
    """One event as listeners get it. task: where it is about one; percent: how far that one is."""

    id: str
    kind: str
    task: Task | None
    percent: int


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
        self._follow: asyncio.Task[None] | None = None

    async def __aenter__(self) -> LiveView:
        await self._events.prepare()
        self._follow = asyncio.create_task(self._follow_events())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._follow:
            self._follow.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._follow

    @property
    def listeners(self) -> int:
        return len(self._listeners)

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
        """How far a task is, 0 to 100."""
        return self._percents.get(task.id, 100 if task.result_id is not None else 0)

    async def _follow_events(self) -> None:
        while True:
            try:
                async for event in self._events.news():
                    self._tell(self._read(event))
            except errors.DatabaseUnavailable:
                log.warning("events: the database does not answer; following again shortly")
            self._tell(News("", "reset", None, 0))
            await asyncio.sleep(RECONNECT_PAUSE_S)

    def _read(self, event: Event) -> News:
        if event.kind == "progress":
            number = event.data["id"]
            self._percents[number] = max(event.data["percent"], self._percents.get(number, 0))
            return News(event.id, event.kind, self._running.get(number), self._percents[number])
        task = from_document(event.data) if "_id" in event.data else None
        if task is not None:
            self._note(task)
        return News(event.id, event.kind, task, self.percent(task) if task else 0)

    def _note(self, task: Task) -> None:
        if task.state not in LIVE:
            self._running.pop(task.id, None)
            self._percents.pop(task.id, None)
        elif task.started is not None and task.server is not None:
            self._running[task.id] = task
            self._percents[task.id] = 0

    def _tell(self, news: News) -> None:
        if news.id:
            self._recent.append(news)
        for listener in list(self._listeners):
            try:
                listener(news)
            except Exception:
                log.exception("events: a listener failed and is dropped")
                self._listeners.discard(listener)
