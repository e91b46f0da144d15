"""Setup of a process that renders: heap, interpreter, garbage collector, library threads, Pillow's limits.

`make bench-engine` and `python -m tests.bench.memory` show what these settings gain.
"""

from __future__ import annotations

import gc
import os
import sys
import warnings

from PIL import Image

from processing.shared_heap import share_heap
from processing.thread_priority import THREAD_SWITCH_S

GC_THRESHOLDS = (2_000, 20, 50)


def tune_process() -> None:
    """Set up this process before its threads start. Harmless when repeated."""
    sys.setswitchinterval(THREAD_SWITCH_S)
    warnings.filterwarnings("ignore", module=r"PIL\.")  # one image's EXIF can cause thousands
    use_one_blas_thread()
    share_heap()


def use_one_blas_thread() -> None:
    """Jobs already fill the cores; and threads that wait for a part of a small matrix cost more than it does."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # for NumPy and SciPy, each of which has one of its own
    if "numpy" in sys.modules:
        from threadpoolctl import threadpool_limits

        threadpool_limits(1, "blas")  # of those that are loaded


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
