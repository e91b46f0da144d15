"""Estimates of render times: seconds per megapixel for each style, learned from finished tasks."""

from __future__ import annotations

from collections.abc import Iterable

from models.queue.task import Task

WEIGHT = 0.2
"""Of the newest render in the moving average."""


class TimeEstimator:
    """Exponentially weighted moving averages. Estimates are None until a first task was measured."""

    def __init__(self) -> None:
        self._seconds_per_megapixel: dict[str, float] = {}
        self._rate: float | None = None
        self._seconds: float | None = None

    def update(self, task: Task) -> None:
        """Learn from a finished task. One that reused an older result has no time of its own and is ignored."""
        if task.seconds is None or not task.megapixels:
            return
        rate = task.seconds / task.megapixels
        self._seconds_per_megapixel[task.style] = _average(self._seconds_per_megapixel.get(task.style), rate)
        self._rate = _average(self._rate, rate)
        self._seconds = _average(self._seconds, task.seconds)

    def update_all(self, tasks: Iterable[Task]) -> None:
        for task in tasks:
            self.update(task)

    def rates(self) -> dict[str, float]:
        """Seconds per megapixel, by style."""
        return {style: round(rate, 4) for style, rate in sorted(self._seconds_per_megapixel.items())}

    def estimate_s(self, style: str, megapixels: float | None) -> float | None:
        """Duration of a render on one thread, in seconds.

        A style that was never measured takes the average rate of all styles; an image of unknown size the average time.
        """
        rate = self._seconds_per_megapixel.get(style, self._rate)
        return rate * megapixels if rate is not None and megapixels else self._seconds

    def wait_s(self, waiting: int, threads: int) -> float | None:
        """How long this many tasks of average size take on these threads, in seconds."""
        return None if self._seconds is None else waiting * self._seconds / max(1, threads)


def _average(old: float | None, new: float) -> float:
    return new if old is None else old + WEIGHT * (new - old)
