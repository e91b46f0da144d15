"""The spare thread: while all others render for one address or one user, a task of somebody else begins at once."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from models.database import Database
from models.images.image import ANONYMOUS, Owner
from models.queue.fair_order import Place
from models.queue.newcomers import Newcomers
from models.queue.task import NewTask, Task, TaskState
from processing.queue.event_feed import TaskEvent
from tests.processing.queue.queue_harness import ADA, BOB, RECIPE, QueueHarness, queue_harness
from tests.support.commands import CommandRecorder
from tests.support.waiting import until

OFFICE, HOME, CAFE = "203.0.113.7", "2001:db8:1::/64", "198.51.100.1"
CID, GUEST = Owner(3, "cid"), Owner(4, None)
STRANGERS = [Owner(1000 + number, f"stranger-{number}") for number in range(6)]

pytestmark = pytest.mark.requirement(48)


async def occupied_by_strangers(server: QueueHarness) -> list[int]:
    """The ids of the tasks of many accounts at one address, as many of which run as there are threads."""
    tasks = [await server.add(owner, owner.username or "", address=OFFICE) for owner in STRANGERS]
    for task in tasks[: server.engine.size]:
        await server.started(task)
    return [task.id for task in tasks]


def is_about(task: Task, event: TaskEvent) -> bool:
    return event.task is not None and event.task.id == task.id


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("newcomer", [BOB, GUEST, ANONYMOUS], ids=["a user", "a guest", "anonymous"])
@pytest.mark.gen_test
async def test_a_newcomer_begins_at_once_while_one_address_has_all_threads(
    database: Database, tmp_path: Path, newcomer: Owner, size: int
) -> None:
    async with queue_harness(database, tmp_path, size=size, spare=True) as server:
        strangers = await occupied_by_strangers(server)

        task = await server.add(newcomer, "a newcomer's", address=HOME)
        await server.started(task)

        assert server.engine.started == [*strangers[:size], task.id]
        assert server.engine.started_on_spare == [task.id]
        await server.finish(task)


@pytest.mark.gen_test
async def test_a_newcomer_begins_at_once_while_one_user_with_many_addresses_has_all_threads(
    database: Database, tmp_path: Path
) -> None:
    async with queue_harness(database, tmp_path, size=2, spare=True) as server:
        for number in range(4):
            await server.add(ADA, str(number), address=f"198.51.100.{number + 1}")

        task = await server.add(BOB, "bobs", address=HOME)
        await server.started(task)

        assert server.engine.started_on_spare == [task.id]


@pytest.mark.gen_test
async def test_a_second_task_and_those_of_a_stranger_wait_for_a_thread(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=2, spare=True) as server:
        strangers = await occupied_by_strangers(server)
        first = await server.add(BOB, "first", address=HOME)
        await server.started(first)
        second = await server.add(BOB, "second", address=HOME)
        third = await server.add(BOB, "third", address=CAFE)
        cids = await server.add(CID, "cids", address=CAFE)
        for task in (second, third, cids):
            await server.received(partial(is_about, task))

        server.engine.finish(strangers[0])  # its thread is the newcomer's now
        await server.finish(first)  # and then that of the next in turn
        await until(lambda: len(server.engine.started) > 4)

        assert server.engine.started[:4] == [*strangers[:2], first.id, strangers[2]]
        assert server.engine.started[4] in (second.id, third.id, cids.id), "both threads are the stranger's again"
        assert server.engine.started_on_spare == [first.id, server.engine.started[4]]


@pytest.mark.gen_test
async def test_tasks_of_those_who_have_one_running_are_not_leased_for_the_spare_thread(
    database: Database, tmp_path: Path
) -> None:
    async with queue_harness(database, tmp_path, size=0) as server:
        leases, fair_order = server.store.leases, server.store.fair_order
        for owner, address in ((ADA, OFFICE), (BOB, OFFICE), (ADA, HOME), (BOB, CAFE), (BOB, CAFE)):
            await server.add(owner, f"{owner.username}{address}", address=address)
        first = await leases.acquire()
        assert first

        second = await leases.acquire(newcomers=Newcomers.beside([first], fair_order.current))
        assert second
        none = await leases.acquire(newcomers=Newcomers.beside([first, second], fair_order.current))

    assert (first.task.owner, first.address) == (ADA, OFFICE)
    assert (second.task.owner, second.address) == (BOB, CAFE)
    assert none is None


@pytest.mark.gen_test
async def test_what_begins_on_the_spare_thread_does_not_move_the_queue_on(database: Database, tmp_path: Path) -> None:
    """Short tasks of one newcomer, one after the other, beside long ones: everybody else keeps their places."""
    async with queue_harness(database, tmp_path, size=1, spare=True) as server:
        strangers = await occupied_by_strangers(server)
        round_before = server.store.fair_order.current
        bobs = [await server.add(BOB, str(number), address=HOME) for number in range(9)]
        for task in bobs[:2]:
            await server.finish(task)
        await server.queue.pause(True)
        await server.is_paused()
        cids = await server.add(CID, "cids", address=CAFE)

        order = await server.order()
        served = server.store.fair_order.current

    assert served == round_before
    assert set(order[:2]) == {strangers[1], cids.id}


@pytest.mark.gen_test
async def test_with_two_clients_on_the_threads_a_third_one_waits_for_a_thread(
    database: Database, tmp_path: Path
) -> None:
    async with queue_harness(database, tmp_path, size=2, spare=True) as server:
        adas = [await server.add(ADA, f"a{number}", address=OFFICE) for number in range(3)]
        await server.started(adas[1])
        server.engine.finish(adas[0].id)
        await server.started(adas[2])
        bobs = await server.add(BOB, "bobs", address=HOME)
        await server.started(bobs)
        cids = await server.add(CID, "cids", address=CAFE)
        server.engine.finish(adas[1].id)
        await server.becomes(adas[1], TaskState.DONE)
        await server.received(partial(is_about, cids))
        await server.queue.renew_now()

        server.engine.finish(bobs.id)
        await server.started(cids)

        assert server.engine.started_on_spare == [bobs.id]


@pytest.mark.gen_test
async def test_a_newcomer_whose_event_was_lost_is_found_when_leases_are_renewed(
    database: Database, tmp_path: Path
) -> None:
    async with queue_harness(database, tmp_path, size=1, spare=True) as server:
        await occupied_by_strangers(server)
        new = NewTask(BOB, url="u", type="model", style="mosaic", recipe=RECIPE, dedup_key="b", source_key="b")
        task = await server.store.tasks.add(new, place=Place(1, address=HOME))
        await server.queue.renew_now()

        await server.started(task)

        assert server.engine.started_on_spare == [task.id]


@pytest.mark.gen_test
async def test_the_tasks_of_a_person_who_is_alone_cost_no_search_for_a_newcomer(
    mongodb_uri: str, database_name: str, tmp_path: Path
) -> None:
    recorder = CommandRecorder()
    database = Database(mongodb_uri, database_name, listeners=[recorder])
    async with queue_harness(database, tmp_path, size=1, spare=True) as server:
        first = await server.add(name="first", address=OFFICE)
        await server.started(first)
        recorder.commands.clear()

        tasks = await server.add_many(5, address=OFFICE)
        server.engine.finish(first.id)
        for task in tasks:
            await server.finish(task)

        searches = [
            command
            for name, command in recorder.commands
            if name == "findAndModify" and "$nin" in command["query"].get("address", {})
        ]
    database.close()
    assert len(searches) < len(tasks), "one for those who came before, one with a renewal of the leases"
