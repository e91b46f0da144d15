"""Drill 18: 2,000 idle listeners, one task's progress, all of them gone at once, and all of them back."""

from __future__ import annotations

import asyncio
import socket
import struct
from pathlib import Path
from urllib.parse import urlsplit

from tests.fault_injection.environment import Server, ground
from tests.fault_injection.load import Load, client_of
from tests.fault_injection.report import Figures
from tests.handlers.sse_client import listening

MANY = 2000
MOST_MB = 60
MORE_CPU = 0.8
"""Percent of a core; it is about half of one, and quiet minutes differ by a fifth. Most of what an idle server costs
here is the ticker of 10 ms of the drill."""
BACK_S = 5.0


async def drill(folder: Path, *, short: bool) -> Figures:
    figures = Figures("18 2,000 idle listeners")
    count, idle_s = (300, 2) if short else (MANY, 60)
    async with ground(folder) as here:
        server = here.server()
        await server.begin()
        load = await Load.of(client_of(), server.base_url)
        await load.ask()
        await asyncio.sleep(3)
        alone_s = await idle(server, idle_s)
        base = server.figures
        crowd, joined_s = await arrive(server, count)
        await asyncio.sleep(1.2)
        full = server.figures
        crowded_s = await idle(server, idle_s)
        later = server.figures
        async with listening(load.api) as ear:
            await ear.until(lambda told: told.kind == "queue")
            begun = asyncio.get_running_loop().time()
            task = await load.ask()
            told = await ear.until(lambda one: one.data.get("id") == task and one.data.get("state") == "done")
            told_s = told.at - begun
        for one in crowd:
            leave(one)
        await asyncio.sleep(1.5)
        gone = server.figures
        crowd, back_s = await arrive(server, count)
        for one in crowd:
            leave(one)
        more_mb = full["rss_mb"] - base["rss_mb"]
        alone, crowded = (100 * cpu_s / idle_s for cpu_s in (alone_s, crowded_s))
        figures.submitted, figures.acknowledged, figures.done = load.submitted, len(load.ids), len(load.ids)
        figures.expect(more_mb < MOST_MB, f"{more_mb:.0f} MiB more")
        figures.expect(crowded - alone < MORE_CPU, f"{crowded - alone:.2f} % of a core more")
        figures.expect(abs(gone["files"] - base["files"]) <= 5, f"{gone['files'] - base['files']} files left open")
        figures.expect(back_s < BACK_S * count / MANY + 1, f"back only after {back_s:.1f} s")
        figures.lag_p99_ms, figures.lag_max_ms = later["lag_p99_ms"], later["lag_max_ms"]
        figures.notes |= {"listeners": count, "memory, MiB": round(more_mb, 1)}
        figures.notes["CPU while idle with none / with them, %"] = f"{alone:.2f} / {crowded:.2f}"
        figures.notes |= {"KiB each": round(1024 * more_mb / count, 1), "asked to done told, s": round(told_s, 2)}
        figures.notes |= {"joined in, s": round(joined_s, 1), "back in, s": round(back_s, 1)}
    return figures


async def idle(server: Server, seconds: float) -> float:
    """The processor seconds of so long a time without a request."""
    before = server.cpu_s
    await asyncio.sleep(seconds)
    return server.cpu_s - before


async def arrive(server: Server, count: int) -> tuple[list[socket.socket], float]:
    """So many connections that have all been answered; the seconds that it took."""
    place = urlsplit(server.base_url)
    ask = f"GET /tasks/events/ HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode()
    loop = asyncio.get_running_loop()
    begun, gate = loop.time(), asyncio.Semaphore(100)

    async def one() -> socket.socket:
        made = socket.socket()
        made.setblocking(False)
        async with gate, asyncio.timeout(30):
            await loop.sock_connect(made, (place.hostname, place.port))
            await loop.sock_sendall(made, ask)
            assert (await loop.sock_recv(made, 64)).startswith(b"HTTP/1.1 200")
        return made

    crowd = await asyncio.gather(*(one() for _ in range(count)))
    return list(crowd), loop.time() - begun


def leave(one: socket.socket) -> None:
    """By a reset, as a cut line."""
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.close()
