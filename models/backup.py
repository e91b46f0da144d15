"""A backup of database and bucket, taken while servers run, and restored into empty ones.

A folder: `database/NAME.bson` (concatenated documents, the format of mongodump and mongorestore), `bucket/KEY`,
`bucket.jsonl` with the objects, and `manifest.json`, written last. Referring documents are written before those they
refer to, so that nothing refers to a later document; if an image is deleted meanwhile, its record may remain without an
object.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import shutil
import struct
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from models.backup_manifest import (
    LISTING,
    BackupError,
    BackupSummary,
    CollectionFile,
    Manifest,
    StoredObject,
    check_backup,
    collection_path,
    digest_of,
    object_path,
    read_listing,
    write_manifest,
)
from models.bucket import Bucket
from models.database import PAGE_SIZE, Database
from models.errors import NotFound

TRANSIENT = ("events", "servers", "task_log", "features")
"""Collections that describe the present only, or that are computed again."""
ORDER = ("tasks", "rounds", "follows", "uploads", "images", "sessions", "users")
PREFIXES = ("source/", "mosaic/", "map/")
"""Thumbnails are not saved: they are rendered again on request."""
READ_TIMEOUT_S = 60.0
LENGTH = struct.Struct("<i")
LOCK = "lock"


async def write_backup(database: Database, bucket: Bucket, folder: Path, *, object_limit_bytes: int) -> BackupSummary:
    """Write a new folder, which gets its name only when it is complete. Raises BackupError, Unavailable."""
    with _partial(folder) as partial:
        try:
            return await _write(database, bucket, partial, object_limit_bytes)
        except OSError as error:
            raise BackupError(f"{partial} cannot be written: {error.strerror}") from error


async def read_backup(database: Database, bucket: Bucket, folder: Path) -> BackupSummary:
    """Restore a backup; nothing is changed if any of it is damaged.

    Raises BackupError, also if the database is not empty.
    """
    manifest, summary = await asyncio.to_thread(check_backup, folder)
    names = [name for name in await database.collection_names() if name not in TRANSIENT]
    nonempty = [name for name in names if await _has_documents(database, name)]
    if nonempty:
        raise BackupError(f"the database is not empty ({', '.join(nonempty)}); restore into an empty one")
    await asyncio.to_thread(_read_objects, bucket, folder)
    for name in manifest.collections:
        await _read_collection(database, name, collection_path(folder, name))
    return summary


@contextlib.contextmanager
def _partial(folder: Path) -> Iterator[Path]:
    """A folder beside the final one, which gets that name at the end of the block, or is deleted if it fails.

    One that a killed backup has left is emptied. Raises BackupError.
    """
    if folder.exists():
        raise BackupError(f"{folder} exists already")
    partial = folder.with_name(folder.name + ".partial")
    try:
        partial.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (partial / LOCK).open("w")
    except OSError as error:
        raise BackupError(f"{partial} cannot be created: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BackupError(f"{partial}: another backup writes to this folder") from error
        try:
            for name in ("database", "bucket"):
                shutil.rmtree(partial / name, ignore_errors=True)
            (partial / "database").mkdir()
            yield partial
            (partial / LOCK).unlink()
            partial.rename(folder)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise


async def _write(database: Database, bucket: Bucket, folder: Path, object_limit_bytes: int) -> BackupSummary:
    """Raises OSError, Unavailable."""
    manifest = Manifest()
    for name in sorted(set(await database.collection_names()) - set(TRANSIENT), key=_backup_order):
        manifest.collections[name] = await _write_collection(database, name, collection_path(folder, name))
    manifest.objects = await asyncio.to_thread(_write_objects, bucket, folder, object_limit_bytes)
    manifest.listing = await asyncio.to_thread(digest_of, folder / LISTING)
    await asyncio.to_thread(os.sync)  # the manifest promises that the rest is on the disk
    write_manifest(folder, manifest)
    return BackupSummary(sum(file.documents for file in manifest.collections.values()), manifest.objects)


def _backup_order(name: str) -> int:
    return ORDER.index(name) if name in ORDER else -1


async def _has_documents(database: Database, name: str) -> bool:
    async for _ in database.dump(name):
        return True
    return False


async def _write_collection(database: Database, name: str, path: Path) -> CollectionFile:
    count, digest = 0, hashlib.sha256()
    with path.open("wb") as file:
        async for document in database.dump(name):
            file.write(document)
            digest.update(document)
            count += 1
    return CollectionFile(documents=count, sha256=digest.hexdigest())


async def _read_collection(database: Database, name: str, path: Path) -> None:
    documents = _documents(path)
    while page := list(islice(documents, PAGE_SIZE)):
        await database.restore(name, page)


def _documents(path: Path) -> Iterator[bytes]:
    """A BSON document begins with its own length."""
    with path.open("rb") as file:
        while head := file.read(LENGTH.size):
            yield head + file.read(LENGTH.unpack(head)[0] - LENGTH.size)


def _write_objects(bucket: Bucket, folder: Path, limit_bytes: int) -> int:
    count = 0
    with (folder / LISTING).open("w") as listing:
        for stat in (stat for prefix in PREFIXES for stat in bucket.list(prefix)):
            try:
                data = bucket.read(stat.key, limit_bytes=limit_bytes, timeout_s=READ_TIMEOUT_S)
            except NotFound:  # pragma: no cover - deleted after it was listed
                continue
            path = object_path(folder, stat.key)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            stored = StoredObject(key=stat.key, mime=stat.mime, sha256=hashlib.sha256(data).hexdigest())
            listing.write(stored.model_dump_json() + "\n")
            count += 1
    return count


def _read_objects(bucket: Bucket, folder: Path) -> None:
    for stored in read_listing(folder):
        bucket.put(stored.key, object_path(folder, stored.key).read_bytes(), mime=stored.mime)
