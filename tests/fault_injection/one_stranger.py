"""Drill 25: one stranger with many accounts attacks a server with default settings; how long does somebody else wait?

Addresses are those of loopback: the stranger sends from 127.0.0.2 (and 127.0.0.4), the other person from 127.0.0.3.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from tornado.simple_httpclient import HTTPTimeoutError

from tests.fault_injection.large_pictures import ROUNDS, SIDE_PX, compare_uploads
from tests.fault_injection.other_person import DEAR, PICTURE, OtherPerson, moment, request_preview
from tests.fault_injection.report import DrillReport
from tests.fault_injection.stranger import ACCOMPLICE, PERSON, STRANGER, Stranger, incompressible_png, resident_mb
from tests.support.client import PASSWORD, ApiClient, multipart
from tests.support.process import ServerProcess
from tests.support.waiting import until

TIME_LIMIT_S = 600.0
LATENCY_S, SHORT_LATENCY_S = 0.1, 1.0
"""Added to each bound: the drill itself runs on the same cores, and in short form perhaps beside others."""
BODY_BYTES = 2_000_000


class Attack(Stranger):
    """The server, the stranger's accounts, and what the other person felt."""

    def __init__(self, server: ServerProcess, report: DrillReport, *, short: bool) -> None:
        super().__init__(server)
        self.report, self.short = report, short
        self.latency_s = SHORT_LATENCY_S if short else LATENCY_S
        self.accounts: list[ApiClient] = []
        self.refused: Counter[str] = Counter()

    async def run(self) -> None:
        self.person = await self.client(PERSON).sign_up("person")
        url = (await self.person.upload(PICTURE, "photo.jpg"))["url"]
        self.other = other = OtherPerson(self.person, url, self.report)
        quiet_task_s = await other.time_task(1)
        quiet_preview_s = await other.time_previews()
        self.quiet_upload_s = await other.time_uploads()
        quiet_sign_in_s = await other.time_sign_ins()
        self.report.notes["quiet: task, preview, upload, s"] = (
            f"{quiet_task_s:.2f}, {quiet_preview_s:.3f}, {self.quiet_upload_s:.3f}"
        )
        await self.forge_requests()
        await self.sign_up_many()
        await self.fill_queue(quiet_task_s)
        await self.crowd_previews(quiet_preview_s)
        await self.start_uploads()
        await self.fill_disk()
        await self.share_token()
        await self.fill_memory(quiet_preview_s)
        await self.sign_in_again_and_again(quiet_sign_in_s)
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

    async def fill_queue(self, quiet_task_s: float) -> None:
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
        done_s = (moment(task, "finished") - moment(task, "created")).total_seconds()
        self.report.notes["task behind the stranger's: started after, s"] = f"{waited_s:.2f}"
        self.compare("task behind the stranger's, s", done_s, quiet_task_s)
        limit_s = 2 * max(renders) + self.latency_s
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
        self.compare("preview beside 24 of the stranger's, s", crowded_s, quiet_s)

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

    async def share_token(self) -> None:
        """One token for many connections, each of which sends all of a large file but its end."""
        ticket = await self.accounts[0].post("/api/image/token/", filename="a.png")
        size_bytes = 2_000_000 if self.short else 19_000_000
        body, content_type = multipart({"token": ticket["token"], "key": ticket["key"]}, "a.png", bytes(size_bytes))
        writers = [await self.open_request("/up", content_type, body) for _ in range(8 if self.short else 30)]
        await asyncio.sleep(2 if self.short else 12)  # until the server has what it takes, at the pace of an address
        staged_mb = self.staged_bytes() // 1_000_000
        self.report.notes["MB by one token"] = staged_mb
        self.report.expect(staged_mb <= 160, f"{staged_mb} MB were staged with one token")
        self.compare("upload beside them, s", await self.other.time_uploads(), self.quiet_upload_s)
        for writer in writers:
            writer.close()
        await until(lambda: self.staged_bytes() == 0, timeout_s=30)

    async def fill_memory(self, quiet_s: float) -> None:
        """Connections without an account, each of which sends all of a request but its end."""
        before_mb = resident_mb(self.server.pid)
        content_type, body = "multipart/form-data; boundary=seam", bytes(BODY_BYTES)
        writers = [
            await self.open_request("/api/preview/", content_type, body) for _ in range(20 if self.short else 300)
        ]
        await asyncio.sleep(2 if self.short else 8)  # until the server has what it takes, at the pace of an address
        more_mb = resident_mb(self.server.pid) - before_mb
        self.report.notes["MiB of memory by requests that do not end"] = more_mb
        self.report.expect(more_mb < 150, f"requests that do not end took {more_mb} MiB")
        self.compare("preview beside them, s", await self.other.time_previews(), quiet_s)
        for writer in writers:
            writer.close()

    async def sign_in_again_and_again(self, quiet_s: float) -> None:
        """With the right password, which no limit counts, sixty at a time."""
        stopped, account = asyncio.Event(), self.accounts[0]

        async def keep_signing_in() -> None:
            while not stopped.is_set():
                client = self.client(STRANGER)
                response = await client.post("/api/user/query/", username=account.username, password=PASSWORD)
                if response.status != 200:
                    self.refused[str(response["error"])] += 1
                    await asyncio.sleep(0.5)

        crowd = [asyncio.create_task(keep_signing_in()) for _ in range(10 if self.short else 60)]
        await asyncio.sleep(1)
        self.compare("sign-in beside 60 of the stranger's, s", await self.other.time_sign_ins(), quiet_s)
        stopped.set()
        await asyncio.gather(*crowd)

    async def hoard(self) -> None:
        """Two accounts take tokens, registrations and places for large pictures, as many as they get."""
        hoarders, large = self.accounts[:2], incompressible_png(SIDE_PX)
        for account in hoarders:
            for number in range(2 if self.short else 13):
                await account.upload(large, f"large {number}.png")
        beside_s, quiet_s = await compare_uploads(hoarders[0], self.other, rounds=1 if self.short else ROUNDS)
        self.compare("upload beside large ones, s", beside_s, quiet_s)
        self.report.expect(self.short or beside_s <= 2 * quiet_s, f"beside large ones: {beside_s / quiet_s:.2f}")
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
        self.report.expect(seconds < 2 * quiet_s + self.latency_s, f"{name}: {seconds:.2f} instead of {quiet_s:.2f}")


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
