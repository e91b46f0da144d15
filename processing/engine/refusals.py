"""Why a worker of a Dask cluster gets no jobs: by what it answers when it joins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from distributed import Client, Worker

from processing.engine.job import job_version

WORKER_TIMEOUT_S = 2.0
"""For the answer of a worker: one that hangs must not keep the others waiting. It is asked again every second."""
SILENT = "they do not answer"


async def answer_of(client: Client, address: str, question: Callable[[Worker], str]) -> object:
    """What a worker answers, or an exception in place of that; None if it does not answer in time."""
    try:
        async with asyncio.timeout(WORKER_TIMEOUT_S):
            return (await client.run(question, workers=[address], on_error="return")).get(address)
    except TimeoutError:
        return None


def refusal_of(version: object) -> str:
    """Why a worker with this answer gets no jobs, or ""."""
    if version == job_version():
        return ""
    return "another version of our code" if isinstance(version, str) else "without our code"
