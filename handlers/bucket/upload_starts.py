"""Starts of resumable uploads: one at a time, addresses in turn."""

from __future__ import annotations

from typing import Any

import tornado.web
from tornado.httputil import HTTPServerRequest

from handlers.bucket.base import BucketHandler
from processing.fair_slots import FairSlots

WAITING_LIMIT, CLIENT_LIMIT = 512, 64


class UploadStarts(FairSlots):
    """A start looks at all uploads in progress, so only one can run.

    The others wait here, not in the threads that serve files to everybody.
    """

    def __init__(self) -> None:
        super().__init__(1, per_client=1, waiting_limit=WAITING_LIMIT, client_limit=CLIENT_LIMIT)


class StartingHandler(BucketHandler):
    """A handler that starts uploads, in a slot of `upload_starts`."""

    def __init__(
        self,
        application: tornado.web.Application,
        request: HTTPServerRequest,
        *,
        upload_starts: UploadStarts,
        **dependencies: Any,
    ) -> None:
        self.upload_starts = upload_starts
        super().__init__(application, request, **dependencies)
