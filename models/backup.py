"""A backup of database and bucket, taken while servers run, and restored into empty ones.

A folder: `database/NAME.bson` (concatenated documents, the format of mongodump and mongorestore), `bucket/KEY`, and
`bucket.jsonl` with key, media type and etag of each object. Referring documents are written before those they refer to,
so that nothing refers to a later document; if an image is deleted meanwhile, its record may remain without an object.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from models.bucket import Bucket
from models.database import PAGE_SIZE, Database
from models.errors import NotFound

TRANSIENT = ("events", "servers")
"""Collections that describe the present only."""
ORDER = ("tasks", "rounds", "follows", "uploads", "images", "sessions", "users")
PREFIXES = ("source/", "mosaic/", "map/")
"""Thumbnails are not saved: they are rendered again on request."""
READ_TIMEOUT_S = 60.0
LENGTH = struct.Struct("<i")


class BackupError(Exception):
    """The folder has no complete backup, or cannot be written; the text is one line."""


@dataclass(frozen=True, slots=True)
class BackupSummary:
    """How many documents and objects a backup has."""

    documents: int
    objects: int


async def write_backup(database: Database, bucket: Bucket, folder: Path, *, object_limit_bytes: int) -> BackupSummary:
    """Write a new folder, which gets its name only when it is complete. Raises BackupError, Unavailable."""
    partial = _create_partial(folder)
    documents = 0
    for name in sorted(set(await database.collection_names()) - set(TRANSIENT), key=_backup_order):
        documents += await _write_collection(database, name, partial / "database" / f"{name}.bson")
    objects = await asyncio.to_thread(_write_objects, bucket, partial, object_limit_bytes)
    partial.rename(folder)
    return BackupSummary(documents, objects)


async def read_backup(database: Database, bucket: Bucket, folder: Path) -> BackupSummary:
    """Restore a backup. Raises BackupError if the database is not empty or a stored object differs."""
    if not (folder / "bucket.jsonl").is_file():
        raise BackupError(f"{folder} has no complete backup")
    names = [name for name in await database.collection_names() if name not in TRANSIENT]
    nonempty = [name for name in names if await _has_documents(database, name)]
    if nonempty:
        raise BackupError(f"the database is not empty ({', '.join(nonempty)}); restore into an empty one")
    objects = await asyncio.to_thread(_read_objects, bucket, folder)
    documents = 0
    for path in sorted((folder / "database").glob("*.bson")):
        documents += await _read_collection(database, path)
    return BackupSummary(documents, objects)


def _create_partial(folder: Path) -> Path:
    """A new folder beside the final one, for the owner of the process alone. Raises BackupError."""
    if folder.exists():
        raise BackupError(f"{folder} exists already")
    partial = folder.with_name(folder.name + ".partial")
    try:
        partial.mkdir(mode=0o700, parents=True)
        (partial / "database").mkdir()
    except OSError as error:  # pragma: no cover - a full or read-only disk
        raise BackupError(f"{partial} cannot be created: {error.strerror}") from error
    return partial


def _backup_order(name: str) -> int:
    return ORDER.index(name) if name in ORDER else -1


async def _has_documents(database: Database, name: str) -> bool:
    async for _ in database.dump(name):
        return True
    return False


async def _write_collection(database: Database, name: str, path: Path) -> int:
    count = 0
    with path.open("wb") as file:
        async for document in database.dump(name):
            file.write(document)
            count += 1
    return count


async def _read_collection(database: Database, path: Path) -> int:
    documents, count = _documents(path), 0
    while page := list(islice(documents, PAGE_SIZE)):
        await database.restore(path.stem, page)
        count += len(page)
    return count


def _documents(path: Path) -> Iterator[bytes]:
    """A BSON document begins with its own length."""
    with path.open("rb") as file:
        while head := file.read(LENGTH.size):
            yield head + file.read(LENGTH.unpack(head)[0] - LENGTH.size)


def _write_objects(bucket: Bucket, folder: Path, limit_bytes: int) -> int:
    count = 0
    with (folder / "bucket.jsonl").open("w") as listing:
        for stat in (stat for prefix in PREFIXES for stat in bucket.list(prefix)):
            try:
                data = bucket.read(stat.key, limit_bytes=limit_bytes, timeout_s=READ_TIMEOUT_S)
            except NotFound:  # pragma: no cover - deleted after it was listed
                continue  # deleted since it was listed
            path = _object_path(folder, stat.key)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            listing.write(json.dumps({"key": stat.key, "mime": stat.mime, "etag": stat.etag}) + "\n")
            count += 1
    return count


def _read_objects(bucket: Bucket, folder: Path) -> int:
    lines = (folder / "bucket.jsonl").read_text().splitlines()
    for entry in map(json.loads, lines):
        stored = bucket.put(entry["key"], _object_path(folder, entry["key"]).read_bytes(), mime=entry["mime"])
        if stored.etag != entry["etag"]:
            raise BackupError(f"{entry['key']} differs from what was backed up")
    return len(lines)


def _object_path(folder: Path, key: str) -> Path:
    """Raises BackupError for a key that leads out of the folder."""
    path = (folder / "bucket" / key).resolve()
    if not path.is_relative_to((folder / "bucket").resolve()):
        raise BackupError(f"{key!r} is not a valid key")
    return path
