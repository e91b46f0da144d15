"""Look-ups that travel together: everybody hears the answer to their own question, as fresh as if alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from models import errors
from models.database import Database
from models.follows import Follows
from models.images import Image, ImageKind, Images, Owner, new_image
from models.queue.tasks import TaskFilter, Tasks, TaskState, new_task
from models.sessions import Sessions
from models.users import Users

ADA = Owner(1, "ada")


def _picture(number: int) -> Image:
    return new_image(
        ImageKind.RESULT, ADA, key=f"k/{number}", url=f"http://x/{number}", filename="a", filesize=1, param=""
    )


async def _person(users: Users, name: str) -> int:
    return await users.add(username=name, email="a@b", password_hash="x")


@pytest.mark.gen_test
async def test_of_many_sessions_asked_for_at_once_each_is_its_own(database: Database) -> None:
    sessions = Sessions(database)
    tokens = [await sessions.open(number, f"person {number}") for number in range(20)]
    await sessions.close(tokens[3])

    found = await asyncio.gather(*(sessions.find(token) for token in [*tokens, *tokens, "none"]))

    ids = [session.user_id if session else None for session in found]
    assert ids == 2 * [None if number == 3 else number for number in range(20)] + [None]


@pytest.mark.gen_test
async def test_a_session_that_was_closed_while_others_look_is_dead_to_whoever_asks_then(database: Database) -> None:
    sessions = Sessions(database)
    token, other = await sessions.open(1, "ada"), await sessions.open(2, "bea")
    looking = [asyncio.create_task(sessions.find(token)) for _ in range(5)]
    await asyncio.sleep(0)

    await sessions.close(token)
    dead, alive = await asyncio.gather(sessions.find(token), sessions.find(other))

    assert (dead is None, alive is not None) == (True, True)
    await asyncio.gather(*looking)


@pytest.mark.gen_test
async def test_of_many_pictures_and_people_asked_for_at_once_only_the_missing_are_missed(database: Database) -> None:
    images, users = Images(database), Users(database)
    ids = [(await images.add(_picture(number))).id for number in range(5)]
    people = [await _person(users, name) for name in ("Ada", "bea")]
    await users.mark_deleting(people[1])

    pictures = await asyncio.gather(*(images.by_id(number) for number in [*ids, 1]), return_exceptions=True)
    found = await asyncio.gather(*(users.by_name(name) for name in ("ADA", "bea", "cy")), return_exceptions=True)

    assert [getattr(picture, "id", type(picture)) for picture in pictures] == [*ids, errors.NotFound]
    assert [getattr(user, "id", type(user)) for user in found] == [people[0], errors.NotFound, errors.NotFound]


@pytest.mark.gen_test
async def test_the_front_page_that_is_asked_for_after_a_picture_came_shows_it(database: Database) -> None:
    images = Images(database)
    await images.add(_picture(1))
    looking = [asyncio.create_task(images.latest(limit=30)) for _ in range(5)]
    await asyncio.sleep(0)

    added = await images.add(_picture(2))
    short, long = await asyncio.gather(images.latest(limit=1), images.latest(limit=30))

    assert [image.id for image in short.images] == [added.id]
    assert (len(long.images), short.cursor is not None, long.cursor) == (2, True, None)
    assert {len((await looked).images) for looked in looking} <= {1, 2}


@pytest.mark.gen_test
async def test_lists_of_tasks_asked_for_at_once_keep_their_lengths_and_choices(database: Database) -> None:
    tasks, known = Tasks(database), dict[str, list[int]]()
    for state in (TaskState.QUEUED, TaskState.DONE):
        made = [new_task(ADA, url="u", type="model", style="mosaic", recipe={}, dedup_key=str(n)) for n in range(3)]
        ended = [replace(task, state=state, finished=task.created) for task in made]
        known[state] = [(await tasks.add(task, round_number=0)).id for task in ended]

    hexagons = tasks.list_active_and_finished(active_limit=9, finished_limit=9, task_filter=TaskFilter((), "hexagon"))
    (live, done), one, none = await asyncio.gather(
        tasks.list_active_and_finished(active_limit=9, finished_limit=9),
        tasks.list_active_and_finished(active_limit=1, finished_limit=0),
        hexagons,
    )

    assert [task.id for task in live] == sorted(known["queued"])
    assert sorted(task.id for task in done) == sorted(known["done"])
    assert [len(found) for found in one] == [1, 0]
    assert none == ([], [])


@pytest.mark.gen_test
async def test_those_around_a_person_are_named_in_the_order_of_their_edges_without_who_is_leaving(
    database: Database,
) -> None:
    users, follows = Users(database), Follows(database)
    ada, bea, cy, dan = [await _person(users, name) for name in ("ada", "bea", "cy", "dan")]
    for start, end in ((ada, dan), (bea, ada), (ada, bea), (cy, ada), (ada, cy), (bea, cy)):
        await follows.follow(start, end)
    await users.mark_deleting(cy)

    assert await follows.followed_and_followers(ada) == (["dan", "bea"], ["bea"])
    assert await follows.followed_and_followers(dan) == ([], ["ada"])
    assert await follows.followed_and_followers(12345) == ([], [])
