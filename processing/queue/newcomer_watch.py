"""Whether somebody of whom nothing runs here may be waiting while all threads render for one address or user."""

from __future__ import annotations

from collections.abc import Collection

from models.queue.newcomers import have_one_client
from models.queue.task import Task
from processing.queue.run import Run


class NewcomerWatch:
    """Saves the database a question for each task of a person who is alone."""

    def __init__(self) -> None:
        self._may_wait = True

    def expect(self) -> None:
        """There may be one: an event may have been lost, or the next in order was taken meanwhile."""
        self._may_wait = True

    def note_queued(self, task: Task, runs: Collection[Run]) -> None:
        """Anonymous users are told apart by their addresses, which are in the records alone."""
        if task.owner.id is None or all(run.task.owner.id != task.owner.id for run in runs):
            self.expect()

    def note_search(self) -> None:
        """The queue is searched now, and again once there is a reason."""
        self._may_wait = False

    def is_due(self, runs: Collection[Run], threads: int) -> bool:
        """Whether all threads are taken, by one address or by one user, and the spare one is not."""
        rendering = [run.lease for run in runs if run.rendering]
        return self._may_wait and 0 < len(rendering) == threads and have_one_client(rendering)
