"""How far the work is: a part of the whole that reports fractions, never falls, and may be interrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

Progress = Callable[[float], None]
Made = TypeVar("Made")

_LOOK_S = 0.05

BAND_PX = 1 << 20
"""Of bands: NumPy keeps the interpreter lock through some of its calls, and those take a millisecond for a megapixel or
two; each of the others ends in asking for it, so that smaller bands make renders wait for each other."""


class Stage:
    """One part [low, high] of the work. Calling it with 0 to 1 reports; what `progress` raises passes through."""

    __slots__ = ("_high", "_low", "_peak", "_progress")

    def __init__(self, progress: Progress | None = None) -> None:
        self._progress = progress
        self._low, self._high = 0.0, 1.0
        self._peak = [0.0]  # shared by all parts of one whole

    def __call__(self, fraction: float) -> None:
        if self._progress is None:
            return
        here = self._low + (self._high - self._low) * min(max(fraction, 0.0), 1.0)
        self._peak[0] = max(self._peak[0], here)
        self._progress(self._peak[0])

    def part(self, low: float, high: float) -> Stage:
        """The sub-stage from `low` to `high` of this one."""
        stage = Stage(self._progress)
        span = self._high - self._low
        stage._low, stage._high = self._low + span * low, self._low + span * high
        stage._peak = self._peak
        return stage

    def bands(self, width: int, height: int, *, step: int = 1) -> Iterator[tuple[int, int]]:
        """(top, bottom) of bands of at most BAND_PX pixels, whole steps of rows high; reports after each."""
        rows = max(step, BAND_PX // max(width, 1) // step * step)
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            yield top, bottom
            self(bottom / height)


def attended(work: Callable[[], Made], look: Callable[[], None]) -> Made:
    """What `work` returns or raises, done in a thread of its own while this one looks up twenty times a second.

    For single calls into a library that take long, release the interpreter lock, and cannot be stopped. What `look`
    raises passes through; the work then goes on to its end for nobody, so it may touch nothing that is closed or
    changed by then.
    """
    executor = ThreadPoolExecutor(1, "attended")
    try:
        made = executor.submit(work)
        while not wait((made,), _LOOK_S).done:
            look()
        return made.result()
    finally:
        executor.shutdown(wait=False)
