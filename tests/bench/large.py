"""A server with much data: start, memory at rest, and the latency of each kind of request, one at a time.

.venv/bin/python -m tests.bench.large [SHARE] [FOLDER]

SHARE of 100,000 people, 5,000,000 edges, 1,000,000 pictures and 1,000,000 finished tasks (default 1). FOLDER: keeps the
data, so that a later run measures at once.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from models.accounts.follows import Follows, Member
from models.database import Database
from models.embedded_mongod import Mongod
from models.store import Store
from tests.bench.http_load import Latencies, Target, measure_throughput
from tests.bench.timing import table
from tests.fault_injection.load import make_client
from tests.support.accounts import add_account
from tests.support.client import ApiClient
from tests.support.large_data import Amounts, fill, picture_id, user_id, username
from tests.support.process import ServerProcess

SECONDS = 2.0
FOLLOWED = 30


async def main(share: float, folder: Path | None = None) -> None:
    async with AsyncExitStack() as stack:
        folder = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tessera-bench-")))
        complete = folder / "complete"
        mongod = await stack.enter_async_context(Mongod(folder / "mongod" / "db"))
        database = Database(mongod.uri, "tessera")
        stack.callback(database.close)
        if not complete.exists():
            await _fill(database, Amounts().times(share))
            complete.touch()
        server = ServerProcess(folder / "data", f"--mongodb_uri={mongod.uri}", "--developers=ada")
        started = time.perf_counter()
        stack.enter_context(server)
        print(f"start: {time.perf_counter() - started:.2f} s")
        rest_mb = _memory_mb(server.pid)
        client = make_client()
        stack.callback(client.close)
        api = await ApiClient(client, server.base_url).sign_in("ada")
        await _follow(database, api.user_id)
        rows = []
        for target in await _targets(api):
            latencies = Latencies()
            await measure_throughput(target, latencies, seconds=SECONDS, concurrency=1)
            assert not latencies.errors, target.name
            quantiles = [f"{latencies.quantile(each):.1f}" for each in (0.5, 0.95, 1.0)]
            rows.append((target.name, str(len(latencies.values_ms)), " / ".join(quantiles)))
        print(table(("request", "answers", "p50 / p95 / max ms, one at a time"), rows))
        print(f"memory of the server: {rest_mb:.0f} MB at rest, {_memory_mb(server.pid):.0f} MB afterwards")
        print(f"load: {os.getloadavg()[0]:.1f}")


async def _fill(database: Database, amounts: Amounts) -> None:
    """Indexes last: to build them from what is there takes a fraction of the time of updating them."""
    started = time.perf_counter()
    await fill(database, amounts, lambda name: print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True))
    await Store.of(database, "bench").create_indexes()
    print(f"indexes: {time.perf_counter() - started:.0f} s", flush=True)
    await add_account(database, "ada")


async def _follow(database: Database, follower_id: int) -> None:
    for number in range(1, FOLLOWED + 1):
        await Follows(database).follow(Member(follower_id, "ada"), Member(user_id(number), username(number)))


async def _targets(api: ApiClient) -> list[Target]:
    base, cookie = api.base_url, "; ".join(f"{name}={value}" for name, value in api.cookies.items())
    far = (await api.get("/api/feed/", limit=100))["cursor"]
    paths = {
        "a user with 50 names each way": "/api/user/query/?username=person+3",
        "a user whom everybody follows": "/api/user/query/?username=person+0",
        "an image": f"/api/image/query/?id={picture_id(45)}",
        "the gallery": "/api/feed/",
        "the gallery, a later page": f"/api/feed/?cursor={far}",
        "the images of those whom one follows": "/api/feed/?view=following",
        "the images of one user": "/api/feed/?view=user&username=person+3",
        "the tasks": "/tasks/query/",
        "the tasks of one user": "/tasks/query/?owner=person+3",
        "the failed tasks": "/tasks/query/?state=failed",
        "the failed tasks, in the console": "/api/queue/tasks/?state=failed",
        "the state of the queue": "/api/queue/status/",
        "the session": "/api/session/",
        "a page": f"/i/{picture_id(45)}",
    }
    return [Target(name, base + path, cookie) for name, path in paths.items()]


def _memory_mb(pid: int) -> float:
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(lines["VmRSS"].split()[0]) / 1000


if __name__ == "__main__":
    asyncio.run(
        main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0, Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    )
