"""Slots for short work of strangers: clients, counted by address, get them in turn."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from models import errors

RETRY_AFTER_S = 1


def most_of_client(occupied: int, limit: int, per_client: int) -> int:
    """How many of `limit` places a client may have while `occupied` are taken: one from half of them on, so that a few
    clients do not take all."""
    return per_client if occupied < limit // 2 else 1


class FairSlots:
    """A few slots. A client has at most `per_client` of them at once, and its requests wait behind each other only.

    waiting_limit: requests in all, those with a slot included. A client with fewer requests than another one always
    gets in: then the newest request of the client with the most is refused instead.
    client_limit: the same for each client.
    crowded_at: once this many slots are occupied, a client gets one only; None: never. With more work than cores at
    once, each piece takes longer.
    kept_free: of the slots below crowded_at, how many are not given to clients that have more requests waiting, if
    there is more than one client. A client with a single request then finds a free core.
    """

    def __init__(
        self,
        slots: int,
        *,
        per_client: int,
        waiting_limit: int,
        client_limit: int,
        crowded_at: int | None = None,
        kept_free: int = 0,
    ) -> None:
        self._slots, self._per_client, self._kept_free = slots, per_client, kept_free
        self._crowded_at = slots if crowded_at is None else crowded_at
        self._waiting_limit, self._client_limit = waiting_limit, client_limit
        self._occupied: Counter[str] = Counter()
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}

    @property
    def count(self) -> int:
        """Requests that wait or have a slot."""
        return self._occupied.total() + sum(map(len, self._queues.values()))

    @asynccontextmanager
    async def slot(self, client: str) -> AsyncIterator[None]:
        """Wait for a slot and occupy it. Raises TooManyRequests."""
        turn = self._enqueue(client)
        self._start()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release(client)
            else:
                self._drop(client, turn)
            raise
        try:
            yield
        finally:
            self._release(client)

    def _enqueue(self, client: str) -> asyncio.Future[None]:
        if self._requests(client) >= self._client_limit:
            raise errors.TooManyRequests(retry_after_s=RETRY_AFTER_S)
        if self.count >= self._waiting_limit:
            self._refuse_one(client)
        turn = asyncio.get_running_loop().create_future()
        self._queues.setdefault(client, deque()).append(turn)
        return turn

    def _refuse_one(self, client: str) -> None:
        """Refuse the newest request of the client with the most. Raises TooManyRequests if that is this one."""
        busiest = max(self._queues, key=self._requests, default=None)
        if busiest is None or self._requests(busiest) <= self._requests(client) + 1:
            raise errors.TooManyRequests(retry_after_s=RETRY_AFTER_S)
        refused = self._queues[busiest][-1]
        self._drop(busiest, refused)
        if not refused.done():
            refused.set_exception(errors.TooManyRequests(retry_after_s=RETRY_AFTER_S))

    def _requests(self, client: str) -> int:
        return self._occupied[client] + len(self._queues.get(client, ()))

    def _start(self) -> None:
        """Give free slots to the clients that have the fewest, and among these to the one whose turn it is."""
        while self._occupied.total() < self._slots:
            each_may_have = self._per_client if self._occupied.total() < self._crowded_at else 1
            clients = [each for each in self._queues if self._occupied[each] < each_may_have and self._may_start(each)]
            if not clients:
                return
            client = min(clients, key=self._occupied.__getitem__)
            queue = self._queues.pop(client)
            turn = queue.popleft()
            if queue:
                self._queues[client] = queue  # behind all others
            if not turn.done():  # its request may have been given up just now
                self._occupied[client] += 1
                turn.set_result(None)

    def _may_start(self, client: str) -> bool:
        """Whether it has a single request, or leaves the slots free that are kept for such clients."""
        is_alone = len(self._queues[client]) == 1 or len(self._queues.keys() | self._occupied.keys()) == 1
        if is_alone or not self._kept_free:
            return True
        return sum(self._occupied[each] for each in self._queues) < max(1, self._crowded_at - self._kept_free)

    def _release(self, client: str) -> None:
        self._occupied -= Counter({client: 1})  # drops a client at zero
        self._start()

    def _drop(self, client: str, turn: asyncio.Future[None]) -> None:
        queue = self._queues.get(client)
        if queue is not None and turn in queue:
            queue.remove(turn)
            if not queue:
                del self._queues[client]
