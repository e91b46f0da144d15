"""Composition root: builds all services of one server in dependency order, and the Tornado application on them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

import tornado.web

from backends import open_bucket, open_engine
from data_dir import load_server_id
from handlers import API, rules
from handlers.access_log import AccessLog, RouteLabels
from handlers.auth import Authentication, Developers
from handlers.base import NotFoundHandler
from handlers.broadcast import EventBroadcaster
from handlers.bucket.upload_starts import UploadStarts
from handlers.export import ExportSlots
from handlers.guest_sessions import GuestSessions
from handlers.login_guard import LoginGuard
from handlers.openapi import OpenApiDocument
from handlers.pages.shell import PageShell
from handlers.pages.static_files import StaticFiles
from handlers.schemas.users import ClientConfig
from handlers.services import (
    AccountServices,
    ImageServices,
    QueueServices,
    Services,
    SiteServices,
    StoredRecords,
)
from handlers.transport.body_pace import BodyPace
from handlers.transport.client_ip import IpNetworks, address_for_log
from handlers.transport.connections import LOOPBACK
from handlers.transport.http_server import Application
from handlers.transport.rate_limit import Rate, make_login_limits
from models.accounts.passwords import Passwords
from models.bucket import Bucket
from models.bucket.addresses import origin
from models.bucket.embedded.bucket import EmbeddedBucket
from models.images.object_access import RecordedAccess
from models.images.registration import Registrations
from models.store import Store
from processing.background import background
from processing.disk import Disk
from processing.engine import Engine
from processing.engine.instrumented import InstrumentedEngine, InstrumentedExecutors
from processing.executors import Executors
from processing.fetch.allowlist import FetchPolicy
from processing.images import preview_slots
from processing.images.named_objects import NamedObjects
from processing.images.preview_slots import PreviewSlots
from processing.images.preview_tiles import PreviewTiles
from processing.images.previews import Previews
from processing.images.prints import Prints
from processing.images.renditions import Renditions
from processing.images.thumbnails import Thumbnails
from processing.metrics import Metrics
from processing.queue.activity import ActivityReader
from processing.queue.bulk import BulkChanges
from processing.queue.event_feed import EventFeed, follow_events
from processing.queue.log_collector import collect_task_log
from processing.queue.task_queue import QueueLimits, TaskQueue
from processing.upkeep.account_deletion import AccountDeletions
from processing.upkeep.features import FeatureFiller
from processing.upkeep.guest_deletion import GuestDeletions
from processing.upkeep.image_deletion import ImageDeletions
from processing.upkeep.own_certificate import OwnCertificate
from processing.upkeep.reconcile import Reconciler
from processing.upkeep.withdrawals import WithdrawalSweeper
from settings import VERSION, Settings


def make_app(services: Services, *, cookie_secret: str) -> tornado.web.Application:
    """The application with its routing table. cookie_secret: signs the session cookies."""
    table = rules(services)
    return Application(
        table,
        secure=services.public_url.startswith("https:"),
        base_path=urlsplit(services.public_url).path,
        body_pace=services.body_pace,
        cookie_secret=cookie_secret,
        trusted_proxies=services.authentication.trusted_proxies,
        default_handler_class=NotFoundHandler,
        default_handler_args={"authentication": services.authentication},
        log_function=AccessLog(
            RouteLabels(table), services.metrics, services.authentication.trusted_proxies, services.log_addresses
        ),
        xheaders=False,
        compress_response=True,
    )


@asynccontextmanager
async def build(
    settings: Settings,
    public_url: str,
    *,
    store: Store,
    static_files: Awaitable[StaticFiles],
    fetch_policy: FetchPolicy | None = None,
    passwords: Passwords | None = None,
) -> AsyncIterator[Services]:
    """Build every service after those that it needs; close them in reverse order at the end.

    static_files: they may be read meanwhile. fetch_policy: how sources are fetched; the settings override its hosts and
    its size limit. passwords: None for those of a real server. Raises StartupError.
    """
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        server_id = load_server_id(settings.data_dir, settings.server_name)
        metrics = Metrics(server_id, version=VERSION)
        store.database.count_failures(metrics.database_errors.inc)
        await enter(collect_task_log(store.task_log, server_id))
        feed = await enter(follow_events(store.events))
        feed.subscribe(metrics.on_event)
        bucket = open_bucket(settings, public_url)
        engine = InstrumentedEngine(await enter(open_engine(settings)), metrics)
        executors = InstrumentedExecutors(preview_slots.THREADS, engine.render_threads, metrics)
        stack.push_async_callback(executors.close)
        sources, limit_bytes = settings.allowed_sources, settings.max_upload_bytes
        policy = replace(fetch_policy or FetchPolicy(), allowed_sources=sources, limit_bytes=limit_bytes)
        queue = await enter(_queue(settings, server_id, store, feed, engine, executors, bucket, policy))
        images = _image_services(settings, store, bucket, executors, policy)
        deletions = AccountDeletions(
            store, queue=queue, image_deletions=images.image_deletions, bucket=bucket, executors=executors
        )
        services = Services.join(
            StoredRecords.of(store),
            images,
            _account_services(settings, public_url, store, passwords or Passwords(), deletions),
            _queue_services(store, queue, feed, bucket),
            _site_services(settings, public_url, bucket, executors, metrics, await static_files),
        )
        _measure(services)
        stack.callback(services.passwords.close)
        await enter(_background(services, store))
        yield services


def _image_services(
    settings: Settings, store: Store, bucket: Bucket, executors: Executors, policy: FetchPolicy
) -> ImageServices:
    slots = PreviewSlots(crowded_at=os.cpu_count() or 1)
    megapixels = settings.max_megapixels
    limits = {"max_megapixels": megapixels, "max_result_megapixels": settings.max_result_megapixels}
    thumbnails = Thumbnails(store.images, bucket, executors, **limits)
    return ImageServices(
        bucket=bucket,
        embedded_bucket=bucket if isinstance(bucket, EmbeddedBucket) else None,
        export_slots=ExportSlots(),
        fetch_policy=policy,
        image_deletions=ImageDeletions(store.images, store.uploads, thumbnails, bucket, executors),
        named_objects=NamedObjects(bucket, store.images, executors),
        object_access=RecordedAccess(store.images, store.uploads),
        pool_limit=settings.max_pool_pictures,
        preview_tiles=PreviewTiles(store.images, thumbnails, bucket, executors),
        previews=Previews(executors, slots, **limits),
        prints=Prints(store.images, bucket, thumbnails, executors, slots, **limits),
        registrations=Registrations(store.images, store.uploads, store.users, store.quotas),
        renditions=Renditions(executors, slots, max_megapixels=megapixels),
        thumbnails=thumbnails,
        upload_limit_bytes=settings.max_upload_bytes,
        upload_starts=UploadStarts(),
    )


def _account_services(
    settings: Settings, public_url: str, store: Store, passwords: Passwords, deletions: AccountDeletions
) -> AccountServices:
    sign_up = Rate(settings.sign_up_burst, settings.sign_up_interval_s)
    login_limits = make_login_limits(sign_up, guest_limit=settings.guest_limit)
    developers = Developers(settings.developers, store.users)
    authentication = Authentication(
        store.sessions,
        store.users,
        open_access=settings.access == "open",
        developers=developers,
        public_url=public_url,
        trusted_proxies=settings.trusted_proxies,
        allowed_hosts=settings.allowed_hosts,
        allowed_origins=settings.allowed_origins,
    )
    return AccountServices(
        account_deletions=deletions,
        authentication=authentication,
        developers=developers,
        guest_sessions=GuestSessions(
            store.guests, authentication, limit=settings.guest_limit, pictures=settings.guest_pictures
        ),
        login_guard=LoginGuard(store.users, passwords, login_limits),
        login_limits=login_limits,
        passwords=passwords,
    )


def _queue_services(store: Store, queue: TaskQueue, feed: EventFeed, bucket: Bucket) -> QueueServices:
    return QueueServices(
        activity=ActivityReader(store.activity, store.failed),
        broadcaster=EventBroadcaster(feed, queue, bucket),
        bulk_changes=BulkChanges(queue, store.tasks, store.selected, store.fair_order, store.events),
        event_feed=feed,
        queue=queue,
    )


def _site_services(
    settings: Settings,
    public_url: str,
    bucket: Bucket,
    executors: Executors,
    metrics: Metrics,
    static_files: StaticFiles,
) -> SiteServices:
    return SiteServices(
        body_pace=BodyPace(settings.upload_mb_per_s * 1_000_000),
        client_config=ClientConfig(
            max_upload_mb=settings.max_upload_mb,
            max_megapixels=settings.max_megapixels,
            max_result_megapixels=settings.max_result_megapixels,
            max_pool_pictures=settings.max_pool_pictures,
            protects_files=bucket.protects_files,
        ),
        disk=Disk(settings.data_dir),
        executors=executors,
        log_addresses=settings.log_addresses,
        metrics=metrics,
        metrics_from=IpNetworks([*LOOPBACK, *settings.metrics_from]),
        openapi=OpenApiDocument(API, urlsplit(public_url).path),
        own_certificate=OwnCertificate(public_url if isinstance(bucket, EmbeddedBucket) else ""),
        page_shell=PageShell(bucket, static_files, public_url=public_url, image_origin=origin(bucket.url(""))),
        public_url=public_url,
        static_files=static_files,
    )


def _measure(services: Services) -> None:
    """Let the metrics read what services know of their state."""
    metrics = services.metrics
    metrics.free_disk.set_function(lambda: services.disk.free_bytes)
    metrics.left.set_function(lambda: services.queue.left_count)
    metrics.listeners.set_function(lambda: services.broadcaster.subscriber_count)


def _queue(
    settings: Settings,
    server_id: str,
    store: Store,
    feed: EventFeed,
    engine: Engine,
    executors: Executors,
    bucket: Bucket,
    policy: FetchPolicy,
) -> TaskQueue:
    return TaskQueue(
        server_id,
        store=store,
        feed=feed,
        engine=engine,
        executors=executors,
        bucket=bucket,
        policy=policy,
        max_megapixels=settings.max_megapixels,
        max_result_megapixels=settings.max_result_megapixels,
        log_address=partial(address_for_log, how=settings.log_addresses),
        version=VERSION,
        limits=QueueLimits(
            settings.queue_limit, settings.user_queue_limit, settings.address_queue_limit, settings.guest_queue_limit
        ),
    )


@asynccontextmanager
async def _background(services: Services, store: Store) -> AsyncIterator[None]:
    """What works beside the requests."""
    reconciler = Reconciler(services.bucket, store.images, store.uploads, services.registrations, services.executors)
    loops = (
        services.metrics.measure_lag(),
        services.image_deletions.sweep(),
        reconciler.reconcile_forever(),
        GuestDeletions(store.guests, store.users, services.account_deletions).sweep_forever(),
        services.own_certificate.check_forever(),
        FeatureFiller(store.images, services.thumbnails, services.executors).fill_forever(),
        WithdrawalSweeper(store.images, services.image_deletions).sweep_forever(),
    )
    async with services.broadcaster, services.thumbnails, services.account_deletions, background(*loops):
        yield
