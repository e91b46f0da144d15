"""Leases: exclusive, counted on the database's clock, and reclaimed when a server died."""

from __future__ import annotations

import asyncio

import pytest

from models.database import Database
from models.images.image import Owner
from models.queue.fair_order import Place
from models.queue.lease import Lease, Outcome
from models.queue.leases import CRASH_LIMIT, Leases
from models.queue.task import NewTask, Task, TaskState
from models.queue.tasks import Tasks
from models.store import Store
from tests.support.waiting import until

THREADS = 4
DONE = Outcome(TaskState.DONE)


async def queued_tasks(database: Database, count: int = 1, *, different: int | None = None) -> list[Task]:
    """Queued tasks with `different` different results; all of them by default."""
    await Store.of(database, "one").create_indexes()
    tasks = Tasks(database)
    return [await tasks.add(new_task(number % (different or count)), place=Place(number)) for number in range(count)]


def new_task(result: int) -> NewTask:
    return NewTask(Owner(1, "ada"), url="u", type="model", style="mosaic", recipe={}, dedup_key=str(result))


async def lease_for_threads(leases: Leases) -> list[Lease]:
    """As a server does: one lease for each thread, but one suspect at a time."""
    running: list[Lease] = []
    while len(running) < THREADS:
        suspect_runs = any(lease.task.crashes for lease in running)
        lease = await leases.acquire(skip_suspects=suspect_runs)
        if lease is None:
            break
        running.append(lease)
    return running


async def lease_many(leases: Leases, limit: int) -> list[Lease]:
    """As many as there are, at most `limit`."""
    leased: list[Lease] = []
    while len(leased) < limit and (lease := await leases.acquire()):
        leased.append(lease)
    return leased


@pytest.mark.gen_test
async def test_a_task_that_kills_its_server_three_times_fails_as_crashed(database: Database) -> None:
    [task] = await queued_tasks(database)
    leases = Leases(database, "one")

    for _ in range(CRASH_LIMIT):
        assert await leases.acquire()
        await leases.reclaim_own()

    ended = await Tasks(database).by_id(task.id)
    assert (ended.state, ended.error, ended.crashes) == (TaskState.FAILED, "crashed", CRASH_LIMIT)
    assert await leases.acquire() is None


@pytest.mark.gen_test
async def test_the_neighbours_of_a_killer_are_suspected_once(database: Database) -> None:
    """A server dies each time it runs the first task: only that task fails."""
    killer, *neighbours = await queued_tasks(database, 8)
    leases, tasks = Leases(database, "one"), Tasks(database)

    for _ in range(CRASH_LIMIT):
        running = await lease_for_threads(leases)
        assert killer.id in {lease.task.id for lease in running}
        await leases.reclaim_own()
    while running := await lease_for_threads(leases):
        await asyncio.gather(*(leases.finish(lease, DONE) for lease in running))

    assert (await tasks.by_id(killer.id)).error == "crashed"
    ended = [await tasks.by_id(task.id) for task in neighbours]
    assert {task.state for task in ended} == {TaskState.DONE}
    assert max(task.crashes for task in ended) == 1


@pytest.mark.gen_test
async def test_an_expired_lease_is_reclaimed_and_a_renewed_one_is_not(database: Database) -> None:
    lost, renewed = await queued_tasks(database, 2)
    short, long = Leases(database, "dead", lease_s=0.01), Leases(database, "alive")
    first = await short.acquire()
    second = await long.acquire()
    assert first
    assert second

    reclaimed = await until(Leases(database, "two").reclaim_expired)

    assert [task.id for task in reclaimed] == [lost.id]
    assert await short.renew([first]) == [first]
    assert await long.renew([second]) == []
    assert second.task.id == renewed.id


@pytest.mark.gen_test
async def test_a_lease_whose_response_was_lost_is_released_uncounted(database: Database) -> None:
    [task] = await queued_tasks(database)
    leases = Leases(database, "one")
    await leases.acquire()
    young = await leases.reclaim_orphaned([])
    a_minute_ago = [{"$set": {"started": {"$subtract": ["$$NOW", 60_000]}}}]
    await database.collection("tasks").find_one_and_update({}, a_minute_ago)

    old = await leases.reclaim_orphaned([])

    assert young == []
    assert [(each.id, each.state, each.crashes) for each in old] == [(task.id, TaskState.QUEUED, 0)]


@pytest.mark.gen_test
async def test_each_task_is_leased_by_one_server_and_ends_are_recorded_together(database: Database) -> None:
    await queued_tasks(database, 60)
    one, two = Leases(database, "one"), Leases(database, "two")

    leases = [lease for each in await asyncio.gather(lease_many(one, 60), lease_many(two, 60)) for lease in each]
    ended = await asyncio.gather(*((one if lease.server == "one" else two).finish(lease, DONE) for lease in leases))

    assert len({lease.task.id for lease in leases}) == len(leases) == 60
    assert all(task is not None and task.state is TaskState.DONE for task in ended)
    assert await Tasks(database).count(TaskState.DONE) == 60


@pytest.mark.gen_test
async def test_ends_that_are_recorded_together_succeed_or_fail_one_by_one(database: Database) -> None:
    await queued_tasks(database, 5)
    leases, tasks = Leases(database, "one"), Tasks(database)
    acquired = await lease_many(leases, 3)
    await tasks.cancel(acquired[1].task.id)

    ended = await asyncio.gather(*(leases.finish(lease, DONE) for lease in acquired))

    assert [task is not None for task in ended] == [True, False, True]


@pytest.mark.gen_test
async def test_tasks_with_the_same_result_never_run_together(database: Database) -> None:
    await queued_tasks(database, 30, different=3)

    acquired = [*await lease_many(Leases(database, "one"), 20), *await lease_many(Leases(database, "two"), 20)]

    assert sorted(lease.task.dedup_key for lease in acquired) == ["0", "1", "2"]


@pytest.mark.gen_test
async def test_several_tasks_are_leased_in_the_order_of_the_queue(database: Database) -> None:
    tasks = await queued_tasks(database, 6)
    leases = Leases(database, "one")

    first = await leases.acquire_several(4, lambda waiting: waiting[:3])
    others = await leases.acquire_several(4, lambda waiting: waiting)

    recorded = [await Tasks(database).by_id(lease.task.id) for lease in first]
    assert [lease.task.id for lease in [*first, *others]] == [task.id for task in tasks]
    assert [(task.state, task.attempts, task.server) for task in recorded] == [(TaskState.RUNNING, 1, "one")] * 3
    assert await leases.renew([*first, *others]) == []
    assert await leases.acquire_several(4, lambda waiting: waiting) == []


@pytest.mark.gen_test
async def test_servers_that_lease_several_tasks_at_once_lease_each_task_once(database: Database) -> None:
    await queued_tasks(database, 60)

    async def lease_all(leases: Leases) -> list[Lease]:
        leased: list[Lease] = []
        while acquired := await leases.acquire_several(5, lambda waiting: waiting):
            leased += acquired
        return leased

    one, two = Leases(database, "one"), Leases(database, "two")
    acquired = [lease for each in await asyncio.gather(lease_all(one), lease_all(two)) for lease in each]

    assert len({lease.task.id for lease in acquired}) == len(acquired) == 60
    assert await one.renew([lease for lease in acquired if lease.server == "one"]) == []
    assert await two.renew([lease for lease in acquired if lease.server == "two"]) == []


@pytest.mark.gen_test
async def test_of_several_tasks_with_the_same_result_one_is_leased(database: Database) -> None:
    tasks = await queued_tasks(database, 9, different=3)
    leases = Leases(database, "one")

    acquired = [await leases.acquire_several(6, lambda waiting: waiting) for _ in range(2)]

    assert [[lease.task.id for lease in each] for each in acquired] == [[task.id for task in tasks[:3]], []]
