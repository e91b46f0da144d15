"""A MongoDB replica set of three members on loopback, whose members can be killed, suspended and told to step down."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from models.embedded_mongod import find_mongod
from tests.support.process import free_port
from tests.support.waiting import until

NAME = "tessera-test"
MEMBERS = 3
START_LIMIT_S = 120
STEPPED_DOWN_S = 10
CATCH_UP_S = 5
HEARTBEAT_MS = 500


class Member:
    """One mongod of the set."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        options = {
            "replSet": NAME,
            "dbpath": self._folder,
            "port": self.port,
            "bind_ip": "127.0.0.1",
            "logpath": self._folder.with_suffix(".log"),
            "wiredTigerCacheSizeGB": 0.25,
            "oplogSize": 100,
            "setParameter": "diagnosticDataCollectionEnabled=false",
        }
        command = [
            find_mongod(),
            "--quiet",
            "--nounixsocket",
            *(f"--{name}={value}" for name, value in options.items()),
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def signal(self, number: signal.Signals) -> None:
        """SIGSTOP and SIGCONT suspend and resume it."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kill it and wait for its end; what is not in its journal is lost."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    async def command(self, *command: Any, **options: Any) -> dict[str, Any]:
        """Run an administration command on this member. Raises PyMongoError."""
        return dict(await asyncio.to_thread(self._client.admin.command, *command, **options))

    @cached_property
    def _client(self) -> MongoClient[dict[str, Any]]:
        return MongoClient(self.address, directConnection=True, serverSelectionTimeoutMS=500, socketTimeoutMS=20_000)

    def close(self) -> None:
        """Kill it if it runs."""
        self._client.close()
        if self.alive:
            self.kill()


class ReplicaSet:
    """Made by `replica_set`."""

    def __init__(self, folder: Path) -> None:
        self.members = [Member(folder / f"member-{number}", free_port()) for number in range(MEMBERS)]

    @property
    def uri(self) -> str:
        return f"mongodb://{','.join(member.address for member in self.members)}/?replicaSet={NAME}"

    async def initiate(self, election_timeout_ms: int) -> None:
        first = self.members[0]
        hosts = [{"_id": number, "host": member.address} for number, member in enumerate(self.members)]
        settings = {"electionTimeoutMillis": election_timeout_ms, "heartbeatIntervalMillis": HEARTBEAT_MS}
        for member in self.members:
            await until(lambda member=member: self._hello(member), timeout_s=START_LIMIT_S)
        await first.command("replSetInitiate", {"_id": NAME, "members": hosts, "settings": settings})
        await until(lambda: self._step_up(first), timeout_s=START_LIMIT_S)
        await self.wait_until_complete()

    async def primary(self) -> Member:
        """The member that is the primary now; waits for an election."""
        return await until(self._find_primary, timeout_s=START_LIMIT_S)

    async def secondaries(self) -> list[Member]:
        primary = await self.primary()
        return [member for member in self.members if member is not primary]

    async def step_down(self) -> None:
        """Have the primary hand over to another member."""
        primary = await self.primary()
        with contextlib.suppress(PyMongoError):  # it may close the connection on which it was asked
            await primary.command("replSetStepDown", STEPPED_DOWN_S, secondaryCatchUpPeriodSecs=CATCH_UP_S)

    async def wait_until_complete(self) -> None:
        """Wait until there is a primary and all other members follow it."""
        await until(self._is_complete, timeout_s=START_LIMIT_S)

    async def _find_primary(self) -> Member | None:
        for member in self.members:
            hello = await self._hello(member)
            if hello.get("isWritablePrimary"):
                return member
        return None

    async def _is_complete(self) -> bool:
        hellos = [await self._hello(member) for member in self.members]
        primaries = sum(bool(hello.get("isWritablePrimary")) for hello in hellos)
        return primaries == 1 and sum(bool(hello.get("secondary")) for hello in hellos) == MEMBERS - 1

    async def _step_up(self, member: Member) -> bool:
        """Have it elected at once: by itself it would wait for the election timeout first."""
        try:
            return bool(await member.command("replSetStepUp"))
        except PyMongoError:
            return False

    async def _hello(self, member: Member) -> dict[str, Any]:
        """The answer of a member, or {} if it gives none."""
        try:
            return await member.command("hello") if member.alive else {}
        except PyMongoError:
            return {}


@asynccontextmanager
async def replica_set(folder: Path, *, election_timeout_ms: int = 10_000) -> AsyncIterator[ReplicaSet]:
    """A running set with a primary and two secondaries; all members are killed at the end.

    election_timeout_ms: after how long without a primary the others elect one; MongoDB's default is 10 s.
    """
    members = ReplicaSet(folder)
    for member in members.members:
        member.start()
    try:
        await members.initiate(election_timeout_ms)
        yield members
    finally:
        for member in members.members:
            member.close()
