"""All tasks. MongoDB is the record; every change of state is one atomic step.

A running task belongs to one server: see `leases.py`. While a task is active, its record has the address of the client
that added it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from models import errors
from models.cursor import read_cursor, write_cursor
from models.database import Database, Document, new_id
from models.images.image import Owner
from models.images.visibility import Visibility
from models.index import Index
from models.queue.fair_order import Place
from models.queue.order import MAX_RUNNING
from models.queue.task import ACTIVE, FINAL, RETRYABLE, NewTask, Task, TaskState, from_document, to_document


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Selects tasks; an empty or None field matches all."""

    states: tuple[TaskState, ...] = ()
    style: str | None = None
    username: str | None = None
    error: str | None = None
    task_id: int | None = None

    def matches(self, task: Task) -> bool:
        return (
            (not self.states or task.state in self.states)
            and self.style in (None, task.style)
            and self.username in (None, task.owner.username)
            and self.error in (None, task.error)
            and self.task_id in (None, task.id)
        )

    def query(self, among: tuple[TaskState, ...]) -> Document | None:
        """The query for matching tasks in these states; None if no task can match."""
        states = [str(state) for state in among if not self.states or state in self.states]
        query: Document = {"state": {"$in": states}}
        values = {"style": self.style, "owner": self.username, "error": self.error, "_id": self.task_id}
        query |= {name: value for name, value in values.items() if value is not None}
        return query if states else None


@dataclass(frozen=True, slots=True)
class TaskPage:
    """Running and queued tasks in the order of the queue, and finished ones, newest first.

    responses: what was made of this page for requests that share it, by what they differ in.
    """

    active: list[Task] = field(default_factory=list)
    finished: list[Task] = field(default_factory=list)
    responses: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)


ALL_TASKS = TaskFilter()
POSTPONED: Document = {"not_before": {"$gt": datetime(1970, 1, 1, tzinfo=UTC)}}
"""Tasks that wait for another try: they are not leased before `Leases.wake_due` has given them a place."""
NEWEST = "-finished -_id"
ANONYMISED: Document = {"data.owner_id": None, "data.owner": None, "data.url": "", "data.source_key": None}


class Tasks:
    """The collection `tasks`."""

    indexes = (
        Index("state round _id owner_id"),
        Index("owner_id state _id"),
        Index("owner_id _id"),
        Index(f"state {NEWEST}", partial_filter={"state": {"$in": [str(state) for state in FINAL]}}),
        Index("owner -finished -_id", partial_filter={"state": {"$in": [str(state) for state in FINAL]}}),
        Index("rendering", unique=True, partial_filter={"rendering": {"$gt": ""}}),
        Index("owner_id request_id", unique=True, partial_filter={"request_id": {"$gt": ""}}),
        Index("address state turn", partial_filter={"address": {"$gt": ""}}),
        Index("not_before", partial_filter=POSTPONED),
    )

    def __init__(self, database: Database) -> None:
        self._tasks = database.collection("tasks")
        self._rounds = database.collection("rounds", journaled=False)
        self._events = database.collection("events", journaled=False)
        self._unfiltered = database.batchers.make(self._list_unfiltered)
        self._adding = database.batchers.make(self._tasks.insert_each)
        self._counting = database.batchers.make(self._count_active)

    # --- reading ------------------------------------------------------------------------------------------------

    async def by_id(self, task_id: int) -> Task:
        """Raises NotFound."""
        document = await self._tasks.find_one({"_id": task_id})
        if document is None:
            raise errors.NotFound(what="task", which=task_id)
        return from_document(document)

    async def by_request(self, owner: Owner, request_id: str) -> Task | None:
        """The task that this owner added with this id, if there is one."""
        document = await self._tasks.find_one({"owner_id": owner.id, "request_id": request_id})
        return None if document is None else from_document(document)

    async def count_active(self, owner_id: int | None) -> int:
        """How many tasks of this user, or of anonymous users, are queued or running."""
        return await self._counting.submit(owner_id)

    async def _count_active(self, owner_ids: list[int | None]) -> list[int]:
        query: Document = {
            "owner_id": {"$in": list(set(owner_ids))},
            "state": {"$in": [str(state) for state in ACTIVE]},
        }
        group: Document = {"$group": {"_id": "$owner_id", "count": {"$sum": 1}}}
        counts = {row["_id"]: int(row["count"]) for row in await self._tasks.aggregate([{"$match": query}, group])}
        return [counts.get(owner_id, 0) for owner_id in owner_ids]

    async def count_all_active(self, *, limit: int) -> int:
        """How many tasks are queued or running; counting stops at `limit`."""
        return await self._tasks.count_documents({"state": {"$in": [str(state) for state in ACTIVE]}}, limit=limit)

    async def count(self, state: TaskState) -> int:
        """How many tasks are in this state; reads the index alone."""
        return await self._tasks.count_documents({"state": str(state)})

    async def oldest_s(self) -> dict[str, float]:
        """Seconds since the oldest queued task was added and the oldest running one started; 0 where there is none."""
        since: Document = {"$cond": [{"$eq": ["$state", str(TaskState.QUEUED)]}, "$created", "$started"]}
        steps: list[Document] = [
            {"$match": {"state": {"$in": [str(state) for state in ACTIVE]}}},
            {"$group": {"_id": "$state", "age": {"$max": {"$divide": [{"$subtract": ["$$NOW", since]}, 1000]}}}},
        ]
        ages = {row["_id"]: float(row["age"] or 0) for row in await self._tasks.aggregate(steps)}
        return {str(state): max(0.0, ages.get(str(state), 0.0)) for state in ACTIVE}

    async def position(self, task: Task) -> int:
        """Position of a queued task; 1 is the next one."""
        earlier_rounds = {"state": str(TaskState.QUEUED), "round": {"$lt": task.round}}
        same_round = {"state": str(TaskState.QUEUED), "round": task.round, "_id": {"$lt": task.id}}
        return 1 + sum([await self._tasks.count_documents(query) for query in (earlier_rounds, same_round)])

    async def list_active_and_finished(
        self,
        *,
        active_limit: int,
        finished_limit: int,
        task_filter: TaskFilter = ALL_TASKS,
        cursor: str | None = None,
    ) -> TaskPage:
        """Active and finished tasks, these after the cursor, in one call. Raises BadParameter for a malformed one."""
        if task_filter == ALL_TASKS and cursor is None:
            return await self._unfiltered.submit((active_limit, finished_limit))
        return await self._list(active_limit, finished_limit, task_filter, cursor)

    async def finished(self, *, limit: int) -> list[Task]:
        """The finished ones, newest first."""
        return (await self.list_active_and_finished(active_limit=0, finished_limit=limit)).finished

    async def iterate_by_owner(self, owner_id: int) -> AsyncIterator[Task]:
        """Every task of a user, by ascending id."""
        async for document in self._tasks.iterate({"owner_id": owner_id}):
            yield from_document(document)

    async def active_of(self, owner_id: int, *, limit: int = 1000) -> list[Task]:
        """A user's queued and running tasks."""
        query: Document = {"owner_id": owner_id, "state": {"$in": [str(state) for state in ACTIVE]}}
        return [from_document(document) for document in await self._tasks.find(query, sort="_id", limit=limit)]

    async def has_running_duplicate(self, task: Task) -> bool:
        """Whether another task with the same recipe is running: it may produce the same bytes."""
        others = {"state": str(TaskState.RUNNING), "_id": {"$ne": task.id}, "recipe": task.recipe}
        return await self._tasks.find_one(others, ["_id"]) is not None

    # --- writing ------------------------------------------------------------------------------------------------

    async def add(self, new: NewTask, *, place: Place) -> Task:
        """Record a task as queued, durably, in this place. With the request_id of another task: return that one."""
        while True:
            task = new.with_id(new_id(), round_number=place.round)
            document = {"_id": task.id, **to_document(task), **place.to_document()}
            if await self._adding.submit(document) is None:
                return task
            if new.request_id and (earlier := await self.by_request(new.owner, new.request_id)):
                return earlier

    async def cancel(self, task_id: int) -> Task:
        """Cancel a queued task; ask the server of a running one to stop it. Raises NotFound, InvalidState."""
        while True:
            task = await self.by_id(task_id)
            if task.state not in ACTIVE:
                raise errors.InvalidState(state=task.state)
            change: Document = {"$set": {"cancel_requested": True}}
            if task.state is TaskState.QUEUED:
                change = {
                    "$set": {"state": str(TaskState.CANCELLED)},
                    "$currentDate": {"finished": True},
                    "$unset": {"address": ""},
                }
            document = await self._tasks.find_one_and_update({"_id": task_id, "state": str(task.state)}, change)
            if document is not None:
                return from_document(document)

    async def set_visibility(self, owner_id: int | None, image_ids: list[int], visibility: Visibility) -> None:
        """Images of this owner have changed their visibility: note it in the tasks that they belong to."""
        for field_name, image_field in (("visibility", "result_id"), ("source_visibility", "source_id")):
            query: Document = {"owner_id": owner_id, image_field: {"$in": image_ids}}
            await self._tasks.update_many(query, {"$set": {field_name: str(visibility)}})

    async def retry(self, task_id: int, *, place: Place) -> Task:
        """Queue a failed or cancelled task again, under the same id. Raises NotFound, InvalidState."""
        change = {
            "state": str(TaskState.QUEUED),
            **place.to_document(),
            "not_before": None,
            "finished": None,
            "started": None,
            "error": None,
            "error_details": {},
            "percent": 0,
            "crashes": 0,
            "retries": 0,
            "cancel_requested": False,
        }
        query: Document = {"_id": task_id, "state": {"$in": RETRYABLE}}
        document = await self._tasks.find_one_and_update(query, {"$set": change})
        if document is None:
            raise errors.InvalidState(state=(await self.by_id(task_id)).state)
        return from_document(document)

    async def delete_of(self, owner_id: int) -> None:
        """Delete a user's tasks and place in the round robin."""
        await self._tasks.delete_many({"owner_id": owner_id})
        await self._rounds.delete_one({"_id": owner_id})

    async def anonymise_events_of(self, owner_id: int) -> None:
        """Call it MAX_DELAY_S of events.py after the last change: each server holds its events back.

        Events are not deleted, because cursors wait at their end. A capped collection accepts such an update since
        MongoDB 5.
        """
        await self._events.update_many({"data.owner_id": owner_id}, {"$set": ANONYMISED})

    # --- lists --------------------------------------------------------------------------------------------------

    async def _list(
        self, active_limit: int, finished_limit: int, task_filter: TaskFilter, cursor: str | None
    ) -> TaskPage:
        """One pipeline for each part, joined by $unionWith, so that all of them are one call."""
        pipelines = [
            _pipeline(task_filter.query((TaskState.RUNNING,)), "", MAX_RUNNING if active_limit else 0),
            _pipeline(task_filter.query((TaskState.QUEUED,)), "round _id", active_limit),
            _pipeline(task_filter.query(FINAL), NEWEST, finished_limit, cursor),
        ]
        pipelines = [steps for steps in pipelines if steps]
        if not pipelines:
            return TaskPage()
        unions: list[Document] = [{"$unionWith": {"coll": "tasks", "pipeline": steps}} for steps in pipelines[1:]]
        tasks = [from_document(document) for document in await self._tasks.aggregate([*pipelines[0], *unions])]
        active = sorted((task for task in tasks if task.state in ACTIVE), key=_active_order)
        finished = sorted((task for task in tasks if task.state not in ACTIVE), key=_newest_order)
        return TaskPage(active[:active_limit], finished)

    async def _list_unfiltered(self, requests: list[tuple[int, int]]) -> list[TaskPage]:
        """The list that most users look at: simultaneous requests share one query."""
        pages = {limits: await self._list(*limits, ALL_TASKS, None) for limits in set(requests)}
        return [pages[limits] for limits in requests]


def cursor_after(task: Task) -> str:
    """The cursor with which a list of finished tasks continues after this one."""
    return write_cursor(task.finished or task.created, task.id)


def _pipeline(query: Document | None, sort: str, limit: int, cursor: str | None = None) -> list[Document]:
    if query is None or not limit:
        return []
    if cursor is not None:
        moment, task_id = read_cursor(cursor)
        query |= {"$or": [{"finished": {"$lt": moment}}, {"finished": moment, "_id": {"$lt": task_id}}]}
    order: list[Document] = [{"$sort": dict(Index(sort).pairs())}] if sort else []
    return [{"$match": query}, *order, {"$limit": limit}, {"$unset": "history"}]


def _active_order(task: Task) -> tuple[bool, datetime | int, int]:
    """Running ones by start, then queued ones by round: the order of documents after $unionWith is not defined."""
    queued = task.state is TaskState.QUEUED
    return queued, task.round if queued else task.started or task.created, task.id


def _newest_order(task: Task) -> tuple[float, int]:
    return -(task.finished or task.created).timestamp(), -task.id
