"""Coalesced look-ups: each caller gets the result of its own query, as fresh as if it had been alone."""

from __future__ import annotations

import asyncio

import pytest

from models import errors
from models.accounts.sessions import Sessions
from models.accounts.users import Users
from models.database import Database
from models.images.gallery import Gallery
from models.images.image import ImageKind, NewImage, Owner
from models.images.images import Images
from models.images.visibility import SERVER, Visibility
from models.queue.fair_order import Place
from models.queue.task import NewTask, TaskState
from models.queue.tasks import TaskFilter, TaskPage, Tasks

ADA = Owner(1, "ada")


def _image(number: int) -> NewImage:
    return NewImage(
        ImageKind.RESULT,
        ADA,
        key=f"k/{number}",
        url=f"http://x/{number}",
        filename="a",
        filesize=1,
        param="",
        visibility=Visibility.PUBLIC,
    )


async def _user(users: Users, name: str) -> int:
    return await users.add(username=name, email=f"{name}@b.cn", password_hash="x")


@pytest.mark.gen_test
async def test_simultaneous_look_ups_of_sessions_return_each_its_own(database: Database) -> None:
    sessions = Sessions(database)
    tokens = [await sessions.open(number, f"user {number}") for number in range(20)]
    await sessions.close(tokens[3])

    results = await asyncio.gather(*(sessions.find(token) for token in [*tokens, *tokens, "none"]))

    ids = [session.user_id if session else None for session in results]
    assert ids == 2 * [None if number == 3 else number for number in range(20)] + [None]


@pytest.mark.gen_test
async def test_a_session_closed_during_a_look_up_is_invalid_for_later_ones(database: Database) -> None:
    sessions = Sessions(database)
    token, other = await sessions.open(1, "ada"), await sessions.open(2, "bea")
    looking = [asyncio.create_task(sessions.find(token)) for _ in range(5)]
    await asyncio.sleep(0)

    await sessions.close(token)
    closed, open_session = await asyncio.gather(sessions.find(token), sessions.find(other))

    assert (closed is None, open_session is not None) == (True, True)
    await asyncio.gather(*looking)


@pytest.mark.gen_test
async def test_simultaneous_look_ups_of_images_and_users_fail_for_missing_ones_only(database: Database) -> None:
    images, users = Images(database), Users(database)
    ids = [(await images.add(_image(number))).id for number in range(5)]
    user_ids = [await _user(users, name) for name in ("Ada", "bea")]
    await users.mark_deleting(user_ids[1])

    looked_up = await asyncio.gather(*(images.by_id(number, SERVER) for number in [*ids, 1]), return_exceptions=True)
    named = await asyncio.gather(*(users.by_name(name) for name in ("ADA", "bea", "cy")), return_exceptions=True)

    assert [getattr(image, "id", type(image)) for image in looked_up] == [*ids, errors.NotFound]
    assert [getattr(user, "id", type(user)) for user in named] == [user_ids[0], errors.NotFound, errors.NotFound]


@pytest.mark.gen_test
async def test_the_first_page_shows_an_image_added_before_the_request(database: Database) -> None:
    images, gallery = Images(database), Gallery(database)
    await images.add(_image(1))
    looking = [asyncio.create_task(gallery.public(limit=30)) for _ in range(5)]
    await asyncio.sleep(0)

    added = await images.add(_image(2))
    short, long = await asyncio.gather(gallery.public(limit=1), gallery.public(limit=30))

    assert [image.id for image in short.images] == [added.id]
    assert (len(long.images), short.cursor is not None, long.cursor) == (2, True, None)
    assert {len((await looked).images) for looked in looking} <= {1, 2}


@pytest.mark.gen_test
async def test_simultaneous_lists_of_tasks_keep_their_limits_and_filters(database: Database) -> None:
    tasks, ids = Tasks(database), dict[TaskState, list[int]]()
    for state in (TaskState.QUEUED, TaskState.DONE):
        new = [NewTask(ADA, url="u", type="model", style="mosaic", recipe={}, dedup_key=str(n)) for n in range(3)]
        ids[state] = [(await tasks.add(each, place=Place(0))).id for each in new]
    finished = {"$set": {"state": "done"}, "$currentDate": {"finished": True}}
    await database.collection("tasks").update_many({"_id": {"$in": ids[TaskState.DONE]}}, finished)

    hexagons, failed = TaskFilter((), "hexagon"), TaskFilter((TaskState.FAILED,))
    both, one, none, impossible = await asyncio.gather(
        tasks.list_active_and_finished(active_limit=9, finished_limit=9),
        tasks.list_active_and_finished(active_limit=1, finished_limit=0),
        tasks.list_active_and_finished(active_limit=9, finished_limit=9, task_filter=hexagons),
        tasks.list_active_and_finished(active_limit=9, finished_limit=0, task_filter=failed),
    )

    assert [task.id for task in both.active] == sorted(ids[TaskState.QUEUED])
    assert sorted(task.id for task in both.finished) == sorted(ids[TaskState.DONE])
    assert (len(one.active), len(one.finished)) == (1, 0)
    assert none == impossible == TaskPage()
