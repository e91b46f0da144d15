"""The store: every collection of one database, built once and handed to whatever needs records."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from models.accounts.follows import Follows
from models.accounts.sessions import Sessions
from models.accounts.users import Users
from models.database import Database
from models.guests import Guests
from models.images.gallery import Gallery
from models.images.images import Images
from models.images.quotas import DEFAULT_QUOTA, Quota, Quotas
from models.images.uploads import PendingUploads
from models.images.withdrawals import DEFAULT_GRACE
from models.index import Index
from models.queue.activity import QueueActivity
from models.queue.ended import EndedTasks
from models.queue.events import Events
from models.queue.failed import FailedTasks
from models.queue.fair_order import FairOrder
from models.queue.leases import Leases
from models.queue.order import OrderReader
from models.queue.rounds import Rounds
from models.queue.selection import SelectedTasks
from models.queue.servers import ServerRegistry
from models.queue.task_log import TaskLog
from models.queue.tasks import Tasks

REPLACED = {
    "follows": (Index("to_id"),),
    "images": (Index("owner_id batch"), Index("kind -created -_id")),
    "sessions": (Index("user_id"),),
    "tasks": (Index("owner_id state"), Index("-finished -_id"), Index("state lease_until")),
}
"""Indexes of earlier versions that others have replaced: each write to their collections would still pay for them."""


@dataclass(frozen=True, slots=True)
class Store:
    """The collections, as one server sees them: `events` and `leases` carry the server's name."""

    database: Database
    users: Users
    guests: Guests
    sessions: Sessions
    follows: Follows
    images: Images
    gallery: Gallery
    uploads: PendingUploads
    quotas: Quotas
    tasks: Tasks
    task_log: TaskLog
    ended: EndedTasks
    selected: SelectedTasks
    failed: FailedTasks
    activity: QueueActivity
    leases: Leases
    order: OrderReader
    fair_order: FairOrder
    servers: ServerRegistry
    events: Events

    @classmethod
    def of(
        cls,
        database: Database,
        server: str,
        *,
        lease_s: float = 15.0,
        quota: Quota = DEFAULT_QUOTA,
        withdrawal_grace: timedelta = DEFAULT_GRACE,
    ) -> Store:
        """server: this server's name in leases and events. lease_s: lifetime of an unrenewed lease. quota: of each.

        withdrawal_grace: how long photomosaics with withdrawn pictures are kept.
        """
        task_log = TaskLog(database)
        return cls(
            database=database,
            users=Users(database),
            guests=Guests(database),
            sessions=Sessions(database),
            follows=Follows(database),
            images=Images(database, withdrawal_grace),
            gallery=Gallery(database),
            uploads=PendingUploads(database),
            quotas=Quotas(database, quota),
            tasks=Tasks(database),
            task_log=task_log,
            ended=EndedTasks(database, task_log),
            selected=SelectedTasks(database, task_log),
            failed=FailedTasks(database),
            activity=QueueActivity(database),
            leases=Leases(database, server, lease_s=lease_s),
            order=OrderReader(database),
            fair_order=FairOrder(database),
            servers=ServerRegistry(database),
            events=Events(database, server),
        )

    async def prepare(self) -> Store:
        """Bring indexes and records up to date; returns this store."""
        await self.create_indexes()
        await self.migrate()
        return self

    async def create_indexes(self) -> None:
        """Create missing indexes, rebuild those with other options, and drop those that others have replaced."""
        await self.database.create_indexes(
            {
                "users": (*self.users.indexes, *self.guests.indexes),
                "sessions": self.sessions.indexes,
                "follows": self.follows.indexes,
                "images": self.images.indexes,
                "uploads": self.uploads.indexes,
                "tasks": self.tasks.indexes,
                "task_log": self.task_log.indexes,
                "rounds": Rounds.indexes,
            }
        )
        await self.database.drop_indexes(REPLACED)

    async def migrate(self) -> None:
        """Bring the records of an earlier version up to date. Changes nothing the second time."""
        await asyncio.gather(self.images.state_visibility(), self.users.add_email_keys(), self.follows.add_names())
