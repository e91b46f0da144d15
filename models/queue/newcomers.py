"""Newcomers: people and addresses of which a server runs nothing. Their next task may be leased before its turn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from models.database import Document
from models.queue.fair_order import GUEST_STEP
from models.queue.lease import Lease


@dataclass(frozen=True, slots=True)
class Newcomers:
    """Everybody but the owners and addresses of some leases. current: the round that is being served."""

    current: int
    owner_ids: frozenset[int]
    addresses: frozenset[str]

    @classmethod
    def beside(cls, leases: Iterable[Lease], current: int) -> Newcomers:
        """Everybody but those whose tasks run."""
        leases = list(leases)
        owner_ids = frozenset(lease.task.owner.id for lease in leases if lease.task.owner.id is not None)
        return cls(current, owner_ids, frozenset(lease.address for lease in leases if lease.address))

    def query(self) -> Document:
        """Matches the next tasks of newcomers, those of guests included. Later ones wait for their round."""
        return {
            "round": {"$lte": self.current + GUEST_STEP},
            "owner_id": {"$nin": sorted(self.owner_ids)},
            "address": {"$nin": sorted(self.addresses)},
        }

    def include(self, lease: Lease) -> bool:
        """Whether it is for one of them."""
        return lease.task.owner.id not in self.owner_ids and lease.address not in self.addresses

    def change(self) -> Document:
        """The task counts for the round that is being served: a later one would put everybody's next tasks behind."""
        return {"round": {"$min": ["$round", self.current]}}


def have_one_client(leases: Iterable[Lease]) -> bool:
    """Whether all are for one address, or all for one user."""
    leases = list(leases)
    addresses = {lease.address for lease in leases}
    owner_ids = {lease.task.owner.id for lease in leases}
    return any(len(clients) == 1 and not clients & {"", None} for clients in (addresses, owner_ids))
