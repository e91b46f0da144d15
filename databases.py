"""Opens the database that the settings name, for `server.py` and `admin.py`. Imported while the embedded one starts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

from data_dir import DataDirLocked, StartupError, embedded_mongod, load_server_id, lock_data_dir
from models import errors
from models.database import Database, InvalidUri
from models.driver_errors import is_access_denied
from models.embedded_mongod import Mongod, running_uri
from models.images.quotas import Quota
from models.store import Store
from settings import Settings

log = logging.getLogger(__name__)

DATABASE_TIMEOUT_S = 60.0
DATABASE_RETRY_S = 0.5


@asynccontextmanager
async def open_database(
    settings: Settings,
    *,
    mongod: Mongod | None = None,
    timeout_s: float = DATABASE_TIMEOUT_S,
) -> AsyncIterator[Database]:
    """Connect to the server that mongodb_uri names, or run an embedded one until the context ends.

    mongod: the embedded one, if it is already starting. timeout_s: how long to wait for a database that does not answer
    yet.
    Raises StartupError, MongodError.
    """
    async with AsyncExitStack() as stack:
        uri = settings.mongodb_uri
        if not uri:
            uri = (await stack.enter_async_context(mongod or embedded_mongod(settings.data_dir))).uri
        database = _connect(uri, settings.database)
        stack.callback(database.close)
        stack.push_async_callback(database.batchers.drain)
        await _wait_until_ready(database, settings.database, timeout_s)
        yield database


@asynccontextmanager
async def open_or_join_database(settings: Settings) -> AsyncIterator[Database]:
    """Like open_database; if a server already runs on the data folder, connect to its embedded database instead."""
    async with AsyncExitStack() as stack:
        if not settings.mongodb_uri:
            try:
                stack.enter_context(lock_data_dir(settings.data_dir))
            except DataDirLocked:
                database = _connect(_running_uri(settings.data_dir), settings.database)
                stack.callback(database.close)
                stack.push_async_callback(database.batchers.drain)
                await _wait_until_ready(database, settings.database, 0)
                yield database
                return
        yield await stack.enter_async_context(open_database(settings, timeout_s=0))


@asynccontextmanager
async def open_store(
    settings: Settings, *, mongod: Mongod | None = None, timeout_s: float = DATABASE_TIMEOUT_S
) -> AsyncIterator[Store]:
    """The collections of the database, with their indexes and in their present form; see open_database.

    Raises StartupError, MongodError, DatabaseUnavailable.
    """
    async with open_database(settings, mongod=mongod, timeout_s=timeout_s) as database:
        yield await store_of(database, settings).prepare()


def store_of(database: Database, settings: Settings) -> Store:
    """The collections of an open database, with the limits of the settings."""
    quota = Quota(settings.quota_pictures, settings.quota_mb * 1_000_000)
    grace = timedelta(days=settings.withdrawal_days)
    server_id = load_server_id(settings.data_dir, settings.server_name)
    return Store.of(database, server_id, quota=quota, withdrawal_grace=grace)


def _running_uri(data_dir: Path) -> str:
    """Raises StartupError."""
    uri = running_uri(data_dir / "db")
    if uri is None:
        raise StartupError(f"data_dir: {data_dir} is in use and its database cannot be reached; stop that server first")
    return uri


def _connect(uri: str, name: str) -> Database:
    """Raises StartupError."""
    try:
        return Database(uri, name)
    except InvalidUri as error:
        text = (
            f"mongodb_uri: {error}; write mongodb://USER:PASSWORD@HOST:PORT/, with %40 for @, %3A for : and %2F for /"
        )
        raise StartupError(text) from error


async def _wait_until_ready(database: Database, name: str, timeout_s: float) -> None:
    """Wait for a database that is still starting. Raises StartupError after timeout_s."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while True:
        try:
            await database.ping()
            await database.collection_names()  # unlike a ping, it needs permission
        except errors.DatabaseUnavailable as error:
            if is_access_denied(error):
                text = (
                    "mongodb_uri: authentication failed; it needs the name, the password and the authSource of a user"
                    f" who may read and write the database {name}"
                )
                raise StartupError(text) from error
            if asyncio.get_running_loop().time() > deadline:
                text = "database: no answer; check that it runs and that mongodb_uri names it"
                raise StartupError(text) from error
        else:
            return
        log.warning("database: no answer yet; retrying")
        await asyncio.sleep(DATABASE_RETRY_S)
