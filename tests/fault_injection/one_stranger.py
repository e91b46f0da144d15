"""Drill 25: one stranger with many accounts attacks a server with default settings; how long does somebody else wait?

Addresses are those of loopback: the stranger sends from 127.0.0.2 (and 127.0.0.4), the other person from 127.0.0.3.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import random
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image
from tornado.simple_httpclient import HTTPTimeoutError

from tests.fault_injection.load import make_client
from tests.fault_injection.other_person import DEAR, PICTURE, OtherPerson, moment, request_preview
from tests.fault_injection.report import DrillReport
from tests.support.client import PASSWORD, ApiClient
from tests.support.pictures import encoded as encoded_image
from tests.support.process import ServerProcess
from tests.support.waiting import until

STRANGER, ACCOMPLICE, PERSON = "127.0.0.2", "127.0.0.4", "127.0.0.3"
TIME_LIMIT_S = 400.0
LARGE_SIDE_PX = 2440
"""Of a square PNG of noise: 18 MB."""
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
        url = (await self.person.upload(PICTURE, "photo.jpg"))["url"]
        self.other = other = OtherPerson(self.person, url, self.report)
        quiet_task_s = await other.time_task(1)
        quiet_preview_s = await other.time_previews()
        self.quiet_upload_s = await other.time_uploads()
        self.report.notes["quiet: task, preview, upload, s"] = (
            f"{quiet_task_s:.2f}, {quiet_preview_s:.3f}, {self.quiet_upload_s:.3f}"
        )
        await self.forge_requests()
        await self.sign_up_many()
        await self.fill_queue()
        await self.crowd_previews(quiet_preview_s)
        await self.start_uploads()
        await self.fill_disk()
        await self.hoard()
        await self.read_exports_slowly()
        self.report.failed = self.refused.total()
        self.report.notes["the stranger was refused"] = dict(sorted(self.refused.items()))

    async def forge_requests(self) -> None:
        """What the browser of the person sends when a page of another site follows links and posts forms."""
        foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"}
        query = {"from_user_name": "person", "to_user_name": "dev", "follow_bool": 1}
        answers = [
            await self.person.get("/api/user/follow/", headers=foreign, **query),
            await self.person.get("/api/user/follow/", **query),  # over plain http browsers may send neither header
            await self.person.post("/api/user/delete/", headers=foreign, password=PASSWORD),
        ]
        self.report.expect(all(answer.status in (401, 403) for answer in answers), "a forged request acted")

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
        urls = {account.username: (await account.upload(PICTURE, "photo.jpg"))["url"] for account in accounts}
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
        added = await self.person.add_task(self.other.url, {**DEAR, "seed": 2})
        task = await self.other.finished_task(added["id"])
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
                    response = await request_preview(client, {"style": "tesserae", "cell": 8})
                except HTTPTimeoutError:
                    self.refused["no response in 20 s"] += 1
                    continue
                if response.status != 200:
                    self.refused[str(response["error"])] += 1
                    await asyncio.sleep(0.05)

        crowd = [asyncio.create_task(keep_asking(each)) for each in (STRANGER, ACCOMPLICE) for _ in range(12)]
        await asyncio.sleep(0.5)
        crowded_s = await self.other.time_previews()
        stopped.set()
        await asyncio.gather(*crowd)
        self.report.notes["preview beside 24 of the stranger's, s"] = f"{crowded_s:.3f}"
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
        self.compare("upload beside 40 of the stranger's, s", await self.other.time_uploads(), self.quiet_upload_s)
        await until(lambda: self.staged_bytes() == 0, timeout_s=30)
        for writer in writers:
            writer.close()

    async def hoard(self) -> None:
        """Two accounts take tokens, registrations and places for large pictures, as many as they get."""
        hoarders, large = self.accounts[:2], incompressible_png(LARGE_SIDE_PX)
        for account in hoarders:
            for number in range(2 if self.short else 13):
                await account.upload(large, f"large {number}.png")
        storing = asyncio.create_task(hoarders[0].upload(large, "large.png"))
        self.compare("upload beside large ones, s", await self.other.time_uploads(), self.quiet_upload_s)
        await storing
        for number in range(20 if self.short else 505):
            url = f"https://example.com/{number}.jpg"
            answers = [await hoarders[0].post("/api/image/token/", filename="a.png")]
            if number < 300:
                owner_id = hoarders[1].user_id
                answers.append(
                    await hoarders[1].post("/api/image/addinfo/", url=url, filename="a", param="", user_id=owner_id)
                )
            self.refused.update(answer["error"] for answer in answers if answer["code"] != 1)
        self.compare("upload beside 505 unused tokens, s", await self.other.time_uploads(), self.quiet_upload_s)

    async def read_exports_slowly(self) -> None:
        """Both ask for all that they have stored, and read nothing of it."""
        address, writers = urlsplit(self.server.base_url), []
        quiet_s = await self.other.time_exports()
        for account in self.accounts[:2]:
            cookie = "; ".join(f"{name}={value}" for name, value in account.cookies.items())
            _, writer = await asyncio.open_connection(address.hostname, address.port, local_addr=(STRANGER, 0))
            writer.write(
                f"GET /api/user/export/ HTTP/1.1\r\nHost: {address.netloc}\r\nCookie: {cookie}\r\n\r\n".encode()
            )
            writers.append(writer)
        self.compare("export beside two that are not read, s", await self.other.time_exports(), quiet_s)
        for writer in writers:
            writer.close()

    def compare(self, name: str, seconds: float, quiet_s: float) -> None:
        self.report.notes[name] = f"{seconds:.3f} instead of {quiet_s:.3f}"
        self.report.expect(seconds < 2 * quiet_s + LATENCY_S, f"{name}: {seconds:.2f} instead of {quiet_s:.2f}")

    # --- requests ---------------------------------------------------------------------------------------------------

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


def incompressible_png(side: int) -> bytes:
    noise = Image.frombytes("RGB", (side, side), random.Random(18).randbytes(3 * side * side))
    return encoded_image(noise, "PNG")


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
