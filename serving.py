"""Serves until SIGTERM or SIGINT, or runs the self-check; composed in app.py."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from app import build, make_app
from backends import public_url_of
from data_dir import StartupError, explain_os_error, load_or_create_secret
from handlers.pages.static_files import StaticFiles
from handlers.services import Services
from handlers.transport.client_ip import IpNetworks
from handlers.transport.connections import LOOPBACK, ConnectionLimiter, connections_for, fd_limit_warning
from handlers.transport.http_server import listen
from logs import JsonFormatter
from models.errors import DatabaseUnavailable
from models.store import Store
from processing.background import background, cancel
from processing.file_limit import file_limit
from processing.mosaic_lazy import import_engine
from processing.process_setup import freeze_gc, limit_pillow_pixels, tune_process
from settings import Settings

log = logging.getLogger(__name__)


@asynccontextmanager
async def serving(
    settings: Settings,
    sockets: Sequence[socket.socket],
    opening: Awaitable[Store],
) -> AsyncIterator[Services]:
    """Serve HTTP. At the end drain: running tasks get time to finish, the others stay queued.

    opening: the store, which may not be ready yet. Raises what `open_store` raises.
    """
    tune_process()
    limit_pillow_pixels(max(settings.max_megapixels, settings.max_result_megapixels))
    public_url = public_url_of(settings, sockets[0].getsockname()[1])
    async with AsyncExitStack() as stack:
        services = await _build(stack, settings, public_url, opening)
        cookie_secret = settings.cookie_secret or load_or_create_secret(settings.data_dir / "cookie-secret")
        app = make_app(services, cookie_secret=cookie_secret)
        exempt = LOOPBACK | frozenset(settings.trusted_proxies)
        limiter = ConnectionLimiter(connections_for(file_limit()), exempt=exempt)
        server = listen(app, sockets, limiter=limiter, trusted_proxies=IpNetworks(settings.trusted_proxies))
        try:
            async with background(finish_imports()):
                yield services
        finally:
            server.stop()
            await services.queue.stop()
            services.broadcaster.close()
            await server.close_all_connections()


async def finish_imports() -> None:
    """Import what the first pictures need. No garbage is collected before (server.py)."""
    try:
        await asyncio.to_thread(import_engine)
    finally:
        freeze_gc()


async def _build(stack: AsyncExitStack, settings: Settings, public_url: str, opening: Awaitable[Store]) -> Services:
    """The services, closed by the stack. Raises StartupError, MongodError."""
    static_files = asyncio.create_task(asyncio.to_thread(StaticFiles))
    try:
        built = build(settings, public_url, store=await opening, static_files=static_files)
        return await stack.enter_async_context(built)
    except DatabaseUnavailable as error:  # pragma: no cover - the database becomes unavailable at this moment
        raise StartupError("database: it answered at first, and then no more; see its log") from error
    except OSError as error:
        raise StartupError(explain_os_error(settings.data_dir, error)) from error
    finally:
        await cancel([static_files])


async def serve(settings: Settings, sockets: Sequence[socket.socket], opening: Awaitable[Store]) -> int:
    """Serve until SIGTERM, SIGINT or SIGHUP. Returns the exit code."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, _handle_stop_signal, stop)
    async with serving(settings, sockets, opening) as services:
        if warning := fd_limit_warning(file_limit()):
            log.warning("files: %s", warning)
        if settings.access == "open":
            log.warning("access is open: anyone who can reach this address may act as any user")
        print(ready_line(services.public_url, as_json=settings.log_json), flush=True)
        await stop.wait()
        log.info("stopping: running tasks get time to finish, waiting ones stay queued")
    return 0


def ready_line(public_url: str, *, as_json: bool) -> str:
    """The only line on standard output."""
    text = f"Tessera is ready: {public_url}"
    if not as_json:
        return text
    return JsonFormatter().format(logging.makeLogRecord({"name": "server", "levelname": "INFO", "msg": text}))


async def run_self_check(settings: Settings, sockets: Sequence[socket.socket], opening: Awaitable[Store]) -> int:
    """Test the complete flow once and print each step. Returns the exit code, 1 if a step failed."""
    from processing.upkeep.selfcheck import CheckResult, SelfCheck  # imports urllib3, which serving does not need

    async with serving(settings, sockets, opening) as services:
        warning = fd_limit_warning(file_limit())
        print(CheckResult("connections", True, warning or f"{connections_for(file_limit())} at once"), flush=True)
        selfcheck = SelfCheck(
            services.public_url,
            kodo=bool(settings.qiniu_access_key),
            database=services.database,
            bucket=services.bucket,
            uploads=services.uploads,
            images=services.images,
            thumbnails=services.thumbnails,
            executors=services.executors,
        )
        ok = True
        async for result in selfcheck.results():
            print(result, flush=True)
            ok = ok and result.ok
    return 0 if ok else 1


def _handle_stop_signal(stop: asyncio.Event) -> None:
    """The first signal drains. The second one exits at once: running tasks are reclaimed at the next start."""
    if stop.is_set():
        os._exit(1)  # pragma: no cover - the process ends before coverage is written
    stop.set()
