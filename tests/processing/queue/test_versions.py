"""Servers of different versions on one queue: what one of them does not know, it leaves to the others."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from models import errors
from models.database import Database
from models.queue.fair_order import Place
from models.queue.lease import Lease
from models.queue.task import TASK_VERSION, NewTask, TaskState
from models.store import Store
from processing.queue import lease_source
from processing.queue.estimator import TimeEstimator
from tests.processing.queue.queue_harness import ADA, RECIPE, queue_harness
from tests.support.accounts import add_account
from tests.support.client import ApiClient
from tests.support.other_version import copy_with_a_higher_version
from tests.support.process import ServerProcess, free_port
from tests.support.waiting import finished, until


def new_task(name: str, *, version: int = TASK_VERSION, **recipe: Any) -> NewTask:
    values = {"url": "u", "type": "model", "style": "mosaic", "dedup_key": name, "source_key": "source"}
    return NewTask(ADA, **values, recipe=RECIPE | recipe, version=version)


@pytest.mark.gen_test
async def test_a_task_of_a_newer_version_or_with_an_unknown_recipe_is_left(
    database: Database, tmp_path: Path, expect_log: Any
) -> None:
    expect_log("3 tasks need a newer version of this server and are left queued")
    store = Store.of(database, "other")
    await store.create_indexes()
    newer = [
        new_task("version", version=TASK_VERSION + 1),
        new_task("style", style="a later one"),
        new_task("parameter", a_later_one=1),
    ]
    left = [await store.tasks.add(new, place=Place(number)) for number, new in enumerate(newer)]
    async with queue_harness(database, tmp_path) as server:
        ours = await server.add()
        await server.finish(ours)
        await server.queue.renew_now()

        assert server.queue.left_count == 3
        assert server.queue.warnings == ["queue: 3 tasks need a newer version of this server and wait"]
        for task in left:
            current = await store.tasks.by_id(task.id)
            assert (current.state, current.attempts, current.retries) == (TaskState.QUEUED, 0, 0)
            await store.tasks.cancel(task.id)
        await server.queue.renew_now()
        assert (server.queue.left_count, server.queue.warnings) == (0, [])


@pytest.mark.gen_test
async def test_tasks_that_are_leased_beside_an_unknown_one_are_kept_if_that_cannot_be_put_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, estimator = Store.of(database, "one"), TimeEstimator()
    await store.create_indexes()
    new = [new_task("unknown", a_later_one=1), new_task("one"), new_task("two")]
    tasks = [
        await store.tasks.add(replace(each, megapixels=1.0), place=Place(number)) for number, each in enumerate(new)
    ]
    estimator.update(replace(tasks[1], seconds=0.01))
    source = lease_source.LeaseSource(store, estimator, poll_interval_s=3600.0)
    source.note_run(0.0)

    async def fail(_: Lease) -> None:
        raise errors.DatabaseUnavailable()

    monkeypatch.setattr(store.leases, "release", fail)
    monkeypatch.setattr(lease_source, "MAX_WAIT_S", 0.0)
    assert source.wait_s() == 3600.0

    assert await source.next([]) is None

    assert source.wait_s() <= 0.0
    assert [lease.task.id for lease in source.take_overdue(all_ready=False)] == [task.id for task in tasks[1:]]


@pytest.mark.gen_test
async def test_a_task_of_a_newer_version_among_those_that_are_leased_together_is_left(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expect_log: Any
) -> None:
    expect_log("1 tasks need a newer version of this server")
    monkeypatch.setattr("processing.queue.lease_source.AHEAD_S", 3600.0)
    monkeypatch.setattr("processing.queue.lease_source.MAX_WAIT_S", 3600.0)
    async with queue_harness(database, tmp_path, size=1) as server:
        await server.finish(await server.add(name="earlier", megapixels=1.0))
        await server.received(lambda event: event.task is not None and event.task.state is TaskState.DONE)
        await server.queue.pause(True)
        await server.received(lambda event: event.kind == "queue" and event.paused)
        first, newer, last = [await server.add(name=str(number), megapixels=1.0) for number in range(3)]
        await database.collection("tasks").update_one({"_id": newer.id}, {"$set": {"recipe.a_later_one": 1}})

        await server.queue.pause(False)
        await server.started(first)
        await server.becomes(last, TaskState.RUNNING)
        left = await server.becomes(newer, TaskState.QUEUED)

        assert (left.attempts, left.retries) == (0, 0)
        await server.finish(first)
        await server.finish(last)
        assert newer.id not in server.engine.started


@pytest.mark.gen_test
async def test_two_versions_share_a_queue_up_and_down_again(
    tmp_path: Path, on_shared_mongod: tuple[str, ...], database: Database
) -> None:
    program = str(copy_with_a_higher_version(tmp_path / "copy") / "server.py")
    client = AsyncHTTPClient(force_instance=True)
    options = (*on_shared_mongod, "--developers=ada")
    with ServerProcess(tmp_path / "old", *options) as old:
        share_bucket(old, tmp_path / "new")
        new = ServerProcess(
            tmp_path / "new", *options, f"--public_url={old.base_url}", program=(program,), port=free_port()
        )
        await add_account(database, "ada")
        ada = await ApiClient(client, old.base_url).sign_in("ada")
        url = (await ada.upload())["url"]
        with new:
            at_new = await ApiClient(client, new.own_url).sign_in("ada")
            both = [(await each.add_task(url, {"seed": seed}))["id"] for seed, each in enumerate((ada, at_new))]
            assert [(await finished(ada, task))["state"] for task in both] == ["done", "done"]
            assert (await ada.post("/api/tasks/pause/"))["paused"] is True
            await until(lambda: is_paused(at_new))
            newer = (await at_new.add_task(url, {"seed": 2}))["id"]
        await ada.post("/api/tasks/resume/")
        assert (await finished(ada, (await ada.add_task(url, {"seed": 3}))["id"]))["state"] == "done"
        assert await until(lambda: warnings_of(ada)) == ["queue: 1 tasks need a newer version of this server and wait"]
        assert b"\ntessera_queue_tasks_left 1.0\n" in (await ada.get("/metrics")).body
        with new:
            assert (await finished(ada, newer))["state"] == "done"
        assert f"task {newer}: done" in new.log
    client.close()


def share_bucket(server: ServerProcess, data_dir: Path) -> None:
    """A data folder for a second server with the bucket and the keys of the first."""
    data_dir.mkdir()
    (data_dir / "bucket").symlink_to(server.data_dir / "bucket")
    for name in ("bucket-keys.json", "cookie-secret"):
        shutil.copy(server.data_dir / name, data_dir / name)


async def is_paused(api: ApiClient) -> bool:
    return bool((await api.get("/tasks/query/"))["paused"])


async def warnings_of(api: ApiClient) -> list[str]:
    return list((await api.get("/health/"))["warnings"])
