"""HTTP: the one table of paths and handlers."""

from __future__ import annotations

import tornado.web
from tornado.routing import Rule, URLSpec

from handlers import (
    account,
    events,
    export,
    health,
    images,
    openapi,
    photomosaics,
    preview,
    prints,
    queue,
    registration,
    renditions,
    styles,
    tasks,
    uploads,
    users,
)
from handlers.base import ApiHandler
from handlers.bucket import block_upload, download, form_upload, listing, management, resumable_upload
from handlers.bucket.base import BucketHandler, UnknownPathHandler
from handlers.pages import pages, static_files
from handlers.services import Services, select

Route = tuple[str, type[tornado.web.RequestHandler]]

UPLOADS = r"/up/buckets/(?P<bucket_name>[^/]+)/objects/(?P<encoded_key>[^/]+)/uploads"

ROUTES: tuple[Route, ...] = (
    # Users
    ("/api/user/add", users.AddUserHandler),
    ("/api/user/query", users.QueryUserHandler),
    ("/api/user/follow", users.FollowHandler),
    ("/api/user/logout", users.SignOutHandler),
    ("/api/user/change", account.ChangeUserHandler),
    ("/api/user/delete", account.DeleteUserHandler),
    ("/api/user/export", export.ExportHandler),
    ("/api/session", account.SessionHandler),
    ("/api/user/guest", account.GuestHandler),
    # Images
    ("/api/image/token", uploads.UploadTokenHandler),
    ("/api/image/upload", uploads.UploadCallbackHandler),
    ("/api/image/addinfo", registration.RegisterImageHandler),
    ("/api/image/query", images.QueryImageHandler),
    ("/api/image/tiles", photomosaics.TilesHandler),
    ("/api/image/pool", photomosaics.PoolHandler),
    ("/api/image/change", images.ChangeImageHandler),
    ("/api/image/visibility", images.ChangeVisibilityHandler),
    ("/api/image/delete", images.DeleteImageHandler),
    ("/api/image/pdf", prints.PdfHandler),
    ("/api/image/plan", prints.PlanHandler),
    (r"/thumbnail/(?P<id>[0-9]{1,20})/(?P<width>[0-9]{1,9})", images.ThumbnailHandler),
    ("/api/feed", images.FeedHandler),
    # Tasks
    ("/api/styles", styles.StylesHandler),
    ("/api/preview", preview.PreviewHandler),
    ("/api/preview/source", preview.PreviewSourceHandler),
    ("/api/rendition", renditions.RenditionHandler),
    ("/api/tasks/add", tasks.AddTaskHandler),
    ("/api/tasks/query", tasks.QueryTasksHandler),
    ("/tasks/query", tasks.QueryTasksHandler),
    ("/api/tasks/events", events.TaskEventsHandler),
    ("/tasks/events", events.TaskEventsHandler),
    ("/api/tasks/cancel", tasks.CancelTaskHandler),
    ("/api/tasks/retry", tasks.RetryTaskHandler),
    ("/api/tasks/pause", tasks.PauseQueueHandler),
    ("/api/tasks/resume", tasks.ResumeQueueHandler),
    # Operators
    ("/api/queue/status", queue.QueueStatusHandler),
    ("/api/queue/tasks", queue.SelectedTasksHandler),
    ("/api/queue/task", queue.TaskStoryHandler),
    ("/api/queue/change", queue.ChangeTasksHandler),
    ("/health", health.HealthHandler),
    ("/metrics", health.MetricsHandler),
    (r"/api/openapi\.json", openapi.OpenApiHandler),
    # Pages
    ("/", pages.PageHandler),
    ("/photomosaic", pages.PageHandler),
    ("/gallery", pages.PageHandler),
    (r"/i/(?P<id>[0-9]+)", pages.ImagePageHandler),
    (r"/u/(?P<username>[^/]+)", pages.ProfilePageHandler),
    ("/account", pages.PageHandler),
    ("/tasks", pages.PageHandler),
    (r"/tasks/(?P<id>[0-9]{1,20})", pages.PageHandler),
    ("/tasks/api", pages.PageHandler),
    (r"/static/(.*)", static_files.StaticHandler),
    # The embedded bucket; not with Kodo. An SDK uses the upload host <public_url>/up and the management hosts
    # <public_url>/rs and <public_url>/rsf.
    (r"/bucket/(.*)", download.DownloadHandler),
    ("/up", form_upload.FormUploadHandler),
    (UPLOADS, resumable_upload.StartUploadHandler),
    (UPLOADS + r"/(?P<upload_id>[0-9a-f]{32})", resumable_upload.ResumableUploadHandler),
    (UPLOADS + r"/(?P<upload_id>[0-9a-f]{32})/(?P<number>[0-9]{1,6})", resumable_upload.UploadPartHandler),
    (r"/up/mkblk/(?P<size>[0-9]{1,9})", block_upload.StartBlockHandler),
    (r"/up/bput/(?P<ctx>[^/]+)/(?P<offset>[0-9]{1,9})", block_upload.NextChunkHandler),
    (r"/up/mkfile/(.+)", block_upload.MakeFileHandler),
    (r"/up/(.+)", UnknownPathHandler),
    ("/rs/batch", management.BatchHandler),
    (r"/rs/(.+)", management.OperationHandler),
    ("/rsf/list", listing.ListObjectsHandler),
    ("/rsf/v2/list", listing.ListLinesHandler),
    (r"/rsf/(.+)", UnknownPathHandler),
)
"""Every path is also served with a final slash. Groups by name become parameters of the endpoint."""

API: tuple[tuple[str, type[ApiHandler]], ...] = tuple(
    (path, handler) for path, handler in ROUTES if issubclass(handler, ApiHandler)
)
"""The part of ROUTES that the OpenAPI document describes."""


def rules(services: Services) -> list[Rule]:
    """The table as rules of Tornado's router, each handler with its services."""
    served = [
        URLSpec(pattern_of(path), handler, select(handler, services))
        for path, handler in ROUTES
        if services.embedded_bucket is not None or not issubclass(handler, BucketHandler)
    ]
    not_found = Rule(pages.AcceptsHtml(), pages.NotFoundPageHandler, select(pages.NotFoundPageHandler, services))
    return [*served, not_found]


def pattern_of(path: str) -> str:
    """The path with and without a final slash."""
    return path.rstrip("/") + "/?"
