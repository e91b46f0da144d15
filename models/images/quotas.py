"""Quotas: how many images and bytes a person may have.

Nothing is counted up or down: what is used is summed over the records, so that the sum is right after a crash. A record
is stored first and the sum is compared then, so that parallel requests do not exceed a quota together.

An upload token reserves its size until RESERVATION_LIFE after it was issued; the pending upload counts as an image
until it is forgotten. Thumbnails and cell maps do not count.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from models import errors
from models.database import Database, Document
from models.images.image import ImageKind, Owner

COUNTED = [str(ImageKind.SOURCE), str(ImageKind.RESULT)]
PENDING_LIMIT = 500
"""Upload tokens of a person whose images have not arrived."""
RETRY_AFTER_S = 3600
SUM_LIFE_S, SUM_SHARE, MAX_SUMS = 5.0, 0.5, 10_000
"""The sum of a person's images is kept for SUM_LIFE_S, and used for tasks and results while it is below SUM_SHARE of
the quota. The sums of at most MAX_SUMS people are kept."""
MIN_FREE_PICTURES, MIN_FREE_BYTES = 1_000, 10**9
"""And only while so much is left: more than all servers together render for one person in SUM_LIFE_S."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What one person may have."""

    pictures: int = 10_000
    size_bytes: int = 10_000_000_000


DEFAULT_QUOTA = Quota()


@dataclass(frozen=True, slots=True)
class Usage:
    """What one person has. pictures: with pending uploads. size_bytes: with what pending uploads have reserved."""

    pictures: int
    size_bytes: int


class Quotas:
    """Reads the collections `images` and `uploads`. clock: seconds, for the age of a sum."""

    def __init__(self, database: Database, quota: Quota, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._images = database.collection("images")
        self._uploads = database.collection("uploads")
        self._clock = clock
        self._summed: dict[int, tuple[float, Usage]] = {}
        self.quota = quota

    async def usage(self, owner_id: int) -> Usage:
        """What a user or guest has now."""
        still_reserved: Document = {"$gt": ["$reserved_until", datetime.now(UTC)]}
        reserved: Document = {"$cond": [still_reserved, "$reserved_bytes", 0]}
        pending = [{"$match": {"owner_id": owner_id}}, {"$project": {"size_bytes": reserved}}]
        sums = await self._images.aggregate(
            [
                {"$match": {"owner_id": owner_id, "kind": {"$in": COUNTED}}},
                {"$project": {"size_bytes": "$filesize"}},
                {"$unionWith": {"coll": "uploads", "pipeline": pending}},
                {"$group": {"_id": None, "count": {"$sum": 1}, "size_bytes": {"$sum": "$size_bytes"}}},
            ]
        )
        usage = Usage(int(sums[0]["count"]), int(sums[0]["size_bytes"])) if sums else Usage(0, 0)
        if len(self._summed) >= MAX_SUMS:
            self._summed.clear()
        self._summed[owner_id] = self._clock(), usage
        return usage

    async def check(self, owner: Owner) -> None:
        """Raise QuotaExceeded if the records of this person exceed a quota. Anonymous users have none."""
        if owner.id is None:
            return
        usage = await self.usage(owner.id)
        if usage.pictures > self.quota.pictures or usage.size_bytes > self.quota.size_bytes:
            raise self._exceeded()

    async def check_result(self, owner: Owner, size_bytes: int) -> None:
        """`check` after a result of this size was stored, without a sum where a recent one leaves much free.

        Other servers may have stored something since, though not as much as is free in SUM_LIFE_S.
        """
        if owner.id is None:
            return
        if not self._leaves_much(owner.id, Usage(1, size_bytes)):
            await self.check(owner)

    def _leaves_much(self, owner_id: int, more: Usage) -> bool:
        """Whether a recent sum leaves much free even with this; if so, it is part of the sum from now on."""
        summed_at, latest = self._summed.get(owner_id, (float("-inf"), Usage(0, 0)))
        usage = Usage(latest.pictures + more.pictures, latest.size_bytes + more.size_bytes)
        pictures = min(SUM_SHARE * self.quota.pictures, self.quota.pictures - MIN_FREE_PICTURES)
        size_limit = min(SUM_SHARE * self.quota.size_bytes, self.quota.size_bytes - MIN_FREE_BYTES)
        if usage.pictures > pictures or usage.size_bytes > size_limit or self._clock() - summed_at >= SUM_LIFE_S:
            return False
        self._summed[owner_id] = summed_at, usage
        return True

    async def check_pending(self, owner: Owner) -> None:
        """The same with one pending upload more. Raises TooManyRequests if there are too many of them."""
        if owner.id is None:
            return
        await self.check(owner)
        if await self._uploads.count_documents({"owner_id": owner.id}, limit=PENDING_LIMIT + 1) > PENDING_LIMIT:
            raise errors.TooManyRequests(retry_after_s=RETRY_AFTER_S)

    async def check_not_full(self, owner: Owner) -> None:
        """Raise QuotaExceeded if this person cannot have one image more, whatever its size; sums as `check_result`."""
        if owner.id is None or self._leaves_much(owner.id, Usage(0, 0)):
            return
        usage = await self.usage(owner.id)
        if usage.pictures >= self.quota.pictures or usage.size_bytes >= self.quota.size_bytes:
            raise self._exceeded()

    def _exceeded(self) -> errors.QuotaExceeded:
        return errors.QuotaExceeded(limit=self.quota.pictures, limit_mb=errors.in_megabytes(self.quota.size_bytes))
