"""Speak HTTP: the one table of path, handler, and what the handler is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tornado.routing import Rule, URLSpec

from handlers.account import ChangeUserHandler, DeleteUserHandler
from handlers.api_docs import ApiDocsHandler
from handlers.auth import Authentication
from handlers.base import ApiHandler
from handlers.broadcast import EventBroadcaster
from handlers.bucket import download as bucket_face
from handlers.events import TaskEventsHandler
from handlers.export import ExportHandler, ExportSlots
from handlers.feed import FeedHandler
from handlers.health import HealthHandler, MetricsHandler
from handlers.images import ChangeImageHandler, DeleteImageHandler, QueryImageHandler
from handlers.openapi import OpenApiHandler, openapi_document
from handlers.pages import (
    AcceptsHtml,
    ImagePageHandler,
    NotFoundPageHandler,
    PageHandler,
    ProfilePageHandler,
    StaticHandler,
    content_security_policy,
)
from handlers.preview import PreviewHandler
from handlers.rate_limit import LoginLimits
from handlers.session import ClientConfig, SessionHandler
from handlers.styles import StylesHandler
from handlers.tasks import (
    AddTaskHandler,
    CancelTaskHandler,
    PauseQueueHandler,
    QueryTasksHandler,
    ResumeQueueHandler,
    RetryTaskHandler,
)
from handlers.thumbnail import ThumbnailHandler
from handlers.uploads import RegisterImageHandler, UploadCallbackHandler, UploadTokenHandler
from handlers.users import AddUserHandler, FollowHandler, QueryUserHandler, SignOutHandler
from models.bucket import Bucket
from models.bucket.embedded.bucket import EmbeddedBucket
from models.database import Database
from models.follows import Follows
from models.images import Images
from models.passwords import Passwords
from models.queue.tasks import Tasks
from models.sessions import Sessions
from models.uploads import PendingUploads
from models.users import Users
from processing.executors import Executors
from processing.fetch.allowlist import FetchPolicy
from processing.images.preview_tiles import PreviewTiles
from processing.images.previews import Previews
from processing.images.thumbnails import Thumbnails
from processing.metrics import Metrics
from processing.queue.event_feed import EventFeed
from processing.queue.task_queue import TaskQueue
from processing.upkeep.account_deletion import Belongings, AccountDeletions
from processing.upkeep.image_deletion import ImageDeletions

STATIC = Path(__file__).resolve().parent.parent / "static"


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that a handler may be given. Its line in the table names what it gets."""

    authentication: Authentication
    database: Database
    users: Users
    follows: Follows
    images: Images
    uploads: PendingUploads
    tasks: Tasks
    passwords: Passwords
    login_limits: LoginLimits
    bucket: Bucket
    queue: TaskQueue
    broadcaster: EventBroadcaster
    event_feed: EventFeed
    executors: Executors
    fetch_policy: FetchPolicy
    client_config: ClientConfig
    metrics: Metrics
    upload_limit_bytes: int
    sessions: Sessions
    belongings: Belongings
    previews: Previews
    preview_tiles: PreviewTiles
    thumbnails: Thumbnails
    image_deletions: ImageDeletions
    account_deletions: AccountDeletions
    export_slots: ExportSlots
    public_url: str
    image_origin: str


API: tuple[tuple[str, type[ApiHandler], str], ...] = (
    ("/api/user/add", AddUserHandler, "users passwords login_limits"),
    ("/api/user/query", QueryUserHandler, "users follows passwords login_limits"),
    ("/api/user/follow", FollowHandler, "users follows"),
    ("/api/user/logout", SignOutHandler, ""),
    ("/api/user/change", ChangeUserHandler, "users passwords login_limits sessions"),
    ("/api/user/delete", DeleteUserHandler, "users passwords login_limits account_deletions"),
    ("/api/user/export", ExportHandler, "export_slots belongings bucket executors"),
    ("/api/session", SessionHandler, "users client_config"),
    ("/api/image/token", UploadTokenHandler, "bucket uploads executors upload_limit_bytes"),
    ("/api/image/upload", UploadCallbackHandler, "bucket uploads images thumbnails metrics"),
    ("/api/image/addinfo", RegisterImageHandler, "bucket uploads images users executors thumbnails"),
    ("/api/image/query", QueryImageHandler, "images bucket"),
    ("/api/image/change", ChangeImageHandler, "images bucket"),
    ("/api/image/delete", DeleteImageHandler, "images image_deletions"),
    (r"/thumbnail/(?P<id>[0-9]{1,20})/(?P<width>[0-9]{1,9})", ThumbnailHandler, "images thumbnails"),
    ("/api/feed", FeedHandler, "images users follows bucket"),
    ("/api/styles", StylesHandler, ""),
    ("/api/preview", PreviewHandler, "previews preview_tiles images"),
    ("/api/tasks/add", AddTaskHandler, "queue tasks event_feed images bucket fetch_policy"),
    ("/api/tasks/query", QueryTasksHandler, "queue tasks event_feed bucket"),
    ("/tasks/query", QueryTasksHandler, "queue tasks event_feed bucket"),
    ("/api/tasks/events", TaskEventsHandler, "broadcaster"),
    ("/tasks/events", TaskEventsHandler, "broadcaster"),
    ("/api/tasks/cancel", CancelTaskHandler, "queue tasks event_feed bucket"),
    ("/api/tasks/retry", RetryTaskHandler, "queue tasks event_feed bucket"),
    ("/api/tasks/pause", PauseQueueHandler, "queue tasks event_feed bucket"),
    ("/api/tasks/resume", ResumeQueueHandler, "queue tasks event_feed bucket"),
    ("/health", HealthHandler, "database queue"),
)
"""Path (served with and without a final slash), handler, and the names of the parts that it is given."""

PAGES: tuple[tuple[str, type[PageHandler], str], ...] = (
    ("/", PageHandler, ""),
    ("/gallery", PageHandler, ""),
    (r"/i/(?P<id>[0-9]+)", ImagePageHandler, "images"),
    (r"/u/(?P<username>[^/]+)", ProfilePageHandler, "users"),
    ("/account", PageHandler, ""),
    ("/tasks", PageHandler, ""),
)


def routes(services: Services) -> list[URLSpec]:
    """The table, with each handler's parts."""
    lines = [
        URLSpec(f"{path}/?", handler, dependencies_of(services, f"authentication {names}"), name=path)
        for path, handler, names in API
    ]
    shell = {"static": STATIC, "policy": _page_policy(services)}
    lines += [
        URLSpec(path.rstrip("/") + "/?", page, shell | dependencies_of(services, f"public_url {names}"))
        for path, page, names in PAGES
    ]
    document = cache(lambda: openapi_document(API))
    described = {"authentication": services.authentication, "document": document}
    lines.append(URLSpec(r"/api/openapi\.json", OpenApiHandler, described))
    lines.append(URLSpec("/api/docs/?", ApiDocsHandler, described))
    lines.append(URLSpec("/metrics/?", MetricsHandler, dependencies_of(services, "metrics queue")))
    lines.append(URLSpec(r"/static/(.*)", StaticHandler, {"path": str(STATIC)}))
    if isinstance(services.bucket, EmbeddedBucket):
        lines += [URLSpec(*line) for line in bucket_face.routes(services.bucket)]
    return lines


def not_found_route(services: Services) -> Rule:
    """The last line: a browser on its way to an address that nothing serves gets a page."""
    shell = {"static": STATIC, "policy": _page_policy(services), "public_url": services.public_url}
    return Rule(AcceptsHtml(), NotFoundPageHandler, shell)


def _page_policy(services: Services) -> Callable[[], str]:
    """Made anew for each page: where Kodo takes uploads is found out after the start."""
    return lambda: content_security_policy(pictures=services.image_origin, uploads=services.bucket.upload_origin())


def dependencies_of(services: Services, names: str) -> dict[str, Any]:
    return {name: getattr(services, name) for name in names.split()}
