"""The thread pools for blocking work beside jobs: bucket calls (`io`), previews (`preview`), and what needs the memory
of a job (`large`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from processing.thread_priority import PREVIEW_NICENESS, RENDER_NICENESS, lower_thread_priority
from processing.tracebacks import cleared_frames

T = TypeVar("T")

IO_THREADS = 8


class Executors:
    """Runs blocking calls in threads, so that they do not block the loop. `close` waits for the running calls."""

    def __init__(self, preview_threads: int, render_threads: ThreadPoolExecutor | None = None) -> None:
        """render_threads: where jobs run, if they run in this process; the caller shuts them down."""
        self._io = ThreadPoolExecutor(IO_THREADS, "io")
        self._preview = ThreadPoolExecutor(
            preview_threads, "preview", initializer=lower_thread_priority, initargs=(PREVIEW_NICENESS,)
        )
        self._own = [self._io, self._preview]
        if render_threads is None:
            render_threads = ThreadPoolExecutor(
                1, "large", initializer=lower_thread_priority, initargs=(RENDER_NICENESS,)
            )
            self._own.append(render_threads)
        self._large = render_threads

    async def io(self, work: Callable[..., T], *arguments: object, **keywords: object) -> T:
        """Run a blocking call of the bucket."""
        return await _run(self._io, lambda: work(*arguments, **keywords))

    async def preview(self, work: Callable[..., T], *arguments: object) -> T:
        """Run a small render. It has threads of its own, so that it never waits for a task's render."""
        return await _run(self._preview, lambda: work(*arguments))

    async def large(self, work: Callable[..., T], *arguments: object) -> T:
        """Run work that may take as much memory as a job: in the place of one, so that both together never take more.

        It waits until a running job ends. Where jobs run in other processes, a thread of this one is left to it.
        """
        return await _run(self._large, lambda: work(*arguments))

    async def close(self) -> None:
        for executor in self._own:
            await asyncio.to_thread(executor.shutdown, cancel_futures=True)


async def _run(executor: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(executor, _cleared, work)


def _cleared(work: Callable[[], T]) -> T:
    with cleared_frames():
        return work()
