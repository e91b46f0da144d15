"""A client of server-sent events, as a browser is one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.support.client import ApiClient
from tests.support.waiting import LIMIT_S


@dataclass(frozen=True, slots=True)
class SseEvent:
    """One event. at: on the loop's clock."""

    kind: str
    data: dict[str, Any]
    id: str
    at: float


@dataclass
class SseClient:
    """Everything received so far. status, headers: of the response. comments: number of heartbeats."""

    reader: asyncio.StreamReader
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    events: list[SseEvent] = field(default_factory=list)
    comments: int = 0
    lines: list[str] = field(default_factory=list)
    closed: bool = False
    _lines: list[str] = field(default_factory=list)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def until(self, fits: Callable[[SseEvent], bool], *, timeout_s: float = LIMIT_S) -> SseEvent:
        """The first event that fits, received already or later."""

        def first() -> SseEvent | None:
            return next((event for event in self.events if fits(event)), None)

        await self.wait(lambda: first() is not None, timeout_s=timeout_s)
        event = first()
        assert event is not None
        return event

    async def wait(self, is_true: Callable[[], bool], *, timeout_s: float = LIMIT_S) -> None:
        """Until something that depends on what was received is true. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(is_true)

    async def state(self, task_id: int, state: str, *, timeout_s: float = LIMIT_S) -> SseEvent:
        return await self.until(
            lambda event: event.data.get("id") == task_id and event.data.get("state") == state, timeout_s=timeout_s
        )

    async def read_all(self) -> None:
        """Read until the server ends the stream."""
        fields: dict[str, str] = {}
        while text := (await self._read_line()):
            self.lines.append(text)
            if text == "\n":
                if "event" in fields:
                    now = asyncio.get_running_loop().time()
                    self.events.append(SseEvent(fields["event"], json.loads(fields["data"]), fields.get("id", ""), now))
                fields = {}
            elif text.startswith(":"):
                self.comments += 1
            else:
                name, _, value = text.rstrip("\n").partition(": ")
                fields[name] = value
            await self._notify()
        self.closed = True
        await self._notify()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _read_line(self) -> str:
        """One line of the stream, which comes in chunks; a chunk always ends with a line."""
        if not self._lines:
            size = await self.reader.readline()
            if not size.strip() or int(size, 16) == 0:
                return ""
            self._lines = (await self.reader.readexactly(int(size, 16) + 2))[:-2].decode().splitlines(keepends=True)
        return self._lines.pop(0)


@asynccontextmanager
async def open_event_stream(api: ApiClient, **headers: str) -> AsyncIterator[SseClient]:
    """Subscribe to /tasks/events/ with the cookies of a client. headers: with _ for -."""
    url = urlsplit(api.base_url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if api.cookies:
        fields["Cookie"] = "; ".join(f"{name}={value}" for name, value in api.cookies.items())
    fields.setdefault("Host", url.netloc)
    lines = [f"{name}: {value}\r\n" for name, value in fields.items()]
    writer.write(("GET /tasks/events/ HTTP/1.1\r\n" + "".join(lines) + "\r\n").encode())
    client = SseClient(reader, int((await reader.readline()).split()[1]))
    while header := (await reader.readline()).strip().decode():
        name, _, value = header.partition(": ")
        client.headers[name] = value
    reading = asyncio.create_task(client.read_all()) if client.status == 200 else None
    try:
        yield client
    finally:
        if reading:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        writer.close()
