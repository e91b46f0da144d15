"""A server that uses a simulated Kodo whose faults a drill controls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.fault_injection.environment import DrillEnvironment, DrillServer, drill_environment
from tests.support import kodo as kodo_server
from tests.support.kodo_state import FakeKodo

ACCESS, SECRET = "kodo-access-key", "kodo-secret-key"


@asynccontextmanager
async def kodo_environment(folder: Path) -> AsyncIterator[tuple[DrillEnvironment, DrillServer, FakeKodo]]:
    kodo = FakeKodo(ACCESS, SECRET, "pictures")
    http_server = kodo_server.start(kodo)
    async with drill_environment(folder) as env:
        urls = {f"qiniu_{name}_url": kodo.base for name in ("up", "rs", "rsf", "uc")}
        options = [f"--{name}={value}" for name, value in urls.items()]
        server = env.server(
            "one",
            *options,
            "--qiniu_bucket=pictures",
            f"--qiniu_domain={kodo.base}/io",
            TESSERA_QINIU_ACCESS_KEY=ACCESS,
            TESSERA_QINIU_SECRET_KEY=SECRET,
        )
        await server.launch()
        try:
            yield env, server, kodo
        finally:
            http_server.stop()
            await http_server.close_all_connections()
