"""Previews: recipes rendered on small images while a user moves a slider, and zoomed parts of results. They never wait
for full renders."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from models import errors
from processing import mosaic_lazy as mosaic
from processing.executors import Executors
from processing.images.preview_slots import PreviewSlots
from processing.images.preview_sources import PreviewSource, PreviewSources
from processing.rendering import Cancelled, render, translated_errors

MAX_MEGAPIXELS = 2.0
MAX_REGION_MEGAPIXELS = 16.0
TIMEOUT_S = 30.0
"""Thirty times what the slowest style needs on an idle machine, so that a busy one stops no preview."""
MAX_CPU_S = 4.0
"""What one preview may cost of a processor, because others may wait for it: four times what the slowest style needs."""


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """client: the key of its limit. cancelled: set when the result is not wanted any more. pool: called for the tiles
    of a photomosaic after the limits were checked; colours: for those of `colours_of`."""

    recipe: mosaic.Recipe
    client: str
    cancelled: threading.Event
    pool: Callable[[], Awaitable[mosaic.TilePool | None]] | None = None
    colours: Callable[[], Awaitable[mosaic.ColourStatistics | None]] | None = None

    async def read(self) -> tuple[mosaic.TilePool | None, mosaic.ColourStatistics | None]:
        tiles = None if self.pool is None else await self.pool()
        return tiles, None if self.colours is None else await self.colours()


class Previews:
    """Renders previews in turn or refuses them; previews of disconnected clients are not rendered.

    slots: shared with whatever else strangers may have rendered at once. max_megapixels, max_result_megapixels: of the
    sources and results that a region may be a part of.
    """

    def __init__(
        self, executors: Executors, slots: PreviewSlots, *, max_megapixels: float, max_result_megapixels: float
    ) -> None:
        self._executors, self._slots = executors, slots
        self._limits = max_megapixels, max_result_megapixels
        self.sources = PreviewSources()

    @property
    def waiting(self) -> int:
        """Previews that are waiting or being rendered."""
        return self._slots.count

    async def render(self, data: bytes, request: PreviewRequest, *, scale: float = 1.0) -> mosaic.Result:
        """Render a small image. scale: its width / the width of the image that the recipe is for.

        Raises TooManyRequests, NotAPicture, TooManyPixels, RecipeImpossible, TimedOut; Cancelled if `cancelled` is
        set; what `pool` and `colours` raise.
        """
        async with self._slots.slot(request.client):
            read = await request.read()
            return await self._executors.preview(_render, data, request, scale, *read)

    async def render_region(
        self, source: PreviewSource, region: mosaic.Region, request: PreviewRequest
    ) -> mosaic.RegionResult:
        """Render a part of the result that the recipe has for a source. Raises what `render` raises."""
        async with self._slots.whole(request.client):
            read = await request.read()
            return await self._executors.preview(_render_region, source, region, request, self._limits, *read)


def _render_region(
    source: PreviewSource,
    region: mosaic.Region,
    request: PreviewRequest,
    limits: tuple[float, float],
    pool: mosaic.TilePool | None,
    colours: mosaic.ColourStatistics | None,
) -> mosaic.RegionResult:
    check = _bounded(request.cancelled)
    check(0.0)
    recipe = _with_tiles(request.recipe, pool)
    format, geometry = recipe.params.format, source.geometry_for(recipe)
    with translated_errors():
        return mosaic.render_region(
            source.data,
            recipe,
            region,
            check,
            format=format if format in ("jpeg", "webp") else "png",
            limits=mosaic.Limits(*limits, region_megapixels=MAX_REGION_MEGAPIXELS),
            pool=pool,
            colours=colours,
            geometry=geometry,
        )


def _render(
    data: bytes,
    request: PreviewRequest,
    scale: float,
    pool: mosaic.TilePool | None,
    colours: mosaic.ColourStatistics | None,
) -> mosaic.Result:
    check = _bounded(request.cancelled)
    check(0.0)
    with translated_errors():
        recipe = mosaic.preview_recipe(request.recipe, data, scale=scale, megapixels=MAX_MEGAPIXELS)
    limits = {"max_megapixels": MAX_MEGAPIXELS, "max_result_megapixels": MAX_MEGAPIXELS}
    return render(data, _with_tiles(recipe, pool).to_dict(), check, pool=pool, colours=colours, **limits)


def _with_tiles(recipe: mosaic.Recipe, pool: mosaic.TilePool | None) -> mosaic.Recipe:
    """The recipe with the tiles of the pool, which may be a part of its pictures."""
    return recipe if pool is None else mosaic.parse({**recipe.to_dict(), "tiles": pool.ids.tolist()})


def _bounded(cancelled: threading.Event) -> Callable[[float], None]:
    """A progress callback that stops the work when it is cancelled or costs too much."""
    deadline, cpu_deadline = time.monotonic() + TIMEOUT_S, time.thread_time() + MAX_CPU_S

    def check(_: float) -> None:
        if cancelled.is_set():
            raise Cancelled()
        if time.monotonic() > deadline or time.thread_time() > cpu_deadline:
            raise errors.TimedOut(limit_s=int(MAX_CPU_S))

    return check
