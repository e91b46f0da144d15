"""People who ask for mosaics while things break, and what they were told."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPClientError

from tests.support.client import Answer, Api
from tests.support.pictures import encoded as encode
from tests.support.pictures import photo
from tests.support.waiting import until

LOOK_S = 0.1


def picture(width: int = 240, height: int = 160, seed: int = 1) -> bytes:
    return encode(photo(width, height, seed), "JPEG", quality=90)


class Load:
    """Asks for tasks under new seeds, so that each is rendered. `ids`: what was acknowledged, in order."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.ids: list[int] = []
        self.submitted = 0
        self.refused: Counter[str] = Counter()
        self.slowest_s = 0.0
        self.looks: list[float] = []
        self.outage_s, self._seen_at = 0.0, 0.0
        self.url = ""
        self.recipe: dict[str, Any] = {"style": "mosaic", "format": "png"}

    @classmethod
    async def of(cls, client: AsyncHTTPClient, base_url: str, name: str = "ada", data: bytes | None = None) -> Load:
        """Somebody new, with a picture in the bucket."""
        made = cls(await Api(client, base_url).sign_up(name))
        made.url = (await made.api.upload(data or picture(), "photo.jpg"))["url"]
        return made

    async def ask(self) -> int | None:
        """One task. Its id, or None if it was not acknowledged."""
        self.submitted += 1
        begun = asyncio.get_running_loop().time()
        try:
            param = {**self.recipe, "seed": self.submitted}
            answer = await self.api.post("/api/tasks/add/", url=self.url, param=param)
        except (OSError, HTTPClientError) as error:
            self.refused[type(error).__name__] += 1
            return None
        finally:
            self.slowest_s = max(self.slowest_s, asyncio.get_running_loop().time() - begun)
        return self._note(answer)

    def _note(self, answer: Answer) -> int | None:
        if answer.status != 200 or answer["code"] != 1:
            self.refused[str(answer.status)] += 1
            return None
        number = int(answer["task"]["id"])
        self.ids.append(number)
        return number

    async def ask_for(self, seconds: float, each_second: float) -> None:
        """A steady stream."""
        end, asked = asyncio.get_running_loop().time() + seconds, list[asyncio.Task[int | None]]()
        while asyncio.get_running_loop().time() < end:
            asked.append(asyncio.create_task(self.ask()))
            await asyncio.sleep(1 / each_second)
        await asyncio.gather(*asked)

    async def ask_many(self, count: int, *, at_once: int = 8) -> None:
        gate = asyncio.Semaphore(at_once)

        async def one() -> None:
            async with gate:
                await self.ask()

        await asyncio.gather(*(one() for _ in range(count)))

    async def look(self) -> bool:
        """The list of tasks, once; how long it took goes to `looks`. It is not read: reading would be counted too."""
        begun, cookies = asyncio.get_running_loop().time(), self.api.cookies.items()
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies)}
        try:
            answer = await self.api.client.fetch(
                f"{self.api.base_url}/tasks/query/?limit=20", headers=headers, raise_error=False
            )
        except (OSError, HTTPClientError):
            return False
        self.looks.append(asyncio.get_running_loop().time() - begun)
        return answer.code == 200

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Somebody looks at the list all the time; the longest time without an answer is `outage_s`."""
        watching = asyncio.create_task(self._keep_looking())
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await self._look_out()

    async def _keep_looking(self) -> None:
        self._seen_at = asyncio.get_running_loop().time()
        while True:
            await self._look_out()
            await asyncio.sleep(LOOK_S)

    async def _look_out(self) -> None:
        if await self.look():
            now = asyncio.get_running_loop().time()
            self.outage_s, self._seen_at = max(self.outage_s, now - self._seen_at), now

    async def served_again(self, timeout_s: float = 30) -> float:
        """Seconds until the list is answered."""
        begun = asyncio.get_running_loop().time()
        await until(self.look, timeout_s=timeout_s)
        return asyncio.get_running_loop().time() - begun


def client_of() -> AsyncHTTPClient:
    """One that has many requests under way."""
    return AsyncHTTPClient(force_instance=True, max_clients=400)
