"""Somebody who uses the server while others attack it, with a clock.

Timed requests come from a process of their own: in that of the attackers they would wait for these.

    python -m tests.fault_injection.other_person KIND BASE_URL ADDRESS USERNAME COOKIES
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from tests.fault_injection.load import make_client
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
        return await self._time("preview")

    async def time_uploads(self) -> float:
        return await self._time("upload")

    async def time_sign_ins(self) -> float:
        return await self._time("sign-in")

    async def time_exports(self) -> float:
        """Each takes longer than the one before if pictures have come meanwhile."""
        return await self._time("export")

    async def _time(self, kind: str) -> float:
        """The median, in seconds; none may be refused."""
        api = self.api
        values = (kind, api.base_url, api.source_address or "", api.username, json.dumps(api.cookies))
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.fault_injection.other_person", *values), stdout=asyncio.subprocess.PIPE
        )
        output, _ = await child.communicate()
        durations = []
        for status, duration_s in json.loads(output):
            durations.append(duration_s)
            self.report.expect(status == 200, f"{kind} refused: {status}")
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


async def _upload(api: ApiClient) -> ApiResponse:
    await api.upload(PICTURE, "again.jpg")
    return await api.get("/api/session/")


KINDS: dict[str, Callable[[ApiClient], Awaitable[ApiResponse]]] = {
    "preview": lambda api: request_preview(api, {"style": "mosaic", "cell": 16}),
    "upload": _upload,
    "sign-in": lambda api: api.new_client().post("/api/user/query/", username=api.username, password=PASSWORD),
    "export": lambda api: api.get("/api/user/export/"),
}


async def _measure(kind: str, base_url: str, address: str, username: str, cookies: str) -> list[tuple[int, float]]:
    """The status and the seconds of each request; the first one, which connects, is not counted."""
    api = ApiClient(make_client(), base_url, json.loads(cookies), username, source_address=address or None)
    answers = []
    for _ in range(REQUESTS + 1):
        started_at = asyncio.get_running_loop().time()
        response = await KINDS[kind](api)
        answers.append((response.status, asyncio.get_running_loop().time() - started_at))
    return answers[1:]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure(*sys.argv[1:]))))
