"""One look at the queue: where each waiting task stands, how long it will take, and what has moved since the last look.

Whoever knows the order at one look can work out the next one from the few that left and came in between: see `Move`.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from models.queue.order import id_array
from models.queue.tasks import TaskState

MAX_CHANGES = 100
"""Of one look; when more has changed it is better to ask for the whole queue."""


@dataclass(frozen=True, slots=True)
class Position:
    """position: 1 is next, 0 runs. wait_s: seconds until it is done, None while nothing is known of our pace."""

    number: int
    wait_s: float | None


@dataclass(frozen=True, slots=True)
class OrderChange:
    """From look `number` - 1 to look `number`: those at the positions `left` went, then `came`, pairs of position and
    id, were put in; both by rising positions."""

    revision: int
    removed: list[int]
    inserted: list[tuple[int, int]]

    @property
    def is_small(self) -> bool:
        return len(self.removed) + len(self.inserted) <= MAX_CHANGES


@dataclass(frozen=True, slots=True)
class QueueSnapshot:
    """number: one more for each look at which the order of the queue was another one. ids, owners (0: nobody), waits:
    of what waits, the next one first; waits are known of the head alone. head_s: seconds until everything in the head
    is done. each_s: how much longer each task behind the head waits."""

    revision: int
    totals: dict[str, int] = field(default_factory=lambda: {str(state): 0 for state in TaskState})
    running: dict[int, Position] = field(default_factory=dict)
    ids: array[int] = field(default_factory=id_array)
    owner_ids: array[int] = field(default_factory=id_array)
    waits: list[float | None] = field(default_factory=list)
    head: dict[int, int] = field(default_factory=dict)
    """Positions by id, of as many as `waits`."""
    head_s: float = 0.0
    each_s: float | None = None

    def position_of(self, task_id: int) -> Position | None:
        """Where a task stands, None if it was not in the queue, or too deep in it."""
        if task_id in self.running:
            return self.running[task_id]
        if task_id in self.head:
            return self.position_at(self.head[task_id])
        try:
            return self.position_at(self.ids.index(task_id, len(self.head)) + 1)
        except ValueError:
            return None

    def position_at(self, position: int) -> Position:
        """What is said of the task that stands there."""
        if position <= len(self.waits):
            return Position(position, self.waits[position - 1])
        if self.each_s is None:
            return Position(position, None)
        return Position(position, round(self.head_s + (position - len(self.waits)) * self.each_s, 1))

    def positions_of(self, owner_ids: Collection[int]) -> dict[int, list[tuple[int, Position]]]:
        """The waiting tasks of these people, with their places, in the order of the queue."""
        positions: dict[int, list[tuple[int, Position]]] = defaultdict(list)
        for position, (task_id, owner_id) in enumerate(zip(self.ids, self.owner_ids, strict=True), 1):
            if owner_id in owner_ids:
                positions[owner_id].append((task_id, self.position_at(position)))
        return positions


def order_change(before: array[int], after: array[int], revision: int) -> OrderChange | None:
    """What left and what came between two looks; None if nothing did."""
    if before == after:
        return None
    old, new = set(before), set(after)
    removed = [position for position, task_id in enumerate(before, 1) if task_id not in new]
    inserted = [(position, task_id) for position, task_id in enumerate(after, 1) if task_id not in old]
    return OrderChange(revision, removed, inserted)
