"""Speak HTTP: the one table of path, handler, and what the handler is given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import prometheus_client
from tornado.routing import URLSpec

from handlers import bucket as bucket_face
from handlers.authentication import Authentication
from handlers.base import ApiHandler
from handlers.feed import ShowFeed
from handlers.image import AddInfo, DeleteImage, DescribeImage, GrantUpload, QueryImage, UploadCallback
from handlers.ops import ShowHealth, ShowMetrics
from handlers.pages import ShowPage, ShowStatic, content_security_policy
from handlers.session import Offer, ShowSession
from handlers.styles import ListStyles
from handlers.tasks import AddTask, CancelTask, QueryTasks, RetryTask
from handlers.user import AddUser, FollowUser, QueryUser, SignOut
from models.bucket import Bucket
from models.bucket.local import LocalBucket
from models.database import Database
from models.follows import Follows
from models.images import Images
from models.passwords import Passwords
from models.tasks import Tasks
from models.uploads import Uploads
from models.users import Users
from processing.engine import Threads
from processing.live import LiveView
from processing.queue import TaskQueue
from processing.sources import FetchRules

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
    bucket: Bucket
    queue: TaskQueue
    live: LiveView
    threads: Threads
    rules: FetchRules
    offer: Offer
    registry: prometheus_client.CollectorRegistry
    size_limit_bytes: int
    picture_origin: str
    upload_origin: str


API: tuple[tuple[str, type[ApiHandler], str], ...] = (
    ("/api/user/add", AddUser, "users passwords"),
    ("/api/user/query", QueryUser, "users follows passwords"),
    ("/api/user/follow", FollowUser, "users follows"),
    ("/api/user/logout", SignOut, ""),
    ("/api/session", ShowSession, "users offer"),
    ("/api/image/token", GrantUpload, "bucket uploads threads size_limit_bytes"),
    ("/api/image/upload", UploadCallback, "bucket uploads images"),
    ("/api/image/addinfo", AddInfo, "bucket uploads images users threads"),
    ("/api/image/query", QueryImage, "images bucket"),
    ("/api/image/change", DescribeImage, "images bucket"),
    ("/api/image/delete", DeleteImage, "images bucket threads"),
    ("/api/feed", ShowFeed, "images users follows bucket"),
    ("/api/styles", ListStyles, ""),
    ("/api/tasks/add", AddTask, "queue tasks live images bucket rules"),
    ("/api/tasks/query", QueryTasks, "queue tasks live"),
    ("/tasks/query", QueryTasks, "queue tasks live"),
    ("/api/tasks/cancel", CancelTask, "queue tasks live"),
    ("/api/tasks/retry", RetryTask, "queue tasks live"),
    ("/health", ShowHealth, "database queue"),
)
"""Path (served with and without a final slash), handler, and the names of the parts that it is given."""

PAGES = ("/", "/gallery", r"/i/(?P<id>[0-9]+)", r"/u/(?P<username>[^/]+)", "/account", "/tasks")


def routes(parts: Parts) -> list[URLSpec]:
    """The table, with each handler's parts."""
    lines = [
        URLSpec(f"{path}/?", handler, _given(parts, f"authentication {names}"), name=path)
        for path, handler, names in API
    ]
    policy = content_security_policy(pictures=parts.picture_origin, uploads=parts.upload_origin)
    lines += [URLSpec(page.rstrip("/") + "/?", ShowPage, {"static": STATIC, "policy": policy}) for page in PAGES]
    lines.append(URLSpec("/metrics/?", ShowMetrics, {"registry": parts.registry}))
    lines.append(URLSpec(r"/static/(.*)", ShowStatic, {"path": str(STATIC)}))
    if isinstance(parts.bucket, LocalBucket):
        lines += [URLSpec(*line) for line in bucket_face.routes(parts.bucket)]
    return lines


def _given(parts: Parts, names: str) -> dict[str, Any]:
    return {name: getattr(parts, name) for name in names.split()}
