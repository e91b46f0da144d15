"""What is printed from a result: its plan to build it, its page of the true size, and its poster."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from models import errors
from models.bucket import Bucket
from models.images.image import Image
from models.images.images import Images
from models.images.visibility import SERVER
from processing import mosaic_lazy as mosaic
from processing.executors import Executors
from processing.fair_slots import most_of_client
from processing.images.cell_maps import LIMIT_BYTES as MAP_LIMIT_BYTES
from processing.images.preview_slots import PreviewSlots
from processing.images.thumbnails import LIMIT_BYTES, PDF, READ_TIMEOUT_S, SVG, WIDTHS, Thumbnails
from processing.rendering import Cancelled, is_known, parse_recipe, render, translated_errors

MEDIA_TYPE = "application/pdf"
TIMEOUT_S = 20.0
MAX_REENCODED_MEGAPIXELS = 40.0
"""Of a result whose pixels a PDF cannot hold as they are stored: they are in memory as a whole."""

OPEN_PER_ADDRESS, OPEN_IN_ALL = 2, 8
"""Documents that are made or sent; each is in memory until its reader has it."""
RETRY_AFTER_S = 30

COVER_MEGAPIXELS = 40.0
"""Of a picture on the cover of its plan, which is in memory as a whole."""


class Prints:
    """Makes documents at once or refuses them. Nothing is stored."""

    def __init__(
        self,
        images: Images,
        bucket: Bucket,
        thumbnails: Thumbnails,
        executors: Executors,
        slots: PreviewSlots,
        *,
        max_megapixels: float,
        max_result_megapixels: float,
    ) -> None:
        """max_megapixels, max_result_megapixels: of a mosaic that is drawn once more, as shapes."""
        self._images, self._bucket, self._thumbnails = images, bucket, thumbnails
        self._executors, self._slots = executors, slots
        self._limits = max_megapixels, max_result_megapixels
        self._open = Counter[str]()

    @contextmanager
    def hold(self, client: str) -> Iterator[None]:
        """While a document of this client is made and sent. Raises TooManyRequests."""
        count = self._open.total()
        if count >= OPEN_IN_ALL or self._open[client] >= most_of_client(count, OPEN_IN_ALL, OPEN_PER_ADDRESS):
            raise errors.TooManyRequests(retry_after_s=RETRY_AFTER_S)
        self._open[client] += 1
        try:
            yield
        finally:
            self._open -= Counter([client])  # drops keys at zero

    async def plan(
        self, image: Image, options: mosaic.PlanOptions, *, title: str, client: str, cancelled: threading.Event
    ) -> bytes:
        """client: the key of its turns. cancelled: set when the plan is not wanted any more.

        Raises TooManyRequests, RecipeImpossible, NotFound, NotAPicture, TooManyPixels, SourceTooLarge,
        BucketUnavailable, StorageFull, Overloaded, TimedOut; Cancelled if `cancelled` is set.
        """
        async with self._slots.whole(client):
            cell_map = None if image.map_key is None else json.loads(await self._read(image.map_key, MAP_LIMIT_BYTES))
            cover = None if cell_map is None else await self._cover(image, cell_map)
            return await self._executors.preview(_make_plan, image.style, cell_map, title, cover, options, cancelled)

    async def page(self, image: Image, options: mosaic.PageOptions, *, client: str) -> bytes:
        """The result on a page of its true size, or cut over sheets of paper: as shapes if they show all that it shows
        and its source still exists, else its pixels.

        Raises TooManyRequests, RecipeImpossible, NotFound, NotAPicture, TooManyPixels, SourceTooLarge,
        BucketUnavailable.
        """
        if image.key is None:
            raise errors.NotFound(what="image", which=image.id)
        async with self._slots.whole(client):
            source = await self._source_of_shapes(image)
            if source is not None:
                shapes = await self._executors.preview(_make_shapes, source, image.recipe, options, self._limits)
                if shapes is not None:
                    return shapes
            return await self._executors.preview(_make_page, await self._read(image.key, LIMIT_BYTES), options)

    async def _source_of_shapes(self, image: Image) -> bytes | None:
        """The file that a result of flat cells was made from; None if it is gone, or for other results."""
        if image.source_id is None or not _is_flat(image.recipe):
            return None
        try:
            source = await self._images.by_id(image.source_id, SERVER)
            return None if source.key is None else await self._read(source.key, LIMIT_BYTES)
        except errors.NotFound:
            return None

    async def _cover(self, image: Image, cell_map: dict[str, Any]) -> bytes:
        """A small copy; the picture itself where it is the plan, as its numbers must be legible."""
        if "rows" in cell_map or image.key is None or image.mime in (SVG, PDF):
            return await self._thumbnails.get(image, WIDTHS[-1])
        return await self._read(image.key, LIMIT_BYTES)

    async def _read(self, key: str, limit_bytes: int) -> bytes:
        return await self._executors.io(self._bucket.read, key, limit_bytes=limit_bytes, timeout_s=READ_TIMEOUT_S)


def _make_plan(
    style: str,
    cell_map: dict[str, Any] | None,
    title: str,
    cover: bytes | None,
    options: mosaic.PlanOptions,
    cancelled: threading.Event,
) -> bytes:
    with translated_errors():
        picture = None if cover is None else mosaic.decode_image(cover, megapixels=COVER_MEGAPIXELS).image
        progress = _stopper(cancelled)
        return mosaic.plan_pdf(style, cell_map, title=title, picture=picture, options=options, progress=progress)


def _is_flat(recipe: dict[str, Any]) -> bool:
    """Whether this version draws the same mosaic again from its source alone, without material, light and relief."""
    style = mosaic.STYLES.get(recipe.get("style", ""))
    if style is None or not style.svg or not is_known(recipe) or recipe.get("version") != style.version:
        return False
    params = parse_recipe(recipe).params
    is_lit = any(getattr(params, name, False) for name in ("light", "relief", "reveal", "colours_of"))
    return not is_lit and getattr(params, "material", mosaic.FLAT) == mosaic.FLAT


def _make_shapes(
    source: bytes, recipe: dict[str, Any], options: mosaic.PageOptions, limits: tuple[float, float]
) -> bytes | None:
    """None for a mosaic that its shapes do not show, as one of too many cells, or that takes too long."""
    page = {"format": "pdf", "dpi": options.dpi, "poster": options.poster or "none", "overlap": int(options.overlap_mm)}
    try:
        data = render(
            source,
            recipe | page,
            _stopper(threading.Event()),
            max_megapixels=limits[0],
            max_result_megapixels=limits[1],
        ).data
    except (errors.NotAPicture, errors.TooManyPixels, errors.TimedOut):
        return None
    return None if mosaic.jpeg_in_pdf(data) is not None else data


def _make_page(data: bytes, options: mosaic.PageOptions) -> bytes:
    with translated_errors():
        return mosaic.print_pdf(data, options, megapixels=MAX_REENCODED_MEGAPIXELS)


def _stopper(cancelled: threading.Event) -> Callable[[float], None]:
    deadline = time.monotonic() + TIMEOUT_S

    def check(_: float) -> None:
        if cancelled.is_set():
            raise Cancelled()
        if time.monotonic() > deadline:  # pragma: no cover - a plan that takes twenty seconds
            raise errors.TimedOut(limit_s=int(TIMEOUT_S))

    return check
