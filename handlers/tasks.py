"""Tasks: queue a mosaic, read the queue, cancel, retry, and pause the whole queue."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from pydantic import Field

from handlers.base import LIST_TIMEOUT_S
from handlers.endpoint import CHANGES_NOTHING, endpoint
from handlers.guest_sessions import GuestSessions
from handlers.params import ContractParams, Id, RecipeParam, RequestParams, shorten
from handlers.schemas.tasks import (
    Audience,
    PausedResponse,
    QueueResponse,
    RenderCostSchema,
    TaskResponse,
    TaskTotals,
    task_schema,
)
from handlers.task_base import FOR_DEVELOPERS, DeveloperHandler, TaskHandler, TaskStates
from models import errors
from models.accounts.usernames import username_key
from models.accounts.users import Users
from models.errors import Phrase
from models.images.image import Owner
from models.images.images import Images
from models.images.quotas import Quotas
from models.images.visibility import Viewer, Visibility
from models.queue.task import ACTIVE, TaskState
from models.queue.tasks import TaskFilter, TaskPage, Tasks, cursor_after
from processing import mosaic_lazy as mosaic
from processing.fetch.allowlist import FetchPolicy, check_source
from processing.images.colours import resolve_colours
from processing.images.named_objects import NamedObjects
from processing.images.tile_pool import resolve_tiles
from processing.queue.task_queue import TaskSource
from processing.rendering import parse_recipe

ACTIVE_LIMIT = 200
FINISHED_LIMIT = 50


class AddTaskParams(ContractParams):
    """model: an older name of `param`. visibility: of the result; `link` if not stated. batch: shared by tasks."""

    url: Annotated[str, Field(min_length=1, max_length=2048)]
    type: Literal["model"] = "model"
    param: RecipeParam = "mosaic"
    model: RecipeParam | None = None
    visibility: Visibility | None = None
    batch: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    request_id: Annotated[str, Field(pattern=r"^[\w.-]{8,64}$")] | None = None


class AddTaskHandler(TaskHandler):
    errors_as_200 = True

    def initialize(
        self,
        images: Images,
        named_objects: NamedObjects,
        fetch_policy: FetchPolicy,
        guest_sessions: GuestSessions,
        quotas: Quotas,
        pool_limit: int,
    ) -> None:
        self.images, self.named_objects, self.fetch_policy = images, named_objects, fetch_policy
        self.guests, self.quotas, self.pool_limit = guest_sessions, quotas, pool_limit

    @endpoint(
        errors=(
            errors.GuestLimit,
            errors.QuotaExceeded,
            errors.NotAuthenticated,
            errors.NotFound,
            errors.SourceNotAllowed,
            errors.TooManyTasks,
            errors.TooManyTasksOfAddress,
            errors.QueueFull,
            errors.BucketUnavailable,
        )
    )
    async def post(self, params: AddTaskParams) -> TaskResponse:
        """Queue a mosaic of an image. The same request_id again returns the task that exists."""
        owner = await self.owner()
        await self.guests.check(owner)
        await self.quotas.check_not_full(owner)
        recipe = _chosen_recipe(params)
        await resolve_tiles(recipe.to_dict(), owner, self.images, limit=self.pool_limit)
        await resolve_colours(recipe.to_dict(), owner, self.images)
        source = await self._source(params.url, owner, recipe)
        task = await self.queue.add(
            owner,
            source,
            style=recipe.style,
            recipe=recipe.to_dict(),
            visibility=self.choose_visibility(params.visibility, owner),
            batch=params.batch,
            request_id=params.request_id,
            address=self.client_ip,
        )
        self.set_header("Location", f"{self.base_path}/api/tasks/query/?id={task.id}")
        return TaskResponse(task=await self.schema(task, await self.audience()))

    get = post

    async def _source(self, url: str, owner: Owner, recipe: mosaic.Recipe) -> TaskSource:
        """An image that the owner may see, or of a host in `allowed_sources`.

        Raises NotFound, SourceNotAllowed, BucketUnavailable.
        """
        address_key = self.bucket.key_of(url)
        if address_key is None:
            check_source(url, self.fetch_policy)
            return TaskSource(url)
        key = await self.named_objects.find_key(address_key)
        image = await self.images.by_key(key, Viewer(owner.id))
        if image is None and await self.guests.adopt_late(owner):
            image = await self.images.by_key(key, Viewer(owner.id))
        if image is None:
            raise errors.NotFound(what="image", which=shorten(url))
        width, height = recipe.params.result_size(image.width, image.height) if image.width else (0, 0)
        return TaskSource(self.bucket.url(address_key), key, image.id, width * height / 1e6 or None, image.visibility)


def _chosen_recipe(params: AddTaskParams) -> mosaic.Recipe:
    """That of `param`, or of `model`. Raises BadParameter if both are stated and differ."""
    if params.model is None:
        return parse_recipe(params.param)
    recipe = parse_recipe(params.model)
    if "param" in params.model_fields_set and parse_recipe(params.param) != recipe:
        allowed = Phrase("the same as param, of which it is an older name", "与 param 相同（model 是它的旧名）")
        raise errors.BadParameter(field="model", value=shorten(params.model), allowed=allowed)
    return recipe


class QueryTasksParams(ContractParams):
    id: Id | None = None
    state: TaskStates | None = None
    style: Annotated[str, Field(max_length=40)] | None = None
    owner: Annotated[str, Field(max_length=200)] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] | None = None
    cursor: Annotated[str, Field(max_length=60)] | None = None


class QueryTasksHandler(TaskHandler):
    timeout_s = LIST_TIMEOUT_S

    def initialize(self, tasks: Tasks, users: Users) -> None:
        self.tasks, self.users = tasks, users

    @endpoint(errors=(errors.PermissionDenied, errors.NotFound), csrf_exempt=CHANGES_NOTHING)
    async def post(self, params: QueryTasksParams) -> QueueResponse:
        """The queue in order, and the finished tasks, newest first."""
        if params.owner is not None:
            await self._check_owner_filter(params.owner)
        audience, page = await asyncio.gather(self.audience(), self._list(params))
        has_own = any(audience.owns(task) for task in (*page.active, *page.finished))
        readers = audience if has_own else audience.common
        if readers not in page.responses:
            page.responses[readers] = await self._response(page, params, audience)
        response: QueueResponse = page.responses[readers]
        return response

    get = post

    async def _response(self, page: TaskPage, params: QueryTasksParams, audience: Audience) -> QueueResponse:
        snapshot = await self.queue.status.snapshot()
        if any(task.state is TaskState.QUEUED and snapshot.position_of(task.id) is None for task in page.active):
            snapshot = await self.queue.status.fresh_snapshot()
        percent, listed, finished_limit = self.event_feed.percent, params.id is None, params.limit or FINISHED_LIMIT
        return QueueResponse(
            tasks=[await self.schema(task, audience, snapshot, listed=listed) for task in page.active],
            done=[
                task_schema(task, percent(task), None, audience, self.bucket, listed=listed) for task in page.finished
            ],
            cursor=cursor_after(page.finished[-1]) if len(page.finished) == finished_limit else None,
            totals=TaskTotals(**snapshot.totals),
            paused=self.queue.paused,
            rates=self.queue.estimator.rates(),
            costs={style: RenderCostSchema.of(cost) for style, cost in self.queue.estimator.costs().items()},
        )

    async def _check_owner_filter(self, username: str) -> None:
        """Raise PermissionDenied unless the user asks for their own tasks or is a developer."""
        user = await self.user()
        if user is None or not (user.developer or username_key(user.username) == username_key(username)):
            raise errors.PermissionDenied()

    async def _username(self, name: str | None) -> str | None:
        """The username as its user writes it; an unknown one as it is."""
        if name is None:
            return None
        try:
            return (await self.users.by_name(name)).username
        except errors.NotFound:
            return name

    async def _list(self, params: QueryTasksParams) -> TaskPage:
        """Active and finished tasks. Raises NotFound."""
        task_filter = TaskFilter(params.state or (), params.style, await self._username(params.owner))
        if params.id is None:
            return await self.tasks.list_active_and_finished(
                active_limit=0 if params.cursor else params.limit or ACTIVE_LIMIT,
                finished_limit=params.limit or FINISHED_LIMIT,
                task_filter=task_filter,
                cursor=params.cursor,
            )
        task = await self.tasks.by_id(params.id)
        if not task_filter.matches(task):
            return TaskPage()
        return TaskPage([task], []) if task.state in ACTIVE else TaskPage([], [task])


class TaskIdParams(RequestParams):
    id: Id


ACTION_ERRORS = (errors.NotAuthenticated, errors.PermissionDenied, errors.NotFound, errors.InvalidState)


class TaskActionHandler(TaskHandler):
    """Base of what only the owner of a task and developers may do."""

    def initialize(self, tasks: Tasks) -> None:
        self.tasks = tasks

    async def check_access(self, task_id: int) -> None:
        """Raises NotFound, NotAuthenticated, PermissionDenied."""
        owner, task, user = await self.owner(), await self.tasks.by_id(task_id), await self.user()
        if user is None or not user.developer:
            task.owner.require(owner.id)


class CancelTaskHandler(TaskActionHandler):
    @endpoint(errors=ACTION_ERRORS)
    async def post(self, params: TaskIdParams) -> TaskResponse:
        """Cancel a queued or running task."""
        await self.check_access(params.id)
        task = await self.queue.cancel(params.id)
        return TaskResponse(task=await self.schema(task, await self.audience()))


class RetryTaskHandler(TaskActionHandler):
    @endpoint(errors=(*ACTION_ERRORS, errors.TooManyTasks, errors.TooManyTasksOfAddress, errors.QueueFull))
    async def post(self, params: TaskIdParams) -> TaskResponse:
        """Queue a failed or cancelled task again."""
        await self.check_access(params.id)
        task = await self.queue.retry(params.id, address=self.client_ip)
        return TaskResponse(task=await self.schema(task, await self.audience()))


class PauseQueueHandler(DeveloperHandler):
    @endpoint(errors=FOR_DEVELOPERS)
    async def post(self) -> PausedResponse:
        """Pause the queue on all servers; running tasks continue. For developers."""
        return await self.set_paused(True)

    async def set_paused(self, paused: bool) -> PausedResponse:
        await self.require_developer()
        await self.queue.pause(paused)
        return PausedResponse(paused=paused)


class ResumeQueueHandler(PauseQueueHandler):
    @endpoint(errors=FOR_DEVELOPERS)
    async def post(self) -> PausedResponse:
        """Resume the queue on all servers. For developers."""
        return await self.set_paused(False)
