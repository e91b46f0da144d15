"""What one person stores is bounded, and what is shown is what there is, also after crashes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from handlers.services import Services
from models.images.quotas import PENDING_LIMIT
from settings import Settings
from tests.support.client import ApiClient
from tests.support.pictures import png
from tests.support.waiting import finished

QUOTA_PICTURES, QUOTA_MB = 12, 1
TOKEN = "/api/image/token/"


@pytest.fixture
def settings(settings_of: Callable[..., Settings]) -> Settings:
    return settings_of(quota_pictures=QUOTA_PICTURES, quota_mb=QUOTA_MB, max_upload_mb=1)


async def storage(client: ApiClient) -> dict[str, int]:
    return dict((await client.get("/api/session/"))["user"]["storage"])


@pytest.mark.requirement(62)
@pytest.mark.gen_test
async def test_a_person_has_a_bounded_number_of_tokens_images_and_registrations(api: ApiClient) -> None:
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    await ada.upload()
    tokens = [await ada.post(TOKEN, filesize=10) for _ in range(QUOTA_PICTURES - 2)]
    registered = [
        await ada.post("/api/image/addinfo/", url=f"https://a.cn/{at}", filename="a", user_id=ada.user_id)
        for at in range(2)
    ]
    again = await ada.post("/api/image/addinfo/", url="https://a.cn/0", filename="a", user_id=ada.user_id)
    refused = [await ada.post(TOKEN, filesize=10), await ada.post("/api/tasks/add/", url="https://a.cn/0")]

    assert {token["code"] for token in tokens} == {1}
    assert [(answer.status, answer.json.get("error")) for answer in registered] == [
        (200, None), (403, "quota_exceeded"),
    ]  # fmt: skip
    assert again["code"] == 1, "nothing new"
    assert {(answer.status, answer["error"]) for answer in refused} == {(403, "quota_exceeded")}
    assert (await storage(ada))["pictures"] == QUOTA_PICTURES
    assert (await bob.post(TOKEN))["code"] == 1


@pytest.mark.requirement(62)
@pytest.mark.gen_test
async def test_a_token_reserves_what_it_allows_and_parallel_requests_exceed_nothing(api: ApiClient) -> None:
    ada = await api.sign_up("ada")

    at_once = await asyncio.gather(*(ada.post(TOKEN, filesize=300_000) for _ in range(8)))
    answers = [*at_once, *[await ada.post(TOKEN, filesize=300_000) for _ in range(4)]]
    unstated = await ada.post(TOKEN)
    tickets = [answer for answer in answers if answer["code"] == 1]
    fields = {"token": tickets[0]["token"], "key": tickets[0]["key"]}
    too_large = await ada.post_form(tickets[0]["upload_url"], fields, "a.png", png() + bytes(300_000))
    fitting = await ada.post_form(tickets[0]["upload_url"], fields, "a.png", png())

    assert len(tickets) == 3
    assert (unstated.status, unstated["error"]) == (403, "quota_exceeded")
    assert (too_large.status, fitting.status) == (413, 200)
    used = await storage(ada)
    assert used == {
        "pictures": 3,
        "size_bytes": len(png()) + 300_000 * 2,
        "max_pictures": QUOTA_PICTURES,
        "max_size_bytes": QUOTA_MB * 1_000_000,
    }


@pytest.mark.requirement(62)
@pytest.mark.gen_test
async def test_a_result_that_exceeds_the_quota_is_not_kept(api: ApiClient, services: Services) -> None:
    ada = await api.sign_up("ada")
    uploaded = await ada.upload()
    await services.queue.pause(True)
    task = await ada.add_task(uploaded["url"])
    for _ in range(QUOTA_PICTURES - 1):
        await ada.post(TOKEN, filesize=10)
    await services.queue.pause(False)

    ended = await finished(ada, task["id"])

    assert (ended["state"], ended["error"]) == ("failed", "quota_exceeded")
    assert (await storage(ada))["pictures"] == QUOTA_PICTURES
    assert await asyncio.to_thread(lambda: list(services.bucket.list("mosaic/"))) == []


@pytest.mark.requirement(62)
@pytest.mark.gen_test
async def test_unused_tokens_are_bounded_whatever_the_quota(api: ApiClient, services: Services) -> None:
    ada = await api.sign_up("ada")
    uploads = services.database.collection("uploads")
    await uploads.insert_many([{"_id": f"source/{at}", "owner_id": ada.user_id} for at in range(PENDING_LIMIT)])
    object.__setattr__(services.quotas.quota, "pictures", 10 * PENDING_LIMIT)

    answer = await ada.post(TOKEN, filesize=10)

    assert (answer.status, answer["error"]) == (429, "too_many_requests")


@pytest.mark.requirement(62)
@pytest.mark.gen_test
async def test_another_token_of_an_upload_reserves_its_bytes_again_or_is_refused(
    api: ApiClient, services: Services
) -> None:
    ada = await api.sign_up("ada")
    old = await ada.post(TOKEN, filesize=600_000)
    await services.uploads.release(old["key"])  # as if its token had ended
    other = await ada.post(TOKEN, filesize=600_000)

    refused = await ada.post(TOKEN, key=old["key"])
    used = (await storage(ada))["size_bytes"]
    await services.uploads.release(other["key"])
    again = await ada.post(TOKEN, key=old["key"])

    assert (refused.status, refused["error"], used) == (403, "quota_exceeded", 600_000)
    assert (again["code"], again["key"], (await storage(ada))["size_bytes"]) == (1, old["key"], 600_000)
