"""The percent of a running task, as users see it: it only rises, and it never stands still for long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PROGRESS_INTERVAL_S = 0.15
SILENT_S, MAX_AHEAD_PERCENT = 0.2, 8
"""A step that cannot report, such as writing a PNG, counts one percent each SILENT_S, at most MAX_AHEAD_PERCENT."""


class ProgressReporter:
    """Call it with a fraction, 0 to 1. publish: called with a percent above 0, at most once in PROGRESS_INTERVAL_S."""

    def __init__(self, publish: Callable[[int], None]) -> None:
        self._publish = publish
        self._loop = asyncio.get_running_loop()
        self._percent, self._reported = 0, 0
        self._published_at = float("-inf")
        self._timer = self._loop.call_later(SILENT_S, self._count_up)

    def __call__(self, fraction: float) -> None:
        self._reported = max(self._reported, int(fraction * 100))
        self._publish_percent(self._reported, PROGRESS_INTERVAL_S)

    def close(self) -> None:
        """The job is over: publish nothing more."""
        self._timer.cancel()

    def _count_up(self) -> None:
        if self._percent < min(99, self._reported + MAX_AHEAD_PERCENT):
            self._publish_percent(max(self._reported, self._percent + 1), SILENT_S)
        self._timer = self._loop.call_later(SILENT_S, self._count_up)

    def _publish_percent(self, percent: int, interval_s: float) -> None:
        now = self._loop.time()
        if percent > self._percent and now - self._published_at >= interval_s:
            self._percent, self._published_at = percent, now
            self._publish(percent)
