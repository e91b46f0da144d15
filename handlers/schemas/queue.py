"""The queue as developers see it: its state, its last hour, its servers, and one task's whole story."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from handlers.schemas.base import Moment, Schema, SuccessResponse
from handlers.schemas.tasks import TaskSchema, TaskTotals
from models.queue.activity import Minute
from models.queue.failed import ErrorCount
from models.queue.selection import Attempt
from models.queue.servers import ServerReport
from models.queue.task_log import LogLine


class OldestAges(Schema):
    """Seconds since the oldest queued task was added, and since the oldest run began; 0 where there is none."""

    queued: float
    running: float


class ServerSchema(Schema):
    """workers: of its cluster, by state. age_s: since its last report; alive: whether that is recent."""

    name: str
    version: str
    threads: int
    busy: int
    workers: dict[str, int]
    problem: str | None
    age_s: float
    alive: bool

    @classmethod
    def of(cls, report: ServerReport) -> ServerSchema:
        capacity = report.capacity
        return cls(
            name=report.name,
            version=capacity.version,
            threads=capacity.threads,
            busy=capacity.busy,
            workers=dict(capacity.workers),
            problem=capacity.problem,
            age_s=round(report.age_s, 1),
            alive=report.alive,
        )


class MinuteSchema(Schema):
    """Tasks that ended in a minute, and their waiting time from adding to the first start."""

    start: Moment
    done: int
    failed: int
    cancelled: int
    wait_median_s: float | None
    wait_p95_s: float | None

    @classmethod
    def of(cls, minute: Minute) -> MinuteSchema:
        return cls(
            start=minute.start,
            done=minute.done,
            failed=minute.failed,
            cancelled=minute.cancelled,
            wait_median_s=minute.wait_median_s,
            wait_p95_s=minute.wait_p95_s,
        )


class ErrorCountSchema(Schema):
    """How many tasks failed with an error in the last day, and the last of them."""

    error: str
    count: int
    latest: Moment

    @classmethod
    def of(cls, counted: ErrorCount) -> ErrorCountSchema:
        return cls(error=counted.error, count=counted.count, latest=counted.latest)


class QueueStatusResponse(SuccessResponse):
    """minutes: the last hour, oldest first. errors: of the last day. warnings: as in `/health`, of this server."""

    paused: bool
    totals: TaskTotals
    oldest_s: OldestAges
    servers: list[ServerSchema]
    minutes: list[MinuteSchema]
    errors: list[ErrorCountSchema]
    warnings: list[str]


class SelectedTasksResponse(SuccessResponse):
    """tasks: active ones in order, then finished ones, newest first. count: of all that match, at most 10,000."""

    tasks: list[TaskSchema]
    cursor: str | None
    count: int


AttemptOutcome = Annotated[
    str, Field(json_schema_extra={"enum": ["done", "failed", "cancelled", "released", "postponed", "crashed", "lost"]})
]


class AttemptSchema(Schema):
    """An attempt that has ended. steps: seconds by step, if it was done."""

    attempt: int
    server: str
    started: Moment
    ended: Moment
    outcome: AttemptOutcome
    error: str | None
    steps: dict[str, float]

    @classmethod
    def of(cls, attempt: Attempt) -> AttemptSchema:
        steps = {name: round(seconds, 4) for name, seconds in attempt.steps.items()}
        return cls(
            attempt=attempt.attempt,
            server=attempt.server,
            started=attempt.started,
            ended=attempt.ended,
            outcome=attempt.outcome,
            error=attempt.error,
            steps=steps,
        )


class LogLineSchema(Schema):
    """A log line about a task. server: who wrote it."""

    time: Moment
    level: str
    message: str
    server: str

    @classmethod
    def of(cls, line: LogLine) -> LogLineSchema:
        return cls(time=line.time, level=line.level, message=line.message, server=line.server)


class TaskStoryResponse(SuccessResponse):
    """error_details: as the sentence of the error names them. server: that runs it now. log: of the last three days."""

    task: TaskSchema
    server: str | None
    crashes: int
    retries: int
    error_details: dict[str, str]
    attempts: list[AttemptSchema]
    log: list[LogLineSchema]


class ChangedTasksResponse(SuccessResponse):
    """changed: by this request. left: that still match, at most 10,000."""

    changed: Annotated[int, Field(ge=0)]
    left: Annotated[int, Field(ge=0)]
