"""Tasks: ask for a mosaic, look at the queue, cancel, retry, and hold the whole queue."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from handlers.base import ApiHandler, JsonDict, NoParams
from handlers.params import Id, shorten
from handlers.task_documents import Viewer, task_document
from models import errors
from models.bucket import Bucket
from models.images import Images
from models.queue.tasks import ACTIVE, Task, TaskFilter, Tasks, TaskState, write_cursor
from models.users import username_key
from processing import mosaic
from processing.fetch.allowlist import FetchPolicy, check_source
from processing.images.tile_pool import resolve_tiles
from processing.queue.event_feed import EventFeed
from processing.queue.snapshot import QueueSnapshot
from processing.queue.task_queue import TaskSource, TaskQueue

LIVE_LIMIT = 200
DONE_LIMIT = 50


class TaskHandler(ApiHandler):
    """What the endpoints of tasks share."""

    queue: TaskQueue
    tasks: Tasks
    event_feed: EventFeed
    bucket: Bucket

    async def reader(self) -> Viewer:
        return Viewer(await self.user(), self.language())

    async def document(self, task: Task, reader: Viewer, sight: QueueSnapshot | None = None) -> JsonDict:
        place = await self.queue.status.position_of(task, sight)
        return task_document(task, self.event_feed.percent(task), place, reader, self.bucket)


class AddTaskParams(BaseModel):
    model_config = ConfigDict(frozen=True)

    url: Annotated[str, Field(min_length=1, max_length=2048)]
    type: Literal["model"] = "model"
    param: str | dict[str, Any] = "mosaic"


class AddTaskHandler(TaskHandler):
    """Queue a mosaic of a picture."""

    parameters = AddTaskParams
    contract, acts = True, True
    images: Images
    fetch_policy: FetchPolicy

    async def reply(self, asked: AddTaskParams) -> JsonDict:
        owner = await self.owner()
        recipe = parse_recipe(asked.param)
        await resolve_tiles(recipe.to_dict(), owner, self.images)
        source = await self._source(asked.url)
        task = await self.queue.add(owner, source, style=recipe.style, recipe=recipe.to_dict())
        self.set_header("Location", f"/api/tasks/query/?id={task.id}")
        return {"task": await self.document(task, await self.reader())}

    async def _source(self, url: str) -> TaskSource:
        """Our bucket's pictures, or those of hosts that the operator allows. Raises NotFound, SourceNotAllowed."""
        key = self.bucket.key_of(url)
        if key is None:
            check_source(url, self.fetch_policy)
            return TaskSource(url)
        image = await self.images.by_key(key)
        if image is None:
            raise errors.NotFound(what="image", which=shorten(url))
        return TaskSource(url, key, image.id, image.width * image.height / 1e6 or None)


class QueryTasksParams(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: Id | None = None
    state: TaskState | None = None
    style: Annotated[str, Field(max_length=40)] | None = None
    owner: Annotated[str, Field(max_length=200)] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] | None = None
    cursor: Annotated[str, Field(max_length=60)] | None = None


class QueryTasksHandler(TaskHandler):
    """The live queue in order, and what is finished, newest first."""

    parameters = QueryTasksParams

    async def reply(self, asked: QueryTasksParams) -> JsonDict:
        if asked.owner is not None:
            self._refuse_curious(asked.owner, await self.reader())
        reader, (live, done), sight = await asyncio.gather(
            self.reader(), self._lists(asked), self.queue.status.snapshot()
        )
        if any(task.state is TaskState.QUEUED and sight.position_of(task.id) is None for task in live):
            sight = await self.queue.status.fresh_snapshot()
        return {
            "tasks": [await self.document(task, reader, sight) for task in live],
            "done": [task_document(task, self.event_feed.percent(task), None, reader, self.bucket) for task in done],
            "cursor": write_cursor(done[-1]) if len(done) == (asked.limit or DONE_LIMIT) else None,
            "totals": sight.totals,
            "sight": sight.revision,
            "paused": self.queue.paused,
            "rates": self.queue.estimator.rates(),
        }

    def _refuse_curious(self, owner: str, reader: Viewer) -> None:
        """Raises PermissionDenied for a stranger who asks what somebody has made."""
        person = reader.user
        if person is None or not (person.developer or username_key(person.username) == username_key(owner)):
            raise errors.PermissionDenied()

    async def _lists(self, asked: QueryTasksParams) -> tuple[list[Task], list[Task]]:
        """What is live, and what is over. Raises NotFound."""
        choice = TaskFilter((asked.state,) if asked.state else (), asked.style, asked.owner)
        if asked.id is None:
            live = 0 if asked.cursor else asked.limit or LIVE_LIMIT
            return await self.tasks.list_active_and_finished(
                active_limit=live, finished_limit=asked.limit or DONE_LIMIT, task_filter=choice, cursor=asked.cursor
            )
        task = await self.tasks.by_id(asked.id)
        if not choice.matches(task):
            return [], []
        return ([task], []) if task.state in ACTIVE else ([], [task])


class TaskIdParams(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: Id


class TaskActionHandler(TaskHandler):
    """What only the owner and developers may do."""

    parameters = TaskIdParams
    methods = ("POST",)
    acts = True

    async def reply(self, asked: TaskIdParams) -> JsonDict:
        await self._refuse_others(asked.id)
        task = await self.act(asked.id)
        return {"task": await self.document(task, await self.reader())}

    async def act(self, task_id: int) -> Task:
        raise NotImplementedError

    async def _refuse_others(self, task_id: int) -> None:
        """Raises NotFound, NotAuthenticated, PermissionDenied."""
        owner = await self.owner()
        task = await self.tasks.by_id(task_id)
        person = await self.user()
        if task.owner.id != owner.id and not (person and person.developer):
            raise errors.PermissionDenied()


class CancelTaskHandler(TaskActionHandler):
    """Stop a task that waits or runs."""

    async def act(self, task_id: int) -> Task:
        return await self.queue.cancel(task_id)


class RetryTaskHandler(TaskActionHandler):
    """Queue a failed or cancelled task again."""

    async def act(self, task_id: int) -> Task:
        return await self.queue.retry(task_id)


class PauseQueueHandler(TaskHandler):
    """Hold the whole queue, on all servers; what runs goes on. For developers."""

    methods = ("POST",)
    acts = True
    paused = True

    async def reply(self, asked: NoParams) -> JsonDict:
        if not (await self.require_user()).developer:
            raise errors.PermissionDenied()
        await self.queue.pause(self.paused)
        return {"paused": self.paused}


class ResumeQueueHandler(PauseQueueHandler):
    """Let the queue go on. For developers."""

    paused = False


def parse_recipe(param: str | dict[str, Any]) -> mosaic.Recipe:
    """Raises BadParameter, which names the key, the value and the allowed range."""
    try:
        return mosaic.parse(param)
    except mosaic.BadParameter as error:
        raise errors.BadParameter(**error.details) from error
