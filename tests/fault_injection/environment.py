"""Where drills happen: a folder, a mongod, servers as real processes, all on loopback, all ended at the end."""

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
from tests.support.process import ServerProcess

SERVED = ("-m", "tests.fault_injection.instrumented_server")


class Server(ServerProcess):
    """A server under watch; see `served.py`."""

    def __init__(self, data_dir: Path, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self.watch_path = data_dir.with_name(data_dir.name + ".watch")
        given = {"DRILL_WATCH": str(self.watch_path), **(environment or {})}
        super().__init__(data_dir, *arguments, environment=given, program=SERVED)

    @property
    def figures(self) -> dict[str, Any]:
        """Of its loop and memory, half a second old at most."""
        return dict(json.loads(self.watch_path.read_text()))

    @property
    def cpu_s(self) -> float:
        """Processor time of the process until now, in ticks of the kernel's (10 ms)."""
        user, system = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def trap(self, point: str | None) -> None:
        """Where it shall die after its next start; None: nowhere."""
        self._environment.pop("DRILL_KILL", None)
        if point is not None:
            self._environment["DRILL_KILL"] = point

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def begin(self) -> float:
        """Start it without holding the loop; returns the seconds until its first answer was possible."""
        begun = asyncio.get_running_loop().time()
        await asyncio.to_thread(self.start)
        return asyncio.get_running_loop().time() - begun

    async def wait_dead(self, timeout_s: float) -> bool:
        """Whether it died in this time."""
        assert self._process is not None
        async with asyncio.timeout(timeout_s + 1):
            for _ in range(int(timeout_s / 0.02)):
                if self._process.poll() is not None:
                    self._close()
                    return True
                await asyncio.sleep(0.02)
        return False

    async def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Exit code and seconds."""
        begun = asyncio.get_running_loop().time()
        code = await asyncio.to_thread(self.stop, number)
        return code, asyncio.get_running_loop().time() - begun


class Ground:
    """One drill's place."""

    def __init__(self, folder: Path, mongod: Mongod, stack: AsyncExitStack) -> None:
        self.folder, self.mongod, self._stack = folder, mongod, stack
        self.database = Database(mongod.uri, "tessera")
        stack.callback(self.database.close)

    def server(self, name: str = "one", *arguments: str, like: Server | None = None, **environment: str) -> Server:
        """A server that is not started yet. like: another one, whose embedded bucket it shares."""
        data_dir = self.folder / name
        given = [f"--mongodb_uri={self.mongod.uri}", f"--server_name={name}", "--user_queue_limit=100000"]
        given += ["--queue_limit=100000", "--developers=dev", *arguments]
        if like is not None:
            data_dir.mkdir(parents=True)
            (data_dir / "bucket").symlink_to(like.data_dir / "bucket")
            for name_of_key in ("bucket-keys.json", "cookie-secret"):
                shutil.copy(like.data_dir / name_of_key, data_dir / name_of_key)
            given.append(f"--public_url={like.base_url}")
        made = Server(data_dir, *given, environment=environment)
        self._stack.callback(lambda: made.kill() if made.alive else None)
        return made

    async def freeze_mongod(self, seconds: float) -> None:
        """It hangs, then goes on."""
        pid = self.mongod.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            os.kill(pid, signal.SIGCONT)

    def kill_mongod(self) -> None:
        """It dies, and is started again by its keeper half a second later."""
        assert self.mongod.pid is not None
        os.kill(self.mongod.pid, signal.SIGKILL)


@asynccontextmanager
async def ground(folder: Path) -> AsyncIterator[Ground]:
    async with AsyncExitStack() as stack:
        mongod = await stack.enter_async_context(Mongod(folder / "mongod" / "db"))
        yield Ground(folder, mongod, stack)
