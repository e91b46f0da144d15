"""Previews: a recipe tried on a small picture while somebody moves a slider. They never wait behind full renders."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from models import errors
from processing import mosaic
from processing.engine.job import Stopped, render
from processing.engine.threads import Threads
from processing.mosaic import Pool

MEGAPIXELS = 2.0
TIMEOUT_S = 10.0
WAITING_LIMIT = 24
"""Beyond it a preview is refused: at 20 a second the last one would wait for longer than a slider bears."""
EACH_LIMIT = 12
"""Of one address."""
RETRY_S = 1


class Previews:
    """Draws what it is asked at once or refuses; nothing is drawn for those who have left."""

    def __init__(self, threads: Threads, *, waiting_limit: int = WAITING_LIMIT, each_limit: int = EACH_LIMIT) -> None:
        self._threads = threads
        self._waiting_limit, self._each_limit = waiting_limit, each_limit
        self._waiting: Counter[str] = Counter()

    @property
    def waiting(self) -> int:
        """How many have been asked for and are neither drawn nor given up."""
        return self._waiting.total()

    async def draw(
        self,
        data: bytes,
        recipe: mosaic.Recipe,
        *,
        address: str,
        left: threading.Event,
        pool: Callable[[], Awaitable[Pool | None]] | None = None,
    ) -> mosaic.Result:
        """The mosaic of a small picture. left: set when nobody wants it any more. pool: finds the tiles of a
        photomosaic, once there is room to draw it; what it raises passes.

        Raises TooManyRequests, NotAPicture, TooManyPixels, RecipeImpossible, TimedOut; Stopped where `left` is set.
        """
        if self.waiting >= self._waiting_limit or self._waiting[address] >= self._each_limit:
            raise errors.TooManyRequests(retry_after_s=RETRY_S)
        self._waiting[address] += 1
        try:
            tiles = None if pool is None else await pool()
            return await self._threads.preview(_draw, data, recipe, tiles, left)
        finally:
            self._waiting -= Counter({address: 1})  # forgets an address that has nothing left


def scaled(recipe: mosaic.Recipe, scale: float) -> mosaic.Recipe:
    """The recipe that makes a small picture look like the large one would.

    scale: width of the small picture / width of the large one, above 0, at most 1. Whatever counts pixels shrinks with
    the picture, within its range; what is None is chosen from the picture anyway.
    """
    plain = recipe.plain()
    style = next(known for known in mosaic.describe() if known["name"] == recipe.style)
    for parameter in style["params"]:
        value = plain[parameter["name"]]
        if parameter.get("unit") == "px" and value is not None:
            small = value * scale if parameter["type"] == "number" else round(value * scale)
            plain[parameter["name"]] = min(max(small, parameter["minimum"]), parameter["maximum"])
    return mosaic.parse(plain)


def _draw(data: bytes, recipe: mosaic.Recipe, pool: Pool | None, left: threading.Event) -> mosaic.Result:
    deadline = time.monotonic() + TIMEOUT_S

    def check(_: float) -> None:
        if left.is_set():
            raise Stopped()
        if time.monotonic() > deadline:
            raise errors.TimedOut(limit_s=int(TIMEOUT_S))

    check(0.0)
    return render(data, recipe.plain(), check, max_megapixels=MEGAPIXELS, pool=pool)
