"""People who sign up, upload, follow each other and add tasks without pause, and remember what was acknowledged."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPClientError

from models.database import Database
from tests.fault_injection.load import picture
from tests.fault_injection.report import DrillReport
from tests.support.client import PASSWORD, ApiClient, ApiResponse, multipart

RECIPE = {"style": "mosaic", "format": "png"}
PAUSE_S = 0.05


class Refused(Exception):
    """A request was not acknowledged."""


@dataclass
class Acknowledged:
    """What the servers have promised to keep.

    users: ids by name. follows: pairs of names, who follows whom. images, tasks: ids.
    """

    users: dict[str, int] = field(default_factory=dict)
    follows: set[tuple[str, str]] = field(default_factory=set)
    images: set[int] = field(default_factory=set)
    tasks: list[int] = field(default_factory=list)


class People:
    """One person after the other on one server. slowest_s: the longest time until an answer."""

    def __init__(self, client: AsyncHTTPClient, base_url: str, name: str) -> None:
        self._client, self.base_url, self._name = client, base_url, name
        self._numbers = itertools.count(1)
        self._previous = ""
        self.acknowledged = Acknowledged()
        self.sent = 0
        self.refused: Counter[str] = Counter()
        self.slowest_s = 0.0
        self.lives = 0

    @asynccontextmanager
    async def coming(self) -> AsyncIterator[None]:
        """They come one after the other during the block."""
        living = asyncio.create_task(self._live_on())
        try:
            yield
        finally:
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)

    async def _live_on(self) -> None:
        while True:
            await self.live()
            await asyncio.sleep(PAUSE_S)

    async def live(self) -> bool:
        """One person does everything once. Returns whether all of it was acknowledged."""
        number = next(self._numbers)
        api = ApiClient(self._client, self.base_url)
        try:
            await self._act(api, f"{self._name}{number}", number)
        except Refused as reason:
            self.refused[str(reason)] += 1
            self._previous = ""
            return False
        self.lives += 1
        return True

    async def _act(self, api: ApiClient, username: str, number: int) -> None:
        address = f"{username}@example.com"
        await self._send(api, "/api/user/add/", username=username, email=address, password=PASSWORD)
        profile = await self._send(api, "/api/user/query/", username=username, password=PASSWORD)
        if not profile["login"]:
            raise Refused("no session")
        self.acknowledged.users[username] = int(profile["id"])
        image = await self._upload(api, picture(seed=number))
        self.acknowledged.images.add(int(image["id"]))
        if self._previous:
            followed = self._previous
            await self._send(api, "/api/user/follow/", from_user_name=username, to_user_name=followed, follow_bool=1)
            self.acknowledged.follows.add((username, followed))
        self._previous = username
        added = await self._send(api, "/api/tasks/add/", url=image["url"], type="model", param=RECIPE)
        self.acknowledged.tasks.append(int(added["task"]["id"]))

    async def _upload(self, api: ApiClient, content: bytes) -> dict[str, Any]:
        ticket = await self._send(api, "/api/image/token/", filename="photo.jpg")
        fields = {"token": ticket["token"], "key": ticket["key"], "x:param": ""}
        body, content_type = multipart(fields, "photo.jpg", content)
        headers = {"Content-Type": content_type}
        return await self._answered(api.request("POST", ticket["upload_url"], body=body, headers=headers))

    async def _send(self, api: ApiClient, path: str, **values: Any) -> dict[str, Any]:
        return await self._answered(api.post(path, **values))

    async def _answered(self, request: Any) -> dict[str, Any]:
        self.sent += 1
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            response: ApiResponse = await request
        except (OSError, HTTPClientError) as error:
            raise Refused(type(error).__name__) from error
        finally:
            self.slowest_s = max(self.slowest_s, loop.time() - started)
        if response.status != 200 or response.json.get("code", 1) != 1:
            raise Refused(str(response.status))
        return response.json


async def check_people(report: DrillReport, database: Database, people: Sequence[People]) -> None:
    """Compare accounts, edges and images with the records; tasks are compared by `check_tasks`."""
    users = [(user["_id"], user["username"]) async for user in database.collection("users").iterate({})]
    images = [(image["_id"], image["key"]) async for image in database.collection("images").iterate({})]
    names = dict(users)
    edges = [edge async for edge in database.collection("follows").iterate({})]
    follows = [(names.get(edge["from_id"], ""), names.get(edge["to_id"], "")) for edge in edges]
    lost: Counter[str] = Counter()
    for each in people:
        lost["users"] += len(set(each.acknowledged.users.values()) - set(names))
        lost["images"] += len(each.acknowledged.images - dict(images).keys())
        lost["follows"] += len(each.acknowledged.follows - set(follows))
    sources = [key for image_id, key in images if any(image_id in each.acknowledged.images for each in people)]
    doubled = sum(len(values) - len(set(values)) for values in ([name for _, name in users], sources, follows))
    report.lost += lost.total()
    report.duplicated += doubled
    report.expect(not lost.total(), f"lost: {dict(lost)}")
    report.expect(not doubled, f"{doubled} accounts, images or edges are doubled")
    report.notes |= {name: sum(len(getattr(each.acknowledged, name)) for each in people) for name in lost}
