"""What handlers share that register an uploaded image."""

from __future__ import annotations

from typing import Any

import tornado.web
from tornado.httputil import HTTPServerRequest

from handlers.base import ApiHandler
from models.bucket import Bucket
from models.images.images import Images
from models.images.registration import Registrations
from models.images.uploads import PendingUploads
from processing.executors import Executors
from processing.images.named_objects import NamedObjects
from processing.images.thumbnails import Thumbnails


class UploadedImageHandler(ApiHandler):
    """Base of the handlers that register an image whose file is in the bucket."""

    def __init__(
        self,
        application: tornado.web.Application,
        request: HTTPServerRequest,
        *,
        bucket: Bucket,
        uploads: PendingUploads,
        images: Images,
        registrations: Registrations,
        named_objects: NamedObjects,
        executors: Executors,
        thumbnails: Thumbnails,
        **dependencies: Any,
    ) -> None:
        self.bucket = bucket.for_host(request.host)
        self.uploads, self.images, self.registrations = uploads, images, registrations
        self.named_objects, self.executors, self.thumbnails = named_objects, executors, thumbnails
        super().__init__(application, request, **dependencies)
