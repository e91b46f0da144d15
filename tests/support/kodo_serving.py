"""Serves the fake Kodo on a test's loop, or in a thread for tests without a loop (browser tests)."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator

from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop

from tests.support import kodo as kodo_server
from tests.support.kodo_state import FakeKodo

START_LIMIT_S = 120


@contextlib.contextmanager
def serving_on(io_loop: IOLoop, kodo: FakeKodo) -> Iterator[FakeKodo]:
    """Serve on this loop, which is not running yet, until the `with` ends."""

    async def begin() -> HTTPServer:
        return kodo_server.start(kodo)

    server = io_loop.run_sync(begin)
    try:
        yield kodo
    finally:
        server.stop()
        io_loop.run_sync(server.close_all_connections)


@contextlib.contextmanager
def serving_in_a_thread(kodo: FakeKodo) -> Iterator[FakeKodo]:
    """Serve in a thread until the `with` ends; sets `kodo.base`. Faults may be set from any thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="kodo")
    thread.start()

    async def start() -> HTTPServer:
        return kodo_server.start(kodo)

    async def stop(server: HTTPServer) -> None:
        server.stop()
        await server.close_all_connections()

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(START_LIMIT_S)
    try:
        yield kodo
    finally:
        asyncio.run_coroutine_threadsafe(stop(server), loop).result(START_LIMIT_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(START_LIMIT_S)
        loop.close()
