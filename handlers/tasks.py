"""Tasks: ask for a mosaic, look at the queue, cancel and retry."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from handlers.authentication import Person
from handlers.base import ApiHandler, JsonDict
from handlers.documents import Standing, task_document
from handlers.image import Id
from handlers.parameters import shown
from models import errors
from models.bucket import Bucket
from models.images import Images
from models.tasks import Task, Tasks, TaskState
from processing import mosaic
from processing.live import LiveView
from processing.queue import Source, TaskQueue
from processing.sources import FetchRules, check_source

LIVE_LIMIT = 200
DONE_LIMIT = 50


class TaskHandler(ApiHandler):
    """What the endpoints of tasks share."""

    queue: TaskQueue
    tasks: Tasks
    live: LiveView

    def document(self, task: Task, position: int | None, viewer: Person | None) -> JsonDict:
        wait_s = None if position is None else self.queue.pace.wait_s(max(1, position), self.queue.size)
        return task_document(task, Standing(self.live.percent(task), position, wait_s), viewer, self.language())

    async def position(self, task: Task) -> int | None:
        """1 is next; 0 runs; None is over."""
        if task.state is TaskState.QUEUED:
            return await self.tasks.position(task)
        return 0 if task.state is TaskState.RUNNING else None


class AddTaskParameters(BaseModel):
    model_config = ConfigDict(frozen=True)

    url: Annotated[str, Field(min_length=1, max_length=2048)]
    type: Literal["model"] = "model"
    param: str | dict[str, Any] = "mosaic"


class AddTask(TaskHandler):
    """Queue a mosaic of a picture."""

    parameters = AddTaskParameters
    contract, acts = True, True
    images: Images
    bucket: Bucket
    rules: FetchRules

    async def reply(self, asked: AddTaskParameters) -> JsonDict:
        owner = await self.acting()
        recipe = parse_recipe(asked.param)
        source = await self._source(asked.url)
        task = await self.queue.add(owner, source, style=recipe.style, recipe=recipe.plain())
        self.set_header("Location", f"/api/tasks/query/?id={task.id}")
        return {"task": self.document(task, await self.position(task), await self.visitor())}

    async def _source(self, url: str) -> Source:
        """Our bucket's pictures, or those of hosts that the operator allows. Raises NotFound, SourceNotAllowed."""
        key = self.bucket.key_of(url)
        if key is None:
            check_source(url, self.rules)
            return Source(url)
        image = await self.images.by_key(key)
        if image is None:
            raise errors.NotFound(what="image", which=shown(url))
        return Source(url, key, image.id)


class QueryTasksParameters(BaseModel):
    model_config = ConfigDict(frozen=True)

    limit: Annotated[int, Field(ge=1, le=1000)] = LIVE_LIMIT


class QueryTasks(TaskHandler):
    """The live queue in order, and what is finished, newest first."""

    parameters = QueryTasksParameters

    async def reply(self, asked: QueryTasksParameters) -> JsonDict:
        viewer = await self.visitor()
        live = await self.tasks.live(limit=asked.limit)
        done = await self.tasks.finished(limit=min(asked.limit, DONE_LIMIT))
        return {
            "tasks": [self.document(task, place, viewer) for place, task in _places(live)],
            "done": [self.document(task, None, viewer) for task in done],
            "totals": await self.tasks.totals(),
            "rates": self.queue.pace.rates(),
        }


class TaskIdParameters(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: Id


class ActOnTask(TaskHandler):
    """What only the owner and developers may do."""

    parameters = TaskIdParameters
    methods = ("POST",)
    acts = True

    async def reply(self, asked: TaskIdParameters) -> JsonDict:
        await self._refuse_others(asked.id)
        task = await self.act(asked.id)
        return {"task": self.document(task, await self.position(task), await self.visitor())}

    async def act(self, task_id: int) -> Task:
        raise NotImplementedError

    async def _refuse_others(self, task_id: int) -> None:
        """Raises NotFound, NoSession, NotYours."""
        owner = await self.acting()
        task = await self.tasks.by_id(task_id)
        person = await self.visitor()
        if task.owner.id != owner.id and not (person and person.developer):
            raise errors.NotYours()


class CancelTask(ActOnTask):
    """Stop a task that waits or runs."""

    async def act(self, task_id: int) -> Task:
        return await self.queue.cancel(task_id)


class RetryTask(ActOnTask):
    """Queue a failed or cancelled task again."""

    async def act(self, task_id: int) -> Task:
        return await self.queue.retry(task_id)


def parse_recipe(param: str | dict[str, Any]) -> mosaic.Recipe:
    """Raises BadParameter, which names the key, the value and the allowed range."""
    try:
        return mosaic.parse(param)
    except mosaic.BadParameter as error:
        raise errors.BadParameter(**error.facts) from error


def _places(live: list[Task]) -> list[tuple[int, Task]]:
    """Each task with its position: 0 for those that run, then 1, 2, ..."""
    places, waiting = [], 0
    for task in live:
        waiting += task.state is TaskState.QUEUED
        places.append((waiting if task.state is TaskState.QUEUED else 0, task))
    return places
