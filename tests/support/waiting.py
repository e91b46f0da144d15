"""Waiting with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any, TypeVar, cast

from tests.support.client import ApiClient

T = TypeVar("T")

POLL_S, LONGEST_POLL_S = 0.01, 0.06
"""Pauses grow from one to the other: a poll is a request, which takes processor time from what is waited for."""
LIMIT_S = 120.0
"""Only a test that fails waits so long: all cores may be busy with other tests."""


async def until(poll: Callable[[], Awaitable[T | None] | T | None], *, timeout_s: float = LIMIT_S) -> T:
    """Poll until the result, awaited where it is awaitable, is true; return it. Raises TimeoutError."""
    pause_s = POLL_S
    async with asyncio.timeout(timeout_s):
        while True:
            polled = poll()
            result = cast("T | None", await polled if isawaitable(polled) else polled)
            if result:
                return result
            await asyncio.sleep(pause_s)
            pause_s = min(1.5 * pause_s, LONGEST_POLL_S)


async def finished(api: ApiClient, task_id: int, *, timeout_s: float = LIMIT_S) -> dict[str, Any]:
    """Wait until a task is finished; its document."""

    async def poll() -> dict[str, Any] | None:
        done = (await api.get("/tasks/query/", id=task_id))["done"]
        return done[0] if done else None

    return await until(poll, timeout_s=timeout_s)
