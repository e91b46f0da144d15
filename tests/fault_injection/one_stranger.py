"""Drill 25: one stranger with many accounts attacks a server with default settings; how long does somebody else wait?

Addresses are those of loopback: the stranger sends from 127.0.0.2 (and 127.0.0.4), the other person from 127.0.0.3.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import statistics
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tornado.simple_httpclient import HTTPTimeoutError

from tests.fault_injection.load import make_client
from tests.fault_injection.report import DrillReport
from tests.support.client import PASSWORD, ApiClient, ApiResponse, multipart
from tests.support.pictures import jpeg
from tests.support.process import ServerProcess
from tests.support.waiting import until

STRANGER, ACCOMPLICE, PERSON = "127.0.0.2", "127.0.0.4", "127.0.0.3"
TIME_LIMIT_S = 240.0
DEAR = {"style": "tesserae", "cell": 16}
LATENCY_S = 1.0
"""Of a busy machine, added to each bound: the drill itself runs on the same cores."""


class Attack:
    """The server, the stranger's accounts, and what the other person felt."""

    def __init__(self, server: ServerProcess, report: DrillReport, *, short: bool) -> None:
        self.server, self.report, self.short = server, report, short
        self.accounts: list[ApiClient] = []
        self.refused: Counter[str] = Counter()

    def client(self, address: str) -> ApiClient:
        return ApiClient(make_client(), self.server.base_url, source_address=address)

    async def run(self) -> None:
        self.person = await self.client(PERSON).sign_up("person")
        self.picture = jpeg(1200, 900)
        self.url = (await self.person.upload(self.picture, "photo.jpg"))["url"]
        quiet_task_s = await self.time_task(1)
        quiet_preview_s = await self.time_previews()
        self.report.notes["quiet: task, preview, s"] = f"{quiet_task_s:.2f}, {quiet_preview_s:.2f}"
        await self.sign_up_many()
        await self.fill_queue()
        await self.crowd_previews(quiet_preview_s)
        await self.start_uploads()
        await self.fill_disk()
        self.report.failed = self.refused.total()
        self.report.notes["the stranger was refused"] = dict(sorted(self.refused.items()))

    async def sign_up_many(self) -> None:
        """A hundred and thirty accounts."""
        stranger = self.client(STRANGER)
        for number in range(40 if self.short else 130):
            name = f"stranger{number}"
            values = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
            added = await stranger.post("/api/user/add/", **values)
            if added["code"] == 1:
                account = ApiClient(stranger.client, stranger.base_url, source_address=STRANGER)
                self.accounts.append(await account.sign_in(name))
            else:
                self.refused[added["error"]] += 1
        added = await self.client(PERSON).post(
            "/api/user/add/", username="newcomer", email="n@example.com", password=PASSWORD
        )
        self.report.expect(len(self.accounts) <= 32, f"the stranger opened {len(self.accounts)} accounts")
        self.report.expect(added["code"] == 1, f"a newcomer could not sign up: {added.json}")
        self.report.notes["accounts"] = len(self.accounts)

    async def fill_queue(self) -> None:
        """As many tasks as the server takes, from all accounts."""
        accounts = self.accounts[: 4 if self.short else 30]
        urls = {account.username: (await account.upload(self.picture, "photo.jpg"))["url"] for account in accounts}
        semaphore = asyncio.Semaphore(8)

        async def submit(account: ApiClient, seed: int) -> None:
            async with semaphore:
                param = {**DEAR, "seed": seed}
                added = await account.post("/api/tasks/add/", url=urls[account.username], param=param)
            self.report.submitted += 1
            if added["code"] == 1:
                self.report.acknowledged += 1
            else:
                self.refused[added["error"]] += 1

        count = 10 if self.short else 60
        await asyncio.gather(*(submit(account, 100 + seed) for account in accounts for seed in range(count)))
        added = await self.person.add_task(self.url, {**DEAR, "seed": 2})
        task = await self.finished_task(added["id"])
        waited_s = (moment(task, "started") - moment(task, "created")).total_seconds()
        renders = [
            float(done["seconds"]) for done in (await self.person.get("/tasks/query/"))["done"] if done["seconds"]
        ]
        self.report.done += 1
        self.report.notes["task behind the stranger's: started, done after, s"] = (
            f"{waited_s:.2f}, {(moment(task, 'finished') - moment(task, 'created')).total_seconds():.2f}"
        )
        limit_s = 2 * max(renders) + LATENCY_S
        self.report.expect(waited_s < limit_s, f"a task started after {waited_s:.1f} s, more than two renders")
        for account in accounts:
            for each in (await account.get("/tasks/query/", owner=account.username, limit=200))["tasks"]:
                await account.post("/api/tasks/cancel/", id=each["id"])
        await until(self.is_idle, timeout_s=60)

    async def crowd_previews(self, quiet_s: float) -> None:
        """Twelve dear previews from each of two addresses, again and again."""
        stopped = asyncio.Event()

        async def keep_asking(address: str) -> None:
            client = self.client(address)
            while not stopped.is_set():
                try:
                    response = await self.preview(client, {"style": "tesserae", "cell": 8})
                except HTTPTimeoutError:
                    self.refused["no response in 20 s"] += 1
                    continue
                if response.status != 200:
                    self.refused[str(response["error"])] += 1
                    await asyncio.sleep(0.05)

        crowd = [asyncio.create_task(keep_asking(each)) for each in (STRANGER, ACCOMPLICE) for _ in range(12)]
        await asyncio.sleep(0.5)
        crowded_s = await self.time_previews()
        stopped.set()
        await asyncio.gather(*crowd)
        self.report.notes["preview beside 24 of the stranger's, s"] = f"{crowded_s:.2f}"
        limit_s = 2 * quiet_s + 2 * LATENCY_S
        self.report.expect(crowded_s < limit_s, f"a preview took {crowded_s:.2f} s instead of {quiet_s:.2f}")

    async def start_uploads(self) -> None:
        """1,001 resumable uploads without a part."""
        for number in range(150 if self.short else 1001):
            account = self.accounts[number % len(self.accounts)]
            status = await self.start_upload(account)
            if status != 200:
                self.refused[f"upload {status}"] += 1
        started_at = asyncio.get_running_loop().time()
        status = await self.start_upload(self.person)
        self.report.expect(status == 200, f"the other person's resumable upload got {status}")
        self.report.notes["resumable upload, s"] = f"{asyncio.get_running_loop().time() - started_at:.2f}"

    async def fill_disk(self) -> None:
        """Forty connections that send the file, the end of the form without a token, and then nothing."""
        file_part = b'--seam\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        address = urlsplit(self.server.base_url)
        head = (
            f"POST /up HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: 9000000\r\n"
            "Content-Type: multipart/form-data; boundary=seam\r\n\r\n"
        )
        writers = []
        for _ in range(8 if self.short else 40):
            _, writer = await asyncio.open_connection(address.hostname, address.port, local_addr=(STRANGER, 0))
            writer.write(head.encode() + file_part + bytes(7_600_000) + b"\r\n--seam--\r\nx")
            writers.append(writer)
        for writer in writers:
            with contextlib.suppress(ConnectionError):
                await writer.drain()
        upload = self.person.upload(self.picture, "second.jpg")
        started_at = asyncio.get_running_loop().time()
        await upload
        self.report.notes["upload beside 40 of the stranger's, s"] = (
            f"{asyncio.get_running_loop().time() - started_at:.2f}"
        )
        await until(lambda: self.staged_bytes() == 0, timeout_s=30)
        for writer in writers:
            writer.close()

    # --- the other person -------------------------------------------------------------------------------------------

    async def time_task(self, seed: int) -> float:
        """Seconds from the request to the result."""
        added = await self.person.add_task(self.url, {**DEAR, "seed": seed})
        task = await self.finished_task(added["id"])
        self.report.done += 1
        return (moment(task, "finished") - moment(task, "created")).total_seconds()

    async def time_previews(self) -> float:
        """The median of five, in seconds."""
        durations = []
        for _ in range(5):
            started_at = asyncio.get_running_loop().time()
            response = await self.preview(self.person, {"style": "mosaic", "cell": 16})
            durations.append(asyncio.get_running_loop().time() - started_at)
            self.report.expect(response.status == 200, f"a preview was refused: {response.status}")
        return statistics.median(durations)

    async def finished_task(self, task_id: int) -> dict[str, Any]:
        async def ended() -> dict[str, Any] | None:
            done = (await self.person.get("/tasks/query/", id=task_id))["done"]
            return dict(done[0]) if done else None

        return await until(ended, timeout_s=90)

    # --- requests ---------------------------------------------------------------------------------------------------

    async def preview(self, client: ApiClient, recipe: dict[str, Any]) -> ApiResponse:
        body, content_type = multipart({"param": json.dumps(recipe)}, "photo.jpg", self.picture)
        return await client.request("POST", "/api/preview/", body=body, headers={"Content-Type": content_type})

    async def start_upload(self, account: ApiClient) -> int:
        ticket = await account.post("/api/image/token/", filename="a.png")
        if ticket["code"] != 1:
            return ticket.status
        path = f"/up/buckets/tessera/objects/{encoded(ticket['key'])}/uploads"
        headers = {"Authorization": f"UpToken {ticket['token']}"}
        return (await account.request("POST", path, body=b"", headers=headers)).status

    async def is_idle(self) -> bool:
        totals = (await self.person.get("/tasks/query/"))["totals"]
        return totals["queued"] + totals["running"] == 0

    def staged_bytes(self) -> int:
        """Bytes of files that are not complete objects."""
        return sum(path.stat().st_size for path in (self.server.data_dir / "bucket" / "incoming").glob("*"))


def encoded(key: str) -> str:
    """A key as Kodo's paths have it."""
    return base64.urlsafe_b64encode(key.encode()).decode()


def moment(task: dict[str, Any], name: str) -> datetime:
    return datetime.fromisoformat(task[name])


async def drill(folder: Path, *, short: bool) -> DrillReport:
    report = DrillReport("25 one stranger")
    server = ServerProcess(folder / "data")
    await asyncio.to_thread(server.start)
    try:
        async with asyncio.timeout(TIME_LIMIT_S):
            await Attack(server, report, short=short).run()
    finally:
        await asyncio.to_thread(server.stop)
    return report
