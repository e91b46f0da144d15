"""Fair order: round robin across users and addresses, stored as one number per task so that the order is an index sort.

The next task of an address goes into the round after its last one, but never before the current round: whatever one
address does, with however many accounts, it has one task in each round. Among the users of one address, who may be
strangers behind one router, the same rule decides whose task has the next round of the address.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from models.database import Database, Document
from models.images.image import Owner
from models.queue.rounds import Rounds

CURRENT = "now"
QUEUED, ACTIVE = "queued", ["queued", "running"]
GUEST_STEP = 3
"""Rounds from one task of a guest to the next: a guest has a third of the share of threads that a user has."""
SAVE_INTERVAL_S = 0.5
"""How late the current round is stored. The running servers know it from the events; it matters after a restart."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a task stands: its round, and its turn among the tasks of the same address.

    address: of the client, as a key of limits; empty if the task counts for its owner alone.
    """

    round: int
    turn: int = 0
    address: str = ""

    def to_document(self) -> Document:
        """The fields of the task that hold it."""
        return {"round": self.round, "turn": self.turn, "address": self.address}


@dataclass(frozen=True, slots=True)
class AddressQueue:
    """The tasks of one address. active: queued or running. Turns of the queued ones; 0 where there is none.

    own: the last turn of one user. first, last: of all users.
    """

    active: int = 0
    own: int = 0
    first: int = 0
    last: int = 0

    def with_tasks(self, active: int, first: int, last: int) -> AddressQueue:
        """The queue of the address when the tasks of one more of its users are counted in.

        active, first, last: of that user, as above.
        """
        turns = [turn for turn in (self.first, first) if turn]
        return AddressQueue(self.active + active, 0, min(turns, default=0), max(self.last, last))

    def next_turn(self, step: int) -> int:
        """The turn of the user's next task: after their own last one, or beside the first of the others."""
        return self.own + step if self.own else max(step, self.first)


class FairOrder:
    """The collection `rounds`: {_id, last, assigned_at}; `last` under `now` is the current round.

    _id: an owner's id, 0 for anonymous users, or `address:` with the address of a client.
    """

    def __init__(self, database: Database) -> None:
        self._rounds = database.collection("rounds", journaled=False)
        self._tasks = database.collection("tasks")
        self._numbers = Rounds(database)
        self._current = 0
        self._reading = database.batchers.make(self._read_addresses)
        self._saving = database.batchers.make(self._save_current, linger_s=SAVE_INTERVAL_S)

    @property
    def current(self) -> int:
        """The round that is being served, as far as this server knows."""
        return self._current

    async def refresh(self) -> None:
        """Read the current round, which other servers may have advanced."""
        document = await self._rounds.find_one({"_id": CURRENT})
        self._current = max(self._current, document["last"] if document else 0)

    def mark_served(self, round_number: int) -> None:
        """This server has leased a task of this round."""
        if round_number > self._current:
            self._current = round_number
            self._saving.submit_nowait(round_number)

    async def drain(self) -> None:
        """Wait until the current round is stored, or the database has not answered."""
        await self._saving.drain()

    def note_served_elsewhere(self, round_number: int) -> None:
        """Another server has leased a task of this round."""
        self._current = max(self._current, round_number)

    def is_past(self, round_number: int) -> bool:
        """Whether tasks of a later round were served: a task that waits in this one would overtake others."""
        return round_number < self._current

    async def address_queue(self, address: str, owner_id: int | None) -> AddressQueue:
        """The tasks of an address, as one of its users sees them."""
        return await self._reading.submit((address, owner_id)) if address else AddressQueue()

    async def _read_addresses(self, requests: list[tuple[str, int | None]]) -> list[AddressQueue]:
        waiting_turn: Document = {"$cond": [{"$eq": ["$state", QUEUED]}, "$turn", None]}
        group: Document = {
            "_id": {"address": "$address", "owner_id": "$owner_id"},
            "active": {"$sum": 1},
            "first": {"$min": waiting_turn},
            "last": {"$max": waiting_turn},
        }
        query: Document = {"address": {"$in": list({address for address, _ in requests})}, "state": {"$in": ACTIVE}}
        queues, own_turns = dict[str, AddressQueue](), dict[tuple[str, int | None], int]()
        for row in await self._tasks.aggregate([{"$match": query}, {"$group": group}]):
            address, owner_id = row["_id"]["address"], row["_id"]["owner_id"]
            own_turns[address, owner_id] = row["last"] or 0
            queues[address] = queues.get(address, AddressQueue()).with_tasks(
                row["active"], row["first"] or 0, row["last"] or 0
            )
        return [
            replace(queues.get(address, AddressQueue()), own=own_turns.get((address, owner_id), 0))
            for address, owner_id in requests
        ]

    async def assign(self, owner: Owner, queue: AddressQueue, address: str = "", *, idle: bool) -> Place:
        """The place of a user's next task. queue: of the address. idle: the user has no task in the queue."""
        step = GUEST_STEP if owner.is_guest else 1
        turn = queue.next_turn(step)
        if address and turn < queue.last:
            return await self._insert(turn, address)
        if not address:
            return Place(await self._numbers.advance(owner.id or 0, self._current, idle=idle, step=step))
        own = self._current
        if owner.id is not None:
            own = await self._numbers.advance(owner.id, self._current, idle=idle, step=step) - 1
        round_number = await self._numbers.advance(_address_id(address), own, idle=not queue.active)
        if owner.id is not None and round_number > own + 1:
            await self._numbers.raise_to(owner.id, round_number)
        return Place(round_number, turn, address)

    async def reassign(self, task_id: int, owner: Owner) -> Place:
        """A place behind all tasks of the same user for one that has had its turn, or has missed it while it waited."""
        document = await self._tasks.find_one({"_id": task_id}, ["address"])
        address = document.get("address", "") if document else ""
        return await self.assign(owner, await self.address_queue(address, owner.id), address, idle=False)

    async def _insert(self, turn: int, address: str) -> Place:
        """A place behind the tasks of the address up to this turn; if it is taken, those behind it move on by one."""
        earlier: Document = {"address": address, "state": QUEUED, "turn": {"$lte": turn}}
        last = await self._tasks.find(earlier, sort="-round", limit=1, fields=["round"])
        round_number = max(self._current, last[0]["round"] if last else 0) + 1
        place: Document = {"address": address, "state": QUEUED, "round": round_number}
        if await self._tasks.find_one(place, ["_id"]):
            await self._tasks.update_many(place | {"round": {"$gte": round_number}}, {"$inc": {"round": 1}})
            await self._numbers.advance(_address_id(address), self._current, idle=False)
        return Place(round_number, turn, address)

    async def _save_current(self, rounds: list[int]) -> Sequence[None]:
        await self._rounds.update_one({"_id": CURRENT}, {"$max": {"last": max(rounds)}}, upsert=True)
        return [None] * len(rounds)


def _address_id(address: str) -> str:
    return f"address:{address}"
