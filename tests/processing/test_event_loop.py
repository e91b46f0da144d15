"""The server's event loop: callbacks first, but no event waits for long."""

from __future__ import annotations

import asyncio
import os
import selectors
import signal
import socket
from collections.abc import Iterator

import pytest

from processing.event_loop import MAX_ROUNDS, CallbacksFirstSelector, make_loop


@pytest.fixture
def selector() -> Iterator[CallbacksFirstSelector]:
    """With one socket that can be read."""
    ours, theirs = socket.socketpair()
    with ours, theirs, CallbacksFirstSelector() as watched:
        theirs.send(b"x")
        watched.register(ours, selectors.EVENT_READ)
        yield watched


def test_events_are_looked_for_when_no_callback_waits(selector: CallbacksFirstSelector) -> None:
    assert len(selector.select(None)) == 1
    assert len(selector.select(1.0)) == 1


def test_callbacks_that_go_on_and_on_do_not_keep_events_waiting(selector: CallbacksFirstSelector) -> None:
    looks = [bool(selector.select(0)) for _ in range(2 * (MAX_ROUNDS + 1))]

    assert looks == 2 * [*MAX_ROUNDS * [False], True]


def test_the_loop_serves_threads_sockets_signals_timers_and_processes() -> None:
    async def use() -> tuple[int, bytes, int | None]:
        loop = asyncio.get_running_loop()
        signalled = asyncio.Event()
        loop.add_signal_handler(signal.SIGUSR1, signalled.set)
        results = await asyncio.gather(*(asyncio.to_thread(abs, -number) for number in range(100)))
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            ended = await reader.read()
            writer.close()
        await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGUSR1)
        async with asyncio.timeout(60):
            await signalled.wait()
        loop.remove_signal_handler(signal.SIGUSR1)
        process = await asyncio.create_subprocess_exec("true")
        return sum(results), ended, await process.wait()

    with asyncio.Runner(loop_factory=make_loop) as runner:
        assert runner.run(use()) == (4950, b"", 0)
