"""Fixtures for the library."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from processing.mosaic import progress


class PolledFirst(ThreadPoolExecutor):
    """Begins its work once an event is set."""

    polled: Event

    def submit(self, work: Callable[[], Any], /) -> Future[Any]:  # type: ignore[override]
        return super().submit(lambda: (self.polled.wait(), work())[1])


@pytest.fixture
def polled(monkeypatch: pytest.MonkeyPatch) -> Event:
    """What runs in a thread beside the one that polls begins when a test sets this in its callback.

    On a busy machine it may have ended before the first poll otherwise.
    """
    event = Event()
    monkeypatch.setattr(PolledFirst, "polled", event, raising=False)
    monkeypatch.setattr(progress, "ThreadPoolExecutor", PolledFirst)
    return event
