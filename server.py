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

from backends import DATABASE_PATIENCE_S, CannotStart, kept_secret, only_one, open_bucket, open_database, public_url_of
from handlers import Parts, page_for_nothing, routes
from handlers.access_log import RequestLog, RouteNames
from handlers.auth import Authentication, Developers
from handlers.base import Nowhere
from handlers.broadcast import Broadcast
from handlers.connections import LOOPBACK, Room, connections_for, file_limit, raise_file_limit, too_few
from handlers.export import Exports
from handlers.http_server import Application, open_door
from handlers.rate_limit import make_throttles
from handlers.session import Offer
from logs import start_logging
from models.embedded_mongod import MongodFailed
from models.follows import Follows
from models.images import Images
from models.passwords import Passwords
from models.queue.events import Events
from models.queue.own_tasks import OwnTasks
from models.queue.tasks import Tasks
from models.sessions import Sessions
from models.uploads import Uploads
from models.users import Users
from processing.engine.instrumented import CountedEngine, CountedThreads
from processing.engine.threads import Engine, ThreadEngine
from processing.fetch.allowlist import FetchRules
from processing.guards import guard_against_bombs
from processing.images.preview_tiles import PreviewTiles
from processing.images.previews import Previews
from processing.images.thumbnails import Thumbnails
from processing.metrics import Metrics
from processing.process_setup import prepare, settle
from processing.queue.event_feed import LiveView
from processing.queue.task_queue import QueueLimits, Shop, TaskQueue
from processing.thread_priority import go_first
from processing.upkeep.account_deletion import Belongings, Departures
from processing.upkeep.image_deletion import Removals
from processing.upkeep.reconcile import Reconciliation
from settings import BadSetting, Settings, read_settings

log = logging.getLogger(__name__)

PREVIEW_THREADS = 2
CHECK = "--check"


def make_app(parts: Parts, *, cookie_secret: str) -> tornado.web.Application:
    """The application: the table of handlers and the key of its cookies."""
    table = routes(parts)
    return Application(
        [*table, page_for_nothing(parts)],
        secure=parts.public_url.startswith("https:"),
        cookie_secret=cookie_secret,
        default_handler_class=Nowhere,
        default_handler_args={"authentication": parts.authentication},
        log_function=RequestLog(RouteNames(table), parts.metrics),
        xheaders=False,
        compress_response=True,  # the first view of the page is 82 kB instead of 190
    )


@asynccontextmanager
async def build(
    settings: Settings,
    public_url: str,
    *,
    patience_s: float = DATABASE_PATIENCE_S,
    fetching: FetchRules | None = None,
) -> AsyncIterator[Parts]:
    """Make every part, in the order in which they need each other; at the end take them down in reverse.

    patience_s: how long a database that does not answer yet is waited for. fetching: how downloads are done, where the
    settings do not say it. Raises CannotStart.
    """
    async with AsyncExitStack() as stack:
        server_id = _server_id(settings)
        metrics = await stack.enter_async_context(Metrics(server_id))
        database = await stack.enter_async_context(
            open_database(settings, patience_s=patience_s, on_failure=metrics.database_errors.inc)
        )
        sessions, users, follows = Sessions(database), Users(database), Follows(database)
        images, uploads, tasks = Images(database), Uploads(database), Tasks(database)
        events = Events(database, server_id)
        await database.make_indexes(
            {
                "sessions": sessions.indexes,
                "users": users.indexes,
                "follows": follows.indexes,
                "images": images.indexes,
                "uploads": uploads.indexes,
                "tasks": tasks.indexes,
            }
        )
        live = await stack.enter_async_context(LiveView(events))
        live.listen(metrics.hear)
        passwords = Passwords()
        stack.callback(passwords.close)
        threads = CountedThreads(PREVIEW_THREADS, metrics)
        stack.push_async_callback(threads.close)
        engine = CountedEngine(await _engine(settings, stack), metrics)
        bucket = open_bucket(settings, public_url)
        rules = replace(
            fetching or FetchRules(),
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
        broadcast = await stack.enter_async_context(Broadcast(live, queue, bucket))
        metrics.listeners.set_function(lambda: broadcast.listeners)
        thumbnails = await stack.enter_async_context(
            Thumbnails(images, bucket, threads, max_megapixels=settings.max_megapixels)
        )
        removals = await stack.enter_async_context(Removals(images, thumbnails, bucket, threads))
        belongings = Belongings(users, sessions, follows, images, uploads, OwnTasks(database))
        await stack.enter_async_context(Reconciliation(bucket, images, uploads, threads))
        departures = await stack.enter_async_context(
            Departures(belongings, queue=queue, removals=removals, bucket=bucket, threads=threads)
        )
        yield Parts(
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
            throttles=make_throttles(),
            bucket=bucket,
            queue=queue,
            broadcast=broadcast,
            live=live,
            threads=threads,
            rules=rules,
            offer=Offer(settings.max_upload_mb, settings.max_megapixels),
            metrics=metrics,
            size_limit_bytes=settings.max_upload_bytes,
            sessions=sessions,
            belongings=belongings,
            previews=Previews(threads),
            preview_tiles=PreviewTiles(images, thumbnails, threads),
            thumbnails=thumbnails,
            removals=removals,
            departures=departures,
            exports=Exports(),
            public_url=public_url,
            picture_origin=_origin(bucket.url("")),
        )


@asynccontextmanager
async def serving(settings: Settings, *, patience_s: float = DATABASE_PATIENCE_S) -> AsyncIterator[Parts]:
    """Serve; at the end drain: running tasks get their time, the rest stays queued."""
    sockets = _bind(settings)
    public_url = public_url_of(settings, sockets[0].getsockname()[1])
    async with build(settings, public_url, patience_s=patience_s) as parts:
        app = make_app(parts, cookie_secret=settings.cookie_secret or kept_secret(settings.data_dir / "cookie-secret"))
        spared = LOOPBACK | frozenset(settings.trusted_proxies)
        server = open_door(app, sockets, room=Room(connections_for(file_limit()), spared=spared))
        try:
            yield parts
        finally:
            server.stop()
            await parts.queue.stop()
            parts.broadcast.close()
            await server.close_all_connections()


async def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; the exit code."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _stop_or_leave, stop)
    async with serving(settings) as parts:
        if lack := too_few(file_limit()):
            log.warning("files: %s", lack)
        if settings.access == "open":
            log.warning("access is open: anybody who reaches this address may act as anybody")
        settle()
        print(f"Tessera is ready: {parts.public_url}", flush=True)
        await stop.wait()
        log.info("stopping: running tasks get their time, waiting ones stay queued")
    return 0


async def check(settings: Settings) -> int:
    """Try the whole flow once and tell how it went; the exit code, 1 where something is wrong."""
    from processing.upkeep.selfcheck import Checkup, Finding  # with a client of its own, which serving does without

    lack, well = too_few(file_limit()), True
    async with serving(settings, patience_s=0) as parts:
        print(Finding("connections", True, lack or f"{connections_for(file_limit())} at once"), flush=True)
        checkup = Checkup(
            parts.public_url,
            kodo=bool(settings.qiniu_access_key),
            database=parts.database,
            bucket=parts.bucket,
            uploads=parts.uploads,
            images=parts.images,
            threads=parts.threads,
        )
        async for finding in checkup.findings():
            print(finding, flush=True)
            well = well and finding.well
    return 0 if well else 1


def main() -> int:
    """The exit code."""
    arguments = sys.argv[1:]
    work = check if CHECK in arguments else serve
    try:
        settings = read_settings([said for said in arguments if said != CHECK], os.environ)
        start_logging(as_json=settings.log_json, quiet=work is check)
        prepare()
        go_first()
        guard_against_bombs(settings.max_megapixels)
        raise_file_limit()
        with only_one(settings.data_dir):
            return asyncio.run(work(settings))
    except (BadSetting, CannotStart, MongodFailed) as error:
        print(f"server.py: {error}", file=sys.stderr)
        return 2


def _stop_or_leave(stop: asyncio.Event) -> None:
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
    return f"{settings.server_name}-{kept_secret(settings.data_dir / 'server-id')[:12]}"


def _bind(settings: Settings) -> list[socket.socket]:
    try:
        return bind_sockets(settings.port, settings.address)
    except OSError as error:
        text = f"port: {settings.address}:{settings.port} cannot be served: {error.strerror}"
        raise CannotStart(text) from error


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


if __name__ == "__main__":
    sys.exit(main())
