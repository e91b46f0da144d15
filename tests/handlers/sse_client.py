"""A page that listens to server-sent events, as a browser does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.support.client import ApiClient


@dataclass(frozen=True, slots=True)
class SseEvent:
    """One event. at: on the loop's clock."""

    kind: str
    data: dict[str, Any]
    id: str
    at: float


@dataclass
class SseClient:
    """Everything that was told so far. status: of the answer; comments: heartbeats."""

    reader: asyncio.StreamReader
    status: int = 0
    events: list[SseEvent] = field(default_factory=list)
    comments: int = 0
    closed: bool = False

    async def until(self, fits: Callable[[SseEvent], bool], *, timeout_s: float = 10) -> SseEvent:
        """The first event that fits, told already or to come."""
        async with asyncio.timeout(timeout_s):
            while True:
                for event in self.events:
                    if fits(event):
                        return event
                await asyncio.sleep(0.005)

    async def state(self, task_id: int, state: str, *, timeout_s: float = 10) -> SseEvent:
        return await self.until(
            lambda told: told.data.get("id") == task_id and told.data.get("state") == state, timeout_s=timeout_s
        )

    async def read_all(self) -> None:
        lines: dict[str, str] = {}
        while line := (await self._line()):
            if line == "\n":
                if "event" in lines:
                    now = asyncio.get_running_loop().time()
                    self.events.append(SseEvent(lines["event"], json.loads(lines["data"]), lines.get("id", ""), now))
                lines = {}
            elif line.startswith(":"):
                self.comments += 1
            else:
                name, _, value = line.rstrip("\n").partition(": ")
                lines[name] = value
        self.closed = True

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
async def open_event_stream(api: ApiClient, **headers: str) -> AsyncIterator[SseClient]:
    """Listen at /tasks/events/ with this person's cookies. headers: with _ for -."""
    place = urlsplit(api.base_url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if api.cookies:
        fields["Cookie"] = "; ".join(f"{name}={value}" for name, value in api.cookies.items())
    fields["Host"] = place.netloc
    lines = [f"{name}: {value}\r\n" for name, value in fields.items()]
    writer.write(("GET /tasks/events/ HTTP/1.1\r\n" + "".join(lines) + "\r\n").encode())
    client = SseClient(reader, int((await reader.readline()).split()[1]))
    while (await reader.readline()).strip():
        pass
    reading = asyncio.create_task(client.read_all()) if client.status == 200 else None
    try:
        yield client
    finally:
        if reading:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        writer.close()
