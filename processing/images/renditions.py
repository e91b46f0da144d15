"""Renditions: an image as the server decodes it, for browsers that would decode the file differently or not at all."""

from __future__ import annotations

import threading
import time
from collections import Counter

from models import errors
from processing import mosaic_lazy as mosaic
from processing.executors import Executors
from processing.fair_slots import most_of_client
from processing.images.preview_slots import PreviewSlots
from processing.rendering import Cancelled, translated_errors

TIMEOUT_S = 20.0
WAITING_LIMIT = 8
"""Each holds a whole file in memory."""
PER_CLIENT_LIMIT = 2
RETRY_AFTER_S = 2


class Renditions:
    """Makes renditions at once or refuses them. Nothing is stored."""

    def __init__(self, executors: Executors, slots: PreviewSlots, *, max_megapixels: float) -> None:
        self._executors, self._slots = executors, slots
        self._max_megapixels = max_megapixels
        self._waiting: Counter[str] = Counter()

    def acquire(self, client: str) -> None:
        """Count a request, before its body is read; `release` must follow. Raises TooManyRequests."""
        count = self._waiting.total()
        if count >= WAITING_LIMIT or self._waiting[client] >= most_of_client(count, WAITING_LIMIT, PER_CLIENT_LIMIT):
            raise errors.TooManyRequests(retry_after_s=RETRY_AFTER_S)
        self._waiting[client] += 1

    def release(self, client: str) -> None:
        self._waiting -= Counter({client: 1})  # drops a client at zero

    async def make(
        self, data: bytes, *, max_side: int, format: str, client: str, cancelled: threading.Event
    ) -> mosaic.Rendition:
        """client: the key of its turns. cancelled: set when the result is not wanted any more.

        Raises TooManyRequests, NotAPicture, TooManyPixels, RecipeImpossible, TimedOut; Cancelled if `cancelled` is set.
        """
        async with self._slots.whole(client):
            return await self._executors.preview(_make, data, max_side, format, self._max_megapixels, cancelled)


def _make(
    data: bytes, max_side: int, format: str, max_megapixels: float, cancelled: threading.Event
) -> mosaic.Rendition:
    deadline = time.monotonic() + TIMEOUT_S

    def check(_: float) -> None:
        if cancelled.is_set():
            raise Cancelled()
        if time.monotonic() > deadline:  # pragma: no cover - an image that takes twenty seconds
            raise errors.TimedOut(limit_s=int(TIMEOUT_S))

    with translated_errors():
        return mosaic.normalise(data, max_side=max_side, format=format, megapixels=max_megapixels, progress=check)
