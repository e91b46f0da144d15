"""Turns by address and by user: what one address does, with however many accounts, delays others by one task."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from models import errors
from models.database import Database
from models.images.image import ANONYMOUS, Owner
from models.queue.lease import Lease
from models.queue.leases import Leases
from processing.queue.task_queue import QueueLimits
from tests.processing.queue.queue_harness import ADA, BOB, queue_harness

OFFICE, HOME = "203.0.113.7", "2001:db8:1::/64"


def accounts(count: int) -> list[Owner]:
    return [Owner(1000 + number, f"account-{number}") for number in range(count)]


@pytest.mark.requirement(48)
@pytest.mark.gen_test
async def test_fifty_accounts_of_one_address_delay_another_address_by_one_task(
    database: Database, tmp_path: Path
) -> None:
    async with queue_harness(database, tmp_path, size=0) as server:
        for owner in accounts(50):
            await server.add_many(3, owner, address=OFFICE)
        bobs = await server.add(BOB, "bobs", address=HOME)
        anonymous = await server.add(ANONYMOUS, "x", address="198.51.100.1")

        order = await server.order()

    assert len(order) == 152
    assert {order.index(bobs.id), order.index(anonymous.id)} <= {0, 1, 2}


@pytest.mark.requirement(48)
@pytest.mark.gen_test
async def test_users_behind_one_router_take_turns(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=0) as server:
        adas = [task.id for task in await server.add_many(30, ADA, address=OFFICE)]
        bobs = [task.id for task in await server.add_many(3, BOB, address=OFFICE)]
        cids = [(await server.add(Owner(3, "cid"), "cids", address=OFFICE)).id]
        homes = [task.id for task in await server.add_many(30, Owner(4, "dora"), address=HOME)]

        order = await server.order()
        places = [task for task in order if task not in homes]

    assert [task for task in order if task in adas] == adas, "everybody's tasks stay in their order"
    assert [places.index(task) for task in (bobs[0], cids[0])] == [1, 2]
    assert [places.index(task) for task in bobs] == [1, 4, 6]
    for count in range(2, len(order), 2):
        served = len(set(order[:count]) & set(homes))
        assert abs(served - count / 2) <= 1 or count > 60, "the office and the home are served alternately"


@pytest.mark.requirement(48)
@pytest.mark.gen_test
async def test_one_user_with_many_addresses_has_one_task_in_each_round(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=0) as server:
        for number in range(20):
            await server.add(ADA, f"a{number}", address=f"198.51.100.{number}")
        bobs = await server.add(BOB, "bobs", address=HOME)

        assert (await server.order()).index(bobs.id) <= 1


@pytest.mark.requirement(48)
@pytest.mark.gen_test
async def test_places_are_kept_for_those_who_have_nothing_in_the_queue(database: Database, tmp_path: Path) -> None:
    async with queue_harness(database, tmp_path, size=0, limits=QueueLimits(20, 10, 100)) as server:
        for owner in accounts(18):
            await server.add(owner, str(owner.id), address=OFFICE)

        with pytest.raises(errors.QueueFull):
            await server.add(Owner(2000, "one more"), "b", address=OFFICE)
        with pytest.raises(errors.QueueFull):
            await server.add(accounts(1)[0], "c", address=HOME)
        await server.add(BOB, "bobs", address=HOME)
        await server.add(ANONYMOUS, "anonymous", address="198.51.100.1")
        with pytest.raises(errors.QueueFull):
            await server.add(Owner(3, "cid"), "d", address="198.51.100.2")


@pytest.mark.requirement(48)
@pytest.mark.gen_test
async def test_the_tasks_of_an_address_are_limited_and_its_record_ends_with_the_task(
    database: Database, tmp_path: Path
) -> None:
    tasks = database.collection("tasks")
    async with queue_harness(database, tmp_path, size=1, limits=QueueLimits(100, 10, 3)) as server:
        running = await server.add(ADA, "a", address=OFFICE)
        await server.started(running)
        await server.add(BOB, "b", address=OFFICE)
        cancelled = await server.add(ANONYMOUS, "c", address=OFFICE)

        with pytest.raises(errors.TooManyTasksOfAddress) as refused:
            await server.add(Owner(3, "cid"), "d", address=OFFICE)
        await server.add(Owner(3, "cid"), "d", address=HOME)
        await server.queue.cancel(cancelled.id)
        await server.finish(running)
        documents = await tasks.find({"_id": {"$in": [running.id, cancelled.id]}}, sort="_id", limit=2)
        again = await server.queue.retry(cancelled.id, address=OFFICE)
        active = await tasks.find_one({"_id": again.id})

    assert refused.value.details["limit"] == 3
    assert not any("address" in document for document in documents)
    assert active is not None
    assert active["address"] == OFFICE


@pytest.mark.requirement(48)
@pytest.mark.gen_test
async def test_tasks_that_are_tried_again_do_not_overtake_others(database: Database, tmp_path: Path) -> None:
    """Many tasks of one user with slow sources, whose pauses end at the same moment."""
    async with queue_harness(database, tmp_path, size=0) as server:
        leases, fair_order = server.store.leases, server.store.fair_order

        async def serve_one() -> Lease:
            lease = await leases.acquire()
            assert lease
            fair_order.mark_served(lease.task.round)
            return lease

        adas = [task.id for task in await server.add_many(8, ADA, address=OFFICE)]
        for task_id in adas:
            lease = await serve_one()
            assert lease.task.id == task_id
            await leases.postpone(lease, 0.0, await fair_order.reassign(task_id, ADA))
        assert await leases.acquire() is None, "a postponed task is not leased"
        for number in range(12):  # meanwhile others are served
            bobs = await server.add(BOB, f"b{number}", address=HOME)
            assert (await serve_one()).task.id == bobs.id
        await leases.wake_due(fair_order)
        cids = await server.add(Owner(3, "cid"), "cids", address="198.51.100.1")

        order = await server.order()
        again = await serve_one()

    assert set(order) == {*adas, cids.id}
    assert order.index(cids.id) <= 1
    assert [task_id for task_id in order if task_id in adas] == adas
    assert (again.task.retries, again.task.attempts) in ((1, 2), (0, 1))


@pytest.mark.requirement(48)
@pytest.mark.gen_test
async def test_random_additions_leave_each_address_one_task_in_each_round(database: Database, tmp_path: Path) -> None:
    chance = random.Random(7)
    async with queue_harness(database, tmp_path, size=0) as server:
        leases = Leases(database, "one")
        for number in range(150):
            owner, address = Owner(chance.randint(1, 6), "x"), chance.choice((OFFICE, HOME, "198.51.100.1"))
            await server.add(owner, str(number), address=address)
            if chance.random() < 0.3:
                lease = await leases.acquire()
                assert lease
                server.store.fair_order.mark_served(lease.task.round)
        queued = await database.collection("tasks").find({"state": "queued"}, sort="round _id", limit=200)

    places = [(task["address"], task["round"]) for task in queued]
    assert len(queued) > 90
    assert len(set(places)) == len(places)
