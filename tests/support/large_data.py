"""Many users, edges, pictures and finished tasks, written in bulk: for measurements, and for plans of queries.

Numbers, owners and times follow from each document's number, so that two runs write the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from models import errors
from models.accounts.emails import email_key
from models.accounts.usernames import username_key
from models.database import MAX_ID, Collection, Database, Document
from models.images.image import ImageKind, NewImage, Owner
from models.images.image import to_document as image_document
from models.images.visibility import Visibility
from models.queue.task import NewTask, TaskState
from models.queue.task import to_document as task_document

BATCH = 2_000
RECIPE = {"style": "hexagon", "cell": 24, "seed": 7, "format": "jpeg"}
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
FIRST_USER = 1_000
MULTIPLIER = 6364136223846793005
"""Odd, so that multiples of it modulo a power of two are all different."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much of everything. The first user is followed by everybody: these edges are among `edges`."""

    people: int = 100_000
    edges: int = 5_000_000
    pictures: int = 1_000_000
    tasks: int = 1_000_000

    def times(self, share: float) -> Amounts:
        return Amounts(*(int(number * share) for number in (self.people, self.edges, self.pictures, self.tasks)))


async def fill(database: Database, amounts: Amounts, report: Callable[[str], None] | None = None) -> None:
    """Insert everything into empty collections. report: called with each one that is full."""
    for name, documents in (
        ("users", users(amounts.people)),
        ("follows", edges(amounts)),
        ("images", pictures(amounts)),
        ("tasks", finished_tasks(amounts)),
    ):
        collection = database.collection(name, journaled=False)
        while batch := list(islice(documents, BATCH)):
            await _insert(collection, batch)
        if report is not None:
            report(name)


async def _insert(collection: Collection, documents: list[Document]) -> None:
    """Insert what is not there yet, again after a call that took too long: its documents may be stored or not."""
    while True:
        try:
            await collection.insert_each(documents)
        except errors.DatabaseUnavailable:
            continue
        return


def user_id(number: int) -> int:
    return FIRST_USER + number


def username(number: int) -> str:
    return f"person {number}"


def users(people: int) -> Iterator[Document]:
    for number in range(people):
        email = f"{number}@example.com"
        yield {
            "_id": user_id(number),
            "username": username(number),
            "username_key": username_key(username(number)),
            "email": email,
            "email_key": email_key(email),
            "password_hash": "none",
            "created": BEGIN,
        }


def edges(amounts: Amounts) -> Iterator[Document]:
    """Everybody follows the first user, and those whose number is a given number of steps further."""
    for number in range(amounts.edges):
        step, follower = divmod(number, amounts.people)
        followed = 0 if step == 0 else (follower + step) % amounts.people
        if follower != followed and (step == 0 or followed != 0):
            yield {
                "from_id": user_id(follower),
                "to_id": user_id(followed),
                "from_name": username(follower),
                "to_name": username(followed),
                "created": BEGIN,
            }


def picture_id(number: int) -> int:
    """Spread over all ids, as random ones are."""
    return (number + 1) * MULTIPLIER % (MAX_ID + 1)


def owner_of(number: int, amounts: Amounts) -> Owner:
    owner = number * 7919 % amounts.people
    return Owner(user_id(owner), username(owner))


def pictures(amounts: Amounts) -> Iterator[Document]:
    """Nine of ten are public results; the others are sources that nobody else sees."""
    for number in range(amounts.pictures):
        source = number % 10 == 0
        key = f"{'source' if source else 'mosaic'}/{number:032x}"
        new = NewImage(
            ImageKind.SOURCE if source else ImageKind.RESULT,
            owner_of(number, amounts),
            key=key,
            url=f"http://x/bucket/{key}",
            filename=f"{number}.jpeg",
            filesize=1_234_567,
            param="" if source else "hexagon",
            mime="image/jpeg",
            width=4000,
            height=3000,
            etag="FuuSt5a7HkVbYQv9y4n4RkqTk1Bd",
            placeholder="#8899aa",
            style="" if source else "hexagon",
            recipe={} if source else RECIPE,
            dedup_key=None if source else f"{number:064x}",
            source_id=None if source else picture_id(number - number % 10),
            created=BEGIN + timedelta(seconds=number),
            visibility=Visibility.PRIVATE if source else Visibility.PUBLIC,
            batch=f"batch {number // 50}" if number % 50 > 40 else None,
        )
        yield image_document(new.with_id(picture_id(number)))


def finished_tasks(amounts: Amounts) -> Iterator[Document]:
    states = (TaskState.DONE,) * 18 + (TaskState.FAILED, TaskState.CANCELLED)
    for number in range(amounts.tasks):
        moment = BEGIN + timedelta(seconds=number)
        new = NewTask(
            owner_of(number, amounts),
            url=f"http://x/bucket/source/{number:032x}",
            type="model",
            style="hexagon",
            recipe=RECIPE,
            dedup_key=f"{number:064x}",
            source_key=f"source/{number:032x}",
            source_id=picture_id(number - number % 10),
            megapixels=12.0,
            created=moment,
        )
        state = states[number % len(states)]
        task = replace(
            new.with_id(picture_id(number), round_number=number),
            state=state,
            attempts=1,
            started=moment,
            finished=moment,
            seconds=0.2,
            percent=100,
            error="job" if state is TaskState.FAILED else None,
            result_id=picture_id(number),
            result_key=f"mosaic/{number:032x}",
        )
        yield {"_id": task.id, **task_document(task)}
