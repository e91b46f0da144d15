"""The administration commands, on records and beside a running server."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from admin import CommandFailed, read_command, run_command
from data_dir import StartupError
from handlers.services import Services
from models import errors
from models.database import Database
from models.queue.task import TaskState
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
    await until(is_developer)
    assert (await ada.post("/api/tasks/pause/"))["paused"] is True
    await ada.post("/api/tasks/resume/")
    await admin("developer", "ada", "--revoke")
    await until(is_no_developer)
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
async def test_failed_tasks_are_counted_listed_shown_and_queued_again_by_error_and_age(
    api: ApiClient, admin: Any, services: Services, database: Database
) -> None:
    assert await admin("failed") == "no task has failed"
    ada = await api.sign_up("ada")
    await services.queue.pause(True)
    url = (await ada.upload())["url"]
    ids = [(await ada.add_task(url, {"seed": seed}))["id"] for seed in range(4)]
    hours_ago = dict(zip(ids, [1, 2, 30, 1], strict=True))
    for task_id, hours in hours_ago.items():
        error = "not_a_picture" if task_id == ids[3] else "timed_out"
        change = {"state": "failed", "error": error, "finished": datetime.now(UTC) - timedelta(hours=hours)}
        await database.collection("tasks").update_one({"_id": task_id}, {"$set": change})

    counts = (await admin("failed")).splitlines()
    assert [line.split(",")[0].split() for line in counts] == [["3", "timed_out"], ["1", "not_a_picture"]]
    listed = (await admin("failed", "--error=timed_out")).splitlines()
    assert [int(line.split()[0]) for line in listed] == ids[:3]
    story = await admin("task", str(ids[0]))
    assert story.startswith(f"task {ids[0]} of ada ({ada.user_id})\n")
    assert re.search(r"^state: +failed\n(.*\n)*error: +timed_out", story, re.M)
    assert url not in story
    (ended,) = (await ada.get("/tasks/query/", id=ids[0]))["done"]  # whose record has no details
    assert (ended["error"], "longer than ? seconds" in ended["message"]) == ("timed_out", True)

    with pytest.raises(CommandFailed, match="name a task"):
        await admin("requeue")
    with pytest.raises(CommandFailed, match="no failed task"):
        await admin("requeue", "--error=crashed")
    assert await admin("requeue", "--error=timed_out", "--hours=24") == "queued again: 2 tasks"
    states = [(await services.tasks.by_id(task_id)).state for task_id in ids]
    assert states == [TaskState.QUEUED, TaskState.QUEUED, TaskState.FAILED, TaskState.FAILED]


@pytest.mark.gen_test
async def test_the_story_of_a_task_has_its_pictures_times_attempts_and_log_lines(
    api: ApiClient, admin: Any, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ada = await api.sign_up("ada")
    source = await ada.upload()
    task = await finished(ada, (await ada.add_task(source["url"]))["id"])

    async def complete_story() -> str | None:
        text: str = await admin("task", str(task["id"]))
        return text if text.count(" info ") == 3 else None

    lines = (await until(complete_story)).splitlines()
    record = dict(line.split(":", 1) for line in lines[1 : lines.index("attempts:")])
    assert {name: record[name].strip() for name in ("state", "source_id", "result_id")} == {
        "state": "done",
        "source_id": str(source["id"]),
        "result_id": str(task["result_id"]),
    }
    assert record["recipe"].strip().startswith("{'style': 'mosaic'")
    assert record["created"] < record["started"] < record["finished"]
    at = lines.index("attempts:") + 1
    took = r"\d+\.\d\d s"
    attempt = rf"  1\. \d{{4}}-.* done after {took}; fetch {took}, render {took}, store {took}; on \S+"
    assert re.fullmatch(attempt, lines[at])
    assert lines[at + 1] == "log:"
    events = [re.fullmatch(r"  \d{4}-\S+ \S+ info +task \d+: (\w+).* \[\S+\]", line) for line in lines[at + 2 :]]
    assert [event and event[1] for event in events] == ["queued", "running", "done"]
    assert source["url"] not in "\n".join(lines)


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


def run_admin(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "admin.py", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_folder_without_a_database_is_one_clear_line(tmp_path: Path) -> None:
    refused = run_admin("--yes", f"--data_dir={tmp_path / 'nowhere'}", "developer", "ada")

    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("admin: data_dir: there is no database in ")
    assert refused.stderr.count("\n") == 1


@pytest.mark.gen_test
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


@pytest.mark.gen_test
async def test_an_account_that_users_could_not_make_is_not_added(admin: Any, database: Database) -> None:
    for words, reason in (
        (("a\u200bda", "ada@example.com"), "is not possible; allowed: 1 to "),
        (("ada", "nowhere"), "'nowhere' is not possible; allowed: "),
    ):
        with pytest.raises(CommandFailed, match=reason):
            await admin("account", *words)

    assert await database.collection("users").count_documents({}) == 0
