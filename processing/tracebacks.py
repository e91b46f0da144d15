"""Errors of work in threads, without what the work held."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cleared_frames() -> Iterator[None]:
    """An error that leaves the block keeps its lines, but no local variable of the calls that have ended.

    Its traceback would hold them as long as anything holds the error. A future holds it, and often a frame of the same
    traceback holds the future: then a decoded picture stays in memory until a full garbage collection, which is rare
    (process_setup.freeze_gc).
    """
    try:
        yield
    except BaseException as error:
        pending: list[BaseException | None] = [error]
        cleared: set[int] = set()
        while pending:
            current = pending.pop()
            if current is not None and id(current) not in cleared:
                cleared.add(id(current))
                traceback.clear_frames(current.__traceback__)
                pending += (current.__cause__, current.__context__)
        raise
