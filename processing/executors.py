"""The thread pools for short blocking work: bucket calls (`io`) and previews (`preview`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from processing.thread_priority import PREVIEW_NICENESS, lower_thread_priority
from processing.tracebacks import cleared_frames

T = TypeVar("T")

IO_THREADS = 8


class Executors:
    """Runs blocking calls in threads, so that they do not block the loop. `close` waits for the running calls."""

    def __init__(self, preview_threads: int) -> None:
        self._io = ThreadPoolExecutor(IO_THREADS, "io")
        self._preview = ThreadPoolExecutor(
            preview_threads, "preview", initializer=lower_thread_priority, initargs=(PREVIEW_NICENESS,)
        )

    async def io(self, work: Callable[..., T], *arguments: object, **keywords: object) -> T:
        """Run a blocking call of the bucket."""
        return await _run(self._io, lambda: work(*arguments, **keywords))

    async def preview(self, work: Callable[..., T], *arguments: object) -> T:
        """Run a small render. It has threads of its own, so that it never waits for a task's render."""
        return await _run(self._preview, lambda: work(*arguments))

    async def close(self) -> None:
        for executor in (self._io, self._preview):
            await asyncio.to_thread(executor.shutdown, cancel_futures=True)


async def _run(executor: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(executor, _cleared, work)


def _cleared(work: Callable[[], T]) -> T:
    with cleared_frames():
        return work()
