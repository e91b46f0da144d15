"""A small HTTP client that costs little: the same few connections, kept open, one request each at a time."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked: a GET of `url`, with the cookie of somebody who is signed in or without."""

    name: str
    url: str
    cookie: str = ""

    def bytes(self) -> bytes:
        parts = urlsplit(self.url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        cookie = f"Cookie: {self.cookie}\r\n" if self.cookie else ""
        return f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{cookie}\r\n".encode()

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 80


class Line(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._got, self._wanted = bytearray(), 0
        self._answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        if not self._wanted:
            head, end, _ = self._got.partition(b"\r\n\r\n")
            if not end:
                return
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            self._wanted = len(head) + len(end) + int(length.split(b":")[1])
        if len(self._got) >= self._wanted and self._answer is not None:
            self._answer.set_result(int(self._got[9:12]))

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError("the server hung up"))

    async def ask(self, request: bytes) -> int:
        """The status of the answer, once it is all here."""
        assert self._transport is not None
        self._got, self._wanted = bytearray(), 0
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        async with asyncio.timeout(TIMEOUT_S):
            return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


@dataclass
class Spans:
    """How long answers took, in milliseconds. seconds: how long was asked in all; bad: answers that were not 200."""

    each: list[float] = field(default_factory=list)
    seconds: float = 0.0
    bad: int = 0

    @property
    def rate(self) -> float:
        return len(self.each) / self.seconds if self.seconds else 0.0

    def at(self, share: float) -> float:
        """The quantile: at(0.99) is p99."""
        ordered = sorted(self.each)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")

    def note(self, status: int, begun: float) -> None:
        self.each.append(1000 * (time.perf_counter() - begun))
        self.bad += status != 200


@asynccontextmanager
async def lines(address: tuple[str, int], count: int) -> AsyncIterator[list[Line]]:
    loop = asyncio.get_running_loop()
    made = [(await loop.create_connection(Line, *address))[1] for _ in range(count)]
    try:
        yield made
    finally:
        for line in made:
            line.close()


async def flat_out(target: Target, spans: Spans, *, seconds: float, at_once: int = 32) -> float:
    """As many as the server answers, at_once under way. Returns answers a second."""
    request, before = target.bytes(), len(spans.each)
    async with lines(target.address, at_once) as made:
        begun = time.perf_counter()

        async def keep_asking(line: Line) -> None:
            while (asked := time.perf_counter()) - begun < seconds:
                spans.note(await line.ask(request), asked)

        await asyncio.gather(*(keep_asking(line) for line in made))
        spent = time.perf_counter() - begun
    spans.seconds += spent
    return (len(spans.each) - before) / spent


async def steadily(asked: Sequence[tuple[Target, Spans]], *, seconds: float, each_second: float) -> None:
    """Each target so often a second, whatever the answers do: a span counts from when its request was due."""
    begun, spare = time.perf_counter(), 16
    async with asyncio.TaskGroup() as group:
        for place, (target, spans) in enumerate(asked):
            first = begun + place / each_second / len(asked)
            group.create_task(_steadily(target, spans, first, begun + seconds, 1 / each_second, spare))


async def _steadily(target: Target, spans: Spans, first: float, end: float, pause_s: float, spare: int) -> None:
    request, free = target.bytes(), asyncio.Queue[Line]()
    async with lines(target.address, spare) as made, asyncio.TaskGroup() as group:
        for line in made:
            free.put_nowait(line)

        async def ask(due: float) -> None:
            line = await free.get()
            spans.note(await line.ask(request), due)
            free.put_nowait(line)

        due = first
        while due < end:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(ask(due))
            due += pause_s
    spans.seconds += end - first


async def _print_spans(url: str, seconds: float, each_second: float) -> None:
    """One target, steadily; the spans in milliseconds, a line each."""
    spans = Spans()
    await steadily([(Target(url, url), spans)], seconds=seconds, each_second=each_second)
    print(*spans.each, sep="\n")


if __name__ == "__main__":
    asyncio.run(_print_spans(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
