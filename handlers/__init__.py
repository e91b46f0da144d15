"""Speak HTTP: the one table of path, handler, and what the handler is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tornado.routing import Rule, URLSpec

from handlers.account import ChangeUser, DeleteUser
from handlers.api_docs import ShowReference
from handlers.auth import Authentication
from handlers.base import ApiHandler
from handlers.broadcast import Broadcast
from handlers.bucket import download as bucket_face
from handlers.events import ListenToTasks
from handlers.export import Exports, ExportUser
from handlers.feed import ShowFeed
from handlers.health import ShowHealth, ShowMetrics
from handlers.images import DeleteImage, DescribeImage, QueryImage
from handlers.openapi import ShowOpenApi, openapi_document
from handlers.pages import (
    ShowNothing,
    ShowPage,
    ShowPerson,
    ShowPicture,
    ShowStatic,
    WantsPage,
    content_security_policy,
)
from handlers.preview import DrawPreview
from handlers.rate_limit import Throttles
from handlers.session import Offer, ShowSession
from handlers.styles import ListStyles
from handlers.tasks import AddTask, CancelTask, PauseQueue, QueryTasks, ResumeQueue, RetryTask
from handlers.thumbnail import ShowThumbnail
from handlers.uploads import AddInfo, GrantUpload, UploadCallback
from handlers.users import AddUser, FollowUser, QueryUser, SignOut
from models.bucket import Bucket
from models.bucket.embedded.bucket import LocalBucket
from models.database import Database
from models.follows import Follows
from models.images import Images
from models.passwords import Passwords
from models.queue.tasks import Tasks
from models.sessions import Sessions
from models.uploads import Uploads
from models.users import Users
from processing.engine.threads import Threads
from processing.fetch.allowlist import FetchRules
from processing.images.preview_tiles import PreviewTiles
from processing.images.previews import Previews
from processing.images.thumbnails import Thumbnails
from processing.metrics import Metrics
from processing.queue.event_feed import LiveView
from processing.queue.task_queue import TaskQueue
from processing.upkeep.account_deletion import Belongings, Departures
from processing.upkeep.image_deletion import Removals

STATIC = Path(__file__).resolve().parent.parent / "static"


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that a handler may be given. Its line in the table names what it gets."""

    authentication: Authentication
    database: Database
    users: Users
    follows: Follows
    images: Images
    uploads: Uploads
    tasks: Tasks
    passwords: Passwords
    throttles: Throttles
    bucket: Bucket
    queue: TaskQueue
    broadcast: Broadcast
    live: LiveView
    threads: Threads
    rules: FetchRules
    offer: Offer
    metrics: Metrics
    size_limit_bytes: int
    sessions: Sessions
    belongings: Belongings
    previews: Previews
    preview_tiles: PreviewTiles
    thumbnails: Thumbnails
    removals: Removals
    departures: Departures
    exports: Exports
    public_url: str
    picture_origin: str


API: tuple[tuple[str, type[ApiHandler], str], ...] = (
    ("/api/user/add", AddUser, "users passwords throttles"),
    ("/api/user/query", QueryUser, "users follows passwords throttles"),
    ("/api/user/follow", FollowUser, "users follows"),
    ("/api/user/logout", SignOut, ""),
    ("/api/user/change", ChangeUser, "users passwords throttles sessions"),
    ("/api/user/delete", DeleteUser, "users passwords throttles departures"),
    ("/api/user/export", ExportUser, "exports belongings bucket threads"),
    ("/api/session", ShowSession, "users offer"),
    ("/api/image/token", GrantUpload, "bucket uploads threads size_limit_bytes"),
    ("/api/image/upload", UploadCallback, "bucket uploads images thumbnails metrics"),
    ("/api/image/addinfo", AddInfo, "bucket uploads images users threads thumbnails"),
    ("/api/image/query", QueryImage, "images bucket"),
    ("/api/image/change", DescribeImage, "images bucket"),
    ("/api/image/delete", DeleteImage, "images removals"),
    (r"/thumbnail/(?P<id>[0-9]{1,20})/(?P<width>[0-9]{1,9})", ShowThumbnail, "images thumbnails"),
    ("/api/feed", ShowFeed, "images users follows bucket"),
    ("/api/styles", ListStyles, ""),
    ("/api/preview", DrawPreview, "previews preview_tiles images"),
    ("/api/tasks/add", AddTask, "queue tasks live images bucket rules"),
    ("/api/tasks/query", QueryTasks, "queue tasks live bucket"),
    ("/tasks/query", QueryTasks, "queue tasks live bucket"),
    ("/api/tasks/events", ListenToTasks, "broadcast"),
    ("/tasks/events", ListenToTasks, "broadcast"),
    ("/api/tasks/cancel", CancelTask, "queue tasks live bucket"),
    ("/api/tasks/retry", RetryTask, "queue tasks live bucket"),
    ("/api/tasks/pause", PauseQueue, "queue tasks live bucket"),
    ("/api/tasks/resume", ResumeQueue, "queue tasks live bucket"),
    ("/health", ShowHealth, "database queue"),
)
"""Path (served with and without a final slash), handler, and the names of the parts that it is given."""

PAGES: tuple[tuple[str, type[ShowPage], str], ...] = (
    ("/", ShowPage, ""),
    ("/gallery", ShowPage, ""),
    (r"/i/(?P<id>[0-9]+)", ShowPicture, "images"),
    (r"/u/(?P<username>[^/]+)", ShowPerson, "users"),
    ("/account", ShowPage, ""),
    ("/tasks", ShowPage, ""),
)


def routes(parts: Parts) -> list[URLSpec]:
    """The table, with each handler's parts."""
    lines = [
        URLSpec(f"{path}/?", handler, _given(parts, f"authentication {names}"), name=path)
        for path, handler, names in API
    ]
    shell = {"static": STATIC, "policy": _page_policy(parts)}
    lines += [
        URLSpec(path.rstrip("/") + "/?", page, shell | _given(parts, f"public_url {names}"))
        for path, page, names in PAGES
    ]
    document = cache(lambda: openapi_document(API))
    described = {"authentication": parts.authentication, "document": document}
    lines.append(URLSpec(r"/api/openapi\.json", ShowOpenApi, described))
    lines.append(URLSpec("/api/docs/?", ShowReference, described))
    lines.append(URLSpec("/metrics/?", ShowMetrics, _given(parts, "metrics queue")))
    lines.append(URLSpec(r"/static/(.*)", ShowStatic, {"path": str(STATIC)}))
    if isinstance(parts.bucket, LocalBucket):
        lines += [URLSpec(*line) for line in bucket_face.routes(parts.bucket)]
    return lines


def page_for_nothing(parts: Parts) -> Rule:
    """The last line: a browser on its way to an address that nothing serves gets a page."""
    shell = {"static": STATIC, "policy": _page_policy(parts), "public_url": parts.public_url}
    return Rule(WantsPage(), ShowNothing, shell)


def _page_policy(parts: Parts) -> Callable[[], str]:
    """Made anew for each page: where Kodo takes uploads is found out after the start."""
    return lambda: content_security_policy(pictures=parts.picture_origin, uploads=parts.bucket.upload_origin())


def _given(parts: Parts, names: str) -> dict[str, Any]:
    return {name: getattr(parts, name) for name in names.split()}
