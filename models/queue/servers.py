"""The servers on this database: their heartbeats and capacity, and whether the queue is paused for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from models.database import Database, Document

ALIVE_S = 15.0
"""A server whose last heartbeat is older is not counted."""
EXPIRY_S = 24 * 3600
PAUSE_ID = "pause"


@dataclass(frozen=True, slots=True)
class ClusterState:
    """threads: concurrent renders of all servers together. paused: whether a developer has paused the queue."""

    threads: int
    paused: bool


@dataclass(frozen=True, slots=True)
class Capacity:
    """What one server reports of itself. threads: concurrent renders. busy: those that are going on.

    workers: of its cluster, by state. problem: why it runs no tasks.
    """

    threads: int
    busy: int = 0
    version: str = ""
    problem: str | None = None
    workers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServerReport:
    """The last report of a server, and how long ago it came. alive: whether it counts."""

    name: str
    capacity: Capacity
    age_s: float

    @property
    def alive(self) -> bool:
        return self.age_s < ALIVE_S


class ServerRegistry:
    """The collection `servers`: {_id: name, threads, ..., seen}, and under `pause` {paused}."""

    def __init__(self, database: Database) -> None:
        self._servers = database.collection("servers", journaled=False)
        self._pause = database.collection("servers")

    async def heartbeat(self, server: str, capacity: Capacity) -> ClusterState:
        """Record that this server is alive, on the database's clock; returns the state of all servers."""
        values = {name: {"$literal": value} for name, value in asdict(capacity).items()}
        await self._servers.find_one_and_update({"_id": server}, [{"$set": {**values, "seen": "$$NOW"}}], upsert=True)
        recent: Document = {"$expr": {"$gt": ["$seen", {"$subtract": ["$$NOW", int(ALIVE_S * 1000)]}]}}
        documents = await self._servers.find({"$or": [recent, {"_id": PAUSE_ID}]}, sort="_id", limit=1000)
        return ClusterState(
            threads=sum(document.get("threads", 0) for document in documents),
            paused=any(document.get("paused", False) for document in documents),
        )

    async def reports(self) -> list[ServerReport]:
        """Of every server that has not unregistered, by name; those that died are forgotten after EXPIRY_S."""
        age: Document = {"$divide": [{"$subtract": ["$$NOW", "$seen"]}, 1000]}
        recent: Document = {"$match": {"_id": {"$ne": PAUSE_ID}, "age_s": {"$lt": EXPIRY_S}}}
        steps: list[Document] = [{"$set": {"age_s": age}}, recent, {"$sort": {"_id": 1}}, {"$limit": 1000}]
        return [_report(document) for document in await self._servers.aggregate(steps)]

    async def unregister(self, server: str) -> None:
        """Remove this server, and those that died without unregistering more than EXPIRY_S ago."""
        old: Document = {"$expr": {"$lt": ["$seen", {"$subtract": ["$$NOW", int(EXPIRY_S * 1000)]}]}}
        await self._servers.delete_many({"$or": [{"_id": server}, {"_id": {"$ne": PAUSE_ID}, **old}]})

    async def pause(self, paused: bool) -> None:
        """Pause the queue on all servers, or resume it; durable."""
        await self._pause.update_one({"_id": PAUSE_ID}, {"$set": {"paused": paused}}, upsert=True)


def _report(document: Document) -> ServerReport:
    """Servers of an earlier version report their threads alone."""
    values = {name: document[name] for name in Capacity.__dataclass_fields__ if name in document}
    return ServerReport(document["_id"], Capacity(**values), max(0.0, float(document["age_s"])))
