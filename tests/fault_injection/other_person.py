"""Somebody who uses the server while others attack it, with a clock."""

from __future__ import annotations

import asyncio
import json
import statistics
from datetime import datetime
from typing import Any

from tests.fault_injection.report import DrillReport
from tests.support.client import ApiClient, ApiResponse, multipart
from tests.support.pictures import jpeg
from tests.support.waiting import until

DEAR = {"style": "tesserae", "cell": 16}
PICTURE = jpeg(1200, 900)


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
        """The median of five, in seconds."""
        durations = []
        for _ in range(5):
            started_at = asyncio.get_running_loop().time()
            response = await request_preview(self.api, {"style": "mosaic", "cell": 16})
            durations.append(asyncio.get_running_loop().time() - started_at)
            self.report.expect(response.status == 200, f"a preview was refused: {response.status}")
        return statistics.median(durations)

    async def time_uploads(self) -> float:
        """The median of five, in seconds."""
        durations = []
        for _ in range(5):
            started_at = asyncio.get_running_loop().time()
            await self.api.upload(PICTURE, "again.jpg")
            durations.append(asyncio.get_running_loop().time() - started_at)
        return statistics.median(durations)

    async def time_exports(self) -> float:
        """The median of five, in seconds; each takes longer than the one before if pictures have come meanwhile."""
        durations = []
        for _ in range(5):
            started_at = asyncio.get_running_loop().time()
            response = await self.api.get("/api/user/export/")
            durations.append(asyncio.get_running_loop().time() - started_at)
            self.report.expect(response.status == 200, f"an export was refused: {response.status}")
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
