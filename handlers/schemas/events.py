"""Server-sent events about tasks."""

from __future__ import annotations

from typing import Literal

from handlers.params import Id
from handlers.schemas.base import Schema, to_json
from handlers.schemas.tasks import TaskSchema, TaskTotals


class PositionEvent(Schema):
    """`task`: the new position of a queued task of this user."""

    id: Id
    state: Literal["queued"] = "queued"
    position: int
    estimate_s: float | None
    mine: Literal[True] = True


class QueueEvent(Schema):
    """`queue`: how many tasks are in each state, and whether developers paused the queue."""

    paused: bool
    totals: TaskTotals


class ResetEvent(Schema):
    """`reset`: events are missing, request the queue again."""


def sse_event(name: Literal["task", "queue", "reset"], data: Schema | TaskSchema, event_id: str = "") -> bytes:
    """A server-sent event. event_id: what a client sends as Last-Event-ID after a break; "" for none."""
    number = f"id: {event_id}\n" if event_id else ""
    return b"%bevent: %b\ndata: %b\n\n" % (number.encode(), name.encode(), to_json(data))
