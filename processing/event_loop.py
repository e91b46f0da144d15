"""The event loop of a server, which gives up the interpreter lock less often than asyncio's.

Each look for events gives the lock up, also while callbacks wait. Beside threads that render, the loop then waits until
one of them gives it back.
"""

from __future__ import annotations

import asyncio
import selectors

MAX_ROUNDS = 8
"""Rounds of callbacks without a look for events, so that callbacks which call others on and on do not delay these."""


class CallbacksFirstSelector(selectors.DefaultSelector):
    """Looks for events when no callback waits, and after MAX_ROUNDS rounds of callbacks."""

    def __init__(self) -> None:
        super().__init__()
        self._rounds = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """timeout: asyncio passes 0 while callbacks wait."""
        if timeout == 0 and self._rounds < MAX_ROUNDS:
            self._rounds += 1
            return []
        self._rounds = 0
        return super().select(timeout)


def make_loop() -> asyncio.AbstractEventLoop:
    """A new loop, to be closed by the caller."""
    return asyncio.SelectorEventLoop(CallbacksFirstSelector())
