"""Objects whose key is a file name: another picture of that name replaces them, so each content is copied.

Clients of the old document upload under the file name and call back without a key. The key of the copy follows from
name and content, so that a repeated callback finds it.
"""

from __future__ import annotations

import hashlib

from models import errors
from models.bucket import Bucket, Stat
from models.images.image import Image
from models.images.images import Images
from models.images.object_access import OWN_PREFIXES
from models.images.uploads import KEY_PREFIX
from processing.executors import Executors

PREFIX = f"{KEY_PREFIX}named-"
COPY_TRIES = 3


class NamedObjects:
    """Copies them, and finds the copies."""

    def __init__(self, bucket: Bucket, images: Images, executors: Executors) -> None:
        self._bucket, self._images, self._executors = bucket, images, executors

    async def register(self, name: str) -> Stat:
        """The object that a picture with this file name is recorded by: a copy, made at the first call for its content.

        It is the object itself where a record of that content has its key. Raises NotFound, also for a key that this
        service makes; StorageFull, BucketUnavailable.
        """
        if name.startswith(OWN_PREFIXES):
            raise errors.NotFound(what="object", which=ascii(name[:80]))
        for _ in range(COPY_TRIES):
            stat = await self._executors.io(self._bucket.stat, name)
            if await self._images.has_content(name, stat.etag):
                return stat
            copy = await self._executors.io(self._bucket.copy, name, copy_key(name, stat.etag))
            if copy.etag == stat.etag:
                return copy
            await self._executors.io(
                self._bucket.delete, copy.key
            )  # of another object, which has replaced it meanwhile
        raise errors.BucketUnavailable()  # pragma: no cover - replaced three times within a second

    async def find_key(self, key: str) -> str:
        """The key that the present content of an object is recorded by. Raises BucketUnavailable."""
        if key.startswith(OWN_PREFIXES):
            return key
        try:
            stat = await self._executors.io(self._bucket.stat, key)
        except errors.NotFound:
            return key
        copy = copy_key(key, stat.etag)
        return copy if await self._images.registered_keys([copy]) else key

    async def delete_original(self, image: Image) -> None:
        """Delete the object that this image is a copy of, unless it is another picture by now."""
        if image.key != copy_key(image.filename, image.etag):
            return
        try:
            stat = await self._executors.io(self._bucket.stat, image.filename)
        except errors.NotFound:
            return
        if stat.etag == image.etag:
            await self._executors.io(self._bucket.delete, image.filename)


def copy_key(name: str, etag: str) -> str:
    """The key of the copy of an object with this name and content."""
    return f"{PREFIX}{hashlib.sha256(f'{etag}:{name}'.encode()).hexdigest()[:32]}"


def is_copy(key: str) -> bool:
    """Whether this is the key of a copy."""
    return key.startswith(PREFIX)
