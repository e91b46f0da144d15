"""Somebody who uses the server while others attack it, with a clock."""

from __future__ import annotations

import asyncio
import json
import statistics
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from tests.fault_injection.report import DrillReport
from tests.support.client import PASSWORD, ApiClient, ApiResponse, multipart
from tests.support.pictures import jpeg
from tests.support.waiting import until

DEAR = {"style": "tesserae", "cell": 16}
PICTURE = jpeg(1200, 900)
REQUESTS = 11


class OtherPerson:
    """api: signed in. url: of a picture that this person has uploaded."""

    def __init__(self, api: ApiClient, url: str, report: DrillReport) -> None:
        self.api, self.url, self.report = api, url, report

    async def time_task(self, seed: int) -> float:
        """Seconds from the request to the result."""
        added = await self.api.add_task(self.url, {**DEAR, "seed": seed})
        task = await self.finished_task(added["id"])
        self.report.done += 1
        return (moment(task, "finished") - moment(task, "created")).total_seconds()

    async def time_previews(self) -> float:
        return await self._time("preview", lambda: request_preview(self.api, {"style": "mosaic", "cell": 16}))

    async def time_uploads(self) -> float:
        async def upload() -> ApiResponse:
            await self.api.upload(PICTURE, "again.jpg")
            return await self.api.get("/api/session/")

        return await self._time("upload", upload)

    async def time_sign_ins(self) -> float:
        client = self.api.new_client()
        values = {"username": self.api.username, "password": PASSWORD}
        return await self._time("sign-in", lambda: client.post("/api/user/query/", **values))

    async def time_exports(self) -> float:
        """Each takes longer than the one before if pictures have come meanwhile."""
        return await self._time("export", lambda: self.api.get("/api/user/export/"))

    async def _time(self, name: str, request: Callable[[], Awaitable[ApiResponse]]) -> float:
        """The median, in seconds; none may be refused."""
        durations = []
        for _ in range(REQUESTS):
            started_at = asyncio.get_running_loop().time()
            response = await request()
            durations.append(asyncio.get_running_loop().time() - started_at)
            self.report.expect(response.status == 200, f"{name} refused: {response.status}")
        return statistics.median(durations)

    async def finished_task(self, task_id: int) -> dict[str, Any]:
        async def ended() -> dict[str, Any] | None:
            done = (await self.api.get("/tasks/query/", id=task_id))["done"]
            return dict(done[0]) if done else None

        return await until(ended, timeout_s=90)


async def request_preview(client: ApiClient, recipe: dict[str, Any]) -> ApiResponse:
    body, content_type = multipart({"param": json.dumps(recipe)}, "photo.jpg", PICTURE)
    return await client.request("POST", "/api/preview/", body=body, headers={"Content-Type": content_type})


def moment(task: dict[str, Any], name: str) -> datetime:
    return datetime.fromisoformat(task[name])
