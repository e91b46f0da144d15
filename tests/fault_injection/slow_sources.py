"""Drill 24: 100 tasks whose source sends one byte per second; another user's task must not wait for all of them."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from tests.fault_injection.environment import drill_environment
from tests.fault_injection.load import make_client
from tests.fault_injection.report import DrillReport
from tests.support.client import ApiClient
from tests.support.fake_hosts import fake_host
from tests.support.waiting import finished, until

DEADLINE_S = 30.0
TASKS = 100
DRIP_INTERVAL_S = 1.0


async def drill(folder: Path, *, short: bool) -> DrillReport:
    report = DrillReport("24 slow sources")

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not host.closing.wait(DRIP_INTERVAL_S):
            connection.sendall(b"\x89")

    async with drill_environment(folder) as env:
        with fake_host(drip) as host:
            server = env.server("one", "--workers=2", f"--allowed_sources={host.address}")
            await server.launch()
            ada, bob = [await ApiClient(make_client(), server.base_url).sign_up(name) for name in ("ada", "bob")]
            url = (await bob.upload())["url"]
            slow = [await ada.add_task(host.url(f"/{number}")) for number in range(4 if short else TASKS)]
            started = asyncio.get_running_loop().time()
            task = await bob.add_task(url)

            async def given_up() -> bool:
                response = (await ada.get("/tasks/query/", id=slow[0]["id"])).json
                (task,) = response["tasks"] + response["done"]
                return bool(task["attempts"] and task["state"] != "running")

            await until(given_up, timeout_s=DEADLINE_S + 10)
            given_up_s = asyncio.get_running_loop().time() - started
            await finished(bob, task["id"], timeout_s=2 * DEADLINE_S)
            done_s = asyncio.get_running_loop().time() - started
        report.submitted, report.done = len(slow) + 1, 1
        report.expect(given_up_s < DEADLINE_S + 1, f"a download was given up after {given_up_s:.1f} s")
        report.expect(done_s < DEADLINE_S + 5, f"the other user's task was done after {done_s:.1f} s")
        report.notes |= {"given up after, s": round(given_up_s, 1), "other user done after, s": round(done_s, 1)}
    return report
