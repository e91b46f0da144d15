"""Objects in a folder: complete or absent, even after a crash.

    objects/<sha256 of the key>   the content, then its metadata: JSON, the JSON's length (4 bytes), a mark (8 bytes)
    incoming/<random>             a file being written, locked by its writer; unlocked ones are deleted at start

Content and metadata are one file, so that one rename stores both or neither: write, sync, link or rename, sync the
folder. File names are hashes of keys, so that no key can lead out of the folder. Image viewers ignore bytes after the
image, so that the folder can be inspected with them.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Self

from models.bucket import Stat
from models.bucket.embedded import errors as kodo_errors
from models.bucket.embedded.disk import open_descriptor, open_file, translate_os_errors
from models.bucket.embedded.staged import StagedFile, StagedPart
from models.bucket.embedded.trailer import CorruptObject, read_trailer
from models.bucket.policy import check_key_length
from models.errors import BadParameter, NotFound, StorageFull

log = logging.getLogger(__name__)

COPY_BYTES = 1024 * 1024
KEEP_FREE_BYTES, KEEP_FREE_SHARE = 800_000_000, 0.05
"""Of the disk, whichever is less: the embedded database cannot go on without it."""


class OpenObject:
    """One object, open for reading; it can be read to its end even if it is deleted meanwhile."""

    def __init__(self, descriptor: int, stat: Stat) -> None:
        self.stat = stat
        self._descriptor = descriptor

    def read(self, start: int, size: int) -> bytes:
        """(blocks) At most `size` bytes from `start`, up to the object's end."""
        size = min(size, self.stat.size_bytes - start)
        with translate_os_errors():
            return os.pread(self._descriptor, size, start) if size > 0 else b""

    def close(self) -> None:
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Objects:
    """(blocks) Everything here does file I/O: call it in an executor thread."""

    def __init__(
        self, folder: Path, *, keep_free_bytes: int = KEEP_FREE_BYTES, keep_free_share: float = KEEP_FREE_SHARE
    ) -> None:
        """keep_free_bytes, keep_free_share: of the disk, whichever is less, nothing new is stored in."""
        self._keep_free_bytes, self._keep_free_share = keep_free_bytes, keep_free_share
        self._objects = folder / "objects"
        self._staging = folder / "incoming"
        for each in (self._objects, self._staging):
            each.mkdir(parents=True, exist_ok=True)
        self.sweep()

    def stage(self) -> StagedFile:
        """A new file to write, a context manager that discards it unless committed. Raises StorageFull."""
        self._check_free_space()
        return StagedFile(self._staging / secrets.token_hex(16), self._path)

    def stage_part(self) -> StagedPart:
        """The same for one part of a multipart upload."""
        self._check_free_space()
        return StagedPart(self._staging / secrets.token_hex(16), self._path)

    def open(self, key: str) -> OpenObject:
        """Raises NotFound."""
        try:
            check_key_length(key)
            descriptor = open_file(self._path(key))
        except (FileNotFoundError, BadParameter) as error:
            raise NotFound(what="object", which=ascii(key[:80])) from error
        try:
            return OpenObject(descriptor, read_trailer(descriptor))
        except CorruptObject as error:
            os.close(descriptor)
            log.warning("bucket: object %s is damaged: %s", self._path(key).name, error)
            raise NotFound(what="object", which=ascii(key[:80])) from error

    def copy(self, source_key: str, key: str, *, overwrite: bool, mime: str | None = None) -> Stat:
        """Store the content of an object as `key` too, or as the object itself with another `mime`.

        Raises NotFound, StorageFull, BadParameter; without `overwrite` KeyExists if there is an object of this key.
        """
        check_key_length(key)
        if not overwrite and self._path(key).exists():
            raise kodo_errors.KeyExists("file exists")
        with self.open(source_key) as source, self.stage() as staged:
            for start in range(0, source.stat.size_bytes, COPY_BYTES):
                staged.write(source.read(start, COPY_BYTES))
            put_time_s = source.stat.put_time_s if key == source_key else time.time()
            stat = replace(source.stat, key=key, mime=mime or source.stat.mime, put_time_s=put_time_s)
            return staged.store(stat, overwrite=overwrite)

    def delete(self, key: str) -> bool:
        """Returns whether the object existed."""
        try:
            check_key_length(key)
            self._path(key).unlink()
        except (FileNotFoundError, BadParameter):
            return False
        return True

    def iterate(self) -> Iterator[Stat]:
        """All objects in any order, without damaged ones and those deleted meanwhile."""
        with os.scandir(self._objects) as entries:
            for entry in entries:
                with contextlib.suppress(CorruptObject, FileNotFoundError):
                    with open_descriptor(Path(entry.path)) as descriptor:
                        stat = read_trailer(descriptor)
                    yield stat

    def sweep(self) -> int:
        """Delete the files that a killed process was writing. Returns how many."""
        return sum(_remove_if_abandoned(path) for path in self._staging.iterdir())

    def _check_free_space(self) -> None:
        """Raises StorageFull."""
        disk = os.statvfs(self._staging)
        reserve = min(self._keep_free_bytes, self._keep_free_share * disk.f_blocks * disk.f_frsize)
        if disk.f_bavail * disk.f_frsize < reserve:
            raise StorageFull()

    def _path(self, key: str) -> Path:
        return self._objects / hashlib.sha256(key.encode()).hexdigest()


def _remove_if_abandoned(path: Path) -> bool:
    """The lock of a writer is released when it dies."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
    except (BlockingIOError, FileNotFoundError):
        return False
    return True
