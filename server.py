"""The server: reads the settings, builds the parts, joins them, and drains on SIGTERM and SIGINT."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import tornado.web
from tornado.netutil import bind_sockets

from backends import (
    DATABASE_TIMEOUT_S,
    StartupError,
    load_or_create_secret,
    lock_data_dir,
    open_bucket,
    open_database,
    public_url_of,
)
from handlers import Services, not_found_route, routes
from handlers.access_log import AccessLog, RouteLabels
from handlers.auth import Authentication, Developers
from handlers.base import NotFoundHandler
from handlers.broadcast import EventBroadcaster
from handlers.connections import (
    LOOPBACK,
    ConnectionLimiter,
    connections_for,
    fd_limit_warning,
    file_limit,
    raise_file_limit,
)
from handlers.export import ExportSlots
from handlers.http_server import Application, listen
from handlers.rate_limit import make_login_limits
from handlers.session import ClientConfig
from logs import start_logging
from models.embedded_mongod import MongodError
from models.passwords import Passwords
from models.store import Store
from processing.engine import Engine
from processing.engine.instrumented import CountedEngine, InstrumentedExecutors
from processing.engine.threads import ThreadEngine
from processing.fetch.allowlist import FetchPolicy
from processing.images.preview_tiles import PreviewTiles
from processing.images.previews import Previews
from processing.images.thumbnails import Thumbnails
from processing.metrics import Metrics
from processing.process_setup import freeze_gc, limit_pillow_pixels, tune_process
from processing.queue.event_feed import EventFeed
from processing.queue.task_queue import QueueLimits, Shop, TaskQueue
from processing.thread_priority import prioritise_loop
from processing.upkeep.account_deletion import AccountDeletions, Belongings
from processing.upkeep.image_deletion import ImageDeletions
from processing.upkeep.reconcile import Reconciler
from settings import BadSetting, Settings, read_settings

log = logging.getLogger(__name__)

PREVIEW_THREADS = 2
CHECK = "--check"


def make_app(parts: Services, *, cookie_secret: str) -> tornado.web.Application:
    """The application: the table of handlers and the key of its cookies."""
    table = routes(parts)
    return Application(
        [*table, not_found_route(parts)],
        secure=parts.public_url.startswith("https:"),
        cookie_secret=cookie_secret,
        default_handler_class=NotFoundHandler,
        default_handler_args={"authentication": parts.authentication},
        log_function=AccessLog(RouteLabels(table), parts.metrics),
        xheaders=False,
        compress_response=True,  # the first view of the page is 82 kB instead of 190
    )


@asynccontextmanager
async def build(
    settings: Settings,
    public_url: str,
    *,
    database_timeout_s: float = DATABASE_TIMEOUT_S,
    fetching: FetchPolicy | None = None,
) -> AsyncIterator[Services]:
    """Make every part, in the order in which they need each other; at the end take them down in reverse.

    database_timeout_s: how long to wait for a database that does not answer yet. fetching: overrides how sources are
    downloaded, for tests. Raises StartupError.
    """
    async with AsyncExitStack() as stack:
        server_id = _server_id(settings)
        metrics = await stack.enter_async_context(Metrics(server_id))
        database = await stack.enter_async_context(
            open_database(settings, timeout_s=database_timeout_s, on_failure=metrics.database_errors.inc)
        )
        store = Store.of(database, server_id)
        await store.create_indexes()
        sessions, users, follows = store.sessions, store.users, store.follows
        images, uploads, tasks, events = store.images, store.uploads, store.tasks, store.events
        live = await stack.enter_async_context(EventFeed(events))
        live.subscribe(metrics.on_event)
        passwords = Passwords()
        stack.callback(passwords.close)
        threads = InstrumentedExecutors(PREVIEW_THREADS, metrics)
        stack.push_async_callback(threads.close)
        engine = CountedEngine(await _engine(settings, stack), metrics)
        bucket = open_bucket(settings, public_url)
        rules = replace(
            fetching or FetchPolicy(),
            allowed_sources=settings.allowed_sources,
            limit_bytes=settings.max_upload_bytes,
        )
        queue = await stack.enter_async_context(
            TaskQueue(
                server_id,
                Shop(database, tasks, images, events, live, engine, threads, bucket, rules, settings.max_megapixels),
                QueueLimits(settings.queue_limit, settings.user_queue_limit),
            )
        )
        broadcast = await stack.enter_async_context(EventBroadcaster(live, queue, bucket))
        metrics.listeners.set_function(lambda: broadcast.subscriber_count)
        thumbnails = await stack.enter_async_context(
            Thumbnails(images, bucket, threads, max_megapixels=settings.max_megapixels)
        )
        removals = await stack.enter_async_context(ImageDeletions(images, thumbnails, bucket, threads))
        belongings = Belongings(users, sessions, follows, images, uploads, tasks)
        await stack.enter_async_context(Reconciler(bucket, images, uploads, threads))
        departures = await stack.enter_async_context(
            AccountDeletions(belongings, queue=queue, image_deletions=removals, bucket=bucket, executors=threads)
        )
        yield Services(
            authentication=Authentication(
                sessions,
                open_access=settings.access == "open",
                developers=Developers(frozenset(settings.developers), users),
                public_url=public_url,
                trusted_proxies=frozenset(settings.trusted_proxies),
            ),
            database=database,
            users=users,
            follows=follows,
            images=images,
            uploads=uploads,
            tasks=tasks,
            passwords=passwords,
            login_limits=make_login_limits(),
            bucket=bucket,
            queue=queue,
            broadcaster=broadcast,
            event_feed=live,
            executors=threads,
            fetch_policy=rules,
            client_config=ClientConfig(settings.max_upload_mb, settings.max_megapixels),
            metrics=metrics,
            upload_limit_bytes=settings.max_upload_bytes,
            sessions=sessions,
            belongings=belongings,
            previews=Previews(threads),
            preview_tiles=PreviewTiles(images, thumbnails, threads),
            thumbnails=thumbnails,
            image_deletions=removals,
            account_deletions=departures,
            export_slots=ExportSlots(),
            public_url=public_url,
            image_origin=_origin(bucket.url("")),
        )


@asynccontextmanager
async def serving(settings: Settings, *, database_timeout_s: float = DATABASE_TIMEOUT_S) -> AsyncIterator[Services]:
    """Serve; at the end drain: running tasks get their time, the rest stays queued."""
    sockets = _bind(settings)
    public_url = public_url_of(settings, sockets[0].getsockname()[1])
    async with build(settings, public_url, database_timeout_s=database_timeout_s) as parts:
        app = make_app(
            parts, cookie_secret=settings.cookie_secret or load_or_create_secret(settings.data_dir / "cookie-secret")
        )
        spared = LOOPBACK | frozenset(settings.trusted_proxies)
        server = listen(app, sockets, limiter=ConnectionLimiter(connections_for(file_limit()), exempt=spared))
        try:
            yield parts
        finally:
            server.stop()
            await parts.queue.stop()
            parts.broadcaster.close()
            await server.close_all_connections()


async def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; the exit code."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _handle_stop_signal, stop)
    async with serving(settings) as parts:
        if lack := fd_limit_warning(file_limit()):
            log.warning("files: %s", lack)
        if settings.access == "open":
            log.warning("access is open: anybody who reaches this address may act as anybody")
        freeze_gc()
        print(f"Tessera is ready: {parts.public_url}", flush=True)
        await stop.wait()
        log.info("stopping: running tasks get their time, waiting ones stay queued")
    return 0


async def run_self_check(settings: Settings) -> int:
    """Try the whole flow once and tell how it went; the exit code, 1 where something is wrong."""
    from processing.upkeep.selfcheck import (
        CheckResult,
        SelfCheck,
    )

    lack, well = fd_limit_warning(file_limit()), True
    async with serving(settings, database_timeout_s=0) as parts:
        print(CheckResult("connections", True, lack or f"{connections_for(file_limit())} at once"), flush=True)
        checkup = SelfCheck(
            parts.public_url,
            kodo=bool(settings.qiniu_access_key),
            database=parts.database,
            bucket=parts.bucket,
            uploads=parts.uploads,
            images=parts.images,
            executors=parts.executors,
        )
        async for finding in checkup.results():
            print(finding, flush=True)
            well = well and finding.ok
    return 0 if well else 1


def main() -> int:
    """The exit code."""
    arguments = sys.argv[1:]
    work = run_self_check if CHECK in arguments else serve
    try:
        settings = read_settings(arguments)
        start_logging(as_json=settings.log_json, quiet=work is run_self_check)
        tune_process()
        prioritise_loop()
        limit_pillow_pixels(settings.max_megapixels)
        raise_file_limit()
        with lock_data_dir(settings.data_dir):
            return asyncio.run(work(settings))
    except (BadSetting, StartupError, MongodError) as error:
        print(f"server.py: {error}", file=sys.stderr)
        return 2


def _handle_stop_signal(stop: asyncio.Event) -> None:
    """The first signal drains; the second one ends us at once: whatever runs is taken back at the next start."""
    if stop.is_set():
        os._exit(1)
    stop.set()


async def _engine(settings: Settings, stack: AsyncExitStack) -> Engine:
    if not settings.dask:
        threads = ThreadEngine(settings.workers)
        stack.push_async_callback(threads.close)
        return threads
    from processing.engine.dask import ClusterEngine  # the extra `cluster` is installed where it is asked for

    return await stack.enter_async_context(ClusterEngine(settings.dask))


def _server_id(settings: Settings) -> str:
    """This installation's name in leases: the same after a restart, another for another data folder."""
    return f"{settings.server_name}-{load_or_create_secret(settings.data_dir / 'server-id')[:12]}"


def _bind(settings: Settings) -> list[socket.socket]:
    try:
        return bind_sockets(settings.port, settings.address)
    except OSError as error:
        text = f"port: {settings.address}:{settings.port} cannot be served: {error.strerror}"
        raise StartupError(text) from error


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


if __name__ == "__main__":
    sys.exit(main())
