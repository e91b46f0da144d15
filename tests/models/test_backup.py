"""A backup: written while servers run, compared with its manifest, restored into an empty database and bucket."""

from __future__ import annotations

import fcntl
import json
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from admin import read_command, run_command
from backends import open_bucket
from handlers.services import Services
from models import errors
from models.accounts.users import Users
from models.backup import TRANSIENT, write_backup
from models.backup_manifest import BackupError, digest_of
from models.bucket import Bucket
from models.database import Database
from settings import Settings
from tests.support.client import ApiClient
from tests.support.pictures import png
from tests.support.waiting import finished


@pytest.fixture
def admin(settings: Settings) -> Callable[..., Any]:
    """Run a command on the database and bucket of this test, without confirmation."""

    async def run(*words: str) -> str:
        options, _ = read_command(["--yes", *words])
        return await run_command(options, settings)

    return run


@pytest.fixture
def elsewhere(
    io_loop: Any, mongodb_uri: str, database_name: str, tmp_path: Path
) -> Iterator[tuple[Settings, Database, Bucket]]:
    """An empty database and bucket."""
    settings = Settings(data_dir=tmp_path / "elsewhere", mongodb_uri=mongodb_uri, database=database_name + "_elsewhere")

    async def make() -> Database:
        return Database(mongodb_uri, settings.database)

    database = io_loop.run_sync(make)
    yield settings, database, open_bucket(settings, "http://127.0.0.1:1")
    database.close()
    with MongoClient[Any](mongodb_uri) as client:
        client.drop_database(settings.database)


async def contents(database: Database) -> dict[str, list[bytes]]:
    return {
        name: sorted([document async for document in database.dump(name)])
        for name in await database.collection_names()
        if name not in TRANSIENT
    }


@pytest.mark.gen_test
async def test_a_restored_backup_has_the_same_content(
    api: ApiClient, admin: Any, services: Services, tmp_path: Path, elsewhere: tuple[Settings, Database, Bucket]
) -> None:
    ada = await api.sign_up("ada")
    source = await ada.upload()
    await finished(ada, (await ada.add_task(source["url"]))["id"])
    settings, database, bucket = elsewhere
    await database.create_indexes({"users": Users.indexes})  # a server has been started on it
    restore, _ = read_command(["--yes", "restore", str(tmp_path / "backup")])
    await services.queue.stop()  # which stores the current round, up to half a second old

    message = await admin("backup", str(tmp_path / "backup"))
    await run_command(restore, settings)

    assert message.endswith("2 objects")
    here, there = await contents(services.database), await contents(database)
    assert {name: documents for name, documents in here.items() if documents} == there
    assert len(there["images"]) == 2
    for stat in [*services.bucket.list("source/"), *services.bucket.list("mosaic/")]:
        assert bucket.stat(stat.key).etag == stat.etag
        assert bucket.stat(stat.key).mime == stat.mime
    with pytest.raises(BackupError, match="not empty"):
        await run_command(restore, settings)
    with pytest.raises(BackupError, match="exists already"):
        await admin("backup", str(tmp_path / "backup"))


@pytest.fixture
def backup_folder(io_loop: Any, database: Database, settings: Settings, tmp_path: Path) -> Path:
    """A backup of two users, a session and two objects."""
    bucket = open_bucket(settings, "http://127.0.0.1:1")

    async def write() -> None:
        users = Users(database)
        for name in ("ada", "bob"):
            await users.add(username=name, email=f"{name}@example.com", password_hash="hash")
        await database.collection("sessions").insert_one({"_id": "a session"})
        bucket.put("source/a.png", png(), mime="image/png")
        bucket.put("mosaic/b.png", png(9, 9), mime="image/png")
        await write_backup(database, bucket, tmp_path / "backup", object_limit_bytes=10**6)

    io_loop.run_sync(write)
    return tmp_path / "backup"


def cut_at_a_boundary(folder: Path) -> None:
    """One document of two is left."""
    path = folder / "database" / "users.bson"
    content = path.read_bytes()
    path.write_bytes(content[: int.from_bytes(content[:4], "little")])


def cut_anywhere(folder: Path) -> None:
    path = folder / "database" / "users.bson"
    path.write_bytes(path.read_bytes()[:-7])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def change_manifest(folder: Path, **values: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def put_a_folder_in_its_place(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replace_listing(folder: Path, text: str) -> None:
    """With one that the manifest confirms."""
    (folder / "bucket.jsonl").write_text(text)
    change_manifest(folder, listing=digest_of(folder / "bucket.jsonl"))


EMPTY = {"documents": 0, "sha256": ""}
DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no manifest": (lambda folder: (folder / "manifest.json").unlink(), "has no complete backup"),
    "no folder": (shutil.rmtree, "has no complete backup"),
    "manifest": (lambda folder: (folder / "manifest.json").write_text('{"format": "one"}'), "manifest.json is damaged"),
    "no JSON": (lambda folder: (folder / "manifest.json").write_text("{"), "manifest.json cannot be read"),
    "newer": (lambda folder: change_manifest(folder, format=99), "newer version"),
    "count": (lambda folder: change_manifest(folder, objects=3), "has 2 objects, the manifest 3"),
    "escape": (
        lambda folder: change_manifest(folder, collections={"../../x": {"documents": 1, "sha256": ""}}),
        "valid",
    ),
    "no users": (lambda folder: (folder / "database" / "users.bson").unlink(), r"users.bson is missing"),
    "cut at a boundary": (cut_at_a_boundary, r"users.bson is damaged"),
    "cut anywhere": (cut_anywhere, r"users.bson is damaged"),
    "folder": (
        lambda folder: put_a_folder_in_its_place(folder / "database" / "users.bson"),
        r"users.bson cannot be read: Is a directory",
    ),
    "flipped record": (lambda folder: flip(folder / "database" / "users.bson"), r"users.bson is damaged"),
    "flipped object": (lambda folder: flip(folder / "bucket" / "source" / "a.png"), r"a.png is damaged"),
    "flipped listing": (lambda folder: flip(folder / "bucket.jsonl"), r"bucket.jsonl is damaged"),
    "foreign listing": (lambda folder: replace_listing(folder, '{"name": "a.png"}\n'), r"bucket.jsonl is damaged"),
    "no object": (lambda folder: (folder / "bucket" / "mosaic" / "b.png").unlink(), r"b.png is missing"),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.gen_test
async def test_a_damaged_backup_changes_nothing(
    damage: str, backup_folder: Path, elsewhere: tuple[Settings, Database, Bucket]
) -> None:
    settings, database, bucket = elsewhere
    change, reason = DAMAGES[damage]
    change(backup_folder)

    for command in ("check-backup", "restore"):
        options, _ = read_command(["--yes", command, str(backup_folder)])
        with pytest.raises(BackupError, match=reason) as refused:
            await run_command(options, settings)
        assert "\n" not in str(refused.value)
    assert await contents(database) == {}
    assert [*bucket.list("source/"), *bucket.list("mosaic/")] == []


@pytest.mark.gen_test
async def test_a_complete_backup_is_confirmed_without_a_database(backup_folder: Path, tmp_path: Path) -> None:
    options, settings = read_command([f"--data_dir={tmp_path / 'nowhere'}", "check-backup", str(backup_folder)])

    assert await run_command(options, settings) == f"{backup_folder} is complete: 3 documents, 2 objects"


@pytest.mark.gen_test
async def test_what_a_broken_backup_has_left_does_not_block_the_next_one(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    bucket = open_bucket(settings, "http://127.0.0.1:1")
    left = tmp_path / "backup.partial"
    (left / "database").mkdir(parents=True)
    (left / "database" / "old.bson").write_bytes(b"half")
    (left / "bucket.jsonl").write_text("half")
    await database.collection("users").insert_one({"_id": 1})

    with (left / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BackupError, match="another backup"):
            await write_backup(database, bucket, tmp_path / "backup", object_limit_bytes=1)
    await write_backup(database, bucket, tmp_path / "backup", object_limit_bytes=1)

    assert not left.exists()
    written = {path.relative_to(tmp_path / "backup").as_posix() for path in (tmp_path / "backup").rglob("*")}
    assert {"bucket.jsonl", "database/users.bson", "manifest.json"} <= written
    assert "database/old.bson" not in written


@pytest.mark.gen_test
async def test_a_backup_that_fails_leaves_nothing_and_says_why(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    bucket = open_bucket(settings, "http://127.0.0.1:1")
    (tmp_path / "file").write_text("")
    bucket.put("source/a.png", png(), mime="image/png")

    with pytest.raises(BackupError, match="cannot be created"):
        await write_backup(database, bucket, tmp_path / "file" / "backup", object_limit_bytes=10**6)
    with pytest.raises(errors.SourceTooLarge):
        await write_backup(database, bucket, tmp_path / "backup", object_limit_bytes=1)

    assert not (tmp_path / "backup").exists()
    assert not (tmp_path / "backup.partial").exists()


@pytest.fixture
def full_disk() -> Iterator[Callable[[], None]]:
    """Call it, and no file grows beyond a megabyte, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.gen_test
async def test_a_full_disk_ends_a_backup_with_one_line(
    database: Database, settings: Settings, tmp_path: Path, full_disk: Callable[[], None]
) -> None:
    bucket = open_bucket(settings, "http://127.0.0.1:1")
    bucket.put("source/a.png", png() + bytes(2 << 20), mime="image/png")
    full_disk()

    with pytest.raises(BackupError, match=r"backup.partial cannot be written: File too large"):
        await write_backup(database, bucket, tmp_path / "backup", object_limit_bytes=10**7)

    assert not (tmp_path / "backup.partial").exists()
