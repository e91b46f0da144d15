"""One look at the queue: where each waiting task stands, how long it will take, and what has moved since the last look.

Whoever knows the order at one look can work out the next one from the few that left and came in between: see `Move`.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from models.queue.order import ids_of
from models.queue.tasks import TaskState

MOST_MOVES = 100
"""Of one look; when more has changed it is better to ask for the whole queue."""


@dataclass(frozen=True, slots=True)
class Place:
    """position: 1 is next, 0 runs. wait_s: seconds until it is done, None while nothing is known of our pace."""

    position: int
    wait_s: float | None


@dataclass(frozen=True, slots=True)
class Move:
    """From look `number` - 1 to look `number`: those at the positions `left` went, then `came`, pairs of position and
    id, were put in; both by rising positions."""

    number: int
    left: list[int]
    came: list[tuple[int, int]]

    @property
    def small(self) -> bool:
        return len(self.left) + len(self.came) <= MOST_MOVES


@dataclass(frozen=True, slots=True)
class Sight:
    """number: one more for each look at which the order of the queue was another one. ids, owners (0: nobody), waits:
    of what waits, the next one first; waits are known of the head alone. head_s: seconds until everything in the head
    is done. each_s: how much longer each task behind the head waits."""

    number: int
    totals: dict[str, int] = field(default_factory=lambda: {str(state): 0 for state in TaskState})
    running: dict[int, Place] = field(default_factory=dict)
    ids: array[int] = field(default_factory=ids_of)
    owners: array[int] = field(default_factory=ids_of)
    waits: list[float | None] = field(default_factory=list)
    head: dict[int, int] = field(default_factory=dict)
    """Positions by id, of as many as `waits`."""
    head_s: float = 0.0
    each_s: float | None = None

    def place(self, task_id: int) -> Place | None:
        """Where a task stands, None if it was not in the queue, or too deep in it."""
        if task_id in self.running:
            return self.running[task_id]
        if task_id in self.head:
            return self.at(self.head[task_id])
        try:
            return self.at(self.ids.index(task_id, len(self.head)) + 1)
        except ValueError:
            return None

    def at(self, position: int) -> Place:
        """What is said of the task that stands there."""
        if position <= len(self.waits):
            return Place(position, self.waits[position - 1])
        if self.each_s is None:
            return Place(position, None)
        return Place(position, round(self.head_s + (position - len(self.waits)) * self.each_s, 1))

    def of(self, people: Collection[int]) -> dict[int, list[tuple[int, Place]]]:
        """The waiting tasks of these people, with their places, in the order of the queue."""
        found: dict[int, list[tuple[int, Place]]] = defaultdict(list)
        for position, (task_id, owner) in enumerate(zip(self.ids, self.owners, strict=True), 1):
            if owner in people:
                found[owner].append((task_id, self.at(position)))
        return found


def moved(before: array[int], after: array[int], number: int) -> Move | None:
    """What left and what came between two looks; None if nothing did."""
    if before == after:
        return None
    old, new = set(before), set(after)
    left = [position for position, task_id in enumerate(before, 1) if task_id not in new]
    came = [(position, task_id) for position, task_id in enumerate(after, 1) if task_id not in old]
    return Move(number, left, came)
