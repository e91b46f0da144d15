"""The checker: what was acknowledged against what the database and the bucket hold (after Jepsen)."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from collections.abc import Callable, Sequence

from PIL import Image

from models.database import Database
from models.errors import DatabaseUnavailable
from tests.fault_injection.report import Figures
from tests.support.waiting import until

FINAL = ("done", "failed", "cancelled")
PAGE = 1000


async def states(database: Database, ids: Sequence[int]) -> dict[int, str]:
    """The state of each of these tasks that is on record."""
    found: dict[int, str] = {}
    tasks = database.collection("tasks")
    for start in range(0, len(ids), PAGE):
        some = {"_id": {"$in": list(ids[start : start + PAGE])}}
        lines = await tasks.find(some, sort="_id", limit=PAGE, fields=["state"])
        found |= {line["_id"]: line["state"] for line in lines}
    return found


async def settle(database: Database, ids: Sequence[int], *, timeout_s: float) -> float:
    """Wait until all have come to an end, or the time is over; the seconds that it took."""
    begun = asyncio.get_running_loop().time()

    async def look() -> bool:
        try:
            known = await states(database, ids)
        except DatabaseUnavailable:
            return False
        await asyncio.sleep(0.1)
        return all(known.get(number) in FINAL or number not in known for number in ids)

    try:
        await until(look, timeout_s=timeout_s)
    except TimeoutError:
        return float("inf")
    return asyncio.get_running_loop().time() - begun


async def check(figures: Figures, database: Database, ids: Sequence[int], read: Callable[[str], bytes]) -> None:
    """Fill in what became of the acknowledged tasks. read: an object's bytes by key; raises if there is none."""
    known = await states(database, ids)
    ends = Counter(known.values())
    figures.acknowledged = len(ids)
    figures.done = ends["done"]
    figures.failed = ends["failed"] + ends["cancelled"]
    figures.lost = sum(known.get(number) not in FINAL for number in ids)
    if figures.failed:
        figures.notes["why"] = await reasons(database, ids)
    images, tasks = database.collection("images"), database.collection("tasks")
    seen: Counter[tuple[str, int | None]] = Counter()
    async for image in images.pages({"kind": "result"}):
        seen[(image["key"], image["owner_id"])] += 1
    figures.doubled = sum(count - 1 for count in seen.values())
    done = {number for number, state in known.items() if state == "done"}
    async for task in tasks.pages({"state": "done", "result_id": {"$ne": None}}):
        if task["_id"] in done and not await _has_picture(task["result_id"], database, read):
            figures.lost += 1
    figures.expect(await tasks.count({"state": "running"}) == 0, "a task is still running")
    figures.expect(figures.lost == 0, f"{figures.lost} tasks are lost")
    figures.expect(figures.doubled == 0, f"{figures.doubled} results are doubled")


async def reasons(database: Database, ids: Sequence[int]) -> str:
    """Why tasks failed, with counts."""
    known = Counter[str]()
    wanted = set(ids)
    async for task in database.collection("tasks").pages({"state": "failed"}):
        known[task["error"]] += task["_id"] in wanted
    return ", ".join(f"{slug} {count}" for slug, count in known.items() if count)


async def _has_picture(image_id: int, database: Database, read: Callable[[str], bytes]) -> bool:
    image = await database.collection("images").find_one({"_id": image_id})
    if image is None:
        return False
    with Image.open(io.BytesIO(await asyncio.to_thread(read, image["key"]))) as picture:
        return picture.size == (image["width"], image["height"])
