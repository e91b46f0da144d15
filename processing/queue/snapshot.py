"""A snapshot of the queue: the position of each waiting task and its estimated wait."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from models.queue.order import id_array
from models.queue.task import TaskState


@dataclass(frozen=True, slots=True)
class Position:
    """number: 1 is the next task, 0 is running. wait_s: estimated seconds until it is done; None if not known."""

    number: int
    wait_s: float | None


@dataclass(frozen=True, slots=True)
class QueueSnapshot:
    """The queue at one moment.

    totals: tasks by state. running: by id. ids, owner_ids: of the waiting tasks, the next one first; owner 0 is
    anonymous. waits: estimated seconds of the first of these.
    head: positions by id, of as many tasks as `waits`. head_s: estimated seconds until all of the head is done.
    each_s: additional seconds for each task behind the head; None if not known.
    """

    totals: dict[str, int] = field(default_factory=lambda: {str(state): 0 for state in TaskState})
    running: dict[int, Position] = field(default_factory=dict)
    ids: array[int] = field(default_factory=id_array)
    owner_ids: array[int] = field(default_factory=id_array)
    waits: list[float | None] = field(default_factory=list)
    head: dict[int, int] = field(default_factory=dict)
    head_s: float = 0.0
    each_s: float | None = None

    def position_of(self, task_id: int) -> Position | None:
        """None if the task was not in the queue, or too far behind to be read."""
        if task_id in self.running:
            return self.running[task_id]
        if task_id in self.head:
            return self.position_at(self.head[task_id])
        try:
            return self.position_at(self.ids.index(task_id, len(self.head)) + 1)
        except ValueError:
            return None

    def position_at(self, number: int) -> Position:
        """The position with this number, with its wait."""
        if number <= len(self.waits):
            return Position(number, self.waits[number - 1])
        if self.each_s is None:
            return Position(number, None)
        return Position(number, round(self.head_s + (number - len(self.waits)) * self.each_s, 1))

    def positions_of(self, owner_ids: Collection[int]) -> dict[int, list[tuple[int, Position]]]:
        """By owner: ids and positions of the waiting tasks of these users, in the order of the queue."""
        positions: dict[int, list[tuple[int, Position]]] = defaultdict(list)
        for number, (task_id, owner_id) in enumerate(zip(self.ids, self.owner_ids, strict=True), 1):
            if owner_id in owner_ids:
                positions[owner_id].append((task_id, self.position_at(number)))
        return positions
