"""Requirements 30 and 31: a session is its owner's alone, and so is what is somebody's."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from itertools import pairwise

import pytest
from PIL import Image

from handlers import Parts
from models.passwords import THREADS
from settings import Settings
from tests.support.client import PASSWORD, Answer, Api
from tests.support.pictures import encoded, png
from tests.support.waiting import finished, until


async def signed_in(api: Api, cookies: dict[str, str]) -> bool:
    """Whether these cookies let somebody act."""
    somebody = Api(api.client, api.base_url, dict(cookies))
    status = (await somebody.post("/api/image/token/", filename="a.png")).status
    assert status in (200, 401)
    return status == 200


@pytest.mark.gen_test(timeout=60)
async def test_req_30_a_session_is_new_at_each_sign_in_and_dead_after_its_end(api: Api) -> None:
    added = await api.post("/api/user/add/", username="ada", email="a@example.com", password=PASSWORD)
    found = await api.post("/api/user/query/", username="ada", password=PASSWORD)
    (header,) = found.headers.get_list("Set-Cookie")
    first = dict(api.cookies)
    elsewhere = await api.newcomer().sign_in("ada")

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


@pytest.mark.gen_test(timeout=60)
async def test_req_30_a_password_that_was_changed_while_it_was_looked_at_signs_nobody_in(
    api: Api, parts: Parts
) -> None:
    ada = await api.sign_up("ada")
    new_hash = await parts.passwords.hash("another long password")
    thief, gate = api.newcomer(), threading.Event()
    for _ in range(THREADS):
        parts.passwords._executor.submit(gate.wait, 15)  # whatever else keeps them busy

    signing_in = asyncio.create_task(thief.post("/api/user/query/", username="ada", password=PASSWORD))

    async def it_waits() -> bool:
        return parts.passwords.waiting == 1

    await until(it_waits)
    await parts.users.change(ada.user_id, password_hash=new_hash)
    await parts.sessions.close_all(ada.user_id)
    gate.set()
    answer = await signing_in

    assert (answer["login"], "token" in answer, "id" in answer, thief.cookies) == (False, False, False, {})
    assert await parts.sessions.of_user(ada.user_id) == []


@pytest.mark.gen_test(timeout=60)
async def test_req_30_a_guessed_or_flipped_token_is_nobodys(api: Api, parts: Parts) -> None:
    found = await (await api.sign_up("ada")).post("/api/user/query/", username="ada", password=PASSWORD)
    token, (name, value) = found["token"], next(iter(api.cookies.items()))
    flips = [value[:n] + ("A" if value[n] != "A" else "B") + value[n + 1 :] for n in range(0, len(value) - 1, 7)]
    bearers = [token[:-2] + "AA", token[:-1], token + "A", token.swapcase(), "x", "x" * 20_000, "\u00e9"]

    assert len(token) * 6 > 128
    assert await signed_in(api, {name: value})
    assert not any([await signed_in(api, {name: flipped}) for flipped in flips if flipped != value])
    for bearer in bearers:
        answer = await api.newcomer().post("/api/image/token/", headers={"Authorization": f"Bearer {bearer}"})
        assert answer.status == 401
    sessions = await parts.database.collection("sessions").find({}, sort="created", limit=9)
    assert not any(token in json.dumps(session, default=str) for session in sessions), "what is stored signs nobody in"


class TestReq30OverTls:
    @pytest.fixture
    def settings(self, settings_of: Callable[..., Settings]) -> Settings:
        return settings_of(public_url="https://tessera.example")

    @pytest.mark.gen_test
    async def test_req_30_over_tls_the_cookie_never_leaves_it(self, api: Api) -> None:
        await api.post("/api/user/add/", username="ada", email="a@example.com", password=PASSWORD)
        found = await api.post("/api/user/query/", username="ada", password=PASSWORD)

        (header,) = found.headers.get_list("Set-Cookie")
        assert header.startswith("__Host-session=")
        assert "; Secure" in header
        assert "domain" not in header.lower()
        assert found.headers["Strict-Transport-Security"].startswith("max-age=")


@pytest.mark.gen_test(timeout=60)
async def test_req_31_what_is_somebody_elses_stays_theirs(api: Api) -> None:
    ada, bob = await api.sign_up("ada"), await api.newcomer().sign_up("bob")
    mine = [await bob.upload(png(seed=n)) for n in range(3)]
    task = await bob.make(mine[0]["url"])
    grant = await bob.post("/api/image/token/", filename="b.png")

    writes = [
        await ada.post("/api/image/change/", id=mine[0]["id"], title="mine now"),
        await ada.post("/api/image/delete/", id=mine[0]["id"]),
        await ada.post("/api/image/addinfo/", url=mine[0]["url"], filename="a", user_id=bob.user_id),
        await ada.post("/api/image/addinfo/", url=mine[0]["url"], filename="a", user_id=ada.user_id),
        await ada.post("/api/image/addinfo/", url=grant["url"], filename="a", user_id=ada.user_id),
        await ada.post("/api/tasks/cancel/", id=task["id"]),
        await ada.post("/api/tasks/retry/", id=task["id"]),
        await ada.post("/api/tasks/pause/"),
        await ada.post("/api/user/follow/", from_user_name="bob", to_user_name="ada", follow_bool=1),
        await ada.get("/tasks/query/", owner="bob"),
    ]
    listed = (await ada.get("/tasks/query/", id=task["id"])).json
    (seen,) = listed["tasks"] + listed["done"]

    assert [answer.status for answer in writes] == [403] * len(writes), [answer.json for answer in writes]
    assert not {"url", "owner", "recipe", "source_id", "result_url"} & seen.keys()
    assert (await bob.get("/api/image/query/", id=mine[0]["id"]))["title"] == ""
    ids = sorted(each["id"] for each in mine)
    assert min(later - earlier for earlier, later in pairwise(ids)) > 1000, "ids can be counted"


@pytest.mark.gen_test(timeout=60)
async def test_req_31_what_a_mosaic_was_made_of_is_told_to_its_owner_alone(api: Api, parts: Parts) -> None:
    """The ids of private pictures are as good as the pictures: tiles stand in recipe, cell map, and word of failure."""
    ada, bob = await api.sign_up("ada"), await api.newcomer().sign_up("bob")
    secrets = [await ada.upload(encoded(Image.new("RGB", (30, 30), colour), "PNG")) for colour in ("red", "blue")]
    source = await ada.upload(png(60, 40))
    recipe = {"style": "photomosaic", "cell": 10, "tiles": [each["id"] for each in secrets]}
    done = await finished(ada, (await ada.make(source["url"], recipe))["id"])
    own = await ada.get("/api/image/query/", id=done["result_id"])
    gone = await parts.images.by_id(secrets[0]["id"])
    assert gone.key is not None
    parts.bucket.delete(gone.key)
    failed = await finished(ada, (await ada.make(source["url"], {**recipe, "seed": 1}))["id"])

    seen: list[Answer] = []
    for stranger in (bob, api.newcomer()):
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
    assert {answer.status for answer in seen} == {200}
    assert [word for word in private for answer in seen if word in answer.body] == []
    assert own["recipe"]["tiles"] == recipe["tiles"]
    assert str(secrets[0]["id"]) in failed["message"], "which picture is gone is told to who named it"
