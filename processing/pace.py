"""How fast we are: seconds for each megapixel, by style, learned from what was done."""

from __future__ import annotations

from collections.abc import Iterable

from models.tasks import Task

WEIGHT = 0.2
"""Of the newest render in the running mean: five renders make the old ones small."""


class Pace:
    """Exponentially weighted means. Knows nothing until something was done, and says so with None."""

    def __init__(self) -> None:
        self._seconds_per_megapixel: dict[str, float] = {}
        self._seconds: float | None = None

    def learn(self, task: Task) -> None:
        """From a finished task; one that was answered from an older result teaches nothing."""
        if task.seconds is None or not task.megapixels:
            return
        rate = task.seconds / task.megapixels
        self._seconds_per_megapixel[task.style] = _mean(self._seconds_per_megapixel.get(task.style), rate)
        self._seconds = _mean(self._seconds, task.seconds)

    def learn_all(self, tasks: Iterable[Task]) -> None:
        for task in tasks:
            self.learn(task)

    def rates(self) -> dict[str, float]:
        """Seconds for each megapixel, by style."""
        return {style: round(rate, 4) for style, rate in sorted(self._seconds_per_megapixel.items())}

    def wait_s(self, position: int, threads: int) -> float | None:
        """How long until the task at this position (1: next) is done, in seconds."""
        if self._seconds is None:
            return None
        return round((position + threads - 1) // threads * self._seconds, 1)


def _mean(old: float | None, new: float) -> float:
    return new if old is None else old + WEIGHT * (new - old)
