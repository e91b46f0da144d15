"""Slots in turn: one client delays another by what is running, and two cannot shut out a third."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from models import errors
from processing.fair_slots import FairSlots
from processing.images.preview_slots import PreviewSlots
from tests.support.waiting import until

LIMITS = {"per_client": 2, "waiting_limit": 8, "client_limit": 6}


class Work:
    """Requests that occupy their slots until the test ends them."""

    def __init__(self, slots: FairSlots) -> None:
        self.slots, self.running, self.refused = slots, list[str](), list[str]()
        self._gates: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def add(self, *names: str) -> None:
        """Requests; the first character of a name is its client."""
        for name in names:
            self._gates[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._run(name))
            await settle()

    async def end(self, name: str) -> None:
        self._gates[name].set()
        await settle()

    async def cancel(self, name: str) -> None:
        self.tasks[name].cancel()
        await settle()

    async def _run(self, name: str) -> None:
        try:
            async with self.slots.slot(name[0]):
                self.running.append(name)
                try:
                    await self._gates[name].wait()
                finally:
                    self.running.remove(name)
        except errors.TooManyRequests:
            self.refused.append(name)

    async def close(self) -> None:
        for task in self.tasks.values():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.requirement(49)
@pytest.mark.gen_test
async def test_clients_get_slots_in_turn_and_never_more_than_their_share() -> None:
    work = Work(FairSlots(3, **LIMITS))

    await work.add("a1", "a2", "a3", "a4", "b1", "b2", "c1")
    assert work.running == ["a1", "a2", "b1"], "one address leaves a slot to others"
    await work.end("a1")

    assert work.running == ["a2", "b1", "c1"], "a newcomer waits for one end at most"
    await work.end("a2")
    assert work.running == ["b1", "c1", "a3"]
    await work.close()
    assert work.slots.count == 0


@pytest.mark.requirement(49)
@pytest.mark.gen_test
async def test_two_clients_with_many_requests_shut_out_no_third() -> None:
    work = Work(FairSlots(3, **LIMITS))
    await work.add(*(f"a{number}" for number in range(4)), *(f"b{number}" for number in range(4)))

    await work.add("c1", "c2", "d1")

    assert len(work.refused) == 3
    assert {name[0] for name in work.refused} == {"a", "b"}
    assert work.slots.count == 8
    await work.add(*(f"a{number}" for number in range(4, 12)))
    assert {name[0] for name in work.refused[3:]} == {"a"}, "who has most is refused"
    await work.close()


@pytest.mark.gen_test
async def test_requests_that_are_given_up_free_their_places() -> None:
    work = Work(FairSlots(1, **LIMITS))
    await work.add("a1", "a2", "b1")

    await work.cancel("a2")
    work.tasks["a1"].cancel()
    work.tasks["b1"].cancel()  # it may have got the slot of a1 already
    await settle()

    assert work.slots.count == 0
    await work.add("c1")
    assert work.running == ["c1"]
    await work.close()


@pytest.mark.gen_test
async def test_a_slot_that_comes_at_the_moment_when_its_request_is_given_up_is_free() -> None:
    slots = FairSlots(1, **LIMITS)

    async def wait() -> None:
        async with slots.slot("b"):
            pass

    async with slots.slot("a"):
        waiting = asyncio.create_task(wait())
        await settle()
    waiting.cancel()  # it has the slot, and does not know yet
    with suppress(asyncio.CancelledError):
        await waiting

    assert waiting.cancelled()
    assert slots.count == 0


@pytest.mark.requirement(49)
@pytest.mark.gen_test
async def test_when_it_is_crowded_each_client_has_one_slot() -> None:
    work = Work(FairSlots(5, crowded_at=2, **LIMITS))
    await work.add("a1", "a2", "a3", "b1", "b2")

    alone = list(work.running)
    await work.end("a1")
    crowded = list(work.running)
    await work.add("c1")
    with_another = list(work.running)
    for name in ("a2", "b1", "c1", "a3", "b2"):
        await work.end(name)

    assert (alone, crowded, with_another) == (["a1", "a2", "b1"], ["a2", "b1"], ["a2", "b1", "c1"])


@pytest.mark.requirement(49)
@pytest.mark.gen_test
async def test_those_with_more_waiting_leave_a_core_to_who_asks_for_one_thing() -> None:
    work = Work(FairSlots(5, crowded_at=2, kept_free=1, **LIMITS))
    await work.add("a1", "a2", "a3", "a4", "b1", "b2", "b3")
    first = list(work.running)
    for name in ("a1", "a2"):
        await work.end(name)
    crowded = list(work.running)
    await work.add("c1")
    with_another = list(work.running)
    await work.end("b1")
    next_turn = list(work.running)

    await work.close()

    assert first == ["a1", "a2", "b1"], "nobody else had asked yet, and b asked for one thing"
    assert crowded == ["b1"]
    assert with_another == ["b1", "c1"]
    assert next_turn == ["c1", "a3"], "who asks for one thing does not keep the others out"


@pytest.mark.requirement(49)
@pytest.mark.gen_test
async def test_whole_pictures_are_few_and_one_of_each_client() -> None:
    slots, gate, entered = PreviewSlots(), asyncio.Event(), list[str]()

    async def hold(client: str) -> None:
        async with slots.whole(client):
            entered.append(client)
            await gate.wait()

    holding = [asyncio.create_task(hold(client)) for client in ("a", "a", "b", "c")]
    await until(lambda: len(entered) == 2)
    async with slots.slot("d"):
        pass  # a small one does not wait for them
    gate.set()
    await asyncio.gather(*holding)

    assert entered[:2] == ["a", "b"]
    assert sorted(entered) == ["a", "a", "b", "c"]
