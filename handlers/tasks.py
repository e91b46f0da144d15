"""Tasks: ask for a mosaic, look at the queue, cancel, retry, and hold the whole queue."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from handlers.base import ApiHandler, JsonDict, NoParameters
from handlers.params import Id, shown
from handlers.task_documents import Reader, task_document
from models import errors
from models.bucket import Bucket
from models.images import Images
from models.queue.tasks import LIVE, Choice, Task, Tasks, TaskState, write_cursor
from models.users import fold
from processing import mosaic
from processing.fetch.allowlist import FetchRules, check_source
from processing.images.tile_pool import resolve
from processing.queue.event_feed import LiveView
from processing.queue.snapshot import Sight
from processing.queue.task_queue import Source, TaskQueue

LIVE_LIMIT = 200
DONE_LIMIT = 50


class TaskHandler(ApiHandler):
    """What the endpoints of tasks share."""

    queue: TaskQueue
    tasks: Tasks
    live: LiveView
    bucket: Bucket

    async def reader(self) -> Reader:
        return Reader(await self.visitor(), self.language())

    async def document(self, task: Task, reader: Reader, sight: Sight | None = None) -> JsonDict:
        place = await self.queue.overview.place(task, sight)
        return task_document(task, self.live.percent(task), place, reader, self.bucket)


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
    rules: FetchRules

    async def reply(self, asked: AddTaskParameters) -> JsonDict:
        owner = await self.acting()
        recipe = parse_recipe(asked.param)
        await resolve(recipe.plain(), owner, self.images)
        source = await self._source(asked.url)
        task = await self.queue.add(owner, source, style=recipe.style, recipe=recipe.plain())
        self.set_header("Location", f"/api/tasks/query/?id={task.id}")
        return {"task": await self.document(task, await self.reader())}

    async def _source(self, url: str) -> Source:
        """Our bucket's pictures, or those of hosts that the operator allows. Raises NotFound, SourceNotAllowed."""
        key = self.bucket.key_of(url)
        if key is None:
            check_source(url, self.rules)
            return Source(url)
        image = await self.images.by_key(key)
        if image is None:
            raise errors.NotFound(what="image", which=shown(url))
        return Source(url, key, image.id, image.width * image.height / 1e6 or None)


class QueryTasksParameters(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: Id | None = None
    state: TaskState | None = None
    style: Annotated[str, Field(max_length=40)] | None = None
    owner: Annotated[str, Field(max_length=200)] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] | None = None
    cursor: Annotated[str, Field(max_length=60)] | None = None


class QueryTasks(TaskHandler):
    """The live queue in order, and what is finished, newest first."""

    parameters = QueryTasksParameters

    async def reply(self, asked: QueryTasksParameters) -> JsonDict:
        if asked.owner is not None:
            self._refuse_curious(asked.owner, await self.reader())
        reader, (live, done), sight = await asyncio.gather(
            self.reader(), self._lists(asked), self.queue.overview.look()
        )
        if any(task.state is TaskState.QUEUED and sight.place(task.id) is None for task in live):
            sight = await self.queue.overview.look_again()
        return {
            "tasks": [await self.document(task, reader, sight) for task in live],
            "done": [task_document(task, self.live.percent(task), None, reader, self.bucket) for task in done],
            "cursor": write_cursor(done[-1]) if len(done) == (asked.limit or DONE_LIMIT) else None,
            "totals": sight.totals,
            "sight": sight.number,
            "paused": self.queue.paused,
            "rates": self.queue.pace.rates(),
        }

    def _refuse_curious(self, owner: str, reader: Reader) -> None:
        """Raises NotYours for a stranger who asks what somebody has made."""
        person = reader.person
        if person is None or not (person.developer or fold(person.username) == fold(owner)):
            raise errors.NotYours()

    async def _lists(self, asked: QueryTasksParameters) -> tuple[list[Task], list[Task]]:
        """What is live, and what is over. Raises NotFound."""
        choice = Choice((asked.state,) if asked.state else (), asked.style, asked.owner)
        if asked.id is None:
            live = 0 if asked.cursor else asked.limit or LIVE_LIMIT
            return await self.tasks.lists(live=live, done=asked.limit or DONE_LIMIT, choice=choice, cursor=asked.cursor)
        task = await self.tasks.by_id(asked.id)
        if not choice.fits(task):
            return [], []
        return ([task], []) if task.state in LIVE else ([], [task])


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
        return {"task": await self.document(task, await self.reader())}

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


class PauseQueue(TaskHandler):
    """Hold the whole queue, on all servers; what runs goes on. For developers."""

    methods = ("POST",)
    acts = True
    paused = True

    async def reply(self, asked: NoParameters) -> JsonDict:
        if not (await self.person()).developer:
            raise errors.NotYours()
        await self.queue.pause(self.paused)
        return {"paused": self.paused}


class ResumeQueue(PauseQueue):
    """Let the queue go on. For developers."""

    paused = False


def parse_recipe(param: str | dict[str, Any]) -> mosaic.Recipe:
    """Raises BadParameter, which names the key, the value and the allowed range."""
    try:
        return mosaic.parse(param)
    except mosaic.BadParameter as error:
        raise errors.BadParameter(**error.facts) from error
