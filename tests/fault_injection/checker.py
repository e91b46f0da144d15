"""Compares the acknowledged tasks with the database and the bucket (after Jepsen)."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from collections.abc import Callable, Sequence

from PIL import Image

from models.database import Collection, Database
from models.errors import DatabaseUnavailable
from tests.fault_injection.report import DrillReport
from tests.support.waiting import until

FINAL = ("done", "failed", "cancelled")
PAGE = 1000
RUNNING_LIMIT_S = 90.0
"""Longer than a lease of a server that has lost the database."""


async def task_states(database: Database, ids: Sequence[int]) -> dict[int, str]:
    """The state of each of these tasks that is in the database."""
    states: dict[int, str] = {}
    tasks = database.collection("tasks")
    for start in range(0, len(ids), PAGE):
        query = {"_id": {"$in": list(ids[start : start + PAGE])}}
        rows = await tasks.find(query, sort="_id", limit=PAGE, fields=["state"])
        states |= {row["_id"]: row["state"] for row in rows}
    return states


async def wait_until_final(database: Database, ids: Sequence[int], *, timeout_s: float) -> float:
    """Wait until all tasks are final. Returns the seconds that took, infinity after `timeout_s`."""
    started = asyncio.get_running_loop().time()

    async def all_final() -> bool:
        try:
            states = await task_states(database, ids)
        except DatabaseUnavailable:
            return False
        await asyncio.sleep(0.1)
        return all(states.get(number) in FINAL or number not in states for number in ids)

    try:
        await until(all_final, timeout_s=timeout_s)
    except TimeoutError:
        return float("inf")
    return asyncio.get_running_loop().time() - started


async def check_tasks(
    report: DrillReport, database: Database, ids: Sequence[int], read: Callable[[str], bytes]
) -> None:
    """Count the outcomes of the acknowledged tasks in the report. read: an object's bytes by key; raises NotFound."""
    states = await task_states(database, ids)
    counts = Counter(states.values())
    report.acknowledged = len(ids)
    report.done = counts["done"]
    report.failed = counts["failed"] + counts["cancelled"]
    report.lost = sum(states.get(number) not in FINAL for number in ids)
    if report.failed:
        report.notes["why"] = await failure_reasons(database, ids)
    images, tasks = database.collection("images"), database.collection("tasks")
    results: Counter[tuple[str, int | None]] = Counter()
    async for image in images.iterate({"kind": "result"}):
        results[(image["key"], image["owner_id"])] += 1
    report.duplicated = sum(count - 1 for count in results.values())
    done = {number for number, state in states.items() if state == "done"}
    async for task in tasks.iterate({"state": "done", "result_id": {"$ne": None}}):
        if task["_id"] in done and not await _has_image(task["result_id"], database, read):
            report.lost += 1
    report.expect(await _end_of_running(tasks), "a task is still running")
    report.expect(report.lost == 0, f"{report.lost} tasks are lost")
    report.expect(report.duplicated == 0, f"{report.duplicated} results are duplicated")


async def _end_of_running(tasks: Collection) -> bool:
    """Whether no task runs any more, soon: one whose submitter got no answer may end after all others."""

    async def none_runs() -> bool:
        return await tasks.count_documents({"state": "running"}) == 0

    try:
        await until(none_runs, timeout_s=RUNNING_LIMIT_S)
    except TimeoutError:
        return False
    return True


async def failure_reasons(database: Database, ids: Sequence[int]) -> str:
    """Error slugs of the failed tasks, with counts."""
    errors = Counter[str]()
    task_ids = set(ids)
    async for task in database.collection("tasks").iterate({"state": "failed"}):
        errors[task["error"]] += task["_id"] in task_ids
    return ", ".join(f"{slug} {count}" for slug, count in errors.items() if count)


async def _has_image(image_id: int, database: Database, read: Callable[[str], bytes]) -> bool:
    image = await database.collection("images").find_one({"_id": image_id})
    if image is None:
        return False
    with Image.open(io.BytesIO(await asyncio.to_thread(read, image["key"]))) as decoded:
        return decoded.size == (image["width"], image["height"])
