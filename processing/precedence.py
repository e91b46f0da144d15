"""Precedence among short renders in threads: whoever waits for one alone goes before those who ask for many at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MAX_PAUSE_S = 1.0
"""How long one render gives way in all, however many come first."""


class Precedence:
    """`first` around a render that goes first, in the loop; `pauses` makes what another one calls at each step.

    More renders than cores slow each other down, also by the interpreter lock, whatever their priority.
    """

    def __init__(self, *, max_pause_s: float = MAX_PAUSE_S) -> None:
        self._max_pause_s = max_pause_s
        self._count = 0
        self._clear = threading.Event()
        self._clear.set()

    @contextmanager
    def first(self) -> Iterator[None]:
        """Others pause meanwhile."""
        self._count += 1
        self._clear.clear()
        try:
            yield
        finally:
            self._count -= 1
            if not self._count:
                self._clear.set()

    def pauses(self) -> Callable[[], None]:
        """For one render: blocks while others go first."""
        left_s = self._max_pause_s

        def pause() -> None:
            nonlocal left_s
            if left_s > 0 and not self._clear.is_set():
                began = time.monotonic()
                self._clear.wait(left_s)
                left_s -= time.monotonic() - began

        return pause
