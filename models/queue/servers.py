"""The servers on this database: their heartbeats and capacity, and whether the queue is paused for all of them."""

from __future__ import annotations

from dataclasses import dataclass

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


class ServerRegistry:
    """The collection `servers`: {_id: name, threads, seen}, and under `pause` {paused}."""

    def __init__(self, database: Database) -> None:
        self._servers = database.collection("servers", journaled=False)
        self._pause = database.collection("servers")

    async def heartbeat(self, server: str, *, threads: int) -> ClusterState:
        """Record that this server is alive, on the database's clock; returns the state of all servers."""
        change = [{"$set": {"threads": threads, "seen": "$$NOW"}}]
        await self._servers.find_one_and_update({"_id": server}, change, upsert=True)
        recent: Document = {"$expr": {"$gt": ["$seen", {"$subtract": ["$$NOW", int(ALIVE_S * 1000)]}]}}
        documents = await self._servers.find({"$or": [recent, {"_id": PAUSE_ID}]}, sort="_id", limit=1000)
        return ClusterState(
            threads=sum(document.get("threads", 0) for document in documents),
            paused=any(document.get("paused", False) for document in documents),
        )

    async def unregister(self, server: str) -> None:
        """Remove this server, and those that died without unregistering more than EXPIRY_S ago."""
        old: Document = {"$expr": {"$lt": ["$seen", {"$subtract": ["$$NOW", int(EXPIRY_S * 1000)]}]}}
        await self._servers.delete_many({"$or": [{"_id": server}, {"_id": {"$ne": PAUSE_ID}, **old}]})

    async def pause(self, paused: bool) -> None:
        """Pause the queue on all servers, or resume it; durable."""
        await self._pause.update_one({"_id": PAUSE_ID}, {"$set": {"paused": paused}}, upsert=True)
