"""A cluster on loopback: a scheduler, two workers, two servers on one database and one bucket, and 200 tasks.

`make cluster-demo` prints where the tasks were rendered and how fast. The embedded bucket works here because all
processes share one folder; separate machines need Kodo or a shared folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.fault_injection.bucket_reader import bucket_reader
from tests.fault_injection.checker import check_tasks, wait_until_final
from tests.fault_injection.environment import drill_environment
from tests.fault_injection.load import LoadGenerator, make_client
from tests.fault_injection.report import TABLE_HEADER, DrillReport
from tests.support.process import ROOT
from tests.support.waiting import LIMIT_S, until

TASKS = 200
USERS = 2


@dataclass
class ChildProcess:
    """A child process and its standard error."""

    process: asyncio.subprocess.Process

    @classmethod
    async def start(cls, *command: str, folder: str | Path = ROOT) -> ChildProcess:
        quiet, pipe = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
        arguments = (sys.executable, "-m", *command)
        return cls(await asyncio.create_subprocess_exec(*arguments, cwd=folder, stdout=quiet, stderr=pipe))

    async def wait_for_line(self, text: str) -> str:
        """The next line that contains `text`. Raises AssertionError if the process ends before."""
        assert self.process.stderr is not None
        async with asyncio.timeout(60):
            while line := await self.process.stderr.readline():
                if text in line.decode():
                    return line.decode().strip()
        raise AssertionError(f"the process ended without printing {text!r}")

    async def kill(self) -> None:
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()


class DaskCluster:
    """A Dask scheduler and its workers."""

    def __init__(self) -> None:
        self.workers: list[ChildProcess] = []
        self.address = ""
        self.scheduler: ChildProcess | None = None

    async def start(self, port: int = 0) -> None:
        self.scheduler = await ChildProcess.start(
            "distributed.cli.dask_scheduler", "--host=127.0.0.1", f"--port={port}", "--no-dashboard", "--no-show"
        )
        self.address = "tcp://" + (await self.scheduler.wait_for_line("Scheduler at:")).split("tcp://")[1].split()[0]

    async def add_worker(self, threads: int = 1, *, folder: str | Path = ROOT) -> ChildProcess:
        """Start one more worker process. folder: where it runs; elsewhere it does not find our code."""
        quick = ("--no-dashboard", "--no-nanny", "--death-timeout=20", "--host=127.0.0.1", f"--nthreads={threads}")
        worker = await ChildProcess.start("distributed.cli.dask_worker", self.address, *quick, folder=folder)
        self.workers.append(worker)
        await worker.wait_for_line("Registered to:")
        return worker

    async def restart(self) -> None:
        """As supervisors do: start the scheduler again at its address, and the workers that have ended with it."""
        async with asyncio.timeout(LIMIT_S):
            await asyncio.gather(*(worker.process.wait() for worker in self.workers))
        count = len(self.workers)
        self.workers.clear()
        await asyncio.gather(self.start(urlsplit(self.address).port or 0), *(self.add_worker() for _ in range(count)))

    async def stop(self) -> None:
        for child in [*self.workers, *([self.scheduler] if self.scheduler else [])]:
            await child.kill()


@asynccontextmanager
async def dask_cluster(workers: int = 2) -> AsyncIterator[DaskCluster]:
    running = DaskCluster()
    try:
        await running.start()
        for _ in range(workers):
            await running.add_worker()
        yield running
    finally:
        await running.stop()


async def demo(folder: Path, *, tasks: int = TASKS) -> DrillReport:
    report = DrillReport("cluster: two workers, two servers")
    async with AsyncExitStack() as stack:
        dask = await stack.enter_async_context(dask_cluster())
        env = await stack.enter_async_context(drill_environment(folder))
        one = env.server("one", f"--dask={dask.address}")
        await one.launch()
        two = env.server("two", f"--dask={dask.address}", like=one)
        await two.launch()
        users = [await LoadGenerator.create(make_client(), one.base_url, f"person{number}") for number in range(USERS)]
        started = asyncio.get_running_loop().time()
        await asyncio.gather(*(user.submit_many(tasks // USERS) for user in users))
        ids = [number for user in users for number in user.ids]
        await wait_until_final(env.database, ids, timeout_s=300)
        duration_s = asyncio.get_running_loop().time() - started
        report.submitted = sum(user.submitted for user in users)
        await check_tasks(report, env.database, ids, bucket_reader(one))
        shares = Counter(server.log.count(": done") for server in (one, two))
        report.notes |= {
            "tasks/s": round(len(ids) / duration_s, 1),
            "by server": " + ".join(map(str, shares.elements())),
        }
        await until(lambda: both_ready(users, one.base_url, two.own_url))
    return report


async def both_ready(users: list[LoadGenerator], *servers: str) -> bool:
    return all([(await users[0].api.get(f"{server}/health"))["ready"] for server in servers])


def main() -> int:
    print(f"a scheduler, two workers and two servers on loopback; {TASKS} tasks", flush=True)
    with tempfile.TemporaryDirectory(prefix="tessera-cluster-") as folder:
        report = asyncio.run(demo(Path(folder)))
    print(TABLE_HEADER, report.row(), *report.failures, sep="\n")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
