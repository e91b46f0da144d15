"""A server with realistic data: users who follow each other, their images, and recent tasks."""

from __future__ import annotations

import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from models.accounts.follows import Follows, Member
from models.accounts.users import Users
from models.database import Database, new_id
from models.embedded_mongod import Mongod
from models.images.image import ImageKind, NewImage, Owner
from models.images.images import Images
from models.images.visibility import Visibility
from models.queue.task import NewTask, TaskState, to_document
from tests.fault_injection.load import make_client
from tests.support.accounts import add_account
from tests.support.client import ApiClient
from tests.support.process import ServerProcess

USERS, FRIENDS, IMAGES, TASKS = 200, 20, 5000, 2000
RECIPE = {"style": "hexagon", "cell": 24, "seed": 7, "format": "jpeg"}


@dataclass
class PopulatedServer:
    """api: a signed-in developer. image_id: one of the images."""

    server: ServerProcess
    mongod_pid: int
    api: ApiClient
    image_id: int

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.api.cookies.items())

    def memory_mb(self) -> dict[str, tuple[float, float]]:
        """Resident memory now and at its peak, in MB, of the server and of its database."""
        return {"server": _memory_mb(self.server.pid), "mongod": _memory_mb(self.mongod_pid)}


@asynccontextmanager
async def populated_server() -> AsyncIterator[PopulatedServer]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tessera-bench-")))
        mongod = await stack.enter_async_context(Mongod(folder / "mongod" / "db"))
        database = Database(mongod.uri, "tessera")
        stack.callback(database.close)
        arguments = (
            f"--mongodb_uri={mongod.uri}",
            "--user_queue_limit=100000",
            "--address_queue_limit=100000",
            "--sign_up_burst=100000",
            "--developers=ada",
        )
        server = stack.enter_context(ServerProcess(folder / "data", *arguments))
        client = make_client()
        stack.callback(client.close)
        await add_account(database, "ada")
        api = await ApiClient(client, server.base_url).sign_in("ada")
        image_id = await _populate(database, api)
        assert mongod.pid is not None
        yield PopulatedServer(server, mongod.pid, api, image_id)


async def _populate(database: Database, api: ApiClient) -> int:
    """Insert users, follows, images and tasks; returns one image id."""
    users, follows, images = Users(database), Follows(database), Images(database)
    rng = random.Random(7)
    people = [Member(api.user_id, "ada")]
    for number in range(USERS):
        name = f"person {number}"
        people.append(Member(await users.add(username=name, email=f"{number}@example.com", password_hash="x"), name))
    for person in people:
        for friend in rng.sample(people, FRIENDS):
            if friend != person:
                await follows.follow(person, friend)
    for friend in people[1 : FRIENDS + 1]:
        await follows.follow(people[0], friend)
        await follows.follow(friend, people[0])
    ids = [person.id for person in people]
    now = datetime.now(UTC)
    pictures = [await images.add(_make_image(number, ids, rng, api.base_url, now)) for number in range(IMAGES)]
    titles = [{"$set": {"title": {"$concat": ["Picture ", {"$toString": "$source_id"}]}}}]
    await database.collection("images").update_many({}, titles)
    await _add_tasks(database, ids, rng, api.base_url, now)
    return pictures[IMAGES // 2].id


def _make_image(number: int, ids: list[int], rng: random.Random, base: str, now: datetime) -> NewImage:
    owner = rng.randrange(len(ids))
    key = f"mosaic/{number:040x}.jpeg"
    return NewImage(
        ImageKind.RESULT,
        Owner(ids[owner], f"person {owner}"),
        key=key,
        url=f"{base}/bucket/{key}",
        filename=key[7:],
        filesize=1_234_567,
        param="hexagon",
        mime="image/jpeg",
        width=4000,
        height=3000,
        etag="FuuSt5a7HkVbYQv9y4n4RkqTk1Bd",
        placeholder="#8899aa",
        style="hexagon",
        recipe=RECIPE,
        dedup_key=f"{number:064x}",
        source_id=number + 1,
        created=now - timedelta(minutes=number),
        visibility=Visibility.PUBLIC,
    )


async def _add_tasks(database: Database, ids: list[int], rng: random.Random, base: str, now: datetime) -> None:
    tasks = database.collection("tasks", journaled=False)
    for number in range(TASKS):
        owner, moment = rng.randrange(len(ids)), now - timedelta(minutes=number)
        task = NewTask(
            Owner(ids[owner], f"person {owner}"),
            url=f"{base}/bucket/source/{number:032x}",
            type="model",
            style="hexagon",
            recipe=RECIPE,
            dedup_key=f"{number:064x}",
            source_key=f"source/{number:032x}",
            megapixels=12.0,
        ).with_id(new_id(), round_number=number)
        done = replace(task, state=TaskState.DONE, started=moment, finished=moment, seconds=0.2, percent=100)
        await tasks.insert_one({"_id": done.id, **to_document(done)})


def _memory_mb(pid: int) -> tuple[float, float]:
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    now, peak = (int(lines[name].split()[0]) / 1000 for name in ("VmRSS", "VmHWM"))
    return now, peak
