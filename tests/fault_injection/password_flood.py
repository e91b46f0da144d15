"""Drill 21: a flood of sign-ins with wrong passwords, and whether response times tell which users exist."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path
from statistics import median

from tests.fault_injection.environment import drill_environment
from tests.fault_injection.latency_probe import LatencyProbe, allowed_s, idle_p99_s
from tests.fault_injection.load import make_client
from tests.fault_injection.report import DrillReport
from tests.security.process_memory import memory_mib, reset_peak_memory
from tests.support.client import ApiClient

SIGN_INS = 200
MIN_ATTEMPTED, MAX_MIB, MAX_P99_S = 40, 200, 0.3
MAX_DIFFERENCE = 0.10


async def drill(folder: Path, *, short: bool) -> DrillReport:
    report = DrillReport("21 password flood")
    async with drill_environment(folder) as env:
        server = env.server("one", "--trusted_proxies=127.0.0.1")
        await server.launch()
        api = ApiClient(make_client(), server.base_url)
        await api.new_client().sign_up("ada")
        base_mib, idle_s = memory_mib(server.pid), await idle_p99_s(server.base_url)
        reset_peak_memory(server.pid)

        async with LatencyProbe(server.base_url) as probe:
            responses = await asyncio.gather(*(sign_in(api, "ada", number) for number in range(SIGN_INS)))
        peak_mib = memory_mib(server.pid, peak=True) - base_mib
        statuses = Counter(status for status, _ in responses)
        limit_s = allowed_s(MAX_P99_S, idle_s, short=short)
        report.expect(statuses.keys() <= {200, 429}, f"sign-ins got {dict(statuses)}")
        report.expect(statuses[200] >= MIN_ATTEMPTED, f"only {statuses[200]} were verified")
        report.expect(probe.p99_s < limit_s, f"other users' p99 was {probe.p99_s:.2f} s, allowed {limit_s:.2f}")
        report.expect(peak_mib < MAX_MIB, f"{peak_mib:.0f} MiB more")
        report.submitted, report.done, report.failed = SIGN_INS, statuses[200], statuses[429]
        report.notes |= {"p99 of others, s": round(probe.p99_s, 2), "memory, MiB": round(peak_mib)}

        if not short:  # a busy machine disturbs the medians
            await compare_unknown_users(report, api)
    return report


async def compare_unknown_users(report: DrillReport, api: ApiClient) -> None:
    known_s, unknown_s = [], []
    for number in range(SIGN_INS):
        known_s.append((await sign_in(api, "ada", SIGN_INS + number))[1])
        unknown_s.append((await sign_in(api, f"unknown{number}", 2 * SIGN_INS + number))[1])
    times_ms = [1000 * median(known_s), 1000 * median(unknown_s)]
    difference = abs(times_ms[0] - times_ms[1]) / max(times_ms)
    report.expect(difference < MAX_DIFFERENCE, f"unknown users differ by {difference:.0%}")
    report.notes["wrong password / unknown user, ms"] = f"{times_ms[0]:.1f} / {times_ms[1]:.1f}"


async def sign_in(api: ApiClient, username: str, number: int) -> tuple[int, float]:
    """A wrong password from a client address of its own. Returns status and seconds."""
    headers = {"X-Forwarded-For": f"198.51.{number // 250}.{number % 250 + 1}"}
    started = time.perf_counter()
    response = await api.new_client().post(
        "/api/user/query/", headers=headers, username=username, password=f"wrong password {number}"
    )
    return response.status, time.perf_counter() - started
