"""Group commit: what is asked while one call is under way travels together in the next one.

A call that comes alone leaves at once; under load the database sees a few large calls instead of many small ones.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from models import errors

log = logging.getLogger(__name__)

Item = TypeVar("Item")
Answer = TypeVar("Answer")

LARGEST = 256


class Batch(Generic[Item, Answer]):
    """deliver: takes items in the order in which they came, and gives one answer for each."""

    def __init__(self, deliver: Callable[[list[Item]], Awaitable[Sequence[Answer]]]) -> None:
        self._deliver = deliver
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._delivery: asyncio.Task[None] | None = None

    async def send(self, item: Item) -> Answer:
        """The answer to this item. Raises what `deliver` raises for it, or for all when the database is away."""
        return await self._enter(item)

    def post(self, item: Item) -> None:
        """Send without waiting: for news, which may be lost when the database does not answer."""
        self._enter(item).add_done_callback(_forget)

    async def drain(self) -> None:
        """Wait until nothing is under way."""
        while self._delivery is not None:
            await asyncio.wait([self._delivery])

    def _enter(self, item: Item) -> asyncio.Future[Answer]:
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._delivery is None:
            self._delivery = asyncio.create_task(self._deliver_all())
        return future

    async def _deliver_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:LARGEST], self._waiting[LARGEST:]
                await self._deliver_batch(batch)
        finally:
            self._delivery = None

    def _fail(self, batch: list[tuple[Item, asyncio.Future[Answer]]], error: Exception) -> None:
        for _, future in batch:
            if not future.done():
                future.set_exception(error)

    async def _deliver_batch(self, batch: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        """A mistake in one item is not the others': then each travels alone.

        Who waits behind a call that the database did not answer has waited long enough, and hears the same.
        """
        try:
            answers = await self._deliver([item for item, _ in batch])
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, errors.DatabaseUnavailable):
                for each in batch:
                    await self._deliver_batch([each])
                return
            self._fail(batch, error)
            if isinstance(error, errors.DatabaseUnavailable):
                behind, self._waiting = self._waiting, []
                self._fail(behind, error)
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(answer)


def _forget(future: asyncio.Future[Answer]) -> None:
    if future.cancelled():
        return
    error = future.exception()
    if error is not None and not isinstance(error, errors.DatabaseUnavailable):
        log.error("news could not be told", exc_info=error)
