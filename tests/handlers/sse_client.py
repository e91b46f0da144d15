"""A page that listens to server-sent events, as a browser does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.support.client import Api


@dataclass(frozen=True, slots=True)
class Told:
    """One event. at: on the loop's clock."""

    kind: str
    data: dict[str, Any]
    id: str
    at: float


@dataclass
class Ear:
    """Everything that was told so far. status: of the answer; comments: heartbeats."""

    reader: asyncio.StreamReader
    status: int = 0
    told: list[Told] = field(default_factory=list)
    comments: int = 0
    over: bool = False

    async def until(self, fits: Callable[[Told], bool], *, timeout_s: float = 10) -> Told:
        """The first event that fits, told already or to come."""
        async with asyncio.timeout(timeout_s):
            while True:
                for told in self.told:
                    if fits(told):
                        return told
                await asyncio.sleep(0.005)

    async def state(self, task_id: int, state: str, *, timeout_s: float = 10) -> Told:
        return await self.until(
            lambda told: told.data.get("id") == task_id and told.data.get("state") == state, timeout_s=timeout_s
        )

    async def listen(self) -> None:
        lines: dict[str, str] = {}
        while line := (await self._line()):
            if line == "\n":
                if "event" in lines:
                    now = asyncio.get_running_loop().time()
                    self.told.append(Told(lines["event"], json.loads(lines["data"]), lines.get("id", ""), now))
                lines = {}
            elif line.startswith(":"):
                self.comments += 1
            else:
                name, _, value = line.rstrip("\n").partition(": ")
                lines[name] = value
        self.over = True

    async def _line(self) -> str:
        """One line of the stream, which comes in chunks; a chunk always ends with a line."""
        if not self._rest:
            size = await self.reader.readline()
            if not size.strip() or int(size, 16) == 0:
                return ""
            self._rest = (await self.reader.readexactly(int(size, 16) + 2))[:-2].decode().splitlines(keepends=True)
        return self._rest.pop(0)

    _rest: list[str] = field(default_factory=list)


@asynccontextmanager
async def listening(api: Api, **headers: str) -> AsyncIterator[Ear]:
    """Listen at /tasks/events/ with this person's cookies. headers: with _ for -."""
    place = urlsplit(api.base_url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    if api.cookies:
        given["Cookie"] = "; ".join(f"{name}={value}" for name, value in api.cookies.items())
    given["Host"] = place.netloc
    lines = [f"{name}: {value}\r\n" for name, value in given.items()]
    writer.write(("GET /tasks/events/ HTTP/1.1\r\n" + "".join(lines) + "\r\n").encode())
    ear = Ear(reader, int((await reader.readline()).split()[1]))
    while (await reader.readline()).strip():
        pass
    ending = asyncio.create_task(ear.listen()) if ear.status == 200 else None
    try:
        yield ear
    finally:
        if ending:
            ending.cancel()
            await asyncio.gather(ending, return_exceptions=True)
        writer.close()
