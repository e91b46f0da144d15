"""A staged file: written, hashed and sniffed, then committed as an object atomically, or discarded."""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from models.bucket import Stat
from models.bucket.embedded import errors as kodo_errors
from models.bucket.embedded.disk import open_descriptor, sync_folder, translate_os_errors
from models.bucket.embedded.sniff import UNKNOWN, SniffedImage, sniff
from models.bucket.embedded.trailer import CorruptObject, read_trailer, trailer_of
from models.bucket.etag import Etag
from models.bucket.policy import check_key_length


class StagedFile:
    """(blocks) A context manager that discards the file unless it was committed.

    size_bytes, crc32: of the bytes written so far. Only `discard` is thread-safe: another thread may call it when the
    client disconnects, and the lock prevents closing the file during a write.
    """

    def __init__(self, path: Path, path_of: Callable[[str], Path]) -> None:
        self.size_bytes = 0
        self.crc32 = 0
        self._etag = Etag()
        self._path = path
        self._path_of = path_of
        self._lock = threading.Lock()
        self._descriptor = _created(path)

    def write(self, data: bytes) -> None:
        """Raises StorageFull."""
        self._append(data)
        self.size_bytes += len(data)
        self.crc32 = zlib.crc32(data, self.crc32)
        self._etag.update(data)

    def etag(self) -> str:
        return self._etag.text()

    def sniff(self) -> SniffedImage:
        """The type and size of the content, by its first bytes."""
        return sniff(lambda start, size: os.pread(self._descriptor, size, start))

    def commit(
        self,
        key: str,
        *,
        mime: str = UNKNOWN,
        overwrite: bool,
        etag: str | None = None,
        custom: Mapping[str, str] | None = None,
    ) -> Stat:
        """Store it as the object `key`, durably.

        mime: used if the content is not a known image. etag: replaces the computed hash, for multipart uploads.
        custom: metadata of the client. Without `overwrite`, raises KeyExists if an object with other content exists.
        Raises StorageFull.
        """
        seen = self.sniff().mime
        mime = mime if seen == UNKNOWN else seen
        return self.store(
            Stat(key, self.size_bytes, etag or self.etag(), mime, time.time(), custom or {}), overwrite=overwrite
        )

    def store(self, stat: Stat, *, overwrite: bool) -> Stat:
        """Store it as an object with this metadata, durably. Raises as `commit` does."""
        check_key_length(stat.key)
        target = self._path_of(stat.key)
        with translate_os_errors():
            self._append(trailer_of(stat))
            os.fsync(self._descriptor)
            if overwrite:
                self._path.rename(target)
            else:
                try:
                    os.link(self._path, target)
                except FileExistsError:
                    return _existing_or_conflict(target, stat)
            sync_folder(target.parent)
        return stat

    def discard(self) -> None:
        """Close and delete the file, unless it was committed; can be called twice."""
        with self._lock:
            if self._descriptor >= 0:
                self._path.unlink(missing_ok=True)
                os.close(self._descriptor)
                self._descriptor = -1

    def _append(self, data: bytes) -> None:
        view = memoryview(data)
        with self._lock, translate_os_errors():
            if self._descriptor < 0:
                raise kodo_errors.MalformedUpload("the client has disconnected")
            while len(view):
                view = view[os.write(self._descriptor, view) :]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()


class StagedPart(StagedFile):
    """One part of a multipart upload: one block for its etag, whatever its size."""

    def __init__(self, path: Path, path_of: Callable[[str], Path]) -> None:
        super().__init__(path, path_of)
        self._sha1 = hashlib.sha1(usedforsecurity=False)
        self._md5 = hashlib.md5(usedforsecurity=False)

    def write(self, data: bytes) -> None:
        super().write(data)
        self._sha1.update(data)
        self._md5.update(data)

    def sha1(self) -> bytes:
        return self._sha1.digest()

    def md5(self) -> str:
        return self._md5.hexdigest()

    def move_to(self, path: Path) -> None:
        """Rename to `path`, not synced. Raises FileNotFoundError if the folder does not exist."""
        self._path.rename(path)


def _created(path: Path) -> int:
    """A new file's descriptor, locked against `Objects.sweep`.

    A sweep between creating and locking deletes the file: then it is created again.
    """
    while True:
        with translate_os_errors():
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # waits for a sweep at most, which is short
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)


def _existing_or_conflict(target: Path, ours: Stat) -> Stat:
    try:
        with open_descriptor(target) as descriptor:
            existing = read_trailer(descriptor)
    except CorruptObject as error:
        raise kodo_errors.KeyExists("file exists") from error
    if existing.etag != ours.etag:
        raise kodo_errors.KeyExists("file exists")
    return existing
