"""How a process that renders is set up: its heap, its interpreter, the threads of its libraries, their warnings."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
import warnings

from PIL import Image
from threadpoolctl import threadpool_limits

THREAD_SWITCH_S = 0.0005
"""The longest a thread keeps the interpreter while the loop waits for it."""
GC_THRESHOLDS = (2_000, 20, 50)
MMAP_THRESHOLD_BYTES = 32 << 20
TRIM_THRESHOLD_BYTES = 256 << 20
TOP_PAD_BYTES = 16 << 20

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -2, -3, -8  # malloc.h of glibc


def tune_process() -> None:
    """Set this process up, before its threads start. Harmless when repeated."""
    sys.setswitchinterval(THREAD_SWITCH_S)
    warnings.filterwarnings("ignore", module=r"PIL\.")  # a picture's EXIF can make thousands, each a line
    threadpool_limits(1, "blas")  # jobs already fill the cores: more threads in each would wait for one another
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # and for SciPy's, loaded when a style first needs it
    share_heap()


def share_heap() -> None:
    """One heap for all threads, which keeps what is free. `hand_back` is its other half.

    Pillow takes memory in pieces of 16 MB. By default glibc maps each anew, and touching fresh pages costs as much as
    the render itself; or it keeps them in a heap for each thread that ever rendered. With one heap (mallopt(3)) pages
    are touched once and threads share them.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library has other ways
        libc = ctypes.CDLL(None)
        libc.mallopt(_ARENA_MAX, 1)
        libc.mallopt(_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES)
        libc.mallopt(_TRIM_THRESHOLD, TRIM_THRESHOLD_BYTES)
        libc.mallopt(_TOP_PAD, TOP_PAD_BYTES)


def freeze_gc() -> None:
    """What has been made until now stays: the collector need not look at it again, nor at what lives long so often.

    Looking at everything takes 60 to 80 ms, in which nobody is answered; before this it did so every few seconds.
    """
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def release_free_memory() -> None:
    """Give the heap's free pages back to the system (malloc_trim(3)); some milliseconds, for when nothing renders."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def limit_pillow_pixels(max_megapixels: float) -> None:
    """For this process: a picture that claims more is an error of Pillow's, whoever opens it, and no mere warning.

    Cheap, and done again by every job, wherever it runs: whoever restores warnings of his own (`catch_warnings`) takes
    ours away. The limit only rises: jobs of several servers may share a worker.
    """
    Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS or 0, round(max_megapixels * 1_000_000))
    warnings.simplefilter("error", Image.DecompressionBombWarning)
