"""Bucket and records compared: what arrived without a callback is adopted, what nobody remembers is deleted.

A callback may come late, twice or never; a server may die between storing an object and recording it. Both leave the
two apart, and this brings them together again. Only keys of our own making are ever looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from models import errors
from models.bucket import Bucket, Stat
from models.images import ImageKind, Images, new_image
from models.uploads import PendingUpload, PendingUploads
from processing.executors import Executors
from processing.images import cell_maps

log = logging.getLogger(__name__)

PERIOD_S = 600.0
CALLBACK_GRACE = timedelta(minutes=2)
"""How long a callback may take before the bucket is asked itself."""
ORPHAN_AGE_S = 24 * 3600.0
"""How long an object may be without a record: longer than any token lives and any task runs."""
PREFIXES = ("source/", "mosaic/", cell_maps.PREFIX)
BATCH = 200


@dataclass(frozen=True, slots=True)
class ReconcileResult:
    """adopted: pictures registered without their callback; deleted: objects that nobody had."""

    adopted: int
    deleted: int


class Reconciler:
    """`async with` compares now and every ten minutes. Several servers may do so at once: each step is idempotent."""

    def __init__(self, bucket: Bucket, images: Images, uploads: PendingUploads, executors: Executors) -> None:
        self._bucket, self._images, self._uploads, self._executors = bucket, images, uploads, executors
        self._comparing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Reconciler:
        self._comparing = asyncio.create_task(self._compare_for_ever())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._comparing is not None:
            self._comparing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._comparing

    async def reconcile(
        self, *, callback_grace: timedelta = CALLBACK_GRACE, orphan_age_s: float = ORPHAN_AGE_S
    ) -> ReconcileResult:
        """Once through everything. Raises DatabaseUnavailable, BucketUnavailable."""
        adopted = 0
        for upload in await self._uploads.older_than(callback_grace):
            adopted += await self._adopt(upload)
        deleted = 0
        for prefix in PREFIXES:
            async for batch in self._batches(prefix):
                deleted += await self._delete_orphans(batch, orphan_age_s)
        return ReconcileResult(adopted, deleted)

    async def _adopt(self, upload: PendingUpload) -> bool:
        """Register a picture that is in the bucket though no callback told of it."""
        try:
            stat = await self._executors.io(self._bucket.stat, upload.key)
        except errors.NotFound:
            return False
        image = await self._images.add(
            new_image(
                ImageKind.SOURCE,
                upload.owner,
                key=upload.key,
                url=self._bucket.url(upload.key),
                filename=upload.filename,
                filesize=stat.size_bytes,
                param=upload.param,
                mime=stat.mime,
                etag=stat.etag,
            )
        )
        await self._uploads.complete(upload.key)
        log.info("image %s: found in the bucket as %s without a callback", image.id, upload.key)
        return True

    async def _delete_orphans(self, batch: list[Stat], age_s: float) -> int:
        result_keys = {stat.key: cell_maps.result_key_of(stat.key) for stat in batch}
        recorded = await self._images.registered_keys(list(result_keys.values()))
        pending = await self._uploads.pending_keys(list(result_keys))
        wanted_keys = recorded | pending
        orphans = [
            stat for stat in batch if result_keys[stat.key] not in wanted_keys and time.time() - stat.put_time_s > age_s
        ]
        for stat in orphans:
            log.info("bucket: %s belongs to nobody and goes", stat.key)
            await self._executors.io(self._bucket.delete, stat.key)
        return len(orphans)

    async def _batches(self, prefix: str) -> AsyncIterator[list[Stat]]:
        objects = iter(await self._executors.io(self._bucket.list, prefix))
        while batch := await self._executors.io(lambda: list(islice(objects, BATCH))):
            yield batch

    async def _compare_for_ever(self) -> None:
        while True:
            try:
                await self.reconcile()
            except errors.Unavailable as error:
                log.info("bucket and records could not be compared: %s", error.slug)
            await asyncio.sleep(PERIOD_S)
