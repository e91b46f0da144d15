"""Previews: a recipe tried on a small picture while somebody moves a slider. They never wait behind full renders."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from models import errors
from processing import mosaic
from processing.executors import Executors
from processing.mosaic import TilePool
from processing.rendering import Cancelled, render

MAX_MEGAPIXELS = 2.0
TIMEOUT_S = 10.0
WAITING_LIMIT = 24
"""Beyond it a preview is refused: at 20 a second the last one would wait for longer than a slider bears."""
PER_CLIENT_LIMIT = 12
"""Of one address."""
RETRY_AFTER_S = 1


class Previews:
    """Draws what it is asked at once or refuses; nothing is drawn for those who have left."""

    def __init__(
        self, executors: Executors, *, waiting_limit: int = WAITING_LIMIT, per_client_limit: int = PER_CLIENT_LIMIT
    ) -> None:
        self._executors = executors
        self._waiting_limit, self._per_client_limit = waiting_limit, per_client_limit
        self._waiting: Counter[str] = Counter()

    @property
    def waiting(self) -> int:
        """How many have been asked for and are neither drawn nor given up."""
        return self._waiting.total()

    async def render(
        self,
        data: bytes,
        recipe: mosaic.Recipe,
        *,
        client: str,
        cancelled: threading.Event,
        pool: Callable[[], Awaitable[TilePool | None]] | None = None,
    ) -> mosaic.Result:
        """The mosaic of a small picture. left: set when nobody wants it any more. pool: finds the tiles of a
        photomosaic, once there is room to draw it; what it raises passes.

        Raises TooManyRequests, NotAPicture, TooManyPixels, RecipeImpossible, TimedOut; Stopped where `left` is set.
        """
        if self.waiting >= self._waiting_limit or self._waiting[client] >= self._per_client_limit:
            raise errors.TooManyRequests(retry_after_s=RETRY_AFTER_S)
        self._waiting[client] += 1
        try:
            tiles = None if pool is None else await pool()
            return await self._executors.preview(_render, data, recipe, tiles, cancelled)
        finally:
            self._waiting -= Counter({client: 1})  # forgets an address that has nothing left


def scaled(recipe: mosaic.Recipe, scale: float) -> mosaic.Recipe:
    """The recipe that makes a small picture look like the large one would.

    scale: width of the small picture / width of the large one, above 0, at most 1. Whatever counts pixels shrinks with
    the picture, within its range; what is None is chosen from the picture anyway.
    """
    values = recipe.to_dict()
    style = next(description for description in mosaic.describe() if description["name"] == recipe.style)
    for parameter in style["params"]:
        value = values[parameter["name"]]
        if parameter.get("unit") == "px" and value is not None:
            scaled_value = value * scale if parameter["type"] == "number" else round(value * scale)
            values[parameter["name"]] = min(max(scaled_value, parameter["minimum"]), parameter["maximum"])
    return mosaic.parse(values)


def _render(data: bytes, recipe: mosaic.Recipe, pool: TilePool | None, cancelled: threading.Event) -> mosaic.Result:
    deadline = time.monotonic() + TIMEOUT_S

    def check(_: float) -> None:
        if cancelled.is_set():
            raise Cancelled()
        if time.monotonic() > deadline:
            raise errors.TimedOut(limit_s=int(TIMEOUT_S))

    check(0.0)
    return render(data, recipe.to_dict(), check, max_megapixels=MAX_MEGAPIXELS, pool=pool)
