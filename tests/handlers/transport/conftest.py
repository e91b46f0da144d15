"""A server for an application, on a free port."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from handlers.transport.http_server import Application, listen


@pytest.fixture
def server_url(io_loop: Any, app: Application) -> Iterator[str]:
    """Of the module's `app`."""

    async def start() -> tuple[Any, str]:
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setblocking(False)
        return listen(app, [listening]), f"http://127.0.0.1:{listening.getsockname()[1]}"

    server, url = io_loop.run_sync(start)
    yield url
    server.stop()
    io_loop.run_sync(server.close_all_connections)
