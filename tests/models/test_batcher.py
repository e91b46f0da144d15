"""Group commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from models import errors
from models.batcher import Batcher


@pytest.mark.gen_test
async def test_what_comes_while_one_is_under_way_travels_together_in_order() -> None:
    trips: list[list[int]] = []
    first = asyncio.Event()

    async def deliver(items: list[int]) -> list[int]:
        trips.append(items)
        if len(trips) == 1:
            await first.wait()
        return [item * 10 for item in items]

    batch = Batcher(deliver)
    alone = asyncio.create_task(batch.submit(1))
    while not trips:
        await asyncio.sleep(0)
    together = [asyncio.create_task(batch.submit(item)) for item in (2, 3, 4)]
    await asyncio.sleep(0)
    first.set()

    assert await alone == 10
    assert await asyncio.gather(*together) == [20, 30, 40]
    assert trips == [[1], [2, 3, 4]]


@pytest.mark.gen_test
async def test_a_trip_that_fails_fails_for_its_travellers_alone() -> None:
    async def deliver(items: list[int]) -> list[int]:
        if 1 in items:
            raise errors.DatabaseUnavailable()
        return items

    batch = Batcher(deliver)

    with pytest.raises(errors.DatabaseUnavailable):
        await batch.submit(1)
    assert await batch.submit(2) == 2


@pytest.mark.gen_test
async def test_a_mistake_of_one_is_not_the_others() -> None:
    async def deliver(items: list[int]) -> list[float]:
        return [1 / item for item in items]

    batch = Batcher(deliver)
    ends = await asyncio.gather(*(batch.submit(item) for item in (1, 0, 2)), return_exceptions=True)

    assert (ends[0], ends[2]) == (1.0, 0.5)
    assert isinstance(ends[1], ZeroDivisionError)


@pytest.mark.gen_test
async def test_a_traveller_who_gave_up_holds_nobody_back() -> None:
    go = asyncio.Event()

    async def deliver(items: list[int]) -> list[int]:
        await go.wait()
        return items

    batch = Batcher(deliver)
    leaving, staying = asyncio.create_task(batch.submit(1)), asyncio.create_task(batch.submit(2))
    await asyncio.sleep(0)
    leaving.cancel()
    go.set()

    assert await staying == 2


@pytest.mark.gen_test
async def test_news_that_cannot_be_told_is_lost_quietly_when_the_database_is_away(
    expect_log: Callable[[str], None],
) -> None:
    expect_log("news could not be told")

    async def deliver(items: list[str]) -> list[None]:
        raise errors.DatabaseUnavailable() if items == ["away"] else ValueError(items)

    batch = Batcher(deliver)
    batch.submit_nowait("away")
    await batch.drain()
    batch.submit_nowait("a mistake of ours is logged")
    await batch.drain()


@pytest.mark.gen_test
async def test_who_waits_behind_a_call_that_was_not_answered_does_not_wait_for_a_second_one() -> None:
    began, over, calls = asyncio.Event(), asyncio.Event(), []

    async def deliver(items: list[int]) -> list[int]:
        calls.append(items)
        began.set()
        await over.wait()
        if len(calls) == 1:
            raise errors.DatabaseUnavailable()
        return items

    batch = Batcher(deliver)
    first = asyncio.create_task(batch.submit(1))
    await began.wait()
    behind = [asyncio.create_task(batch.submit(number)) for number in (2, 3)]
    await asyncio.sleep(0)
    over.set()
    ends = await asyncio.gather(first, *behind, return_exceptions=True)

    assert [type(end) for end in ends] == [errors.DatabaseUnavailable] * 3
    assert calls == [[1]]
    assert await batch.submit(4) == 4
