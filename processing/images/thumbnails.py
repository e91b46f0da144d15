"""Thumbnails: small copies of images, made on the first request and stored in the bucket.

Making one decodes the image, so that its size, mean colour and features are recorded at the same time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image as Pillow

from models import errors
from models.bucket import Bucket
from models.images.image import Image, ImageKind
from models.images.images import Images
from models.images.visibility import SERVER
from processing.background import cancel
from processing.executors import Executors
from processing.mosaic import (
    FEATURES_VERSION,
    MosaicError,
    decode_image,
    decoded_pixels,
    encode_image,
    jpeg_in_pdf,
    measure_features,
    release_free_memory,
)
from processing.rendering import render

log = logging.getLogger(__name__)

WIDTHS = (320, 640, 1280)
MEDIA_TYPE = "image/webp"
SVG, PDF = "image/svg+xml", "application/pdf"
QUALITY = 82
MAX_ASPECT = 4
"""The largest height of a thumbnail, in widths."""
LIMIT_BYTES = 256 * 1024 * 1024
"""Of one read from the bucket. A result may be larger than an upload may be."""
READ_TIMEOUT_S = 20.0
CONCURRENCY = 4
"""Originals in memory at once. Only one is decoded at a time, so that previews keep a thread."""
SMALL_MEGAPIXELS = 4.0
"""What is decoded beside jobs: 64 MB at 16 bytes a pixel. For more, a thumbnail takes the place of a job."""
SCHEDULED_LIMIT = 100
IN_PROGRESS_LIMIT = 400
RETRY_AFTER_S = 5


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """width, height: of the image itself, in pixels, upright. placeholder: its mean colour, `#rrggbb`.

    features: as photomosaics match it; of the smallest thumbnail only."""

    data: bytes
    width: int
    height: int
    placeholder: str
    features: bytes | None = None


class Thumbnails:
    """At the end of `async with`, thumbnails that are being made are given up."""

    def __init__(
        self,
        images: Images,
        bucket: Bucket,
        executors: Executors,
        *,
        max_megapixels: int,
        max_result_megapixels: int | None = None,
    ) -> None:
        """max_result_megapixels: of results; None: as of sources."""
        self._images, self._bucket, self._executors = images, bucket, executors
        self._max_megapixels = max_megapixels
        self._max_result_megapixels = max(max_megapixels, max_result_megapixels or 0)
        self._in_progress: dict[str, asyncio.Task[bytes]] = {}
        self._scheduled: set[asyncio.Task[None]] = set()
        self._in_memory = asyncio.Semaphore(CONCURRENCY)
        self._decoding, self._decoding_large = asyncio.Lock(), asyncio.Lock()

    async def __aenter__(self) -> Thumbnails:
        return self

    async def __aexit__(self, *_: object) -> None:
        await cancel([*self._scheduled, *self._in_progress.values()])

    async def get(self, image: Image, width: int) -> bytes:
        """WebP, at most `width` pixels wide, upright, without metadata.

        Raises NotFound for an image that is deleted, not in our bucket or damaged; BucketUnavailable, StorageFull;
        Overloaded.
        """
        try:
            return await self._executors.io(self._read_key, thumbnail_key(image.id, width))
        except errors.NotFound:
            return await self._get_or_make(image, width)

    def schedule(self, image: Image) -> None:
        """Make the smallest thumbnail in the background, which records the image's size and colour.

        If too many wait already, this is left to the first request for the thumbnail.
        """
        if image.key is not None and len(self._scheduled) < SCHEDULED_LIMIT:
            task = asyncio.create_task(self._make_scheduled(image))
            self._scheduled.add(task)
            task.add_done_callback(self._scheduled.discard)

    async def delete(self, image_id: int) -> None:
        """Wait for those of the image that are being made, which would be stored afterwards, and delete all.

        Raises BucketUnavailable.
        """
        in_progress = [task for width in WIDTHS if (task := self._in_progress.get(thumbnail_key(image_id, width)))]
        await asyncio.gather(*(asyncio.shield(task) for task in in_progress), return_exceptions=True)
        for width in WIDTHS:
            await self._executors.io(self._bucket.delete, thumbnail_key(image_id, width))

    async def _make_scheduled(self, image: Image) -> None:
        try:
            await self._get_or_make(image, WIDTHS[0])
        except errors.TesseraError as error:
            log.info("image %s: thumbnail failed (%s)", image.id, error.slug)

    async def _get_or_make(self, image: Image, width: int) -> bytes:
        """Requests for the same thumbnail share one task, which goes on if one of them is cancelled."""
        key = thumbnail_key(image.id, width)
        if key not in self._in_progress:
            if len(self._in_progress) >= IN_PROGRESS_LIMIT:  # pragma: no cover - hundreds of thumbnails at once
                raise errors.Overloaded(retry_after_s=RETRY_AFTER_S)
            task = asyncio.create_task(self._make(image, width))
            self._in_progress[key] = task
            task.add_done_callback(lambda done: self._on_done(key, done))
        return await asyncio.shield(self._in_progress[key])

    def _on_done(self, key: str, task: asyncio.Task[bytes]) -> None:
        """Retrieves the error: if every request was cancelled, nothing else does."""
        del self._in_progress[key]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.debug("%s: not made (%s)", key, type(error).__name__)

    async def _make(self, image: Image, width: int) -> bytes:
        source = await self._source_of_shapes(image)
        async with self._in_memory:
            data, recipe = await self._executors.io(self._read_original, image, source)
            async with self._decoding:
                thumbnail = await self._executors.preview(make_small, data, recipe, width, self._limit(image))
            del data
        if thumbnail is None:
            async with self._decoding_large:
                thumbnail = await self._executors.large(self._make_large, image, source, width)
        key = thumbnail_key(image.id, width)
        await self._executors.io(self._bucket.put, key, thumbnail.data, mime=MEDIA_TYPE)
        if thumbnail.features is not None:
            await self._images.features.save({image.id: thumbnail.features}, FEATURES_VERSION)
        await self._record_appearance(image, thumbnail, key)
        return thumbnail.data

    def _make_large(self, image: Image, source: Image | None, width: int) -> Thumbnail:
        """Reads the original again: while it waited for its turn, it was not in memory. Blocks."""
        data, recipe = self._read_original(image, source)
        try:
            return make_thumbnail(data, recipe, width, self._limit(image))
        finally:
            release_free_memory()  # to the job that comes next

    def _limit(self, image: Image) -> int:
        return self._max_megapixels if image.kind == ImageKind.SOURCE else self._max_result_megapixels

    async def _source_of_shapes(self, image: Image) -> Image | None:
        """The source of a result that is made of shapes; None for other images, or if it was deleted."""
        if not _is_shapes(image) or image.source_id is None:
            return None
        with contextlib.suppress(errors.NotFound):
            return await self._images.by_id(image.source_id, SERVER)
        return None

    def _read_original(self, image: Image, source: Image | None) -> tuple[bytes, dict[str, Any] | None]:
        """The bytes of a picture and None. For shapes, without pixels: those of the source and the recipe. Blocks."""
        if not _is_shapes(image):
            return self._read(image), None
        if image.mime == PDF and (jpeg := jpeg_in_pdf(self._read(image))) is not None:
            return jpeg, None
        if source is None:
            raise errors.NotFound(what="thumbnail", which=image.id)
        return self._read(source), image.recipe | {"format": "png"}

    def _read(self, image: Image) -> bytes:
        if image.key is None:
            raise errors.NotFound(what="thumbnail", which=image.id)
        return self._read_key(image.key)

    def _read_key(self, key: str) -> bytes:
        return self._bucket.read(key, limit_bytes=LIMIT_BYTES, timeout_s=READ_TIMEOUT_S)

    async def _record_appearance(self, image: Image, thumbnail: Thumbnail, key: str) -> None:
        """Raises NotFound if the image was deleted meanwhile, and deletes its thumbnail and features."""
        try:
            current = await self._images.by_id(image.id, SERVER)
        except errors.NotFound:
            await self._executors.io(self._bucket.delete, key)
            await self._images.features.delete(image.id)
            raise
        size = (thumbnail.width, thumbnail.height)
        if current.key is not None and ((current.width, current.height) != size or not current.placeholder):
            await self._images.set_appearance(
                current.key, width=thumbnail.width, height=thumbnail.height, placeholder=thumbnail.placeholder
            )


def make_small(data: bytes, recipe: dict[str, Any] | None, width: int, max_megapixels: int) -> Thumbnail | None:
    """As `make_thumbnail`; None if that would hold more than SMALL_MEGAPIXELS at once."""
    try:
        pixels = decoded_pixels(data, megapixels=max_megapixels, reduction_for=_reduction_for(width))
    except MosaicError as error:
        raise errors.NotFound(what="thumbnail", which=width) from error
    if recipe is not None or pixels > SMALL_MEGAPIXELS * 1_000_000:
        return None
    return make_thumbnail(data, None, width, max_megapixels)


def make_thumbnail(data: bytes, recipe: dict[str, Any] | None, width: int, max_megapixels: int) -> Thumbnail:
    """A small copy of an image, or of the mosaic that the recipe makes of it. Blocks.

    Raises NotFound if the image cannot be decoded.
    """
    try:
        if recipe is not None:
            result = render(data, recipe, None, max_megapixels=max_megapixels, max_result_megapixels=max_megapixels)
            data = result.data
        source = decode_image(data, megapixels=max_megapixels, reduction_for=_reduction_for(width))
    except (errors.JobError, MosaicError) as error:
        raise errors.NotFound(what="thumbnail", which=width) from error
    small = source.image.resize(
        thumbnail_size(source.width, source.height, width), Pillow.Resampling.LANCZOS, reducing_gap=2.0
    )
    colour = small.resize((1, 1), Pillow.Resampling.BOX).tobytes().hex()
    encoded = encode_image(small, "webp", quality=QUALITY)
    features = measure_features(encoded) if width == WIDTHS[0] else None
    return Thumbnail(encoded, source.width, source.height, f"#{colour}", features)


def thumbnail_size(source_width: int, source_height: int, width: int) -> tuple[int, int]:
    """The largest size with this aspect ratio in a box of `width` by MAX_ASPECT * `width`; never enlarged."""
    scale = min(1.0, width / source_width, MAX_ASPECT * width / source_height)
    return max(1, round(source_width * scale)), max(1, round(source_height * scale))


def _reduction_for(width: int) -> Callable[[int, int], int]:
    """The factor by which a JPEG may be reduced while decoding: at least twice the thumbnail's size remains."""
    return lambda across, down: max(1, across // (2 * thumbnail_size(across, down, width)[0]))


def _is_shapes(image: Image) -> bool:
    return image.mime in (SVG, PDF) and image.source_id is not None


def thumbnail_key(image_id: int, width: int) -> str:
    return f"thumbnail/{image_id}/{width}.webp"
