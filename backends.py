"""Opens the database, the bucket and the engine that the settings name, for `server.py` and `admin.py`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from data_dir import DataDirLocked, StartupError, embedded_mongod, lock_data_dir
from models import errors
from models.bucket import Bucket
from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.keys import Keys, load_or_create_keys
from models.database import Database, InvalidUri
from models.driver_errors import is_access_denied
from models.embedded_mongod import Mongod, running_uri
from processing.engine import Engine
from processing.engine.threads import ThreadEngine
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
    on_failure: Callable[[], None] = lambda: None,
) -> AsyncIterator[Database]:
    """Connect to the server that mongodb_uri names, or run an embedded one until the context ends.

    mongod: the embedded one, if it is already starting. timeout_s: how long to wait for a database that does not answer
    yet. on_failure: see Database.
    Raises StartupError, MongodError.
    """
    async with AsyncExitStack() as stack:
        uri = settings.mongodb_uri
        if not uri:
            uri = (await stack.enter_async_context(mongod or embedded_mongod(settings.data_dir))).uri
        database = _connect(uri, settings.database, on_failure)
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


def open_bucket(settings: Settings, public_url: str) -> Bucket:
    """The Kodo bucket if its keys are set, otherwise the embedded bucket."""
    callback_url = f"{public_url}/api/image/upload"
    if not settings.qiniu_access_key:
        return EmbeddedBucket(
            settings.data_dir / "bucket",
            load_or_create_keys(settings.data_dir / "bucket-keys.json"),
            public_url=public_url,
            callback_url=callback_url,
            size_limit_bytes=settings.max_upload_bytes,
            follow_host=not settings.public_url,
        )
    from models.bucket.kodo import PUBLIC_UC_URL, KodoBucket, KodoEndpoints  # the SDK is slow to import

    return KodoBucket(
        Keys(settings.qiniu_access_key, settings.qiniu_secret_key),
        settings.qiniu_bucket,
        domain=settings.qiniu_domain,
        callback_url=callback_url,
        private=settings.qiniu_private,
        endpoints=KodoEndpoints(
            settings.qiniu_up_url, settings.qiniu_rs_url, settings.qiniu_rsf_url, settings.qiniu_uc_url or PUBLIC_UC_URL
        ),
    )


def public_url_of(settings: Settings, port: int) -> str:
    """The address at which browsers reach a server on this port, without a trailing slash."""
    host = settings.address
    if host in ("", "0.0.0.0", "::"):
        host = "127.0.0.1"
    return settings.public_url.rstrip("/") or f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _running_uri(data_dir: Path) -> str:
    """Raises StartupError."""
    uri = running_uri(data_dir / "db")
    if uri is None:
        raise StartupError(f"data_dir: {data_dir} is in use and its database cannot be reached; stop that server first")
    return uri


def _connect(uri: str, name: str, on_failure: Callable[[], None] = lambda: None) -> Database:
    """Raises StartupError."""
    try:
        return Database(uri, name, on_failure=on_failure)
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


@asynccontextmanager
async def open_engine(settings: Settings) -> AsyncIterator[Engine]:
    """The threads of this process, or a Dask cluster. Raises StartupError."""
    if settings.dask:
        try:
            from processing.engine.dask import connect_cluster
        except ModuleNotFoundError as error:
            text = f"dask: {error.name} is not installed; pip install --require-hashes -r requirements/cluster.txt"
            raise StartupError(text) from error

        async with connect_cluster(settings.dask) as cluster:
            yield cluster
    else:
        threads = ThreadEngine(settings.workers)
        try:
            yield threads
        finally:
            await threads.close()
