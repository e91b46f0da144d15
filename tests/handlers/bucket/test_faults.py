"""The whole server on a Kodo that misbehaves: uploads may be repeated, tasks outlive it, nothing is there twice."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import PIL.Image
import pytest
from tornado.httpclient import HTTPClientError

from app import make_app
from handlers.services import Services
from handlers.uploads import CALLBACK_TIMEOUT_S
from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.signature import qbox
from models.images.uploads import PendingUpload, PendingUploads
from settings import Settings
from tests.conftest import COOKIE_SECRET
from tests.support.client import ApiClient
from tests.support.kodo_serving import serving_on
from tests.support.kodo_state import FakeKodo, Faults
from tests.support.pictures import png
from tests.support.waiting import finished, until

RECIPE = {"style": "mosaic", "cell": 8, "format": "png"}
NO_ANSWER = 599


class TestOnKodo:
    @pytest.fixture
    def kodo(self, io_loop: Any) -> Iterator[FakeKodo]:
        with serving_on(io_loop, FakeKodo("faulty-access-key", "faulty-secret-key", "pictures")) as kodo:
            yield kodo

    @pytest.fixture
    def settings(self, settings_of: Callable[..., Settings], kodo: FakeKodo) -> Settings:
        return settings_of(**kodo.settings())

    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        ("faults", "status"),
        [
            (Faults(status=503), 503),
            (Faults(status=599), 599),
            (Faults(drop=True), NO_ANSWER),
            (Faults(drop_response=True), NO_ANSWER),
            (Faults(wrong_signature=True), 579),
            (Faults(callbacks=5), 200),
            (Faults(callbacks=5, style="Qiniu"), 200),
        ],
        ids=[
            "503",
            "599",
            "dropped",
            "answer lost",
            "wrong signature",
            "callback five times",
            "and in the other style",
        ],
    )
    async def test_an_upload_repeated_after_trouble_is_one_picture(
        self, api: ApiClient, services: Services, kodo: FakeKodo, faults: Faults, status: int
    ) -> None:
        ada = await api.sign_up("ada")
        ticket = await ada.post("/api/image/token/", filename="a.png")
        kodo.faults = replace(faults)

        first = await sent(ada, ticket.json)
        kodo.faults = Faults()
        second = await sent(ada, ticket.json)

        assert (first, second) == (status, 200)
        images = await services.database.collection("images").find({}, sort="_id", limit=9)
        assert [(image["key"], image["owner_id"]) for image in images] == [(ticket["key"], ada.user_id)]

    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        "faults",
        [
            Faults(status=503),
            Faults(drop=True),
            Faults(truncate=True),
            Faults(stale_reads=2),
            Faults(no_request_id=True),
        ],
        ids=["503", "dropped", "truncated", "seen late", "no Kodo"],
    )
    async def test_a_task_outlives_trouble_and_makes_one_whole_result(
        self, api: ApiClient, services: Services, kodo: FakeKodo, faults: Faults, expect_log: Callable[[str], None]
    ) -> None:
        expect_log("trying again|bucket: |urllib3|thumbnail")
        ada = await api.sign_up("ada")
        url = (await ada.upload())["url"]
        kodo.faults = replace(faults)

        task = await ada.add_task(url, RECIPE)
        await until(lambda: felt(services, task["id"]))
        kodo.faults = Faults()
        done = await finished(ada, task["id"])

        assert done["state"] == "done"
        results = [stored.data for key, stored in kodo.objects.items() if key.startswith("mosaic/")]
        assert len(results) == 1
        PIL.Image.open(io.BytesIO(results[0])).load()

    @pytest.mark.gen_test
    async def test_while_the_bucket_is_slow_everything_else_is_answered(self, api: ApiClient, kodo: FakeKodo) -> None:
        ada = await api.sign_up("ada")
        url = (await ada.upload())["url"]
        kodo.faults.slow = asyncio.Event()

        task = await ada.add_task(url, RECIPE)
        await until(lambda: under_way(ada))
        answers = [(await ada.get("/api/feed/")).status for _ in range(5)]
        kodo.faults.slow.set()

        assert answers == [200] * 5
        assert (await finished(ada, task["id"]))["state"] == "done"


KODO_TIMEOUT_S = 5


class Stuck(PendingUploads):
    """A database that never answers."""

    async def get(self, key: str) -> PendingUpload:
        await asyncio.Event().wait()
        raise AssertionError


class TestWithoutADatabase:
    @pytest.fixture
    def app(self, services: Services) -> Any:
        return make_app(replace(services, uploads=Stuck(services.database)), cookie_secret=COOKIE_SECRET)

    @pytest.mark.gen_test
    async def test_a_callback_is_answered_before_kodo_gives_up(
        self,
        api: ApiClient,
        services: Services,
        expect_log: Callable[[str], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        assert CALLBACK_TIMEOUT_S < KODO_TIMEOUT_S
        monkeypatch.setattr("handlers.uploads.CALLBACK_TIMEOUT_S", 0.05)
        expect_log("database_unavailable")
        assert isinstance(services.bucket, EmbeddedBucket)
        body = b"key=source/a&filename=a.png&filesize=5"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        headers["Authorization"] = qbox(services.bucket.keys, "/api/image/upload", body)

        answer = await api.request("POST", "/api/image/upload", body=body, headers=headers)

        assert (answer.status, answer["error"]) == (503, "database_unavailable")


async def sent(person: ApiClient, ticket: dict[str, Any]) -> int:
    """The status of an upload of one and the same picture; 599 where there is no answer."""
    fields = {"token": ticket["token"], "key": ticket["key"]}
    try:
        return (await person.post_form(ticket["upload_url"], fields, "a.png", png())).status
    except HTTPClientError as error:
        return error.code


async def felt(services: Services, task_id: int) -> bool:
    """Whether the task has met with the trouble."""
    task = await services.tasks.by_id(task_id)
    return task.retries > 0


async def under_way(person: ApiClient) -> bool:
    return any(task["state"] == "running" for task in (await person.get("/tasks/query/"))["tasks"])
