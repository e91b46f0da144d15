"""Requirements 30 and 31: sessions are secret, and images and tasks are private to their owner."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from itertools import pairwise

import pytest
from PIL import Image

from handlers.services import Services
from models.accounts.passwords import THREADS
from models.images.visibility import SERVER
from settings import Settings
from tests.support.client import PASSWORD, ApiClient, ApiResponse
from tests.support.pictures import encoded, png
from tests.support.waiting import finished, until


async def signed_in(api: ApiClient, cookies: dict[str, str]) -> bool:
    """Whether these cookies are a valid session."""
    client = ApiClient(api.client, api.base_url, dict(cookies))
    status = (await client.post("/api/image/token/", filename="a.png")).status
    assert status in (200, 401)
    return status == 200


@pytest.mark.requirement(30)
@pytest.mark.gen_test
async def test_each_sign_in_opens_a_new_session_and_sign_out_ends_it(api: ApiClient) -> None:
    added = await api.post("/api/user/add/", username="ada", email="a@example.com", password=PASSWORD)
    signed_in_response = await api.post("/api/user/query/", username="ada", password=PASSWORD)
    (header,) = signed_in_response.headers.get_list("Set-Cookie")
    first = dict(api.cookies)
    elsewhere = await api.new_client().sign_in("ada")

    await api.sign_in("ada")
    second = dict(api.cookies)
    after_second = await signed_in(api, first)
    other_before = await signed_in(api, elsewhere.cookies)
    changed = await api.post("/api/user/change/", password=PASSWORD, new_password="another long password")
    other_after, own_after = await signed_in(api, elsewhere.cookies), await signed_in(api, second)
    await api.post("/api/user/logout/")

    attributes = {part.strip().partition("=")[0].lower() for part in header.split(";")[1:]}
    assert (added["code"], changed["code"]) == (1, 1)
    assert {"httponly", "samesite", "path"} <= attributes
    assert "SameSite=Strict" in header
    assert "Path=/" in header
    assert "domain" not in attributes
    assert first != second
    assert (after_second, other_before, other_after, own_after) == (False, True, False, True)
    assert not await signed_in(api, second)


@pytest.mark.requirement(30)
@pytest.mark.gen_test
async def test_a_sign_in_that_overlaps_a_password_change_is_refused(api: ApiClient, services: Services) -> None:
    ada = await api.sign_up("ada")
    new_hash = await services.passwords.hash("another long password")
    attacker, release = api.new_client(), threading.Event()
    for _ in range(THREADS):
        services.passwords.executor.submit(release.wait, 120)  # all hashing threads are busy

    signing_in = asyncio.create_task(attacker.post("/api/user/query/", username="ada", password=PASSWORD))

    await until(lambda: services.passwords.waiting == 1)
    await services.users.update(ada.user_id, password_hash=new_hash)
    await services.sessions.close_all(ada.user_id)
    release.set()
    response = await signing_in

    assert (response["login"], "token" in response, "id" in response, attacker.cookies) == (False, False, False, {})
    assert await services.sessions.of_user(ada.user_id) == []


@pytest.mark.requirement(30)
@pytest.mark.gen_test
async def test_a_guessed_or_modified_token_is_not_a_session(api: ApiClient, services: Services) -> None:
    signed_in_response = await (await api.sign_up("ada")).post("/api/user/query/", username="ada", password=PASSWORD)
    token, (name, value) = signed_in_response["token"], next(iter(api.cookies.items()))
    flips = [value[:n] + ("A" if value[n] != "A" else "B") + value[n + 1 :] for n in range(0, len(value) - 1, 7)]
    bearers = [token[:-2] + "AA", token[:-1], token + "A", token.swapcase(), "x", "x" * 20_000, "\u00e9"]

    assert len(token) * 6 > 128
    assert await signed_in(api, {name: value})
    assert not any([await signed_in(api, {name: flipped}) for flipped in flips if flipped != value])
    for bearer in bearers:
        response = await api.new_client().post("/api/image/token/", headers={"Authorization": f"Bearer {bearer}"})
        assert response.status == 401
    sessions = await services.database.collection("sessions").find({}, sort="created", limit=9)
    assert not any(token in json.dumps(session, default=str) for session in sessions), "the stored form is not a token"


class TestOverTls:
    @pytest.fixture
    def settings(self, settings_of: Callable[..., Settings]) -> Settings:
        return settings_of(public_url="https://tessera.example")

    @pytest.mark.requirement(30)
    @pytest.mark.gen_test
    async def test_over_tls_the_cookie_is_secure_and_bound_to_the_host(self, api: ApiClient) -> None:
        await api.post("/api/user/add/", username="ada", email="a@example.com", password=PASSWORD)
        signed_in_response = await api.post("/api/user/query/", username="ada", password=PASSWORD)

        (header,) = signed_in_response.headers.get_list("Set-Cookie")
        assert header.startswith("__Host-session=")
        assert "; Secure" in header
        assert "domain" not in header.lower()
        assert signed_in_response.headers["Strict-Transport-Security"].startswith("max-age=")


@pytest.mark.requirement(31)
@pytest.mark.gen_test
async def test_images_and_tasks_of_another_user_cannot_be_changed(api: ApiClient) -> None:
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    mine = [await bob.upload(png(seed=n)) for n in range(3)]
    task = await bob.add_task(mine[0]["url"])
    ticket = await bob.post("/api/image/token/", filename="b.png")

    writes = [
        await ada.post("/api/image/change/", id=mine[0]["id"], title="mine now"),
        await ada.post("/api/image/delete/", id=mine[0]["id"]),
        await ada.post("/api/image/addinfo/", url=mine[0]["url"], filename="a", user_id=bob.user_id),
        await ada.post("/api/image/addinfo/", url=mine[0]["url"], filename="a", user_id=ada.user_id),
        await ada.post("/api/image/addinfo/", url=ticket["url"], filename="a", user_id=ada.user_id),
        await ada.post("/api/tasks/cancel/", id=task["id"]),
        await ada.post("/api/tasks/retry/", id=task["id"]),
        await ada.post("/api/tasks/pause/"),
        await ada.post("/api/user/follow/", from_user_name="bob", to_user_name="ada", follow_bool=1),
        await ada.get("/tasks/query/", owner="bob"),
    ]
    listed = (await ada.get("/tasks/query/", id=task["id"])).json
    (seen,) = listed["tasks"] + listed["done"]

    assert [response.status for response in writes] == [403] * len(writes), [response.json for response in writes]
    assert not {"url", "owner", "recipe", "source_id", "result_url"} & seen.keys()
    assert (await bob.get("/api/image/query/", id=mine[0]["id"]))["title"] == ""
    ids = sorted(each["id"] for each in mine)
    assert min(later - earlier for earlier, later in pairwise(ids)) > 1000, "ids must not be consecutive"


@pytest.mark.requirement(31)
@pytest.mark.gen_test
async def test_only_the_owner_sees_what_a_mosaic_was_made_of(api: ApiClient, services: Services) -> None:
    """The ids of private images give access to them; recipe, cell map and error message contain them."""
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    secrets = [await ada.upload(encoded(Image.new("RGB", (30, 30), colour), "PNG")) for colour in ("red", "blue")]
    source = await ada.upload(png(60, 40))
    recipe = {"style": "photomosaic", "cell": 10, "tiles": [each["id"] for each in secrets]}
    done = await finished(ada, (await ada.add_task(source["url"], recipe))["id"])
    own = await ada.get("/api/image/query/", id=done["result_id"])
    gone = await services.images.by_id(secrets[0]["id"], SERVER)
    assert gone.key is not None
    services.bucket.delete(gone.key)
    await services.thumbnails.delete(gone.id)  # which would do for a tile
    failed = await finished(ada, (await ada.add_task(source["url"], {**recipe, "seed": 1}))["id"])

    seen: list[ApiResponse] = []
    for stranger in (bob, api.new_client()):
        seen += [
            await stranger.get("/api/image/query/", id=done["result_id"]),
            await stranger.get("/api/feed/"),
            await stranger.get("/api/feed/", view="user", username="ada"),
            await stranger.get("/tasks/query/"),
            await stranger.get(f"/i/{done['result_id']}"),
            await stranger.get(own["map_url"]),
            await stranger.get(own["url"]),
        ]

    private = [str(each["id"]).encode() for each in (*secrets, source)]
    private += [each["url"].rpartition("/")[2].encode() for each in (*secrets, source)]
    assert {response.status for response in seen} == {200}
    assert [word for word in private for response in seen if word in response.body] == []
    assert own["recipe"]["tiles"] == recipe["tiles"]
    assert str(secrets[0]["id"]) in failed["message"], "the owner learns which image is missing"
