"""Drill 26: a replica set of three loses its primary again and again, under two servers and a stream of new people."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.fault_injection.bucket_reader import bucket_reader
from tests.fault_injection.checker import check_tasks, wait_until_final
from tests.fault_injection.environment import DrillServer, drill_environment
from tests.fault_injection.load import make_client
from tests.fault_injection.people import People, check_people
from tests.fault_injection.report import DrillReport
from tests.handlers.sse_client import SseClient, open_event_stream
from tests.support.client import ApiClient
from tests.support.replica_set import ReplicaSet, replica_set
from tests.support.waiting import until

MAX_RESPONSE_S = 15.0
MAX_RECOVERY_S = 5.0
ALONE_S = 2.0
"""How long a primary goes on without secondaries, taking writes that it will lose."""
STOPPED_S = 20.0
SETTLE_S = 120.0
SHORT_ELECTION_MS = 2000
ROUNDS = 10

Fault = Callable[[ReplicaSet], Awaitable[None]]


async def drill(folder: Path, *, short: bool) -> DrillReport:
    report = DrillReport("26 change of primary in a replica set")
    if short:
        await change_primary(report, folder, [kill_alone], election_ms=SHORT_ELECTION_MS)
    else:
        await change_primary(report, folder, [step_down, kill_alone] * ROUNDS + [suspend])
    return report


async def change_primary(
    report: DrillReport, folder: Path, faults: Sequence[Fault], *, election_ms: int = 10_000
) -> None:
    """Inject the faults one after the other. election_ms: the election timeout of the set, by default MongoDB's."""
    async with AsyncExitStack() as stack:
        members = await stack.enter_async_context(replica_set(folder / "set", election_timeout_ms=election_ms))
        env = await stack.enter_async_context(drill_environment(folder, members))
        one = env.server("one")
        await one.launch()
        two = env.server("two", like=one)
        await two.launch()
        addresses = {"one": one.base_url, "two": two.own_url}
        people = [People(make_client(), address, name) for name, address in addresses.items()]
        streams = [await stack.enter_async_context(_stream(each)) for each in people]
        recoveries_s = []
        for fault in faults:
            async with AsyncExitStack() as coming:
                for each in people:
                    await coming.enter_async_context(each.coming())
                await asyncio.sleep(1)
                recoveries_s.append(await _recover(fault, members, people))
                for each, stream in zip(people, streams, strict=True):
                    report.expect(await _hears(each, stream), "a stream neither resumed nor was reset")
                await members.wait_until_complete()
        ids = [task for each in people for task in each.acknowledged.tasks]
        settled_s = await wait_until_final(env.database, ids, timeout_s=SETTLE_S)
        report.expect(settled_s < SETTLE_S, "not every task came to an end")
        await check_tasks(report, env.database, ids, bucket_reader(one))
        await check_people(report, env.database, people)
        _report_times(report, people, recoveries_s)
        _check_logs(report, one, two)


# --- faults ---------------------------------------------------------------------------------------------------------


async def step_down(members: ReplicaSet) -> None:
    await members.step_down()


async def kill_alone(members: ReplicaSet) -> None:
    """Kill the secondaries, and a little later the primary, which has taken writes that nobody else holds."""
    primary, secondaries = await members.primary(), await members.secondaries()
    for secondary in secondaries:
        secondary.kill()
    await asyncio.sleep(ALONE_S)
    primary.kill()
    for secondary in secondaries:
        secondary.start()
    await members.primary()
    primary.start()


async def suspend(members: ReplicaSet) -> None:
    """Suspend the primary for longer than an election takes; it believes for a moment that it still is one."""
    primary = await members.primary()
    primary.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(STOPPED_S)
    finally:
        primary.signal(signal.SIGCONT)


# --- observations ---------------------------------------------------------------------------------------------------


async def _recover(fault: Fault, members: ReplicaSet, people: list[People]) -> float:
    """Seconds from the election until both servers serve people again."""
    await fault(members)
    await members.primary()
    loop = asyncio.get_running_loop()
    elected_at = loop.time()
    lives = [each.lives for each in people]
    await until(lambda: all(each.lives > before for each, before in zip(people, lives, strict=True)), timeout_s=60)
    return loop.time() - elected_at


@asynccontextmanager
async def _stream(people: People) -> AsyncIterator[SseClient]:
    """The events of a server, as an open page receives them."""
    async with open_event_stream(ApiClient(make_client(), people.base_url)) as stream:
        yield stream


async def _hears(people: People, stream: SseClient) -> bool:
    """Whether a stream has an event or a `reset` after this moment."""
    seen = len(stream.events)
    try:
        await stream.wait(lambda: len(stream.events) > seen or stream.closed, timeout_s=MAX_RESPONSE_S)
    except TimeoutError:
        return False
    return not stream.closed


def _report_times(report: DrillReport, people: list[People], recoveries_s: list[float]) -> None:
    slowest_s = max(each.slowest_s for each in people)
    report.submitted = sum(each.sent for each in people)
    report.expect(slowest_s <= MAX_RESPONSE_S, f"a response took {slowest_s:.1f} s")
    report.expect(max(recoveries_s) <= MAX_RECOVERY_S, f"well again {max(recoveries_s):.1f} s after an election")
    refused = sum((each.refused for each in people), start=people[0].refused.__class__())
    report.notes |= {"faults": len(recoveries_s), "refused": dict(refused)}
    report.notes |= {"slowest response, s": round(slowest_s, 1), "well after, s": round(max(recoveries_s), 1)}


def _check_logs(report: DrillReport, *servers: DrillServer) -> None:
    for server in servers:
        before, trace, _ = server.log.partition("Traceback")
        report.expect(not trace, f"traceback in the log: {before.splitlines()[-1] if before else ''}")
