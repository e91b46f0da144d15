"""Reconciliation of bucket and records: registers uploads without a callback, deletes objects without a record.

A callback may come late, twice or never, and a server may die between storing an object and recording it. Only keys
that this service has made are considered.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from models import errors
from models.bucket import Bucket, Stat
from models.images.image import ImageKind, NewImage
from models.images.images import Images
from models.images.registration import Registrations
from models.images.uploads import KEY_PREFIX, PendingUpload, PendingUploads
from processing.executors import Executors
from processing.images import cell_maps
from processing.images.named_objects import is_copy

log = logging.getLogger(__name__)

INTERVAL_S = 600.0
CALLBACK_GRACE = timedelta(minutes=2)
"""How long a callback may take before the bucket is queried."""
FORGET_AGE = timedelta(hours=26)
"""How long an upload may be pending without an object: longer than a token is valid and a resumable upload lives."""
ORPHAN_AGE_S = 24 * 3600.0
"""How long a result may be without a record: longer than a task runs."""
UPLOAD_ORPHAN_AGE_S = CALLBACK_GRACE.total_seconds()
"""The same for an upload. It has a record or a pending upload from the start, until its owner deletes it; what the
token uploads then is deleted by the callback, and here if that never arrives."""
PREFIXES = (KEY_PREFIX, "mosaic/", cell_maps.PREFIX)
BATCH = 200


@dataclass(frozen=True, slots=True)
class ReconcileResult:
    """adopted: images registered without their callback. deleted: objects without a record."""

    adopted: int
    deleted: int


class Reconciler:
    """Run `reconcile_forever` in the background. Several servers may do so at once: each step is idempotent."""

    def __init__(
        self,
        bucket: Bucket,
        images: Images,
        uploads: PendingUploads,
        registrations: Registrations,
        executors: Executors,
    ) -> None:
        self._bucket, self._images, self._uploads = bucket, images, uploads
        self._registrations, self._executors = registrations, executors

    async def reconcile_forever(self) -> None:
        """Reconcile now and every ten minutes, until cancelled."""
        while True:
            try:
                await self.reconcile()
            except errors.Unavailable as error:
                log.info("reconciliation: %s; trying again later", error.slug)
            await asyncio.sleep(INTERVAL_S)

    async def reconcile(
        self,
        *,
        callback_grace: timedelta = CALLBACK_GRACE,
        orphan_age_s: float = ORPHAN_AGE_S,
        upload_orphan_age_s: float = UPLOAD_ORPHAN_AGE_S,
    ) -> ReconcileResult:
        """Reconcile everything once. Raises DatabaseUnavailable, BucketUnavailable."""
        await self._executors.io(self._bucket.sweep)
        adopted = 0
        async for upload in self._uploads.older_than(callback_grace):
            adopted += await self._adopt(upload)
        deleted = 0
        for prefix in PREFIXES:
            age_s = min(orphan_age_s, upload_orphan_age_s) if prefix == KEY_PREFIX else orphan_age_s
            async for batch in self._batches(prefix):
                deleted += await self._delete_orphans(batch, age_s, copy_age_s=orphan_age_s)
        return ReconcileResult(adopted, deleted)

    async def _adopt(self, upload: PendingUpload) -> bool:
        """Register an upload if its object is in the bucket and its owner exists. Returns whether it is registered."""
        try:
            stat = await self._executors.io(self._bucket.stat, upload.key)
        except errors.NotFound:
            if datetime.now(UTC) - upload.created > FORGET_AGE:
                await self._uploads.complete(upload.key)
            return False
        new = NewImage(
            ImageKind.SOURCE,
            upload.owner,
            key=upload.key,
            url=self._bucket.url(upload.key),
            filename=upload.filename,
            filesize=stat.size_bytes,
            param=upload.param,
            mime=stat.mime,
            etag=stat.etag,
            visibility=upload.visibility,
        )
        try:
            image = await self._registrations.register(new)
        except errors.NotFound:  # pragma: no cover - the account is being deleted, with its uploads
            return False
        log.info("image %s: registered without a callback; key %s", image.id, upload.key)
        return True

    async def _delete_orphans(self, batch: list[Stat], age_s: float, *, copy_age_s: float) -> int:
        """Pending uploads are read first: one that is completed meanwhile has been registered before.

        copy_age_s: for the copy of a named object, which is made just before its record.
        """
        result_keys = {stat.key: cell_maps.result_key_of(stat.key) for stat in batch}
        pending = await self._uploads.pending_keys(list(result_keys))
        recorded = await self._images.registered_keys(list(result_keys.values()))
        now_s = time.time()
        orphans = [
            stat
            for stat in batch
            if result_keys[stat.key] not in recorded | pending
            and now_s - stat.put_time_s > (copy_age_s if is_copy(stat.key) else age_s)
        ]
        for stat in orphans:
            log.info("bucket: %s has no record; deleting it", stat.key)
            await self._executors.io(self._bucket.delete, stat.key)
        return len(orphans)

    async def _batches(self, prefix: str) -> AsyncIterator[list[Stat]]:
        objects = iter(await self._executors.io(self._bucket.list, prefix))
        while batch := await self._executors.io(lambda: list(islice(objects, BATCH))):
            yield batch
