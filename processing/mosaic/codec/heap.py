"""The process's heap: returning its free pages before a large picture is decoded."""

from __future__ import annotations

import contextlib
import ctypes

LARGE_MEGAPIXELS = 13.0
"""Pictures with more are large: their decoders take hundreds of megabytes."""


def release_free_memory() -> None:
    """Return the heap's free pages to the system (malloc_trim(3)). Takes some milliseconds. glibc only."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def release_before_large(pixels: int) -> None:
    """Release free memory if a picture with this number of pixels is large.

    The heap of a server keeps the pages of the last picture for the next one (processing/process_setup.py). Decoders
    allocate the largest part of their memory outside of it: a large picture would take its own maximum and, unused,
    the maximum of the last one.
    """
    if pixels > LARGE_MEGAPIXELS * 1_000_000:
        release_free_memory()
