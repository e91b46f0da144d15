"""One heap for all threads of a process, set before its first thread starts: it imports nothing that takes long."""

from __future__ import annotations

import contextlib
import ctypes

MMAP_THRESHOLD_BYTES = 32 << 20
TRIM_THRESHOLD_BYTES = 256 << 20
TOP_PAD_BYTES = 16 << 20

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -2, -3, -8  # malloc.h of glibc


def share_heap() -> None:
    """Use one heap for all threads, which keeps freed memory until `release_free_memory`. Linux with glibc only.

    Pillow allocates blocks of 16 MB. By default glibc maps each one again, and touching new pages costs as much as the
    render itself; or it keeps the blocks in one heap per thread. With one heap (mallopt(3)) pages are touched once and
    shared by all threads.
    """
    with contextlib.suppress(OSError, AttributeError):  # not glibc
        libc = ctypes.CDLL(None)
        libc.mallopt(_ARENA_MAX, 1)
        libc.mallopt(_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES)
        libc.mallopt(_TRIM_THRESHOLD, TRIM_THRESHOLD_BYTES)
        libc.mallopt(_TOP_PAD, TOP_PAD_BYTES)
