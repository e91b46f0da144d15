"""Sends hostile files to a server: as uploads, and as sources of tasks from a host that is allowed."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

from tests.hostile import Hostile
from tests.support.client import ApiClient
from tests.support.fake_hosts import FakeHost, fake_host, http_response
from tests.support.waiting import finished

REFUSALS = ("not_a_picture", "too_many_pixels", "recipe_impossible")
UPLOAD_STATUSES = {200, 400, 403, 413}


class FileHost:
    """Serves `files` by path. The server under test downloads each path once."""

    def __init__(self, host: FakeHost) -> None:
        self.files: dict[str, bytes] = {}
        self.address = host.address
        self._host = host
        host.responder = self._serve

    def add(self, name: str, data: bytes) -> str:
        """Serve a file; returns its URL."""
        self.files[f"/{name}"] = data
        return self._host.url(f"/{name}")

    def _serve(self, connection: socket.socket) -> None:
        path = self._host.requests[-1].split(b" ")[1].decode()
        data = self.files.get(path)
        connection.sendall(http_response(status="404 Not Found") if data is None else http_response(data))


@contextlib.contextmanager
def file_host() -> Iterator[FileHost]:
    with fake_host(b"") as host:
        yield FileHost(host)


async def final_tasks(api: ApiClient, ids: set[int], *, timeout_s: float = 240.0) -> dict[int, dict[str, Any]]:
    """These tasks by id, once all of them are final."""
    async with asyncio.timeout(timeout_s):
        return {number: await finished(api, number, timeout_s=timeout_s) for number in sorted(ids)}


async def upload_status(api: ApiClient, name: str, data: bytes) -> int:
    """Upload a file as the page does; returns the bucket's status."""
    ticket = await api.post("/api/image/token/", filename=name)
    fields = {"token": ticket["token"], "key": ticket["key"]}
    return (await api.post_form(ticket["upload_url"], fields, name, data)).status


def is_expected(hostile: Hostile, task: dict[str, Any]) -> bool:
    """Whether a final task ended as the corpus says."""
    if task["state"] == "done":
        return hostile.outcome != "refused"
    return task["state"] == "failed" and task["error"] in REFUSALS and hostile.outcome != "done"
