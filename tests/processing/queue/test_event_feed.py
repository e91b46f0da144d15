"""The event feed: order, progress, failing subscribers, and more events than the collection holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from models.database import Database
from models.queue.events import Events
from models.queue.task import NewTask, TaskState
from processing.queue.event_feed import TaskEvent, follow_events, publish_cancel, publish_task
from tests.processing.queue.queue_harness import ADA, RECIPE, lose_events
from tests.support.waiting import until

TASK = NewTask(ADA, url="u", type="model", style="mosaic", recipe=RECIPE, dedup_key="i").with_id(7)


async def until_percent(events: list[TaskEvent], percent: int) -> None:
    async def reached() -> bool:
        return any(event.kind == "progress" and event.percent == percent for event in events)

    await until(reached)


async def received(events: list[TaskEvent], count: int) -> None:
    async def enough() -> bool:
        return len(events) >= count

    await until(enough)


@pytest.mark.gen_test
async def test_percent_never_falls_not_even_in_a_second_attempt(database: Database) -> None:
    published, events = Events(database, "one"), list[TaskEvent]()
    async with follow_events(published) as feed:
        feed.subscribe(events.append)
        publish_task(published, replace(TASK, state=TaskState.RUNNING, attempts=1))
        for percent in (10, 60):
            published.publish("progress", {"id": TASK.id, "percent": percent})
        publish_task(published, replace(TASK, started=TASK.created))
        publish_task(published, replace(TASK, state=TaskState.RUNNING, attempts=2))
        for percent in (10, 70):
            published.publish("progress", {"id": TASK.id, "percent": percent})
        publish_task(published, replace(TASK, state=TaskState.DONE))

        await received(events, 8)

    assert [event.percent for event in events] == [0, 10, 60, 60, 60, 60, 70, 100]


@pytest.mark.gen_test
async def test_a_task_that_has_begun_is_not_queued_by_a_late_event(database: Database) -> None:
    """A worker may lease a task before the request that has added it, or queued it again, publishes that."""
    published, events = Events(database, "one"), list[TaskEvent]()
    first, second = (replace(TASK, state=TaskState.RUNNING, attempts=attempt) for attempt in (1, 2))
    failed = replace(first, state=TaskState.FAILED)
    again = replace(TASK, attempts=1)
    async with follow_events(published) as feed:
        feed.subscribe(events.append)
        for task in (first, TASK):
            publish_task(published, task)
        published.publish("progress", {"id": TASK.id, "percent": 40})
        for task in (failed, TASK, again, second, again):
            publish_task(published, task)
        published.publish("progress", {"id": TASK.id, "percent": 50})
        await until_percent(events, 50)

    states = [event.task and event.task.state for event in events]
    assert states == [first.state, first.state, failed.state, again.state, second.state, second.state]
    assert all(event.task and event.task.id == TASK.id for event in events)


@pytest.mark.gen_test
async def test_a_task_that_was_given_back_and_cancelled_is_queued_again(database: Database) -> None:
    """An attempt that was given back does not count."""
    published, events = Events(database, "one"), list[TaskEvent]()
    cancelled = replace(TASK, state=TaskState.CANCELLED, started=TASK.created)
    tasks = [replace(TASK, state=TaskState.RUNNING, attempts=1), replace(TASK, started=TASK.created), cancelled, TASK]
    async with follow_events(published) as feed:
        feed.subscribe(events.append)
        for task in tasks:
            publish_task(published, task)
        published.publish("progress", {"id": TASK.id, "percent": 50})
        await until_percent(events, 50)

    assert [event.task and event.task.state for event in events[:-1]] == [task.state for task in tasks]


@pytest.mark.gen_test
async def test_that_tasks_have_begun_is_remembered_of_a_bounded_number(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processing.queue.event_feed.MAX_EVENTS", 2)
    published, events = Events(database, "one"), list[TaskEvent]()
    async with follow_events(published) as feed:
        feed.subscribe(events.append)
        for task_id in (1, 2, 3):
            publish_task(published, replace(TASK, id=task_id, state=TaskState.RUNNING, attempts=1))
        for task_id in (3, 2, 1):  # late; the begin of the first one is forgotten
            publish_task(published, replace(TASK, id=task_id))
        await received(events, 4)

    running, queued = TaskState.RUNNING, TaskState.QUEUED
    states = [(event.task.id, event.task.state) for event in events if event.task]
    assert states == [(1, running), (2, running), (3, running), (1, queued)]


@pytest.mark.gen_test
async def test_a_wish_to_cancel_that_comes_after_the_end_does_not_make_a_task_run(database: Database) -> None:
    published, events = Events(database, "one"), list[TaskEvent]()
    running = replace(TASK, state=TaskState.RUNNING, attempts=1)
    async with follow_events(published) as feed:
        feed.subscribe(events.append)
        publish_task(published, running)
        publish_task(published, replace(running, state=TaskState.DONE))
        publish_cancel(published, running)
        published.publish("progress", {"id": TASK.id, "percent": 50})
        await until_percent(events, 50)

    assert [event.kind for event in events] == ["task", "task", "cancel", "progress"]
    assert events[-1].task is None


@pytest.mark.gen_test
async def test_two_servers_receive_the_same_events_in_the_same_order(database: Database) -> None:
    one, two = Events(database, "one"), Events(database, "two")
    events_of_one, events_of_two = list[TaskEvent](), list[TaskEvent]()
    async with follow_events(one) as feed_of_one, follow_events(two) as feed_of_two:
        feed_of_one.subscribe(events_of_one.append)
        feed_of_two.subscribe(events_of_two.append)
        for number in range(50):
            publish_task(one if number % 2 else two, replace(TASK, id=number))
        await received(events_of_one, 50)
        await received(events_of_two, 50)

    assert [event.id for event in events_of_one][-50:] == [event.id for event in events_of_two][-50:]


@pytest.mark.gen_test
async def test_a_subscriber_that_fails_is_removed_and_the_others_go_on(
    database: Database, expect_log: Callable[[str], None]
) -> None:
    expect_log("a subscriber failed")
    published, events = Events(database, "one"), list[TaskEvent]()

    def fail(_: TaskEvent) -> None:
        raise ZeroDivisionError

    async with follow_events(published) as feed:
        feed.subscribe(fail)
        feed.subscribe(events.append)
        publish_task(published, TASK)
        publish_task(published, TASK)
        await received(events, 2)


@pytest.mark.gen_test
async def test_more_events_than_the_collection_holds_are_all_received(database: Database) -> None:
    published, events = Events(database, "one"), list[TaskEvent]()
    async with follow_events(published) as feed:
        feed.subscribe(events.append)
        for number in range(4000):
            publish_task(published, replace(TASK, id=number))
            if number % 500 == 499:
                await received(events, number + 1)  # a feed that falls behind by a whole collection is reset

    assert [event.task.id for event in events if event.task] == list(range(4000))


@pytest.mark.gen_test
async def test_a_feed_whose_last_event_is_gone_says_that_some_were_missed(
    database: Database, mongodb_uri: str, database_name: str, expect_log: Callable[[str], None]
) -> None:
    expect_log("events: the database does not answer; following again")
    published, events = Events(database, "one"), list[TaskEvent]()
    async with follow_events(published) as feed:
        feed.subscribe(events.append)
        publish_task(published, TASK)
        await received(events, 1)
        lost = feed.last_id

        lose_events(mongodb_uri, database_name)
        await published.ensure_collection()
        publish_task(published, TASK)
        await until(lambda: [event for event in events[1:] if event.task])

    assert [event.kind for event in events] == ["task", "reset", "start", "task"]
    assert feed.since(lost) is None, "a page that resumes there has missed some"
    assert feed.since(events[2].id) == events[3:]
