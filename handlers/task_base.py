"""What handlers that answer with tasks share."""

from __future__ import annotations

from typing import Annotated, Any

import tornado.web
from pydantic import BeforeValidator, WithJsonSchema
from tornado.httputil import HTTPServerRequest

from handlers.base import ApiHandler
from handlers.schemas.tasks import Audience, TaskSchema, task_schema
from models import errors
from models.bucket import Bucket
from models.queue.task import Task, TaskState
from processing.queue.event_feed import EventFeed
from processing.queue.snapshot import QueueSnapshot
from processing.queue.task_queue import TaskQueue

ONE_STATE = f"({'|'.join(TaskState)})"


def _split_states(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


TaskStates = Annotated[
    tuple[TaskState, ...],
    BeforeValidator(_split_states),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^({ONE_STATE}(, ?{ONE_STATE})*)?$",
            "description": "one state, or several separated by commas",
        }
    ),
]


class TaskHandler(ApiHandler):
    """Base of the handlers that answer with tasks."""

    def __init__(
        self,
        application: tornado.web.Application,
        request: HTTPServerRequest,
        *,
        queue: TaskQueue,
        event_feed: EventFeed,
        bucket: Bucket,
        **dependencies: Any,
    ) -> None:
        self.queue, self.event_feed, self.bucket = queue, event_feed, bucket.for_host(request.host)
        super().__init__(application, request, **dependencies)

    async def audience(self) -> Audience:
        return Audience(await self.user(), self.language(), self.request.host, self.authentication.open_access)

    async def schema(
        self, task: Task, audience: Audience, snapshot: QueueSnapshot | None = None, *, listed: bool = False
    ) -> TaskSchema:
        """snapshot: the queue to take the position from; None: the current one."""
        position = await self.queue.status.position_of(task, snapshot)
        return task_schema(task, self.event_feed.percent(task), position, audience, self.bucket, listed=listed)


FOR_DEVELOPERS = (errors.NotAuthenticated, errors.PermissionDenied)
"""What the endpoints of a DeveloperHandler raise."""


class DeveloperHandler(TaskHandler):
    """Base of what only developers may see and do."""

    async def require_developer(self) -> None:
        """Raises NotAuthenticated, PermissionDenied."""
        if not (await self.require_user()).developer:
            raise errors.PermissionDenied()
