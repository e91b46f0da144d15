"""An upload token ends with its image and with the account of its owner, on each bucket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import qiniu

from handlers.services import Services
from models import errors
from models.bucket.keys import Keys
from models.bucket.signature import encode
from models.images.image import ImageKind, NewImage, Owner
from models.images.uploads import PendingUpload
from settings import Settings
from tests.support.client import PASSWORD, ApiClient, ApiResponse
from tests.support.kodo_serving import serving_on
from tests.support.kodo_state import FakeKodo
from tests.support.pictures import png
from tests.support.upkeep import reconciler_of

KODO_KEYS = Keys("token-access-key", "token-secret-key")


@pytest.fixture(params=["embedded", "kodo"])
def kodo(request: pytest.FixtureRequest, io_loop: Any) -> Iterator[FakeKodo | None]:
    """The peer, or None for the embedded bucket."""
    if request.param == "embedded":
        yield None
        return
    with serving_on(io_loop, FakeKodo(KODO_KEYS.access, KODO_KEYS.secret, "pictures")) as peer:
        yield peer


@pytest.fixture
def settings(settings_of: Callable[..., Settings], kodo: FakeKodo | None) -> Settings:
    return settings_of(**({} if kodo is None else kodo.settings()))


async def upload_with(client: ApiClient, ticket: ApiResponse) -> ApiResponse:
    fields = {"token": ticket["token"], "key": ticket["key"]}
    return await client.post_form(ticket["upload_url"], fields, "a.png", png())


async def upload_in_blocks(client: ApiClient, ticket: ApiResponse) -> ApiResponse:
    """Resumable v1."""
    data, path = png(), urlsplit(ticket["upload_url"]).path
    headers = {"Authorization": f"UpToken {ticket['token']}", "Content-Type": "application/octet-stream"}
    block = await client.request("POST", f"{path}/mkblk/{len(data)}", body=data, headers=headers)
    end = f"{path}/mkfile/{len(data)}/key/{encode(ticket['key'].encode())}"
    return await client.request("POST", end, body=block["ctx"].encode(), headers=headers)


async def upload_in_parts(client: ApiClient, ticket: ApiResponse) -> ApiResponse:
    """Resumable v2."""
    path = f"{urlsplit(ticket['upload_url']).path}/buckets/tessera/objects/{encode(ticket['key'].encode())}/uploads"
    headers = {"Authorization": f"UpToken {ticket['token']}", "Content-Type": "application/json"}
    upload_id = (await client.request("POST", path, body=b"", headers=headers))["uploadId"]
    part = await client.request("PUT", f"{path}/{upload_id}/1", body=png(), headers=headers)
    parts = {"parts": [{"partNumber": 1, "etag": part["etag"]}], "fname": "a.png"}
    return await client.request("POST", f"{path}/{upload_id}", body=json.dumps(parts).encode(), headers=headers)


def refused_status(services: Services) -> int:
    """Kodo stores what a token allows, and its callback is refused; the embedded bucket asks first."""
    return 579 if services.embedded_bucket is None else 401


async def stored_keys(services: Services) -> list[str]:
    return await asyncio.to_thread(lambda: [stat.key for stat in services.bucket.list("source/")])


@pytest.mark.requirement(58)
@pytest.mark.gen_test
async def test_a_token_ends_with_its_image(api: ApiClient, services: Services) -> None:
    ada = await api.sign_up("ada")
    ticket = await ada.post("/api/image/token/", filename="a.png")
    uploaded = await upload_with(ada, ticket)
    await ada.post("/api/image/delete/", id=uploaded["id"])

    again = await upload_with(api.new_client(), ticket)

    assert (uploaded.status, again.status) == (200, refused_status(services))
    assert await stored_keys(services) == []
    assert (await api.get(ticket["url"])).status == 404


@pytest.mark.requirement(58)
@pytest.mark.parametrize("upload", [upload_in_blocks, upload_in_parts])
@pytest.mark.parametrize("kodo", ["embedded"], indirect=True)
@pytest.mark.gen_test
async def test_a_token_ends_with_its_image_for_resumable_uploads_too(
    api: ApiClient, services: Services, upload: Callable[[ApiClient, ApiResponse], Awaitable[ApiResponse]]
) -> None:
    ada = await api.sign_up("ada")
    ticket = await ada.post("/api/image/token/", filename="a.png")
    uploaded = await upload(ada, ticket)
    await ada.post("/api/image/delete/", id=uploaded["id"])

    again = await upload(api.new_client(), ticket)

    assert (uploaded.status, again.status) == (200, 401)
    assert await stored_keys(services) == []


@pytest.mark.requirement(58)
@pytest.mark.gen_test
async def test_what_is_uploaded_after_its_image_and_never_reported_is_deleted_by_upkeep(
    api: ApiClient, services: Services
) -> None:
    """The callback of the upload is lost: nothing asks for the object but the reconciliation every ten minutes."""
    ada = await api.sign_up("ada")
    ticket = await ada.post("/api/image/token/", filename="a.png")
    pending = await ada.post("/api/image/token/", filename="b.png")
    uploaded = await upload_with(ada, ticket)
    await ada.post("/api/image/delete/", id=uploaded["id"])
    for key in (ticket["key"], pending["key"]):
        await asyncio.to_thread(services.bucket.put, key, png(), mime="image/png")
    before = await stored_keys(services)

    await reconciler_of(services).reconcile(callback_grace=timedelta(days=1), upload_orphan_age_s=-1)

    assert sorted(before) == sorted([ticket["key"], pending["key"]])
    assert await stored_keys(services) == [pending["key"]]
    assert (await api.get(ticket["url"])).status == 404


@pytest.mark.requirement(58)
@pytest.mark.gen_test
async def test_a_token_that_a_crash_has_left_ends_with_its_image(api: ApiClient, services: Services) -> None:
    """The server died after it had registered the image and before it completed the upload."""
    ada = await api.sign_up("ada")
    ticket = await ada.post("/api/image/token/", filename="a.png")
    uploaded = await upload_with(ada, ticket)
    await services.uploads.add(PendingUpload(ticket["key"], Owner(ada.user_id, "ada"), "a.png", ""))
    await ada.post("/api/image/delete/", id=uploaded["id"])

    again = await upload_with(ada, ticket)

    assert again.status == refused_status(services)
    assert await stored_keys(services) == []


@pytest.mark.requirement(58)
@pytest.mark.gen_test
async def test_tokens_end_with_the_account(api: ApiClient, services: Services) -> None:
    ada = await api.sign_up("ada")
    used, unused = [await ada.post("/api/image/token/", filename=name) for name in ("a.png", "b.png")]
    await upload_with(ada, used)
    left = await ada.post("/api/user/delete/", password=PASSWORD)

    again = [await upload_with(api.new_client(), ticket) for ticket in (used, unused)]

    assert left["finished"] is True
    assert [answer.status for answer in again] == [refused_status(services)] * 2
    assert await stored_keys(services) == []


@pytest.mark.requirement(58)
@pytest.mark.gen_test
async def test_an_image_that_arrives_while_its_owner_leaves_is_not_registered(
    api: ApiClient, services: Services
) -> None:
    """The callback has read the pending upload when the deletion of the account begins."""
    ada = await api.sign_up("ada")
    ticket = await ada.post("/api/image/token/", filename="a.png")
    await services.users.mark_deleting(ada.user_id)
    owner = Owner(ada.user_id, "ada")
    new = NewImage(
        ImageKind.SOURCE, owner, key=ticket["key"], url=ticket["url"], filename="a.png", filesize=5, param=""
    )

    with pytest.raises(errors.NotFound):
        await services.registrations.register(new)

    assert not [image async for image in services.images.iterate_by_owner(ada.user_id)]


@pytest.mark.requirement(58)
@pytest.mark.gen_test
async def test_a_refused_object_that_cannot_be_deleted_is_refused_all_the_same(
    api: ApiClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await api.sign_up("ada")
    ticket = await ada.post("/api/image/token/", filename="a.png")
    await ada.post("/api/image/delete/", id=(await upload_with(ada, ticket))["id"])

    def away(*_: object) -> None:
        raise errors.BucketUnavailable

    monkeypatch.setattr(type(services.bucket), "delete", away)

    assert (await upload_with(ada, ticket)).status == refused_status(services)


@pytest.mark.parametrize("kodo", ["embedded"], indirect=True)
@pytest.mark.gen_test
async def test_a_token_for_the_object_of_another_client_needs_no_record(api: ApiClient, services: Services) -> None:
    """An operator signs it with the bucket's keys; keys of ours are refused unless an upload is expected."""
    assert services.embedded_bucket is not None
    keys = services.embedded_bucket.keys
    upload_url = (await (await api.sign_up()).post("/api/image/token/"))["upload_url"]

    answers = []
    for key in ("site/logo.png", "source/made-up"):
        token = qiniu.Auth(keys.access, keys.secret).upload_token("tessera", key)
        answers.append(await api.post_form(upload_url, {"token": token, "key": key}, "logo.png", png()))

    assert [answer.status for answer in answers] == [200, 401]
    assert answers[0]["key"] == "site/logo.png"
    assert (await api.get(services.bucket.url("site/logo.png"))).body == png()
