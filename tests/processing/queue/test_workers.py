"""Workers: leases, crashes, drains, leftovers, outages, and two servers on one record."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from models.database import Database
from models.images import Image
from models.queue.events import Events
from models.queue.leases import CRASH_LIMIT, Lease, Leases
from models.queue.tasks import Task, Tasks, TaskState, new_task, to_document
from tests.processing.queue.queue_harness import ADA, RECIPE, QueueHarness, queue_harness
from tests.support.waiting import until


async def queued_tasks(database: Database, count: int = 1) -> list[Task]:
    """Tasks that nobody runs yet."""
    tasks = Tasks(database)
    await database.create_indexes({"tasks": tasks.indexes})
    wanted = [
        new_task(ADA, url="u", type="model", style="mosaic", recipe=RECIPE, dedup_key=str(number), source_key="s")
        for number in range(count)
    ]
    return [await tasks.add(task, round_number=number) for number, task in enumerate(wanted)]


@pytest.mark.gen_test
async def test_a_thread_goes_on_while_what_it_made_is_recorded(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with queue_harness(database, tmp_path, size=1) as here:
        recording, go_on, add = asyncio.Event(), asyncio.Event(), here.images.add

        async def held(image: Image) -> Image:
            recording.set()
            await go_on.wait()
            return await add(image)

        monkeypatch.setattr(here.images, "add", held)
        first, second = await here.add(name="first"), await here.add(name="second")
        await here.runs(first)
        here.engine.finish(first.id)
        await recording.wait()

        await here.runs(second)

        assert (await here.tasks.by_id(first.id)).state is TaskState.RUNNING
        go_on.set()
        await here.becomes(first, TaskState.DONE)
        await here.finish(second)


@pytest.mark.gen_test
async def test_what_a_killed_server_ran_is_run_again_at_its_next_start(database: Database, tmp_path: Path) -> None:
    [task] = await queued_tasks(database)
    await Leases(database, "one").acquire(1)

    async with queue_harness(database, tmp_path, "one") as here:
        done = await here.finish(task)

    assert (done.attempts, done.crashes) == (2, 1)


@pytest.mark.gen_test
async def test_a_picture_that_kills_its_server_three_times_is_failed_as_crashed(database: Database) -> None:
    [task] = await queued_tasks(database)
    claims = Leases(database, "one")

    for _ in range(CRASH_LIMIT):
        assert await claims.acquire(1)
        await claims.reclaim_own()

    ended = await Tasks(database).by_id(task.id)
    assert (ended.state, ended.error, ended.crashes) == (TaskState.FAILED, "crashed", CRASH_LIMIT)
    assert await claims.acquire(1) == []


@pytest.mark.gen_test
async def test_the_neighbours_of_a_killer_are_suspected_once(database: Database) -> None:
    """A server of four threads dies again and again over the first task: only that one is failed."""
    tasks = await queued_tasks(database, 8)
    killer, claims = tasks[0], Leases(database, "one")

    for _ in range(6):
        running: list[Lease] = []
        while killer.id not in {claim.task.id for claim in running} or len(running) < 4:
            suspects = any(claim.task.crashes for claim in running)
            taken = await claims.acquire(1, skip_suspects=suspects)
            if not taken and not running:
                break
            running += taken
            if not taken or len(running) == 4:
                if killer.id in {claim.task.id for claim in running}:
                    break
                await claims.finish(running.pop(0), TaskState.DONE)
        await claims.reclaim_own()

    ended = [await Tasks(database).by_id(task.id) for task in tasks]
    assert [task.id for task in ended if task.error == "crashed"] == [killer.id]
    assert max(task.crashes for task in ended[1:]) <= 1


@pytest.mark.gen_test
async def test_a_lease_that_expires_is_taken_over_and_one_that_is_kept_is_not(database: Database) -> None:
    lost, renewed = await queued_tasks(database, 2)
    short, long = Leases(database, "dead", lease_s=0.01), Leases(database, "alive")
    [first] = await short.acquire(1)
    [second] = await long.acquire(1)

    async def look() -> list[Task]:
        return await Leases(database, "two").reclaim_expired()

    taken = await until(look, timeout_s=5)

    assert [task.id for task in taken] == [lost.id]
    assert await short.renew([first]) == [first]
    assert await long.renew([second]) == []
    assert second.task.id == renewed.id


@pytest.mark.gen_test
async def test_a_claim_whose_answer_was_lost_is_given_back_uncounted(database: Database) -> None:
    [task] = await queued_tasks(database)
    claims = Leases(database, "one")
    await claims.acquire(1)
    young = await claims.reclaim_orphaned([])
    await database.collection("tasks").find_one_and_update(
        {}, [{"$set": {"started": {"$subtract": ["$$NOW", 60_000]}}}]
    )

    old = await claims.reclaim_orphaned([])

    assert young == []
    assert [(one.id, one.state, one.crashes) for one in old] == [(task.id, TaskState.QUEUED, 0)]


@pytest.mark.gen_test
async def test_many_are_taken_and_ended_together_each_by_one_server(database: Database) -> None:
    await queued_tasks(database, 60)
    one, two = Leases(database, "one"), Leases(database, "two")

    taken = [*await one.acquire(30), *await two.acquire(30), *await one.acquire(30), *await two.acquire(30)]
    ends = [(one if claim.server == "one" else two).finish(claim, TaskState.DONE, percent=100) for claim in taken]
    ended = await asyncio.gather(*ends)

    assert len({claim.task.id for claim in taken}) == len(taken) == 60
    assert all(task is not None and task.state is TaskState.DONE for task in ended)
    assert await Tasks(database).count(TaskState.DONE) == 60


@pytest.mark.gen_test
async def test_of_ends_that_travel_together_each_has_its_own_say(database: Database) -> None:
    await queued_tasks(database, 5)
    claims, tasks = Leases(database, "one"), Tasks(database)
    taken = await claims.acquire(3)
    await tasks.cancel(taken[1].task.id)

    ended = await asyncio.gather(*(claims.finish(claim, TaskState.DONE) for claim in taken))

    assert [task is not None for task in ended] == [True, False, True]


@pytest.mark.gen_test
async def test_alike_tasks_are_never_taken_together(database: Database) -> None:
    tasks = Tasks(database)
    await database.create_indexes({"tasks": tasks.indexes})
    for number in range(30):
        fields = {"style": "mosaic", "recipe": RECIPE, "dedup_key": f"{number % 3}"}
        await tasks.add(new_task(ADA, url="u", type="model", **fields), round_number=number)

    taken = [*await Leases(database, "one").acquire(20), *await Leases(database, "two").acquire(20)]

    assert len(taken) == 3
    assert {claim.task.dedup_key for claim in taken} == {"0", "1", "2"}


@pytest.mark.gen_test
async def test_a_drain_lets_what_runs_finish_and_leaves_the_rest(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=1) as here:
        running, waiting = await here.add(), await here.add(name="b")
        await here.runs(running)

        stopping = asyncio.create_task(here.queue.stop(grace_s=5))
        await asyncio.sleep(0.1)
        assert here.queue.draining
        here.engine.finish(running.id)
        await stopping

        assert (await here.tasks.by_id(running.id)).state is TaskState.DONE
        assert (await here.tasks.by_id(waiting.id)).state is TaskState.QUEUED


@pytest.mark.gen_test
async def test_what_does_not_finish_in_a_drain_is_given_back_uncounted(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as here:
        task = await here.add()
        await here.runs(task)

        await here.queue.stop(grace_s=0.05)
        back = await here.tasks.by_id(task.id)

    assert (back.state, back.attempts, back.crashes, back.server) == (TaskState.QUEUED, 0, 0, None)


@pytest.mark.gen_test
async def test_a_task_is_taken_by_another_server_and_seen_on_both(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, "one", size=0) as one, queue_harness(database, tmp_path, "two") as two:
        task = await one.add()
        run = await two.runs(task)
        run.progress(0.5)

        async def look() -> bool:
            return one.feed.percent(task) == 50

        await until(look, timeout_s=1)
        await two.finish(task)

        async def ended() -> bool:
            return any(news.task and news.task.state is TaskState.DONE for news in one.events)

        await until(ended, timeout_s=1)

    assert [news.id for news in one.events if news.task] == [news.id for news in two.events if news.task]


@pytest.mark.gen_test
async def test_a_server_cancels_what_another_one_runs(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, "one", size=0) as one, queue_harness(database, tmp_path, "two") as two:
        task = await one.add()
        await two.runs(task)

        await one.queue.cancel(task.id)

        await one.becomes(task, TaskState.CANCELLED, timeout_s=1)


@pytest.mark.gen_test
async def test_a_cancellation_whose_news_was_lost_is_seen_by_the_heartbeat(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path) as here:
        task = await here.add()
        await here.runs(task)

        await here.tasks.cancel(task.id)  # on record, told to nobody
        await here.queue._workers._keep_own()

        await here.becomes(task, TaskState.CANCELLED)


@pytest.mark.gen_test
async def test_two_servers_share_short_tasks_without_doing_one_twice(database: Database, tmp_path: Path) -> None:
    tasks = await queued_tasks(database, 400)

    async with (
        queue_harness(database, tmp_path, "one", instantly=True) as one,
        queue_harness(database, tmp_path, "two", instantly=True) as two,
    ):

        async def look() -> bool:
            return await one.tasks.count(TaskState.DONE) == len(tasks)

        await until(look, timeout_s=19)

    started = one.engine.started + two.engine.started
    assert sorted(started) == sorted(task.id for task in tasks)


@pytest.mark.gen_test
async def test_news_from_before_the_start_can_be_resumed_and_old_cancellations_do_nothing(
    database: Database, tmp_path: Path
) -> None:
    async with queue_harness(database, tmp_path, size=0) as before:
        task = await before.add()
        first = await until(lambda: first_event_id(before, task))
        await before.queue.cancel(task.id)
        await Events(database, "one").ensure_collection()

    async with queue_harness(database, tmp_path, size=0) as after:
        missed = after.feed.since(first)

    assert missed is not None
    assert [news.task.state for news in missed if news.task] == [TaskState.CANCELLED]
    assert after.feed.since("5" * 24) is None


async def first_event_id(here: QueueHarness, task: Task) -> str | None:
    return next((news.id for news in here.events if news.task and news.task.id == task.id), None)


@pytest.mark.gen_test
async def test_ten_thousand_waiting_tasks_are_taken_in_order_by_an_index(database: Database, tmp_path: Path) -> None:
    tasks = Tasks(database)
    await database.create_indexes({"tasks": tasks.indexes})
    documents = database.collection("tasks", journaled=False)

    plain = to_document(new_task(ADA, url="u", type="model", style="mosaic", recipe=RECIPE, dedup_key=""))
    many = [{**plain, "_id": number, "round": number, "dedup_key": str(number)} for number in range(1, 10_001)]
    await documents.insert_many(many)

    begun = asyncio.get_running_loop().time()
    async with queue_harness(database, tmp_path, size=3) as here:
        ready_s = asyncio.get_running_loop().time() - begun

        async def look() -> bool:
            return len(here.engine.started) == 3

        await until(look)
        place = await here.queue.status.position_of(
            (await tasks.list_active_and_finished(active_limit=500, finished_limit=0))[0][-1]
        )

    assert ready_s < 3
    assert sorted(here.engine.started) == [1, 2, 3]
    assert place is not None
    assert place.number == 497
