"""A cluster on loopback: a scheduler, two workers, two servers on one database and one bucket, and 200 tasks.

`make cluster-demo`. Prints where the tasks were rendered and how fast. Works with the embedded bucket because all
processes see one folder; machines apart need Kodo, or a folder that they share.
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

from tests.fault_injection.bucket_reader import reader
from tests.fault_injection.checker import check, settle
from tests.fault_injection.environment import ground
from tests.fault_injection.load import Load, client_of
from tests.fault_injection.report import HEAD, Figures
from tests.support.process import ROOT
from tests.support.waiting import until

TASKS = 200
PEOPLE = 2


@dataclass
class Child:
    """One process of the cluster and the lines that it prints."""

    process: asyncio.subprocess.Process

    @classmethod
    async def start(cls, *command: str) -> Child:
        quiet, pipe = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
        arguments = (sys.executable, "-m", *command)
        return cls(await asyncio.create_subprocess_exec(*arguments, cwd=ROOT, stdout=quiet, stderr=pipe))

    async def says(self, words: str) -> str:
        """The first line that holds these words."""
        assert self.process.stderr is not None
        async with asyncio.timeout(60):
            while line := await self.process.stderr.readline():
                if words in line.decode():
                    return line.decode().strip()
        raise AssertionError(f"it ended without saying {words!r}")

    async def kill(self) -> None:
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()


class Cluster:
    """A Dask scheduler and its workers. `async with` ends them."""

    def __init__(self) -> None:
        self.workers: list[Child] = []
        self.address = ""
        self.scheduler: Child | None = None

    async def begin(self, port: int = 0) -> None:
        self.scheduler = await Child.start(
            "distributed.cli.dask_scheduler", "--host=127.0.0.1", f"--port={port}", "--no-dashboard", "--no-show"
        )
        self.address = "tcp://" + (await self.scheduler.says("Scheduler at:")).split("tcp://")[1].split()[0]

    async def hire(self, threads: int = 1) -> Child:
        """One more worker, one process of so many threads."""
        quick = ("--no-dashboard", "--no-nanny", "--death-timeout=20", "--host=127.0.0.1", f"--nthreads={threads}")
        worker = await Child.start("distributed.cli.dask_worker", self.address, *quick)
        self.workers.append(worker)
        await worker.says("Registered to:")
        return worker

    async def end(self) -> None:
        for child in [*self.workers, *([self.scheduler] if self.scheduler else [])]:
            await child.kill()


@asynccontextmanager
async def cluster(workers: int = 2) -> AsyncIterator[Cluster]:
    made = Cluster()
    try:
        await made.begin()
        for _ in range(workers):
            await made.hire()
        yield made
    finally:
        await made.end()


async def demo(folder: Path, *, tasks: int = TASKS) -> Figures:
    figures = Figures("cluster: two workers, two servers")
    async with AsyncExitStack() as stack:
        dask = await stack.enter_async_context(cluster())
        here = await stack.enter_async_context(ground(folder))
        one = here.server("one", f"--dask={dask.address}")
        await one.begin()
        two = here.server("two", f"--dask={dask.address}", like=one)
        await two.begin()
        people = [await Load.of(client_of(), one.base_url, f"person{number}") for number in range(PEOPLE)]
        begun = asyncio.get_running_loop().time()
        await asyncio.gather(*(person.ask_many(tasks // PEOPLE) for person in people))
        ids = [number for person in people for number in person.ids]
        await settle(here.database, ids, timeout_s=300)
        took_s = asyncio.get_running_loop().time() - begun
        figures.submitted = sum(person.submitted for person in people)
        await check(figures, here.database, ids, reader(one))
        shares = Counter(server.log.count(": done") for server in (one, two))
        figures.notes |= {"tasks/s": round(len(ids) / took_s, 1), "by server": " + ".join(map(str, shares.elements()))}
        await until(lambda: both_ready(people, one.base_url, two.base_url))
    return figures


async def both_ready(people: list[Load], *servers: str) -> bool:
    return all([(await people[0].api.get(f"{server}/health"))["ready"] for server in servers])


def main() -> int:
    print(f"a scheduler, two workers and two servers on loopback; {TASKS} tasks", flush=True)
    with tempfile.TemporaryDirectory(prefix="tessera-cluster-") as folder:
        figures = asyncio.run(demo(Path(folder)))
    print(HEAD, figures.row(), *figures.broken, sep="\n")
    return 1 if figures.broken else 0


if __name__ == "__main__":
    sys.exit(main())
