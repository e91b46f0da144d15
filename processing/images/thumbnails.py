"""Thumbnails: small copies of pictures, each made once, when somebody first asks, and kept in the bucket.

Whoever makes one has seen the picture, so that its size and mean colour are noted on the way.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from PIL import Image as Pillow

from models import errors
from models.bucket import Bucket
from models.images import Image, Images
from processing.engine.job import render
from processing.engine.threads import Threads
from processing.mosaic.codec.decode import decode
from processing.mosaic.codec.encode import encode
from processing.mosaic.errors import MosaicError
from processing.mosaic.progress import Stage

log = logging.getLogger(__name__)

WIDTHS = (320, 640, 1280)
MEDIA_TYPE = "image/webp"
SVG = "image/svg+xml"
QUALITY = 82
TALLEST = 4
"""Of a very tall picture the height is bounded instead, to so many widths."""
LIMIT_BYTES = 256 * 1024 * 1024
"""Of one read from the bucket: a result may be larger than any upload."""
READ_TIMEOUT_S = 20.0
AT_ONCE = 4
"""Originals in memory at once. Only one of them is decoded at a time, so that previews keep a thread."""
AHEAD_LIMIT = 100
MAKING_LIMIT = 400
RETRY_S = 5


@dataclass(frozen=True, slots=True)
class Look:
    """A thumbnail, and what the picture looks like: size in pixels, upright, and mean colour (`#rrggbb`)."""

    data: bytes
    width: int
    height: int
    placeholder: str


class Thumbnails:
    """`async with` ends what is being made in the background."""

    def __init__(self, images: Images, bucket: Bucket, threads: Threads, *, max_megapixels: int) -> None:
        self._images, self._bucket, self._threads = images, bucket, threads
        self._max_megapixels = max_megapixels
        self._making: dict[str, asyncio.Task[bytes]] = {}
        self._ahead: set[asyncio.Task[None]] = set()
        self._in_memory = asyncio.Semaphore(AT_ONCE)
        self._decoding = asyncio.Lock()

    async def __aenter__(self) -> Thumbnails:
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = [*self._ahead, *self._making.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def get(self, image: Image, width: int) -> bytes:
        """WebP, at most `width` pixels wide, upright, without metadata.

        Raises NotFound for a picture that is gone, elsewhere or damaged; BucketUnavailable, StorageFull; Overloaded.
        """
        try:
            return await self._read(_key(image.id, width))
        except errors.NotFound:
            return await self._once(image, width)

    def look_at(self, image: Image) -> None:
        """Make the smallest thumbnail in the background, and with it learn the picture's size and colour.

        When too much waits already, this is left to whoever first asks for the thumbnail.
        """
        if image.key is not None and len(self._ahead) < AHEAD_LIMIT:
            task = asyncio.create_task(self._look_at(image))
            self._ahead.add(task)
            task.add_done_callback(self._ahead.discard)

    async def delete(self, image_id: int) -> None:
        """Raises BucketUnavailable."""
        for width in WIDTHS:
            await self._threads.io(self._bucket.delete, _key(image_id, width))

    async def _look_at(self, image: Image) -> None:
        try:
            await self._once(image, WIDTHS[0])
        except errors.TesseraError as error:
            log.info("image %s: no thumbnail yet (%s)", image.id, error.slug)

    async def _once(self, image: Image, width: int) -> bytes:
        """Who asks for what is being made already waits for that; who leaves does not stop it for the others."""
        key = _key(image.id, width)
        if key not in self._making:
            if len(self._making) >= MAKING_LIMIT:
                raise errors.Overloaded(retry_after_s=RETRY_S)
            task = asyncio.create_task(self._make(image, width))
            self._making[key] = task
            task.add_done_callback(lambda made: self._made(key, made))
        return await asyncio.shield(self._making[key])

    def _made(self, key: str, task: asyncio.Task[bytes]) -> None:
        """Looks at the error, if any: when everybody has left nobody else does."""
        del self._making[key]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.debug("%s was not made: %s", key, type(error).__name__)

    async def _make(self, image: Image, width: int) -> bytes:
        async with self._in_memory:
            source, recipe = await self._original(image)
            async with self._decoding:
                look = await self._threads.preview(shrink, source, recipe, width, self._max_megapixels)
        key = _key(image.id, width)
        await self._threads.io(self._bucket.put, key, look.data, mime=MEDIA_TYPE)
        await self._note(image, look, key)
        return look.data

    async def _original(self, image: Image) -> tuple[bytes, dict[str, Any] | None]:
        """The picture's bytes; of an SVG, which has no pixels, its source's and the recipe to render once more."""
        original, recipe = image, None
        if image.mime == SVG and image.source_id is not None:
            original, recipe = await self._images.by_id(image.source_id), image.recipe | {"format": "png"}
        if original.key is None:
            raise errors.NotFound(what="thumbnail", which=image.id)
        return await self._read(original.key), recipe

    async def _read(self, key: str) -> bytes:
        return await self._threads.io(self._bucket.read, key, limit_bytes=LIMIT_BYTES, timeout_s=READ_TIMEOUT_S)

    async def _note(self, image: Image, look: Look, key: str) -> None:
        """Raises NotFound if the picture was deleted meanwhile; then its thumbnail goes too."""
        try:
            known = await self._images.by_id(image.id)
        except errors.NotFound:
            await self._threads.io(self._bucket.delete, key)
            raise
        seen = (look.width, look.height)
        if known.key is not None and ((known.width, known.height) != seen or not known.placeholder):
            await self._images.settle_look(
                known.key, width=look.width, height=look.height, placeholder=look.placeholder
            )


def shrink(data: bytes, recipe: dict[str, Any] | None, width: int, max_megapixels: int) -> Look:
    """(a thread's work) A small copy of a picture, or of the mosaic that the recipe makes of it.

    Raises NotFound where no picture can be read.
    """
    try:
        if recipe is not None:
            data = render(data, recipe, None, max_megapixels=max_megapixels).data
        source = decode(
            data, Stage(), megapixels=max_megapixels, shrink=lambda across, down: _reduction(across, down, width)
        )
    except (errors.JobError, MosaicError) as error:
        raise errors.NotFound(what="thumbnail", which=width) from error
    small = source.image.resize(
        fitting(source.width, source.height, width), Pillow.Resampling.LANCZOS, reducing_gap=2.0
    )
    colour = small.resize((1, 1), Pillow.Resampling.BOX).tobytes().hex()
    return Look(encode(small, "webp", QUALITY, Stage()), source.width, source.height, f"#{colour}")


def fitting(across: int, down: int, width: int) -> tuple[int, int]:
    """The size with the same shape in a box `width` wide and TALLEST times as high; never larger than it was."""
    scale = min(1.0, width / across, TALLEST * width / down)
    return max(1, round(across * scale)), max(1, round(down * scale))


def _reduction(across: int, down: int, width: int) -> int:
    """How many times smaller a JPEG may be decoded: twice the thumbnail's size is left, which the eye cannot tell."""
    return max(1, across // (2 * fitting(across, down, width)[0]))


def _key(image_id: int, width: int) -> str:
    return f"thumbnail/{image_id}/{width}.webp"
