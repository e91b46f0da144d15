"""The server process: reads the settings and opens the database; serving.py does the rest.

What is imported here delays the start. While mongod starts, what reads the settings is imported and what opens the
database; while that creates indexes, serving.py and all that it needs but the mosaic engine, which is imported when
requests are answered.
"""

from __future__ import annotations

import gc
import os
import sys

if __name__ == "__main__":
    gc.disable()  # imports keep what they create: collections would cost a quarter of the start and find nothing
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # to look for some reads every package's metadata

import asyncio
import socket
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

try:
    import fcntl  # noqa: F401 - without it the imports that follow fail
except ImportError:
    print("server.py: this system has no fcntl: run the server on Linux, on macOS or in WSL", file=sys.stderr)
    sys.exit(2)

from data_dir import StartupError, embedded_mongod, explain_os_error, lock_data_dir, plain_data_dir
from logs import start_logging
from models.embedded_mongod import Mongod, MongodError
from processing.background import cancel
from processing.event_loop import make_loop
from processing.file_limit import TooFewFiles, check_file_limit, file_limit, raise_file_limit
from processing.shared_heap import share_heap
from processing.thread_priority import prioritise_loop

if TYPE_CHECKING:
    from settings import Settings


async def run(settings: Settings, *, check: bool = False) -> int:
    """Serve, or run the self-check. Returns the exit code. Raises StartupError, MongodError."""
    share_heap()  # before there is a thread, which would have a heap of its own
    mongod = None if settings.mongodb_uri else await _spawn_mongod(settings.data_dir)
    return await _run_beside(mongod, lambda: settings, check=check)


async def run_plain(data_dir: Path, arguments: Sequence[str]) -> int:
    """The same as `run` where the database is started before the settings are read; see plain_data_dir."""
    share_heap()
    mongod = await _spawn_mongod(data_dir)
    return await _run_beside(mongod, lambda: _read_settings(arguments), check=False)


async def _run_beside(mongod: Mongod | None, read: Callable[[], Settings], *, check: bool) -> int:
    try:
        settings = read()
        sockets = _bind(settings)
        from databases import DATABASE_TIMEOUT_S, open_store

        timeout_s = 0 if check else DATABASE_TIMEOUT_S
        async with AsyncExitStack() as stack:
            store = open_store(settings, mongod=mongod, timeout_s=timeout_s)
            opening = asyncio.create_task(stack.enter_async_context(store))
            try:
                serving = await asyncio.to_thread(_import_serving)
                program = serving.run_self_check if check else serving.serve
                return int(await program(settings, sockets, opening))
            finally:
                await cancel([opening])
    finally:
        if mongod is not None:
            await mongod.stop()  # if it was not needed


def main() -> int:
    """Returns the exit code."""
    arguments = sys.argv[1:]
    try:
        data_dir = plain_data_dir(arguments, os.environ)
        if data_dir is not None:
            return _run_locked(data_dir, lambda: run_plain(data_dir, arguments))
        settings = _read_settings(arguments)
        return _run_locked(settings.data_dir, lambda: run(settings, check="--check" in arguments))
    except (StartupError, MongodError, TooFewFiles) as error:
        print(f"server.py: {error}", file=sys.stderr)
        return 2


def _run_locked(data_dir: Path, program: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run a program with the data folder to itself. Raises StartupError, TooFewFiles, and what it raises."""
    prioritise_loop()
    raise_file_limit()
    check_file_limit(file_limit())
    with lock_data_dir(data_dir), asyncio.Runner(loop_factory=make_loop) as runner:
        return runner.run(program())


def _read_settings(arguments: Sequence[str]) -> Settings:
    """Read the settings, and begin to log as they say. Raises StartupError."""
    from command_line import read_settings
    from settings import BadSetting

    try:
        settings = read_settings(arguments)
    except BadSetting as error:
        raise StartupError(str(error)) from error
    start_logging(as_json=settings.log_json, quiet="--check" in arguments)
    return settings


async def _spawn_mongod(data_dir: Path) -> Mongod:
    """The embedded database, which is still starting."""
    mongod = embedded_mongod(data_dir)
    try:
        await mongod.spawn()
    except OSError as error:
        raise StartupError(explain_os_error(data_dir, error)) from error
    return mongod


def _import_serving() -> ModuleType:
    """In a thread: half a second in which the loop goes on."""
    import serving

    return serving


def _bind(settings: Settings) -> list[socket.socket]:
    from tornado.netutil import bind_sockets

    try:
        return bind_sockets(settings.port, settings.address)
    except OSError as error:
        text = f"port: {settings.address}:{settings.port} cannot be served: {error.strerror}"
        raise StartupError(text) from error


if __name__ == "__main__":
    sys.exit(main())
