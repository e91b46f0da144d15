"""A backup of database and bucket, taken while servers run, and put back into empty ones.

A folder: `database/NAME.bson` (documents one after the other, as mongodump writes them and mongorestore reads them),
`bucket/KEY`, and `bucket.jsonl`, which says of each object its key, media type and etag. What refers to something is
written before what it refers to, so that nothing in it points to what came later; what is deleted meanwhile may leave a
record whose picture is missing.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from models.bucket import Bucket, Stat
from models.database import PAGE, Database
from models.errors import NotFound

PASSING = ("events", "servers")
"""What is about the moment only."""
ORDER = ("tasks", "turns", "follows", "uploads", "images", "sessions", "users")
PREFIXES = ("source/", "mosaic/", "map/")
"""Thumbnails are made again when somebody looks."""
READ_TIMEOUT_S = 60.0
LENGTH = struct.Struct("<i")


class NoBackup(Exception):
    """The folder holds no whole backup, or there is no room for one; the text is one line."""


@dataclass(frozen=True, slots=True)
class Contents:
    """How much a backup holds."""

    documents: int
    objects: int


async def write_backup(database: Database, bucket: Bucket, folder: Path, *, object_limit_bytes: int) -> Contents:
    """Write a new folder, which has its name only when it is whole. Raises NoBackup, Unavailable."""
    growing = _begin(folder)
    documents = 0
    for name in sorted(set(await database.names()) - set(PASSING), key=_place):
        documents += await _write_collection(database, name, growing / "database" / f"{name}.bson")
    objects = await asyncio.to_thread(_write_objects, bucket, growing, object_limit_bytes)
    growing.rename(folder)
    return Contents(documents, objects)


async def read_backup(database: Database, bucket: Bucket, folder: Path) -> Contents:
    """Put a backup back. Raises NoBackup for a database that holds something, or an object that came out otherwise."""
    _check(folder)
    filled = [name for name in await database.names() if name not in PASSING and await _holds(database, name)]
    if filled:
        raise NoBackup(f"the database is not empty ({', '.join(filled)}); a backup is put back into an empty one")
    objects = await asyncio.to_thread(_read_objects, bucket, folder)
    documents = 0
    for path in sorted((folder / "database").glob("*.bson")):
        documents += await _read_collection(database, path)
    return Contents(documents, objects)


def _begin(folder: Path) -> Path:
    """A new folder beside the one that is wanted, for us alone. Raises NoBackup."""
    if folder.exists():
        raise NoBackup(f"{folder} is there already")
    growing = folder.with_name(folder.name + ".partial")
    try:
        growing.mkdir(mode=0o700, parents=True)
        (growing / "database").mkdir()
    except OSError as error:
        raise NoBackup(f"{growing} cannot be made: {error.strerror}") from error
    return growing


def _check(folder: Path) -> None:
    if not (folder / "bucket.jsonl").is_file():
        raise NoBackup(f"{folder} holds no backup")


def _place(name: str) -> int:
    return ORDER.index(name) if name in ORDER else -1


async def _holds(database: Database, name: str) -> bool:
    async for _ in database.every(name):
        return True
    return False


async def _write_collection(database: Database, name: str, path: Path) -> int:
    count = 0
    with path.open("wb") as file:
        async for document in database.every(name):
            file.write(document)
            count += 1
    return count


async def _read_collection(database: Database, path: Path) -> int:
    documents, count = _documents(path), 0
    while page := list(islice(documents, PAGE)):
        await database.put_back(path.stem, page)
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
            except NotFound:
                continue  # deleted since it was listed
            path = _object_path(folder, stat.key)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            listing.write(json.dumps({"key": stat.key, "mime": stat.mime, "etag": stat.etag}) + "\n")
            count += 1
    return count


def _read_objects(bucket: Bucket, folder: Path) -> int:
    lines = (folder / "bucket.jsonl").read_text().splitlines()
    for said in map(json.loads, lines):
        stored: Stat = bucket.put(said["key"], _object_path(folder, said["key"]).read_bytes(), mime=said["mime"])
        if stored.etag != said["etag"]:
            raise NoBackup(f"{said['key']} is not what was backed up")
    return len(lines)


def _object_path(folder: Path, key: str) -> Path:
    """Raises NoBackup for a key that leads out of the folder."""
    path = (folder / "bucket" / key).resolve()
    if not path.is_relative_to((folder / "bucket").resolve()):
        raise NoBackup(f"{key!r} is no key of ours")
    return path
