"""Access to the file system, with its errors translated; FileNotFoundError and FileExistsError are not."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from models.errors import BucketUnavailable, StorageFull

log = logging.getLogger(__name__)

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextlib.contextmanager
def translate_os_errors() -> Iterator[None]:
    """Raise StorageFull for no space, no quota or a file too large for the file system; else BucketUnavailable."""
    try:
        yield
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError as error:
        if error.errno in FULL:
            raise StorageFull() from error
        log.warning("bucket: disk error: %s", errno.errorcode.get(error.errno or 0, "unknown"))
        raise BucketUnavailable() from error


@contextlib.contextmanager
def open_descriptor(path: Path) -> Iterator[int]:
    """The file's descriptor for reading. Raises FileNotFoundError, also for a symbolic link."""
    descriptor = open_file(path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def open_file(path: Path) -> int:
    """The caller closes it. Raises FileNotFoundError."""
    with translate_os_errors():
        try:
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise FileNotFoundError(path) from error
            raise


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
