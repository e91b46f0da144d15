"""Submits tasks while faults are injected, and records the responses."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPClientError

from tests.support.client import ApiClient, ApiResponse
from tests.support.pictures import encoded as encode
from tests.support.pictures import photo
from tests.support.waiting import until

POLL_S = 0.1


def picture(width: int = 240, height: int = 160, seed: int = 1) -> bytes:
    return encode(photo(width, height, seed), "JPEG", quality=90)


class LoadGenerator:
    """Submits tasks with new seeds, so that each is rendered. ids: acknowledged tasks, in order."""

    def __init__(self, api: ApiClient) -> None:
        self.api = api
        self.ids: list[int] = []
        self.submitted = 0
        self.refused: Counter[str] = Counter()
        self.slowest_s = 0.0
        self.polls_s: list[float] = []
        self.outage_s, self._answered_at = 0.0, 0.0
        self.url = ""
        self.recipe: dict[str, Any] = {"style": "mosaic", "format": "png"}

    @classmethod
    async def create(
        cls, client: AsyncHTTPClient, base_url: str, name: str = "ada", data: bytes | None = None
    ) -> LoadGenerator:
        """A new user with an image in the bucket."""
        load = cls(await ApiClient(client, base_url).sign_up(name))
        load.url = (await load.api.upload(data or picture(), "photo.jpg"))["url"]
        return load

    async def submit(self) -> int | None:
        """Submit one task. Returns its id, or None if it was not acknowledged."""
        self.submitted += 1
        started = asyncio.get_running_loop().time()
        try:
            param = {**self.recipe, "seed": self.submitted}
            response = await self.api.post("/api/tasks/add/", url=self.url, param=param)
        except (OSError, HTTPClientError) as error:
            self.refused[type(error).__name__] += 1
            return None
        finally:
            self.slowest_s = max(self.slowest_s, asyncio.get_running_loop().time() - started)
        return self._record(response)

    def _record(self, response: ApiResponse) -> int | None:
        if response.status != 200 or response["code"] != 1:
            self.refused[str(response.status)] += 1
            return None
        number = int(response["task"]["id"])
        self.ids.append(number)
        return number

    async def submit_for(self, seconds: float, rate: float) -> None:
        """Submit at a fixed rate (tasks per second)."""
        end, submissions = asyncio.get_running_loop().time() + seconds, list[asyncio.Task[int | None]]()
        while asyncio.get_running_loop().time() < end:
            submissions.append(asyncio.create_task(self.submit()))
            await asyncio.sleep(1 / rate)
        await asyncio.gather(*submissions)

    async def submit_many(self, count: int, *, concurrency: int = 8) -> None:
        semaphore = asyncio.Semaphore(concurrency)

        async def one() -> None:
            async with semaphore:
                await self.submit()

        await asyncio.gather(*(one() for _ in range(count)))

    async def poll(self) -> bool:
        """Request the task list once and record the time. The response is not parsed: that would be measured too."""
        started, cookies = asyncio.get_running_loop().time(), self.api.cookies.items()
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies)}
        try:
            response = await self.api.client.fetch(
                f"{self.api.base_url}/tasks/query/?limit=20", headers=headers, raise_error=False
            )
        except (OSError, HTTPClientError):
            return False
        self.polls_s.append(asyncio.get_running_loop().time() - started)
        return response.code == 200

    @asynccontextmanager
    async def polling(self) -> AsyncIterator[None]:
        """Poll the task list all the time; `outage_s` is the longest time without a response."""
        polling = asyncio.create_task(self._keep_polling())
        try:
            yield
        finally:
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)
            await self._poll_once()

    async def _keep_polling(self) -> None:
        self._answered_at = asyncio.get_running_loop().time()
        while True:
            await self._poll_once()
            await asyncio.sleep(POLL_S)

    async def _poll_once(self) -> None:
        if await self.poll():
            now = asyncio.get_running_loop().time()
            self.outage_s, self._answered_at = max(self.outage_s, now - self._answered_at), now

    async def wait_until_served(self, timeout_s: float = 30) -> float:
        """Seconds until the task list is available."""
        started = asyncio.get_running_loop().time()
        await until(self.poll, timeout_s=timeout_s)
        return asyncio.get_running_loop().time() - started


def make_client() -> AsyncHTTPClient:
    """An HTTP client for many concurrent requests."""
    return AsyncHTTPClient(force_instance=True, max_clients=400)
