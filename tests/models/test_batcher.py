"""Request coalescing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import pytest

from databases import open_database
from models import errors
from models.accounts.sessions import Sessions
from models.batcher import Batcher
from settings import Settings


@pytest.mark.gen_test
async def test_items_submitted_during_a_call_are_sent_together_in_order() -> None:
    calls: list[list[int]] = []
    first = asyncio.Event()

    async def deliver(items: list[int]) -> list[int]:
        calls.append(items)
        if len(calls) == 1:
            await first.wait()
        return [item * 10 for item in items]

    batcher = Batcher(deliver)
    alone = asyncio.create_task(batcher.submit(1))
    while not calls:
        await asyncio.sleep(0)
    together = [asyncio.create_task(batcher.submit(item)) for item in (2, 3, 4)]
    await asyncio.sleep(0)
    first.set()

    assert await alone == 10
    assert await asyncio.gather(*together) == [20, 30, 40]
    assert calls == [[1], [2, 3, 4]]


@pytest.mark.gen_test
async def test_a_failed_call_fails_for_its_own_items_only() -> None:
    async def deliver(items: list[int]) -> list[int]:
        if 1 in items:
            raise errors.DatabaseUnavailable()
        return items

    batcher = Batcher(deliver)

    with pytest.raises(errors.DatabaseUnavailable):
        await batcher.submit(1)
    assert await batcher.submit(2) == 2


@pytest.mark.gen_test
async def test_an_item_that_fails_does_not_fail_the_others() -> None:
    async def deliver(items: list[int]) -> list[float]:
        return [1 / item for item in items]

    batcher = Batcher(deliver)
    ends = await asyncio.gather(*(batcher.submit(item) for item in (1, 0, 2)), return_exceptions=True)

    assert (ends[0], ends[2]) == (1.0, 0.5)
    assert isinstance(ends[1], ZeroDivisionError)


@pytest.mark.gen_test
async def test_a_cancelled_caller_does_not_block_the_others() -> None:
    go = asyncio.Event()

    async def deliver(items: list[int]) -> list[int]:
        await go.wait()
        return items

    batcher = Batcher(deliver)
    cancelled, waiting = asyncio.create_task(batcher.submit(1)), asyncio.create_task(batcher.submit(2))
    await asyncio.sleep(0)
    cancelled.cancel()
    go.set()

    assert await waiting == 2


@pytest.mark.gen_test
async def test_an_outage_drops_items_silently_and_other_errors_are_logged(
    expect_log: Callable[[str], None],
) -> None:
    expect_log("batcher: an item was dropped")

    async def deliver(items: list[str]) -> list[None]:
        raise errors.DatabaseUnavailable() if items == ["away"] else ValueError(items)

    batcher = Batcher(deliver)
    batcher.submit_nowait("away")
    await batcher.drain()
    batcher.submit_nowait("a bug")
    await batcher.drain()


@pytest.mark.gen_test
async def test_items_behind_a_call_that_timed_out_fail_with_it() -> None:
    started, go, calls = asyncio.Event(), asyncio.Event(), []

    async def deliver(items: list[int]) -> list[int]:
        calls.append(items)
        started.set()
        await go.wait()
        if len(calls) == 1:
            raise errors.DatabaseUnavailable()
        return items

    batcher = Batcher(deliver)
    first = asyncio.create_task(batcher.submit(1))
    await started.wait()
    behind = [asyncio.create_task(batcher.submit(number)) for number in (2, 3)]
    await asyncio.sleep(0)
    go.set()
    ends = await asyncio.gather(first, *behind, return_exceptions=True)

    assert [type(end) for end in ends] == [errors.DatabaseUnavailable] * 3
    assert calls == [[1]]
    assert await batcher.submit(4) == 4


@pytest.mark.gen_test
async def test_items_for_which_nobody_waits_come_together_and_leave_with_the_first_that_is_awaited() -> None:
    calls: list[list[int]] = []

    async def deliver(items: list[int]) -> list[int]:
        calls.append(items)
        return items

    batcher = Batcher(deliver, linger_s=3600)
    batcher.submit_nowait(1)
    batcher.submit_nowait(2)
    assert await batcher.submit(3) == 3
    batcher.submit_nowait(4)
    batcher.submit_nowait(5)
    await batcher.drain()

    assert calls == [[1, 2, 3], [4, 5]]


@pytest.mark.gen_test
async def test_items_for_which_nobody_waits_are_sent_after_a_while() -> None:
    delivered: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()

    async def deliver(items: list[int]) -> list[int]:
        delivered.set_result(items)
        return items

    batcher = Batcher(deliver, linger_s=0.001)
    batcher.submit_nowait(1)
    batcher.submit_nowait(2)

    assert await delivered == [1, 2]


@pytest.mark.gen_test
async def test_items_that_come_during_a_call_wait_for_the_next_one_unless_they_may_not() -> None:
    calls: list[list[int]] = []
    started, go = asyncio.Event(), asyncio.Event()

    async def deliver(items: list[int]) -> list[int]:
        calls.append(items)
        started.set()
        await go.wait()
        return items

    batcher = Batcher(deliver, linger_s=0.001, spacing_s=3600)
    batcher.submit_nowait(1)
    await started.wait()
    batcher.submit_nowait(2)
    go.set()
    while deliveries():
        await asyncio.sleep(0)
    batcher.submit_nowait(3)
    assert calls == [[1]], "the next call is an hour away"

    batcher.submit_nowait(4, at_once=True)
    while deliveries():
        await asyncio.sleep(0)

    assert calls == [[1], [2, 3, 4]]


@pytest.mark.gen_test
async def test_a_prompt_item_takes_along_those_that_are_held_back_and_may_come_during_a_call() -> None:
    calls: list[list[int]] = []
    called, go_on = asyncio.Event(), asyncio.Event()

    async def deliver(items: list[int]) -> list[None]:
        calls.append(items)
        called.set()
        await go_on.wait()
        return [None] * len(items)

    batcher = Batcher(deliver, linger_s=0.001, spacing_s=3600)
    batcher.submit_nowait(1)
    await called.wait()
    called.clear()
    batcher.submit_nowait(2)
    batcher.submit_nowait(3, prompt=True)
    go_on.set()
    await called.wait()
    called.clear()
    await asyncio.sleep(0)
    batcher.submit_nowait(4)
    batcher.submit_nowait(5, prompt=True)

    await called.wait()
    assert calls == [[1], [2, 3], [4, 5]]


@pytest.mark.gen_test
async def test_the_first_patient_item_is_sent_at_once_and_the_next_ones_share_a_call_a_while_later() -> None:
    calls: list[list[int]] = []

    async def deliver(items: list[int]) -> list[int]:
        calls.append(items)
        return items

    batcher = Batcher(deliver, spacing_s=3600)
    await batcher.submit(1, patient=True)
    patient = [asyncio.create_task(batcher.submit(number, patient=True)) for number in (2, 3)]
    for _ in range(10):
        await asyncio.sleep(0)
    calls_meanwhile = list(calls)
    await batcher.submit(4)

    assert await asyncio.gather(*patient) == [2, 3]
    assert (calls_meanwhile, calls) == ([[1]], [[1], [2, 3, 4]])


@pytest.mark.gen_test
async def test_a_database_closes_after_calls_for_which_nobody_waits_any_more(settings: Settings) -> None:
    """Such as the rest of a request whose client has gone."""
    async with open_database(settings) as database:
        reading = asyncio.create_task(Sessions(database).find("a token"))
        while not deliveries():
            await asyncio.sleep(0)
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading

    assert deliveries() == []


def deliveries() -> list[str]:
    """The calls of batchers that are under way."""
    return [repr(task) for task in asyncio.all_tasks() if "_deliver_all" in repr(task)]
