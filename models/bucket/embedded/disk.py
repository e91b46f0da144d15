"""The border to the file system: its errors become ours here. What is merely absent or present passes as it is."""

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
    """No room, no quota, or larger than the file system allows: StorageFull. Any other fault: BucketUnavailable."""
    try:
        yield
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError as error:
        if error.errno in FULL:
            raise StorageFull() from error
        log.warning("bucket: the disk failed: %s", errno.errorcode.get(error.errno or 0, "unknown"))
        raise BucketUnavailable() from error


@contextlib.contextmanager
def open_descriptor(path: Path) -> Iterator[int]:
    """The file's descriptor for reading. A symbolic link is nothing of ours: FileNotFoundError."""
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
    """Make the names in it durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
