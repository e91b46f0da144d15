"""Drill 6: the bucket answers 503, then drops connections, then hangs; then it is well again."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.fault_injection.checker import check, settle
from tests.fault_injection.kodo_environment import on_kodo
from tests.fault_injection.load import Load, client_of
from tests.fault_injection.report import Figures
from tests.support.kodo_state import Faults

SECONDS = 60
MOST_TRIES = 14


async def drill(folder: Path, *, short: bool) -> Figures:
    figures = Figures("6 bucket: 503, dropped, hanging")
    seconds = 1.5 if short else SECONDS
    async with on_kodo(folder) as (here, server, peer):
        load = await Load.of(client_of(), server.base_url)
        await load.ask_many(10)
        await settle(here.database, load.ids, timeout_s=30)
        hanging = asyncio.Event()
        async with load.looking():
            for faults in (Faults(status=503), Faults(drop=True), Faults(slow=hanging)):
                peer.faults = faults
                await load.ask_many(5)
                await asyncio.sleep(seconds)
            hanging.set()
            peer.faults = Faults()
            settled_s = await settle(here.database, load.ids, timeout_s=90)
        looks = sorted(load.looks)
        tries = await here.database.collection("tasks").find({}, sort="-tries", limit=1, fields=["tries"])
        p99_ms = 1000 * looks[int(len(looks) * 0.99)]
        figures.expect(settled_s <= 60, f"the last task was done only {settled_s:.0f} s after the bucket was well")
        figures.expect(tries[0]["tries"] <= MOST_TRIES, f"{tries[0]['tries']} tries")
        figures.notes |= {"all done after its return, s": round(settled_s, 1), "most tries": tries[0]["tries"]}
        figures.notes["list p99, ms"] = round(p99_ms)
        await asyncio.sleep(0.6)
        known = server.figures
        figures.submitted, figures.outage_s = load.submitted, load.outage_s
        figures.lag_p99_ms, figures.lag_max_ms = known["lag_p99_ms"], known["lag_max_ms"]
        await check(figures, here.database, load.ids, lambda key: peer.objects[key].data)
        figures.expect(figures.failed == 0, f"{figures.failed} tasks failed")
    return figures
