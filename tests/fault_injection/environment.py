"""The environment of a drill: a folder, a mongod, servers as child processes on loopback. All stop at the end."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from models.database import Database
from models.embedded_mongod import Mongod
from tests.support.process import ServerProcess, free_port
from tests.support.replica_set import ReplicaSet

INSTRUMENTED_SERVER = ("-m", "tests.fault_injection.instrumented_server")
NO_LIMITS = ("--user_queue_limit=100000", "--address_queue_limit=100000", "--sign_up_burst=100000")


class DrillServer(ServerProcess):
    """An instrumented server; see `instrumented_server.py`."""

    def __init__(
        self, data_dir: Path, *arguments: str, environment: dict[str, str] | None = None, port: int = 0
    ) -> None:
        self.metrics_path = data_dir.with_name(data_dir.name + ".metrics")
        variables = {"DRILL_METRICS": str(self.metrics_path), **(environment or {})}
        super().__init__(data_dir, *arguments, environment=variables, program=INSTRUMENTED_SERVER, port=port)

    @property
    def metrics(self) -> dict[str, Any]:
        """Loop lag, memory and open files, at most half a second old."""
        return dict(json.loads(self.metrics_path.read_text()))

    @property
    def cpu_s(self) -> float:
        """CPU seconds of the process so far, in kernel ticks (10 ms)."""
        user, system = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def set_kill_point(self, point: str | None) -> None:
        """The point at which the server kills itself after its next start; None: never."""
        self._environment.pop("DRILL_KILL", None)
        if point is not None:
            self._environment["DRILL_KILL"] = point

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def launch(self) -> float:
        """Start without blocking the loop; returns the seconds until the server was ready."""
        started = asyncio.get_running_loop().time()
        await asyncio.to_thread(self.start)
        return asyncio.get_running_loop().time() - started

    async def wait_for_exit(self, timeout_s: float) -> bool:
        """Whether the process ended in time."""
        assert self._process is not None
        async with asyncio.timeout(timeout_s + 1):
            for _ in range(int(timeout_s / 0.02)):
                if self._process.poll() is not None:
                    self._close()
                    return True
                await asyncio.sleep(0.02)
        return False

    async def shut_down(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Send a signal; returns exit code and seconds until the end."""
        started = asyncio.get_running_loop().time()
        code = await asyncio.to_thread(self.stop, number)
        return code, asyncio.get_running_loop().time() - started


class DrillEnvironment:
    """Database and servers of one drill."""

    def __init__(self, folder: Path, database: Mongod | ReplicaSet, stack: AsyncExitStack) -> None:
        self.folder, self._uri, self._stack = folder, database.uri, stack
        self._mongod = database if isinstance(database, Mongod) else None
        self.database = Database(self._uri, "tessera")
        stack.callback(self.database.close)

    @property
    def mongod(self) -> Mongod:
        """The only one; not for drills with a replica set."""
        assert self._mongod is not None
        return self._mongod

    def server(
        self, name: str = "one", *arguments: str, like: DrillServer | None = None, **environment: str
    ) -> DrillServer:
        """A server, not started yet. like: a server whose embedded bucket it shares."""
        data_dir = self.folder / name
        options = [f"--mongodb_uri={self._uri}", f"--server_name={name}", *NO_LIMITS]
        options += ["--queue_limit=100000", "--developers=dev", *arguments]
        if like is not None:
            data_dir.mkdir(parents=True)
            (data_dir / "bucket").symlink_to(like.data_dir / "bucket")
            for secret_file in ("bucket-keys.json", "cookie-secret"):
                shutil.copy(like.data_dir / secret_file, data_dir / secret_file)
            options.append(f"--public_url={like.base_url}")
        server = DrillServer(data_dir, *options, environment=environment, port=free_port() if like else 0)
        self._stack.callback(lambda: server.kill() if server.alive else None)
        return server

    async def freeze_mongod(self, seconds: float) -> None:
        """Suspend mongod for some seconds."""
        pid = self.mongod.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            os.kill(pid, signal.SIGCONT)

    def kill_mongod(self) -> None:
        """Kill mongod; its supervisor restarts it after half a second."""
        assert self.mongod.pid is not None
        os.kill(self.mongod.pid, signal.SIGKILL)


@asynccontextmanager
async def drill_environment(folder: Path, members: ReplicaSet | None = None) -> AsyncIterator[DrillEnvironment]:
    """members: the replica set to use instead of a mongod of its own."""
    async with AsyncExitStack() as stack:
        database = members or await stack.enter_async_context(Mongod(folder / "mongod" / "db"))
        yield DrillEnvironment(folder, database, stack)
