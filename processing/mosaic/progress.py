"""Progress reporting with nested sub-ranges, and cutting work into pieces between which it reports.

Fractions never fall. The callback may abort the work by raising; what it raises passes through to the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

ProgressCallback = Callable[[float], None]
T = TypeVar("T")

# NumPy holds the interpreter lock in some calls, for about a millisecond per megapixel. Every other call ends by
# acquiring the lock again, so smaller bands would make concurrent renders wait for each other more often.
BAND_PX = 1 << 20

POLL_S = 0.05


class Progress:
    """The range [low, high] of the work. Calling it with a fraction from 0 to 1 reports to the callback."""

    __slots__ = ("_callback", "_high", "_low", "_peak")

    def __init__(self, callback: ProgressCallback | None = None) -> None:
        self._callback = callback
        self._low, self._high = 0.0, 1.0
        self._peak = [0.0]  # shared by all sub-ranges

    def __call__(self, fraction: float) -> None:
        if self._callback is None:
            return
        overall = self._low + (self._high - self._low) * min(max(fraction, 0.0), 1.0)
        self._peak[0] = max(self._peak[0], overall)
        self._callback(self._peak[0])

    def sub(self, low: float, high: float) -> Progress:
        """The sub-range from `low` to `high` of this one."""
        progress = Progress(self._callback)
        span = self._high - self._low
        progress._low, progress._high = self._low + span * low, self._low + span * high
        progress._peak = self._peak
        return progress

    def bands(self, width: int, height: int, *, step: int = 1) -> Iterator[tuple[int, int]]:
        """(top, bottom) of bands of at most BAND_PX pixels, a multiple of `step` rows high; reports after each."""
        rows = max(step, BAND_PX // max(width, 1) // step * step)
        for band in pieces(height, rows):
            yield band.start, band.stop
            self(band.stop / height)


def pieces(length: int, size: int) -> Iterator[slice]:
    """Slices of at most `size` (at least 1) that cover range(length) in order."""
    for start in range(0, length, size):
        yield slice(start, min(start + size, length))


def run_interruptible(work: Callable[[], T], poll: Callable[[], None]) -> T:
    """Run `work` in a thread and return its result, calling `poll` twenty times a second meanwhile.

    For single long calls into a library that release the interpreter lock and cannot be stopped. What `work` or
    `poll` raises is raised here. After `poll` has raised, `work` runs to its end in the background and its result is
    dropped, so it must not use anything that the caller closes or changes afterwards.
    """
    executor = ThreadPoolExecutor(1, "interruptible")
    try:
        future = executor.submit(work)
        while not wait((future,), POLL_S).done:
            poll()
        return future.result()
    finally:
        executor.shutdown(wait=False)
