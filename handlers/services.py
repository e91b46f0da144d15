"""The services that handlers use, and the rule by which each handler gets those that it names."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, get_type_hints

import tornado.web

from handlers.auth import Authentication, Developers
from handlers.broadcast import EventBroadcaster
from handlers.bucket.upload_starts import UploadStarts
from handlers.export import ExportSlots
from handlers.guest_sessions import GuestSessions
from handlers.login_guard import LoginGuard
from handlers.openapi import OpenApiDocument
from handlers.pages.shell import PageShell
from handlers.pages.static_files import StaticFiles
from handlers.schemas.users import ClientConfig
from handlers.transport.body_pace import BodyPace
from handlers.transport.client_ip import IpNetworks
from handlers.transport.rate_limit import LoginLimits
from models.accounts.follows import Follows
from models.accounts.passwords import Passwords
from models.accounts.sessions import Sessions
from models.accounts.users import Users
from models.bucket import Bucket
from models.bucket.embedded.bucket import EmbeddedBucket
from models.database import Database
from models.images.gallery import Gallery
from models.images.images import Images
from models.images.object_access import ObjectAccess
from models.images.quotas import Quotas
from models.images.registration import Registrations
from models.images.uploads import PendingUploads
from models.queue.selection import SelectedTasks
from models.queue.servers import ServerRegistry
from models.queue.task_log import TaskLog
from models.queue.tasks import Tasks
from models.store import Store
from processing.disk import Disk
from processing.executors import Executors
from processing.fetch.allowlist import FetchPolicy
from processing.images.named_objects import NamedObjects
from processing.images.preview_tiles import PreviewTiles
from processing.images.previews import Previews
from processing.images.prints import Prints
from processing.images.renditions import Renditions
from processing.images.thumbnails import Thumbnails
from processing.metrics import Metrics
from processing.queue.activity import ActivityReader
from processing.queue.bulk import BulkChanges
from processing.queue.event_feed import EventFeed
from processing.queue.task_queue import TaskQueue
from processing.upkeep.account_deletion import AccountDeletions
from processing.upkeep.image_deletion import ImageDeletions
from processing.upkeep.own_certificate import OwnCertificate


@dataclass(frozen=True, kw_only=True)
class StoredRecords:
    """The collections of the `Store` that handlers read or change."""

    database: Database
    follows: Follows
    gallery: Gallery
    images: Images
    quotas: Quotas
    selected: SelectedTasks
    servers: ServerRegistry
    sessions: Sessions
    task_log: TaskLog
    tasks: Tasks
    uploads: PendingUploads
    users: Users

    @classmethod
    def of(cls, store: Store) -> StoredRecords:
        return cls(**{field.name: getattr(store, field.name) for field in fields(cls)})


@dataclass(frozen=True, kw_only=True)
class ImageServices:
    """Uploads, files of images, and what is made of an image while its client waits.

    embedded_bucket: the bucket, where it is the embedded one. pool_limit: pictures in the tile pool of a photomosaic.
    """

    bucket: Bucket
    embedded_bucket: EmbeddedBucket | None
    export_slots: ExportSlots
    fetch_policy: FetchPolicy
    image_deletions: ImageDeletions
    named_objects: NamedObjects
    object_access: ObjectAccess
    pool_limit: int
    preview_tiles: PreviewTiles
    previews: Previews
    prints: Prints
    registrations: Registrations
    renditions: Renditions
    thumbnails: Thumbnails
    upload_limit_bytes: int
    upload_starts: UploadStarts


@dataclass(frozen=True, kw_only=True)
class AccountServices:
    """Who a request comes from, and what accounts and guests may do."""

    account_deletions: AccountDeletions
    authentication: Authentication
    developers: Developers
    guest_sessions: GuestSessions
    login_guard: LoginGuard
    login_limits: LoginLimits
    passwords: Passwords


@dataclass(frozen=True, kw_only=True)
class QueueServices:
    """The queue of tasks, and what pages and developers see of it."""

    activity: ActivityReader
    broadcaster: EventBroadcaster
    bulk_changes: BulkChanges
    event_feed: EventFeed
    queue: TaskQueue


@dataclass(frozen=True, kw_only=True)
class SiteServices:
    """The site as a whole: its origin, its page, its documents, and the state of this server.

    public_url: our origin, without a final slash. log_addresses: the setting.
    """

    body_pace: BodyPace
    client_config: ClientConfig
    disk: Disk
    executors: Executors
    log_addresses: str
    metrics: Metrics
    metrics_from: IpNetworks
    openapi: OpenApiDocument
    own_certificate: OwnCertificate
    page_shell: PageShell
    public_url: str
    static_files: StaticFiles


@dataclass(frozen=True, kw_only=True)
class Services(StoredRecords, ImageServices, AccountServices, QueueServices, SiteServices):
    """Everything that a handler may use, by the names that handlers use."""

    @classmethod
    def join(
        cls,
        records: StoredRecords,
        images: ImageServices,
        accounts: AccountServices,
        queue: QueueServices,
        site: SiteServices,
    ) -> Services:
        groups = (records, images, accounts, queue, site)
        return cls(**{field.name: getattr(group, field.name) for group in groups for field in fields(group)})


def dependencies_of(handler: type[tornado.web.RequestHandler]) -> dict[str, Any]:
    """Name and type of each service that a handler takes.

    They are the parameters of its `initialize` and the keyword-only ones of the `__init__` of its base classes: a base
    class that used `initialize` would have to be repeated by each of its handlers.
    """
    dependencies: dict[str, Any] = {}
    for function in (*(vars(base).get("__init__") for base in handler.__mro__), handler.initialize):
        if inspect.isfunction(function) and function.__module__ != tornado.web.__name__:
            dependencies |= _dependencies_in(function)
    return dependencies


@cache
def _dependencies_in(function: Callable[..., None]) -> dict[str, Any]:
    """Read once: many handlers share a base, and annotations are slow to resolve."""
    hints, names = get_type_hints(function), inspect.getfullargspec(function)
    positional = names.args[1:] if function.__name__ == "initialize" else []
    return {name: hints[name] for name in (*positional, *names.kwonlyargs)}


def select(handler: type[tornado.web.RequestHandler], services: Services) -> dict[str, Any]:
    """The services that a handler takes, as keyword arguments."""
    return {name: getattr(services, name) for name in dependencies_of(handler)}
