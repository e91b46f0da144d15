"""The queue for developers: its state, tasks by any filter, one task's story, and changes of many tasks at once."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Annotated, Any

import tornado.web
from pydantic import Field
from tornado.httputil import HTTPServerRequest

from handlers.base import LIST_TIMEOUT_S
from handlers.endpoint import endpoint
from handlers.params import Id, RequestParams
from handlers.schemas.queue import (
    AttemptSchema,
    ChangedTasksResponse,
    ErrorCountSchema,
    LogLineSchema,
    MinuteSchema,
    OldestAges,
    QueueStatusResponse,
    SelectedTasksResponse,
    ServerSchema,
    TaskStoryResponse,
)
from handlers.schemas.tasks import TaskTotals
from handlers.task_base import FOR_DEVELOPERS, DeveloperHandler, TaskStates
from models import errors
from models.accounts.users import Users
from models.errors import Phrase
from models.queue.selection import SelectedTasks
from models.queue.servers import ServerRegistry
from models.queue.task import TaskState
from models.queue.task_log import TaskLog
from models.queue.tasks import TaskFilter, Tasks, cursor_after
from processing.disk import Disk
from processing.queue.activity import ActivityReader
from processing.queue.bulk import STATES, BulkAction, BulkChanges
from processing.upkeep.own_certificate import OwnCertificate

PAGE_SIZE = 50
MAX_CHANGED = 200
"""Tasks that one request changes at most, so that it is answered in time."""


class QueueStatusHandler(DeveloperHandler):
    timeout_s = LIST_TIMEOUT_S

    def initialize(
        self,
        activity: ActivityReader,
        servers: ServerRegistry,
        tasks: Tasks,
        disk: Disk,
        own_certificate: OwnCertificate,
    ) -> None:
        self.activity, self.servers, self.tasks = activity, servers, tasks
        self.disk, self.own_certificate = disk, own_certificate

    @endpoint(errors=FOR_DEVELOPERS)
    async def get(self) -> QueueStatusResponse:
        """The queue, its servers, and its last hour minute by minute. For developers."""
        await self.require_developer()
        snapshot, oldest_s, reports, activity = await asyncio.gather(
            self.queue.status.snapshot(), self.tasks.oldest_s(), self.servers.reports(), self.activity.read()
        )
        return QueueStatusResponse(
            paused=self.queue.paused,
            totals=TaskTotals(**snapshot.totals),
            oldest_s=OldestAges(**oldest_s),
            servers=[ServerSchema.of(report) for report in reports],
            minutes=[MinuteSchema.of(minute) for minute in activity.minutes],
            errors=[ErrorCountSchema.of(counted) for counted in activity.errors],
            warnings=[*self.queue.warnings, *self.disk.warnings, *self.own_certificate.warnings],
        )


class SelectionParams(RequestParams):
    """Which tasks; what is not stated matches all. error: its slug. owner: a username."""

    id: Id | None = None
    state: TaskStates | None = None
    style: Annotated[str, Field(max_length=40)] | None = None
    error: Annotated[str, Field(max_length=40)] | None = None
    owner: Annotated[str, Field(max_length=200)] | None = None


class SelectionHandler(DeveloperHandler):
    """Base of what works on tasks by a filter."""

    def __init__(
        self,
        application: tornado.web.Application,
        request: HTTPServerRequest,
        *,
        selected: SelectedTasks,
        users: Users,
        **dependencies: Any,
    ) -> None:
        self.selected, self.users = selected, users
        super().__init__(application, request, **dependencies)

    async def task_filter(self, params: SelectionParams, states: tuple[TaskState, ...] = ()) -> TaskFilter:
        """states: in place of those of the request."""
        username = params.owner
        if username is not None:
            with contextlib.suppress(errors.NotFound):
                username = (await self.users.by_name(username)).username
        return TaskFilter(states or params.state or (), params.style, username, params.error, params.id)


class SelectedTasksParams(SelectionParams):
    limit: Annotated[int, Field(ge=1, le=500)] = PAGE_SIZE
    cursor: Annotated[str, Field(max_length=60)] | None = None


class SelectedTasksHandler(SelectionHandler):
    timeout_s = LIST_TIMEOUT_S

    def initialize(self, tasks: Tasks) -> None:
        self.tasks = tasks

    @endpoint(errors=FOR_DEVELOPERS)
    async def get(self, params: SelectedTasksParams) -> SelectedTasksResponse:
        """Tasks by state, style, error and owner, and how many there are. For developers."""
        await self.require_developer()
        task_filter = await self.task_filter(params)
        page, count, audience, snapshot = await asyncio.gather(
            self.tasks.list_active_and_finished(
                active_limit=0 if params.cursor else params.limit,
                finished_limit=params.limit,
                task_filter=task_filter,
                cursor=params.cursor,
            ),
            self.selected.count(task_filter),
            self.audience(),
            self.queue.status.snapshot(),
        )
        return SelectedTasksResponse(
            tasks=[await self.schema(task, audience, snapshot) for task in (*page.active, *page.finished)],
            cursor=cursor_after(page.finished[-1]) if len(page.finished) == params.limit else None,
            count=count,
        )


class TaskStoryParams(RequestParams):
    id: Id


class TaskStoryHandler(DeveloperHandler):
    timeout_s = LIST_TIMEOUT_S

    def initialize(self, tasks: Tasks, selected: SelectedTasks, task_log: TaskLog) -> None:
        self.tasks, self.selected, self.task_log = tasks, selected, task_log

    @endpoint(errors=(*FOR_DEVELOPERS, errors.NotFound))
    async def get(self, params: TaskStoryParams) -> TaskStoryResponse:
        """One task with its attempts, the seconds of each step, and its log lines. For developers."""
        await self.require_developer()
        task = await self.tasks.by_id(params.id)
        attempts, lines = await asyncio.gather(self.selected.attempts(task.id), self.task_log.of(task.id))
        return TaskStoryResponse(
            task=await self.schema(task, await self.audience()),
            server=task.server if task.state is TaskState.RUNNING else None,
            crashes=task.crashes,
            retries=task.retries,
            error_details={
                name: str(value) for name, value in errors.TesseraError.of(task.error_details).details.items()
            },
            attempts=[AttemptSchema.of(attempt) for attempt in attempts],
            log=[LogLineSchema.of(line) for line in lines],
        )


class ChangeTasksParams(SelectionParams):
    action: BulkAction
    limit: Annotated[int, Field(ge=1, le=MAX_CHANGED)] = MAX_CHANGED


class ChangeTasksHandler(SelectionHandler):
    def initialize(self, bulk_changes: BulkChanges) -> None:
        self.bulk_changes = bulk_changes

    @endpoint(errors=FOR_DEVELOPERS)
    async def post(self, params: ChangeTasksParams) -> ChangedTasksResponse:
        """Retry, cancel or clear the tasks of a filter, the oldest first. For developers."""
        await self.require_developer()
        task_filter = await self.task_filter(params, _states(params))
        changed = await self.bulk_changes.apply(params.action, task_filter, limit=params.limit)
        return ChangedTasksResponse(changed=changed, left=await self.selected.count(task_filter))


def _states(params: ChangeTasksParams) -> tuple[TaskState, ...]:
    """The chosen states, or all, that the action is possible for. Raises BadParameter if there is none."""
    possible = STATES[params.action]
    chosen = tuple(state for state in params.state or possible if state in possible)
    if not chosen:
        names = ", ".join(possible)
        allowed = Phrase(f"for {params.action}: {names}", f"{params.action} 可用于：{names}")
        raise errors.BadParameter(field="state", value=", ".join(params.state or ()), allowed=allowed)
    return chosen
