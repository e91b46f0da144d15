"""The server process: reads the settings and opens the database; serving.py does the rest.

What is imported here delays the start. While mongod starts, what opens the database is imported; while that creates
indexes, serving.py and all that it needs but the mosaic engine, which is imported when requests are answered.
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
from contextlib import AsyncExitStack
from types import ModuleType

try:
    import fcntl  # noqa: F401 - without it the imports that follow fail
except ImportError:
    print("server.py: this system has no fcntl: run the server on Linux, on macOS or in WSL", file=sys.stderr)
    sys.exit(2)

from command_line import read_settings
from data_dir import StartupError, embedded_mongod, explain_os_error, lock_data_dir
from logs import start_logging
from models.embedded_mongod import Mongod, MongodError
from processing.background import cancel
from processing.event_loop import make_loop
from processing.file_limit import TooFewFiles, check_file_limit, file_limit, raise_file_limit
from processing.shared_heap import share_heap
from processing.thread_priority import prioritise_loop
from settings import BadSetting, Settings


async def run(settings: Settings, *, check: bool = False) -> int:
    """Serve, or run the self-check. Returns the exit code. Raises StartupError, MongodError."""
    share_heap()  # before there is a thread, which would have a heap of its own
    mongod = await _spawn_mongod(settings)
    try:
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
    check = "--check" in arguments
    try:
        settings = read_settings(arguments)
        start_logging(as_json=settings.log_json, quiet=check)
        prioritise_loop()
        raise_file_limit()
        check_file_limit(file_limit())
        with lock_data_dir(settings.data_dir), asyncio.Runner(loop_factory=make_loop) as runner:
            return runner.run(run(settings, check=check))
    except (BadSetting, StartupError, MongodError, TooFewFiles) as error:
        print(f"server.py: {error}", file=sys.stderr)
        return 2


async def _spawn_mongod(settings: Settings) -> Mongod | None:
    """The embedded database, which is still starting; None with a server that mongodb_uri names."""
    if settings.mongodb_uri:
        return None
    mongod = embedded_mongod(settings.data_dir)
    try:
        await mongod.spawn()
    except OSError as error:
        raise StartupError(explain_os_error(settings.data_dir, error)) from error
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
