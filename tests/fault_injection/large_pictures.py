"""A stranger who stores 18 MB pictures without pause, in a process of its own that can be stopped for a while.

python -m tests.fault_injection.large_pictures BASE_URL ADDRESS USERNAME COOKIES
"""

from __future__ import annotations

import asyncio
import json
import signal
import statistics
import sys
import time
from typing import Self

from tornado.httpclient import HTTPClientError

from handlers.transport.body_pace import BURST_BYTES
from tests.fault_injection.load import make_client
from tests.fault_injection.other_person import OtherPerson
from tests.fault_injection.stranger import incompressible_png
from tests.support.client import ApiClient
from tests.support.waiting import until

SIDE_PX, SIZE_BYTES = 2440, 18_000_000
"""Of a square PNG of noise."""
ROUNDS = 3


class LargePictures:
    """A context manager. api: whose pictures they are. count: how many are stored."""

    count = 0

    def __init__(self, api: ApiClient) -> None:
        self._api = api

    async def __aenter__(self) -> Self:
        api = self._api
        values = (api.base_url, api.source_address or "", api.username, json.dumps(api.cookies))
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.fault_injection.large_pictures", *values), stdout=asyncio.subprocess.PIPE
        )
        self._counting = asyncio.create_task(self._count_lines())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._process.kill()
        await self._process.wait()
        await self._counting

    def stop(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    async def go_on(self) -> None:
        """Returns when what an address may send at once is sent, and more."""
        self._process.send_signal(signal.SIGCONT)
        until_count = self.count + BURST_BYTES // SIZE_BYTES + 2
        await until(lambda: self.count >= until_count)

    async def _count_lines(self) -> None:
        assert self._process.stdout is not None
        async for _ in self._process.stdout:
            self.count += 1


async def compare_uploads(stranger: ApiClient, person: OtherPerson, *, rounds: int = ROUNDS) -> tuple[float, float]:
    """The seconds of an upload beside such pictures and without them, measured in turn; notes both, and the pace."""
    beside, quiet, stored, during_s = list[float](), list[float](), 0, 0.0
    async with LargePictures(stranger) as pictures:
        for _ in range(rounds):
            await pictures.go_on()
            started_at, before = time.monotonic(), pictures.count
            beside.append(await person.time_uploads())
            during_s += time.monotonic() - started_at
            stored += pictures.count - before
            pictures.stop()
            quiet.append(await person.time_uploads())
    ratios = ", ".join(f"{one / other:.2f}" for one, other in zip(beside, quiet, strict=True))
    person.report.notes["upload beside pictures of 18 MB without pause, times as long"] = ratios
    person.report.notes["such pictures a second"] = f"{stored / during_s:.1f}"
    return statistics.median(beside), statistics.median(quiet)


async def _store(base_url: str, address: str, username: str, cookies: str) -> None:
    """A line for each picture."""
    api = ApiClient(make_client(), base_url, json.loads(cookies), username, source_address=address or None)
    picture = incompressible_png(SIDE_PX)
    while True:
        try:
            await api.upload(picture, "large.png")
        except (OSError, HTTPClientError):  # the connection was idle for too long while this process was stopped
            continue
        print("stored", flush=True)


if __name__ == "__main__":
    asyncio.run(_store(*sys.argv[1:]))
