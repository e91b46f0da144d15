"""The database and the bucket that the settings name: what `server.py` and `admin.py` both open."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from models import errors
from models.bucket import Bucket
from models.bucket.embedded.bucket import LocalBucket
from models.bucket.keys import Keys, installation_keys
from models.database import Database
from models.embedded_mongod import Mongod, running_uri
from settings import Settings

log = logging.getLogger(__name__)

DATABASE_PATIENCE_S = 60.0
DATABASE_PAUSE_S = 0.5


class CannotStart(Exception):
    """Something that the operator can mend; the text is one line."""


class FolderInUse(CannotStart):
    """Another server holds the data folder."""


@asynccontextmanager
async def open_database(
    settings: Settings, *, patience_s: float = DATABASE_PATIENCE_S, on_failure: Callable[[], None] = lambda: None
) -> AsyncIterator[Database]:
    """The server that is named, or an embedded one, which starts and stops with us. Raises CannotStart, MongodFailed.

    patience_s: how long a database that does not answer yet is waited for. on_failure: see Database.
    """
    async with AsyncExitStack() as stack:
        uri = settings.mongodb_uri
        if not uri:
            uri = (await stack.enter_async_context(Mongod(settings.data_dir / "db"))).uri
        database = Database(uri, settings.database, on_failure=on_failure)
        stack.callback(database.close)
        await _answering(database, patience_s)
        yield database


@asynccontextmanager
async def join_database(settings: Settings) -> AsyncIterator[Database]:
    """The same for a visitor: where a server holds the data folder, its embedded database is joined as it runs."""
    async with AsyncExitStack() as stack:
        if not settings.mongodb_uri:
            try:
                stack.enter_context(only_one(settings.data_dir))
            except FolderInUse:
                database = Database(_running_uri(settings.data_dir), settings.database)
                stack.callback(database.close)
                await _answering(database, 0)
                yield database
                return
        yield await stack.enter_async_context(open_database(settings, patience_s=0))


def open_bucket(settings: Settings, public_url: str) -> Bucket:
    """Kodo where there are keys for it, else the embedded bucket."""
    callback_url = f"{public_url}/api/image/upload"
    if not settings.qiniu_access_key:
        return LocalBucket(
            settings.data_dir / "bucket",
            installation_keys(settings.data_dir / "bucket-keys.json"),
            public_url=public_url,
            callback_url=callback_url,
            size_limit_bytes=settings.max_upload_bytes,
        )
    from models.bucket.kodo import PUBLIC_UC_URL, KodoAddresses, KodoBucket  # the SDK takes its time to import

    return KodoBucket(
        Keys(settings.qiniu_access_key, settings.qiniu_secret_key),
        settings.qiniu_bucket,
        domain=settings.qiniu_domain,
        callback_url=callback_url,
        private=settings.qiniu_private,
        addresses=KodoAddresses(
            settings.qiniu_up_url, settings.qiniu_rs_url, settings.qiniu_rsf_url, settings.qiniu_uc_url or PUBLIC_UC_URL
        ),
    )


def public_url_of(settings: Settings, port: int) -> str:
    """How browsers reach a server that listens on this port, without a final slash."""
    host = settings.address
    if host in ("", "0.0.0.0", "::"):
        host = "127.0.0.1"
    return settings.public_url.rstrip("/") or f"http://{f'[{host}]' if ':' in host else host}:{port}"


def kept_secret(path: Path) -> str:
    """A random text, made once and readable by us alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
    return path.read_text()


@contextlib.contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold the data folder. Raises FolderInUse."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(data_dir / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise FolderInUse(f"data_dir: {data_dir} is in use by another server; choose another folder") from error
        yield


def _running_uri(data_dir: Path) -> str:
    """Raises CannotStart."""
    uri = running_uri(data_dir / "db")
    if uri is None:
        raise CannotStart(f"data_dir: a server holds {data_dir} and its database cannot be joined; stop it first")
    return uri


async def _answering(database: Database, patience_s: float) -> None:
    """Wait for a database that is still starting. Raises CannotStart when patience is over."""
    deadline = asyncio.get_running_loop().time() + patience_s
    while True:
        try:
            return await database.ping()
        except errors.DatabaseUnavailable as error:
            if asyncio.get_running_loop().time() > deadline:
                text = "database: it does not answer; see that it runs and that mongodb_uri names it"
                raise CannotStart(text) from error
        log.warning("database: it does not answer yet; trying again")
        await asyncio.sleep(DATABASE_PAUSE_S)
