"""Request coalescing: items submitted while a call is running are sent together in the next call.

A single item is sent at once, unless nobody waits for it or it is patient; under load the database gets a few large
calls instead of many small ones.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from models import errors

log = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_BATCH = 256


class Batcher(Generic[Item, Result]):
    """deliver: takes a list of items in order of submission and returns one result for each.

    linger_s: how long an item for which nobody waits is held back, so that others come with it.
    spacing_s: how long after the call before; a stream of such items, or of patient ones, then needs few calls.
    """

    def __init__(
        self,
        deliver: Callable[[list[Item]], Awaitable[Sequence[Result]]],
        *,
        linger_s: float = 0.0,
        spacing_s: float = 0.0,
    ) -> None:
        self._deliver, self._linger_s, self._spacing_s = deliver, linger_s, spacing_s
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._is_due = self._is_prompt = False
        self._delivered_at = float("-inf")
        self._delivery: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def submit(self, item: Item, *, patient: bool = False) -> Result:
        """The result for this item. Raises what `deliver` raises for it, or DatabaseUnavailable for all items.

        patient: it may be sent spacing_s after the call before, together with others.
        """
        future = self._enqueue(item)
        if patient:
            self._start_timer()
        else:
            self._start_delivery()
        return await future

    def submit_nowait(self, item: Item, *, at_once: bool = False, prompt: bool = False) -> None:
        """Submit without waiting for the result; the item is dropped if the database is unavailable.

        at_once: do not hold it back, nor those before it. prompt: hold them back for linger_s at most.
        """
        self._enqueue(item).add_done_callback(_log_failure)
        self._is_prompt |= prompt
        if at_once or not self._linger_s:
            self._start_delivery()
        else:
            self._start_timer()

    async def drain(self) -> None:
        """Wait until no item is waiting or being sent, also if nobody waits for its result any more."""
        self._start_delivery()
        while self._delivery is not None:
            await asyncio.wait([self._delivery])
            self._start_delivery()

    def _enqueue(self, item: Item) -> asyncio.Future[Result]:
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        return future

    def _start_timer(self) -> None:
        """What is submitted during a call waits for its end, and the timer is started then."""
        if self._delivery is not None:
            return
        loop = asyncio.get_running_loop()
        due_at = loop.time() + self._linger_s
        if not self._is_prompt:
            due_at = max(due_at, self._delivered_at + self._spacing_s)
        if self._timer is not None:
            if self._timer.when() <= due_at:
                return
            self._timer.cancel()
        self._timer = loop.call_at(due_at, self._start_delivery)

    def _start_delivery(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._is_due = bool(self._waiting)
        if self._delivery is None and self._is_due:
            self._delivery = asyncio.create_task(self._deliver_all())

    async def _deliver_all(self) -> None:
        """Until only items wait that are held back."""
        try:
            while self._waiting and self._is_due:
                batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
                self._is_due = bool(self._waiting)
                self._is_prompt = False
                await self._deliver_batch(batch)
                self._delivered_at = asyncio.get_running_loop().time()
        finally:
            self._delivery = None
        if self._waiting:
            self._start_timer()

    def _fail(self, batch: list[tuple[Item, asyncio.Future[Result]]], error: Exception) -> None:
        for _, future in batch:
            if not future.done():
                future.set_exception(error)

    async def _deliver_batch(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        """If an item makes the batch fail, each item is sent alone, so that the others succeed.

        If the database is unavailable, the items waiting behind this batch fail too: they have waited long enough.
        """
        try:
            results = await self._deliver([item for item, _ in batch])
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, errors.DatabaseUnavailable):
                for entry in batch:
                    await self._deliver_batch([entry])
                return
            self._fail(batch, error)
            if isinstance(error, errors.DatabaseUnavailable):
                waiting, self._waiting = self._waiting, []
                self._fail(waiting, error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)


class Batchers:
    """Makes the batchers of one database, which closes after the last of their calls."""

    def __init__(self) -> None:
        self._batchers: list[Batcher[Any, Any]] = []

    def make(
        self,
        deliver: Callable[[list[Item]], Awaitable[Sequence[Result]]],
        *,
        linger_s: float = 0.0,
        spacing_s: float = 0.0,
    ) -> Batcher[Item, Result]:
        """As the constructor of Batcher."""
        batcher = Batcher(deliver, linger_s=linger_s, spacing_s=spacing_s)
        self._batchers.append(batcher)
        return batcher

    async def drain(self) -> None:
        """Wait until none of them has an item."""
        await asyncio.gather(*(batcher.drain() for batcher in self._batchers))


def _log_failure(future: asyncio.Future[Result]) -> None:
    if future.cancelled():  # pragma: no cover - the server stops while an event is sent
        return
    error = future.exception()
    if error is not None and not isinstance(error, errors.DatabaseUnavailable):
        log.error("batcher: an item was dropped", exc_info=error)
