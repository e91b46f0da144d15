"""Drill 7: an object is 404 for a while after it was stored; one that is truly missing fails in time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.fault_injection.checker import check, settle
from tests.fault_injection.kodo_environment import on_kodo
from tests.fault_injection.load import Load, client_of
from tests.fault_injection.report import Figures
from tests.support.kodo_state import Faults

MISSING_S = 10


async def drill(folder: Path, *, short: bool) -> Figures:
    figures = Figures("7 bucket: seen late, and missing")
    async with on_kodo(folder) as (here, server, peer):
        load = await Load.of(client_of(), server.base_url)
        peer.faults = Faults(lag=2)
        for _ in range(2 if short else 10):
            await load.ask()
        await settle(here.database, load.ids, timeout_s=60)
        late = list(load.ids)
        peer.objects.pop(next(key for key in peer.objects if key.startswith("source/")))
        begun = asyncio.get_running_loop().time()
        missing = await load.ask()
        assert missing is not None
        await settle(here.database, [missing], timeout_s=60)
        took_s = asyncio.get_running_loop().time() - begun
        failed = await here.database.collection("tasks").find_one({"_id": missing})
        assert failed is not None
        figures.expect(failed["error"] == "source_missing", f"the missing one ended as {failed['error']}")
        figures.expect(took_s <= MISSING_S, f"the missing one took {took_s:.1f} s")
        figures.submitted = load.submitted
        figures.notes |= {"missing one failed after, s": round(took_s, 1)}
        await check(figures, here.database, load.ids, lambda key: peer.objects[key].data)
        figures.expect(figures.done == len(late), f"{len(late) - figures.done} late ones were not done")
    return figures
