"""Setup of a process that renders: heap, interpreter, garbage collector, library threads, Pillow's limits.

`make bench-engine` and `python -m tests.bench.memory` show what these settings gain.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
import warnings

from PIL import Image
from threadpoolctl import threadpool_limits

from processing.thread_priority import THREAD_SWITCH_S

GC_THRESHOLDS = (2_000, 20, 50)
MMAP_THRESHOLD_BYTES = 32 << 20
TRIM_THRESHOLD_BYTES = 256 << 20
TOP_PAD_BYTES = 16 << 20

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -2, -3, -8  # malloc.h of glibc


def tune_process() -> None:
    """Set up this process before its threads start. Harmless when repeated."""
    sys.setswitchinterval(THREAD_SWITCH_S)
    warnings.filterwarnings("ignore", module=r"PIL\.")  # one image's EXIF can cause thousands
    use_one_blas_thread()
    share_heap()


def use_one_blas_thread() -> None:
    """Jobs already fill the cores; and threads that wait for a part of a small matrix cost more than it does."""
    threadpool_limits(1, "blas")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # for SciPy, loaded when a style first needs it


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


def freeze_gc() -> None:
    """Begin to collect garbage, but not the objects that exist now, and old generations less often than by default.

    A full collection takes 60 to 80 ms, in which no request is answered; by default it runs every few seconds.
    """
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    gc.enable()


def limit_pillow_pixels(max_megapixels: float) -> None:
    """Let Pillow raise an error, not only a warning, for an image with more pixels: the last line of defence.

    Each job calls this again, since `catch_warnings` in other code removes the filter. The limit only rises, since jobs
    of several servers may share a worker process.
    """
    Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS or 0, round(max_megapixels * 1_000_000))
    warnings.simplefilter("error", Image.DecompressionBombWarning)
