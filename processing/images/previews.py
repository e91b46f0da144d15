"""Previews: recipes rendered on small images while a user moves a slider. They never wait for full renders."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from models import errors
from processing import mosaic
from processing.executors import Executors
from processing.mosaic import TilePool
from processing.rendering import Cancelled, render, translated_errors

MAX_MEGAPIXELS = 2.0
TIMEOUT_S = 30.0
"""Thirty times what the slowest style needs on an idle machine, so that a busy one stops no preview."""
WAITING_LIMIT = 24
"""At 20 previews per second the last of these waits for about a second; more are refused."""
PER_CLIENT_LIMIT = 12
RETRY_AFTER_S = 1


class Previews:
    """Renders previews at once or refuses them; previews of disconnected clients are not rendered."""

    def __init__(
        self, executors: Executors, *, waiting_limit: int = WAITING_LIMIT, per_client_limit: int = PER_CLIENT_LIMIT
    ) -> None:
        self._executors = executors
        self._waiting_limit, self._per_client_limit = waiting_limit, per_client_limit
        self._waiting: Counter[str] = Counter()

    @property
    def waiting(self) -> int:
        """Previews that are waiting or being rendered."""
        return self._waiting.total()

    async def render(
        self,
        data: bytes,
        recipe: mosaic.Recipe,
        *,
        client: str,
        cancelled: threading.Event,
        scale: float = 1.0,
        pool: Callable[[], Awaitable[TilePool | None]] | None = None,
    ) -> mosaic.Result:
        """Render a small image. scale: its width / the width of the image that the recipe is for.

        client: the key of its limit. cancelled: set when the result is not wanted any more.
        pool: called for the tiles of a photomosaic after the limits were checked.

        Raises TooManyRequests, NotAPicture, TooManyPixels, RecipeImpossible, TimedOut; Cancelled if `cancelled` is
        set; what `pool` raises.
        """
        if self.waiting >= self._waiting_limit or self._waiting[client] >= self._per_client_limit:
            raise errors.TooManyRequests(retry_after_s=RETRY_AFTER_S)
        self._waiting[client] += 1
        try:
            tiles = None if pool is None else await pool()
            return await self._executors.preview(_render, data, recipe, scale, tiles, cancelled)
        finally:
            self._waiting -= Counter({client: 1})  # drops a client at zero


def _render(
    data: bytes, recipe: mosaic.Recipe, scale: float, pool: TilePool | None, cancelled: threading.Event
) -> mosaic.Result:
    deadline = time.monotonic() + TIMEOUT_S

    def check(_: float) -> None:
        if cancelled.is_set():
            raise Cancelled()
        if time.monotonic() > deadline:  # pragma: no cover - a preview that takes half a minute
            raise errors.TimedOut(limit_s=int(TIMEOUT_S))

    check(0.0)
    with translated_errors():
        recipe = mosaic.preview_recipe(recipe, data, scale=scale, megapixels=MAX_MEGAPIXELS)
    limits = {"max_megapixels": MAX_MEGAPIXELS, "max_result_megapixels": MAX_MEGAPIXELS}
    return render(data, recipe.to_dict(), check, pool=pool, **limits)
