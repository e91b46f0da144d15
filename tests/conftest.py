"""Shared fixtures: one mongod per run, an empty database and folder for each test, the application on a free port.

A log line at WARNING or above fails the test, unless the test announces it with `expect_log`.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import secrets
import sys
from collections.abc import Callable, Coroutine, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from functools import cache, partial
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from pymongo import MongoClient

from app import build, make_app
from databases import store_of
from handlers.pages.static_files import StaticFiles
from handlers.services import Services
from models.accounts.passwords import Passwords
from models.database import Database
from models.embedded_mongod import Mongod
from models.store import Store
from processing.fetch.allowlist import FetchPolicy
from processing.process_setup import freeze_gc, use_one_blas_thread
from processing.shared_heap import share_heap
from settings import Settings
from tests.support.accounts import LIGHT_HASHES, add_account
from tests.support.client import ApiClient

COOKIE_SECRET = "a secret for tests alone"
ACCOUNTS = {"users", "retired_names", "sessions", "follows"}
COLLECTIONS = ACCOUNTS | {"images", "features", "uploads", "tasks", "rounds", "events", "servers", "task_log"}
"""A database with others is dropped after a test, and the next one has to create all indexes again."""

# The files that take longest run first, so that parallel runs end at about the same time.
LONGEST = (
    "fault_injection/",
    "processing/engine/test_dask",
    "test_commands",
    "test_server",
    "test_operations",
    "security/test_logged_secrets",
    "browser/",
    "processing/mosaic/test_s",
    "firefox/",
    "security/",
    "test_",
)


# The same examples in each run: a test fails because of a change, not by chance. `--hypothesis-profile=default` takes
# others.
hypothesis.settings.register_profile("same", derandomize=True)
hypothesis.settings.load_profile("same")


def pytest_configure() -> None:
    """Before threads exist: memory is measured, and styles run, with the settings of a server."""
    share_heap()
    use_one_blas_thread()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays until the end: to look for garbage in it took a seventh of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        freeze_gc()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    @cache
    def rank(path: Path) -> int:
        name = path.relative_to(Path(__file__).parent).as_posix()
        return next((place for place, first in enumerate(LONGEST) if name.startswith(first)), len(LONGEST))

    items.sort(key=lambda item: rank(item.path))


class LogWatch(logging.Handler):
    """Collects log lines at WARNING and above."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self.expected: list[re.Pattern[str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.name}: {self.format(record)}")

    def unexpected(self) -> list[str]:
        return [line for line in self.lines if not any(pattern.search(line) for pattern in self.expected)]


@pytest.fixture(autouse=True)
def log_watch() -> Iterator[LogWatch]:
    watch = LogWatch()
    logging.getLogger().addHandler(watch)
    yield watch
    logging.getLogger().removeHandler(watch)
    assert not watch.unexpected(), "unexpected log lines:\n" + "\n".join(watch.unexpected())


@pytest.fixture
def expect_log(log_watch: LogWatch) -> Callable[[str], None]:
    """Announce log lines, by a regular expression for `LEVEL logger: message`."""
    return lambda pattern: log_watch.expected.append(re.compile(pattern))


class MongodThread:
    """One mongod for the whole run, on an event loop and a thread of its own.

    Each test has another loop, and that of Playwright runs on the main thread as long as browser tests do.
    """

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = ThreadPoolExecutor(1)
        self._empty: list[str] = []
        self._prepared: set[str] = set()
        self.mongod = Mongod(folder / "db")
        self._run(self.mongod.__aenter__())
        self._client: MongoClient[dict[str, Any]] = MongoClient(self.mongod.uri)

    def take_name(self) -> str:
        """The name of an empty database, which may have the indexes of an earlier test: to create them takes 0.2 s."""
        return self._empty.pop() if self._empty else f"test_{secrets.token_hex(6)}"

    async def prepare(self, store: Store, name: str) -> None:
        """Create the indexes of a store, unless an earlier test of the same database has: they stay."""
        if name not in self._prepared:
            await store.prepare()
            self._prepared.add(name)

    def give_back(self, name: str) -> None:
        """Empty a database for another test."""
        database = self._client[name]
        names = database.list_collection_names()
        if set(names) - COLLECTIONS:
            self._client.drop_database(name)
        else:
            for each in names:
                database[each].delete_many({})
            self._empty.append(name)

    def stop(self) -> None:
        self._client.close()
        self._run(self.mongod.__aexit__(None, None, None))
        self._thread.shutdown()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, object]) -> None:
        self._thread.submit(self._loop.run_until_complete, work).result()


@pytest.fixture(scope="session")
def shared_mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongodThread]:
    running = MongodThread(tmp_path_factory.mktemp("mongod"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def mongodb_uri(shared_mongod: MongodThread) -> str:
    return shared_mongod.mongod.uri


@pytest.fixture
def database_name(shared_mongod: MongodThread) -> Iterator[str]:
    """Of an empty database."""
    name = shared_mongod.take_name()
    yield name
    shared_mongod.give_back(name)


@pytest.fixture
def on_shared_mongod(mongodb_uri: str, database_name: str) -> tuple[str, ...]:
    """Options for a server process that needs no mongod of its own, which takes a second to start."""
    return f"--mongodb_uri={mongodb_uri}", f"--database={database_name}"


@pytest.fixture
def database(io_loop: Any, mongodb_uri: str, database_name: str) -> Iterator[Database]:
    """An empty database."""

    async def make() -> Database:
        return Database(mongodb_uri, database_name)

    opened = io_loop.run_sync(make)
    yield opened
    io_loop.run_sync(opened.batchers.drain)
    opened.close()


@pytest.fixture
def settings_of(tmp_path: Path, mongodb_uri: str, database_name: str) -> Callable[..., Settings]:
    """Makes settings for a server of this test; keywords override the defaults."""

    def make(**chosen: Any) -> Settings:
        usual = {
            "port": 0,
            "data_dir": tmp_path / "data",
            "mongodb_uri": mongodb_uri,
            "database": database_name,
            "workers": 2,
        }
        return Settings(**{**usual, **chosen})

    return make


@pytest.fixture
def settings(settings_of: Callable[..., Settings]) -> Settings:
    """Override this in a test module to change the settings of the server."""
    return settings_of()


@pytest.fixture
def fetch_policy() -> FetchPolicy | None:
    """Override this in a test module to change the resolver or the deadlines."""
    return None


@pytest.fixture(scope="session")
def static_files() -> StaticFiles:
    """Read and joined once a run."""
    return StaticFiles()


@pytest.fixture
def services(
    io_loop: Any,
    settings: Settings,
    base_url: str,
    database: Database,
    database_name: str,
    shared_mongod: MongodThread,
    fetch_policy: FetchPolicy | None,
    static_files: StaticFiles,
) -> Iterator[Services]:
    """The services of a server, as `app.py` builds them."""
    stack = AsyncExitStack()
    public_url = settings.public_url or base_url.replace("localhost", "127.0.0.1")

    async def read() -> StaticFiles:
        return static_files

    async def start() -> Services:
        store = store_of(database, settings)
        await shared_mongod.prepare(store, database_name)
        building = build(
            settings,
            public_url,
            store=store,
            static_files=read(),
            fetch_policy=fetch_policy,
            passwords=Passwords(LIGHT_HASHES),
        )
        return await stack.enter_async_context(building)

    yield io_loop.run_sync(start, timeout=120)
    io_loop.run_sync(stack.aclose, timeout=120)


@pytest.fixture
def accounts_of_developers(io_loop: Any, services: Services, settings: Settings) -> None:
    """The accounts that the setting `developers` names, which the operator adds; tests sign in to them."""
    for name in settings.developers:
        io_loop.run_sync(partial(add_account, services.database, name))


@pytest.fixture
def app(services: Services) -> Any:
    return make_app(services, cookie_secret=COOKIE_SECRET)


@pytest.fixture
def api(http_client: Any, base_url: str) -> ApiClient:
    """A client with its own cookies; `api.new_client()` is another one."""
    return ApiClient(http_client, base_url.replace("localhost", "127.0.0.1"))


@pytest.fixture(scope="session", autouse=True)
def repository_on_path() -> None:
    """Commands are run from the root of the repository, as in the README."""
    assert Path(__file__).resolve().parent.parent.as_posix() in sys.path
