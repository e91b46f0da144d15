"""The administration commands, on records and beside a running server."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from admin import CommandFailed, read_command, run_command
from backends import StartupError, open_bucket
from handlers.auth import DEVELOPERS_TTL_S
from handlers.services import Services
from models import errors
from models.backup import write_backup
from models.backup_manifest import BackupError
from models.bucket import Bucket
from models.database import Database
from models.queue.task import TaskState
from models.users import Users
from settings import Settings
from tests.support.client import PASSWORD, ApiClient
from tests.support.pictures import png
from tests.support.process import ROOT, ServerProcess
from tests.support.waiting import finished, until


@pytest.fixture
def admin(settings: Settings) -> Callable[..., Any]:
    """Run a command on the database and bucket of this test, without confirmation."""

    async def run(*words: str) -> str:
        options, _ = read_command(["--yes", *words])
        return await run_command(options, settings)

    return run


@pytest.mark.gen_test
async def test_a_user_becomes_a_developer_and_stops_being_one(api: ApiClient, admin: Any) -> None:
    ada = await api.sign_up("ada")

    async def is_developer() -> bool:
        return bool((await ada.get("/api/session/"))["user"]["developer"])

    async def is_no_developer() -> bool:
        return not await is_developer()

    assert not await is_developer()
    assert "ada is a developer" in await admin("developer", "ADA")
    await until(is_developer, timeout_s=DEVELOPERS_TTL_S + 5)
    assert (await ada.post("/api/tasks/pause/"))["paused"] is True
    await ada.post("/api/tasks/resume/")
    await admin("developer", "ada", "--revoke")
    await until(is_no_developer, timeout_s=DEVELOPERS_TTL_S + 5)
    assert (await ada.post("/api/tasks/pause/")).status == 403


@pytest.mark.gen_test
async def test_a_new_password_is_shown_once_and_ends_every_session(api: ApiClient, admin: Any) -> None:
    ada = await api.sign_up("ada")

    password = (await admin("password", "ada")).rpartition(" ")[2]

    assert (await ada.get("/api/session/"))["user"] is None
    assert (await ada.new_client().post("/api/user/query/", username="ada", password=PASSWORD))["login"] is False
    await ada.new_client().sign_in("ada", password)


@pytest.mark.gen_test
async def test_a_failed_task_is_queued_again_and_a_finished_one_is_not(
    api: ApiClient, admin: Any, services: Services, expect_log: Any
) -> None:
    expect_log("source_missing")
    ada = await api.sign_up("ada")
    done = await finished(ada, (await ada.add_task((await ada.upload())["url"]))["id"])
    await services.queue.pause(True)
    task = await ada.add_task((await ada.upload(png(9, 9)))["url"])
    await ada.post("/api/tasks/cancel/", id=task["id"])

    assert await admin("requeue", str(task["id"])) == f"task {task['id']} is queued"

    assert (await services.tasks.by_id(task["id"])).state is TaskState.QUEUED
    await services.queue.pause(False)
    assert (await finished(ada, task["id"]))["state"] == "done"
    with pytest.raises(CommandFailed, match="only a failed or cancelled one"):
        await admin("requeue", str(done["id"]))


@pytest.mark.gen_test
async def test_sweep_reports_what_it_changed(api: ApiClient, admin: Any, services: Services) -> None:
    ada = await api.sign_up("ada")
    await ada.upload()

    assert await admin("sweep") == "adopted: 0, deleted: 0"


@pytest.mark.gen_test
async def test_an_unknown_user_or_task_is_named_in_the_error(admin: Any, database: Database) -> None:
    for words in (("developer", "nobody"), ("password", "nobody"), ("requeue", "77")):
        with pytest.raises(errors.NotFound, match=words[1]):
            await admin(*words)


@pytest.mark.gen_test
async def test_nothing_is_changed_unless_the_operator_agrees(api: ApiClient, settings: Settings) -> None:
    ada = await api.sign_up("ada")
    options, _ = read_command(["password", "ada"])
    question = f"Give ada (user {ada.user_id}) a new password and end all of their sessions? [y/N] "

    for answer in ("", "n", "perhaps"):
        with pytest.raises(CommandFailed, match="nothing was changed"):
            await run_command(options, settings, {question: answer}.__getitem__)

    await api.new_client().sign_in("ada")
    assert "new password of ada" in await run_command(options, settings, {question: "y"}.__getitem__)


@pytest.mark.gen_test
async def test_no_database_is_created(tmp_path: Path) -> None:
    options, settings = read_command(["--yes", f"--data_dir={tmp_path / 'elsewhere'}", "developer", "ada"])

    with pytest.raises(StartupError, match="there is no database in"):
        await run_command(options, settings)
    assert not (tmp_path / "elsewhere").exists()


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
    io_loop.run_sync(database.drop)
    database.close()


async def contents(database: Database) -> dict[str, list[bytes]]:
    return {
        name: sorted([document async for document in database.dump(name)])
        for name in await database.collection_names()
        if name not in ("events", "servers")
    }


@pytest.mark.gen_test
async def test_a_restored_backup_has_the_same_content(
    api: ApiClient, admin: Any, services: Services, tmp_path: Path, elsewhere: tuple[Settings, Database, Bucket]
) -> None:
    ada = await api.sign_up("ada")
    source = await ada.upload()
    await finished(ada, (await ada.add_task(source["url"]))["id"])
    settings, database, bucket = elsewhere
    restore, _ = read_command(["--yes", "restore", str(tmp_path / "backup")])

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
    "flipped record": (lambda folder: flip(folder / "database" / "users.bson"), r"users.bson is damaged"),
    "flipped object": (lambda folder: flip(folder / "bucket" / "source" / "a.png"), r"a.png is damaged"),
    "flipped listing": (lambda folder: flip(folder / "bucket.jsonl"), r"bucket.jsonl is damaged"),
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
    written = sorted(path.relative_to(tmp_path / "backup").as_posix() for path in (tmp_path / "backup").rglob("*"))
    assert written == ["bucket.jsonl", "database", "database/users.bson", "manifest.json"]


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


def run_admin(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "admin.py", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_folder_without_a_database_is_one_clear_line(tmp_path: Path) -> None:
    refused = run_admin("--yes", f"--data_dir={tmp_path / 'nowhere'}", "developer", "ada")

    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("admin: data_dir: there is no database in ")
    assert refused.stderr.count("\n") == 1


@pytest.mark.gen_test(timeout=90)
async def test_the_command_works_beside_a_running_server_and_without_one(tmp_path: Path) -> None:
    client = AsyncHTTPClient(force_instance=True)
    with ServerProcess(tmp_path / "data") as server:
        await ApiClient(client, server.base_url).sign_up("ada")
        beside = run_admin("--yes", f"--data_dir={server.data_dir}", "password", "ada")
        password = beside.stdout.split()[-1]
        await ApiClient(client, server.base_url).sign_in("ada", password)
        assert password not in server.log
    client.close()
    refused = run_admin(f"--data_dir={tmp_path / 'data'}", "developer", "ada")
    alone = run_admin("--yes", f"--data_dir={tmp_path / 'data'}", "developer", "ada")

    assert (beside.returncode, beside.stderr) == (0, "")
    assert (refused.returncode, refused.stderr) == (1, "admin: nothing was changed\n")
    assert (alone.returncode, alone.stdout[:18], alone.stderr) == (0, "ada is a developer", "")
