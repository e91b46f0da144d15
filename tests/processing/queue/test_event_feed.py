"""The live view."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from models.database import Database
from models.queue.events import Events
from models.queue.tasks import Task, TaskState, new_task, to_document
from processing.queue.event_feed import EventFeed, TaskEvent
from tests.processing.queue.queue_harness import ADA, RECIPE
from tests.support.waiting import until

TASK = replace(new_task(ADA, url="u", type="model", style="mosaic", recipe=RECIPE, dedup_key="i"), id=7)


def publish(events: Events, task: Task) -> None:
    events.publish("task", {"_id": task.id, **to_document(task), "server": task.server})


async def wait_for(news: list[TaskEvent], count: int) -> list[TaskEvent]:
    async def look() -> list[TaskEvent] | None:
        return news if len(news) >= count else None

    return await until(look)


@pytest.mark.gen_test
async def test_percent_never_falls_not_even_with_a_second_attempt(database: Database) -> None:
    events, news = Events(database, "one"), list[TaskEvent]()
    async with EventFeed(events) as live:
        live.subscribe(news.append)
        publish(events, replace(TASK, state=TaskState.RUNNING, attempts=1))
        for percent in (10, 60):
            events.publish("progress", {"id": TASK.id, "percent": percent})
        publish(events, TASK)
        publish(events, replace(TASK, state=TaskState.RUNNING, attempts=2))
        for percent in (10, 70):
            events.publish("progress", {"id": TASK.id, "percent": percent})
        publish(events, replace(TASK, state=TaskState.DONE))

        await wait_for(news, 8)

    assert [one.percent for one in news] == [0, 10, 60, 60, 60, 60, 70, 100]


@pytest.mark.gen_test
async def test_two_views_tell_the_same_in_the_same_order(database: Database) -> None:
    mine, yours = Events(database, "one"), Events(database, "two")
    events_of: tuple[list[TaskEvent], list[TaskEvent]] = ([], [])
    async with EventFeed(mine) as one, EventFeed(yours) as two:
        one.subscribe(events_of[0].append)
        two.subscribe(events_of[1].append)
        for number in range(50):
            publish(mine if number % 2 else yours, replace(TASK, id=number))
        await wait_for(events_of[0], 50)
        await wait_for(events_of[1], 50)

    assert [one.id for one in events_of[0]][-50:] == [two.id for two in events_of[1]][-50:]


@pytest.mark.gen_test
async def test_a_listener_that_fails_is_dropped_and_the_others_go_on(
    database: Database, expect_log: Callable[[str], None]
) -> None:
    expect_log("a listener failed")
    events, news = Events(database, "one"), list[TaskEvent]()

    def clumsy(_: TaskEvent) -> None:
        raise ZeroDivisionError

    async with EventFeed(events) as live:
        live.subscribe(clumsy)
        live.subscribe(news.append)
        publish(events, TASK)
        publish(events, TASK)
        await wait_for(news, 2)


@pytest.mark.gen_test
async def test_more_news_than_the_collection_holds_are_told_all_the_same(database: Database) -> None:
    events, news = Events(database, "one"), list[TaskEvent]()
    async with EventFeed(events) as live:
        live.subscribe(news.append)
        for number in range(4000):
            publish(events, replace(TASK, id=number))
            if number % 500 == 0:
                await asyncio.sleep(0)

        await wait_for(news, 4000)

    assert [one.task.id for one in news if one.task] == list(range(4000))
