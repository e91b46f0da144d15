"""Previews: recipes rendered on small images while a user moves a slider. They never wait for full renders."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable

from models import errors
from processing import mosaic
from processing.executors import Executors
from processing.fair_slots import FairSlots
from processing.mosaic import ColourStatistics, TilePool
from processing.rendering import Cancelled, render, translated_errors

MAX_MEGAPIXELS = 2.0
TIMEOUT_S = 30.0
"""Thirty times what the slowest style needs on an idle machine, so that a busy one stops no preview."""
MAX_CPU_S = 4.0
"""What one preview may cost of a processor, because others may wait for it: four times what the slowest style needs."""


class Previews:
    """Renders previews in turn or refuses them; previews of disconnected clients are not rendered.

    slots: shared with whatever else strangers may have rendered at once.
    """

    def __init__(self, executors: Executors, slots: FairSlots) -> None:
        self._executors, self._slots = executors, slots

    @property
    def waiting(self) -> int:
        """Previews that are waiting or being rendered."""
        return self._slots.count

    async def render(
        self,
        data: bytes,
        recipe: mosaic.Recipe,
        *,
        client: str,
        cancelled: threading.Event,
        scale: float = 1.0,
        pool: Callable[[], Awaitable[TilePool | None]] | None = None,
        colours: Callable[[], Awaitable[ColourStatistics]] | None = None,
    ) -> mosaic.Result:
        """Render a small image. scale: its width / the width of the image that the recipe is for.

        client: the key of its limit. cancelled: set when the result is not wanted any more.
        pool: called for the tiles of a photomosaic after the limits were checked; colours: for those of `colours_of`.

        Raises TooManyRequests, NotAPicture, TooManyPixels, RecipeImpossible, TimedOut; Cancelled if `cancelled` is
        set; what `pool` and `colours` raise.
        """
        async with self._slots.slot(client):
            tiles = None if pool is None else await pool()
            statistics = None if colours is None else await colours()
            return await self._executors.preview(_render, data, recipe, scale, tiles, statistics, cancelled)


def _render(
    data: bytes,
    recipe: mosaic.Recipe,
    scale: float,
    pool: TilePool | None,
    colours: ColourStatistics | None,
    cancelled: threading.Event,
) -> mosaic.Result:
    deadline, cpu_deadline = time.monotonic() + TIMEOUT_S, time.thread_time() + MAX_CPU_S

    def check(_: float) -> None:
        if cancelled.is_set():
            raise Cancelled()
        if time.monotonic() > deadline or time.thread_time() > cpu_deadline:
            raise errors.TimedOut(limit_s=int(MAX_CPU_S))

    check(0.0)
    with translated_errors():
        recipe = mosaic.preview_recipe(recipe, data, scale=scale, megapixels=MAX_MEGAPIXELS)
    values = recipe.to_dict()
    if pool is not None:  # which may be a part of the pictures
        values["tiles"] = pool.ids.tolist()
    limits = {"max_megapixels": MAX_MEGAPIXELS, "max_result_megapixels": MAX_MEGAPIXELS}
    return render(data, values, check, pool=pool, colours=colours, **limits)
