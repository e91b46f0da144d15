"""How fast we are: seconds for each megapixel, by style, learned from what was done."""

from __future__ import annotations

from collections.abc import Iterable

from models.queue.tasks import Task

WEIGHT = 0.2
"""Of the newest render in the running mean: five renders make the old ones small."""


class TimeEstimator:
    """Exponentially weighted means. Knows nothing until something was done, and says so with None."""

    def __init__(self) -> None:
        self._seconds_per_megapixel: dict[str, float] = {}
        self._rate: float | None = None
        self._seconds: float | None = None

    def update(self, task: Task) -> None:
        """From a finished task; one that was answered from an older result teaches nothing."""
        if task.seconds is None or not task.megapixels:
            return
        rate = task.seconds / task.megapixels
        self._seconds_per_megapixel[task.style] = _mean(self._seconds_per_megapixel.get(task.style), rate)
        self._rate = _mean(self._rate, rate)
        self._seconds = _mean(self._seconds, task.seconds)

    def update_all(self, tasks: Iterable[Task]) -> None:
        for task in tasks:
            self.update(task)

    def rates(self) -> dict[str, float]:
        """Seconds for each megapixel, by style."""
        return {style: round(rate, 4) for style, rate in sorted(self._seconds_per_megapixel.items())}

    def estimate_s(self, style: str, megapixels: float | None) -> float | None:
        """How long a render will take on one thread, in seconds; None while there is nothing to learn from.

        A style that was never done takes as long as the mean of the others; so does a picture of unknown size.
        """
        rate = self._seconds_per_megapixel.get(style, self._rate)
        return rate * megapixels if rate is not None and megapixels else self._seconds

    def wait_s(self, waiting: int, threads: int) -> float | None:
        """How long so many tasks of the usual size keep the threads busy, in seconds."""
        return None if self._seconds is None else waiting * self._seconds / max(1, threads)


def _mean(old: float | None, new: float) -> float:
    return new if old is None else old + WEIGHT * (new - old)
