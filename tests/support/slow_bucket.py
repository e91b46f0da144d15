"""A bucket that a test holds up, and images whose look is known."""

from __future__ import annotations

import threading
from typing import Any

from handlers.services import Services
from models.bucket import Bucket
from models.images.visibility import SERVER
from tests.support.waiting import until


class SlowBucket(Bucket):
    """Stores when it is told to. stored: the keys in their order."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket, self.storing, self.may_store = bucket, threading.Event(), threading.Event()
        self.stored: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        own = name in ("put", "storing", "may_store", "stored") or name.startswith("_")
        return object.__getattribute__(self, name) if own else getattr(self._bucket, name)

    def put(self, key: str, data: bytes, *, mime: str) -> Any:
        self.storing.set()
        self.may_store.wait(timeout=120)
        self.stored.append(key)
        return self._bucket.put(key, data, mime=mime)


async def looked_at(services: Services, image_id: int) -> Any:
    """The image once its look is known."""

    async def look() -> Any:
        image = await services.images.by_id(image_id, SERVER)
        return image if image.placeholder else None

    return await until(look)
