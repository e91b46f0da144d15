"""A server with a town's worth of data: people who follow each other, their pictures, and what was made lately."""

from __future__ import annotations

import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from models.database import Database
from models.embedded_mongod import Mongod
from models.follows import Follows
from models.images import Image, Images, Kind, Owner, new_image
from models.queue.tasks import Tasks, TaskState, new_task
from models.users import Users
from tests.fault_injection.load import client_of
from tests.support.client import Api
from tests.support.process import ServerProcess

PEOPLE, FRIENDS, PICTURES, TASKS = 200, 20, 5000, 2000
RECIPE = {"style": "hexagon", "cell": 24, "seed": 7, "format": "jpeg"}


@dataclass
class Town:
    """api: somebody who is signed in, a developer. picture: one of the pictures' ids."""

    server: ServerProcess
    mongod_pid: int
    api: Api
    picture: int

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.api.cookies.items())

    def memory(self) -> dict[str, tuple[float, float]]:
        """Resident now and at its highest, in MB: of the server and of its database."""
        return {"server": _memory(self.server.pid), "mongod": _memory(self.mongod_pid)}


@asynccontextmanager
async def town() -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tessera-bench-")))
        mongod = await stack.enter_async_context(Mongod(folder / "mongod" / "db"))
        database = Database(mongod.uri, "tessera")
        stack.callback(database.close)
        given = (f"--mongodb_uri={mongod.uri}", "--user_queue_limit=100000", "--developers=ada")
        server = stack.enter_context(ServerProcess(folder / "data", *given))
        client = client_of()
        stack.callback(client.close)
        api = await Api(client, server.base_url).sign_up("ada")
        picture = await _settle(database, api)
        assert mongod.pid is not None
        yield Town(server, mongod.pid, api, picture)


async def _settle(database: Database, api: Api) -> int:
    """Everybody and everything; returns one picture's id."""
    users, follows, images = Users(database), Follows(database), Images(database)
    chance = random.Random(7)
    ids = [api.user_id]
    for number in range(PEOPLE):
        ids.append(await users.add(username=f"person {number}", email=f"{number}@example.com", password_hash="x"))
    for person in ids:
        for friend in chance.sample(ids, FRIENDS):
            await follows.follow(person, friend)
    for friend in ids[1 : FRIENDS + 1]:
        await follows.follow(api.user_id, friend)
        await follows.follow(friend, api.user_id)
    now = datetime.now(UTC)
    pictures = [await images.add(_picture(number, ids, chance, api.base_url, now)) for number in range(PICTURES)]
    await _work(database, ids, chance, api.base_url, now)
    return pictures[PICTURES // 2].id


def _picture(number: int, ids: list[int], chance: random.Random, base: str, now: datetime) -> Image:
    person = chance.randrange(len(ids))
    key = f"mosaic/{number:040x}.jpeg"
    made = new_image(
        Kind.RESULT,
        Owner(ids[person], f"person {person}"),
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
        identity=f"{number:064x}",
        source_id=number + 1,
        title=f"Picture {number}",
    )
    return replace(made, created=now - timedelta(minutes=number))


async def _work(database: Database, ids: list[int], chance: random.Random, base: str, now: datetime) -> None:
    tasks = Tasks(database)
    for number in range(TASKS):
        person, moment = chance.randrange(len(ids)), now - timedelta(minutes=number)
        task = new_task(
            Owner(ids[person], f"person {person}"),
            url=f"{base}/bucket/source/{number:032x}",
            type="model",
            style="hexagon",
            recipe=RECIPE,
            identity=f"{number:064x}",
            source_key=f"source/{number:032x}",
            megapixels=12.0,
        )
        over = {"state": TaskState.DONE, "started": moment, "finished": moment, "seconds": 0.2, "percent": 100}
        await tasks.add(replace(task, **over), turn=number)


def _memory(pid: int) -> tuple[float, float]:
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    now, highest = (int(lines[name].split()[0]) / 1000 for name in ("VmRSS", "VmHWM"))
    return now, highest
