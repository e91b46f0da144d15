"""A server on a Kodo peer whose faults a drill may switch."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.fault_injection.environment import Ground, Server, ground
from tests.support import kodo as kodo_server
from tests.support.kodo_state import Kodo

ACCESS, SECRET = "kodo-access-key", "kodo-secret-key"


@asynccontextmanager
async def on_kodo(folder: Path) -> AsyncIterator[tuple[Ground, Server, Kodo]]:
    peer = Kodo(ACCESS, SECRET, "pictures")
    listening = kodo_server.start(peer)
    async with ground(folder) as here:
        places = {f"qiniu_{name}_url": peer.base for name in ("up", "rs", "rsf", "uc")}
        given = [f"--{name}={value}" for name, value in places.items()]
        server = here.server(
            "one",
            *given,
            "--qiniu_bucket=pictures",
            f"--qiniu_domain={peer.base}/io",
            TESSERA_QINIU_ACCESS_KEY=ACCESS,
            TESSERA_QINIU_SECRET_KEY=SECRET,
        )
        await server.begin()
        try:
            yield here, server, peer
        finally:
            listening.stop()
            await listening.close_all_connections()
