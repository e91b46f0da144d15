"""Composition root: builds all services of one server in dependency order, and the Tornado application on them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import replace
from urllib.parse import urlsplit

import tornado.web

from backends import (
    DATABASE_TIMEOUT_S,
    load_or_create_secret,
    open_bucket,
    open_database,
)
from handlers import Services, not_found_route, routes
from handlers.access_log import AccessLog, RouteLabels
from handlers.auth import Authentication, Developers
from handlers.base import NotFoundHandler
from handlers.broadcast import EventBroadcaster
from handlers.export import ExportSlots
from handlers.http_server import Application
from handlers.rate_limit import make_login_limits
from handlers.session import ClientConfig
from models.passwords import Passwords
from models.store import Store
from processing.engine import Engine
from processing.engine.instrumented import InstrumentedEngine, InstrumentedExecutors
from processing.engine.threads import ThreadEngine
from processing.fetch.allowlist import FetchPolicy
from processing.images.preview_tiles import PreviewTiles
from processing.images.previews import Previews
from processing.images.thumbnails import Thumbnails
from processing.metrics import Metrics
from processing.queue.event_feed import EventFeed
from processing.queue.task_queue import QueueLimits, Shop, TaskQueue
from processing.upkeep.account_deletion import AccountDeletions, Belongings
from processing.upkeep.image_deletion import ImageDeletions
from processing.upkeep.reconcile import Reconciler
from settings import Settings

PREVIEW_THREADS = 2


def make_app(services: Services, *, cookie_secret: str) -> tornado.web.Application:
    """The application with its routing table. cookie_secret: signs the session cookies."""
    table = routes(services)
    return Application(
        [*table, not_found_route(services)],
        secure=services.public_url.startswith("https:"),
        cookie_secret=cookie_secret,
        default_handler_class=NotFoundHandler,
        default_handler_args={"authentication": services.authentication},
        log_function=AccessLog(RouteLabels(table), services.metrics),
        xheaders=False,
        compress_response=True,  # the first view of the page is 82 kB instead of 190
    )


@asynccontextmanager
async def build(
    settings: Settings,
    public_url: str,
    *,
    database_timeout_s: float = DATABASE_TIMEOUT_S,
    fetch_policy: FetchPolicy | None = None,
) -> AsyncIterator[Services]:
    """Build every service after those that it needs; close them in reverse order at the end.

    database_timeout_s: how long to wait for a database that does not answer yet. fetch_policy: how sources are fetched;
    the settings override its hosts and its size limit. Raises StartupError, MongodError.
    """
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        server_id = _server_id(settings)
        metrics = await enter(Metrics(server_id))
        on_failure = metrics.database_errors.inc
        database = await enter(open_database(settings, timeout_s=database_timeout_s, on_failure=on_failure))
        store = Store.of(database, server_id)
        await store.create_indexes()
        event_feed = await enter(EventFeed(store.events))
        event_feed.subscribe(metrics.on_event)
        passwords = stack.enter_context(closing(Passwords()))
        executors = InstrumentedExecutors(PREVIEW_THREADS, metrics)
        stack.push_async_callback(executors.close)
        engine = InstrumentedEngine(await enter(_open_engine(settings)), metrics)
        bucket = open_bucket(settings, public_url)
        policy = _limit_fetches(fetch_policy or FetchPolicy(), settings)
        queue = await enter(
            TaskQueue(
                server_id,
                Shop(
                    database,
                    store.tasks,
                    store.images,
                    store.events,
                    event_feed,
                    engine,
                    executors,
                    bucket,
                    policy,
                    settings.max_megapixels,
                ),
                QueueLimits(settings.queue_limit, settings.user_queue_limit),
            )
        )
        broadcaster = await enter(EventBroadcaster(event_feed, queue, bucket))
        metrics.listeners.set_function(lambda: broadcaster.subscriber_count)
        thumbnails = await enter(Thumbnails(store.images, bucket, executors, max_megapixels=settings.max_megapixels))
        image_deletions = await enter(ImageDeletions(store.images, thumbnails, bucket, executors))
        await enter(Reconciler(bucket, store.images, store.uploads, executors))
        belongings = Belongings(store.users, store.sessions, store.follows, store.images, store.uploads, store.tasks)
        account_deletions = await enter(
            AccountDeletions(
                belongings, queue=queue, image_deletions=image_deletions, bucket=bucket, executors=executors
            )
        )
        yield Services(
            authentication=_authentication(settings, public_url, store),
            database=database,
            users=store.users,
            follows=store.follows,
            images=store.images,
            uploads=store.uploads,
            tasks=store.tasks,
            passwords=passwords,
            login_limits=make_login_limits(),
            bucket=bucket,
            queue=queue,
            broadcaster=broadcaster,
            event_feed=event_feed,
            executors=executors,
            fetch_policy=policy,
            client_config=ClientConfig(settings.max_upload_mb, settings.max_megapixels),
            metrics=metrics,
            upload_limit_bytes=settings.max_upload_bytes,
            sessions=store.sessions,
            belongings=belongings,
            previews=Previews(executors),
            preview_tiles=PreviewTiles(store.images, thumbnails, executors),
            thumbnails=thumbnails,
            image_deletions=image_deletions,
            account_deletions=account_deletions,
            export_slots=ExportSlots(),
            public_url=public_url,
            image_origin=_origin(bucket.url("")),
        )


def _authentication(settings: Settings, public_url: str, store: Store) -> Authentication:
    return Authentication(
        store.sessions,
        store.users,
        open_access=settings.access == "open",
        developers=Developers(frozenset(settings.developers), store.users),
        public_url=public_url,
        trusted_proxies=frozenset(settings.trusted_proxies),
    )


def _limit_fetches(policy: FetchPolicy, settings: Settings) -> FetchPolicy:
    return replace(policy, allowed_sources=settings.allowed_sources, limit_bytes=settings.max_upload_bytes)


@asynccontextmanager
async def _open_engine(settings: Settings) -> AsyncIterator[Engine]:
    if settings.dask:
        from processing.engine.dask import connect_cluster  # needs the extra `cluster`

        async with connect_cluster(settings.dask) as cluster:
            yield cluster
    else:
        threads = ThreadEngine(settings.workers)
        try:
            yield threads
        finally:
            await threads.close()


def _server_id(settings: Settings) -> str:
    """The name of this server in leases: it survives restarts and differs between data folders."""
    return f"{settings.server_name}-{load_or_create_secret(settings.data_dir / 'server-id')[:12]}"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
