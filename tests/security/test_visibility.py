"""Requirement 46: an image is seen by those for whom its owner has chosen it to be visible, on every route."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from handlers import ROUTES, UPLOADS
from handlers.services import Services
from models.bucket.read_signature import sign_read
from models.database import Database
from models.image import ImageKind
from models.visibility import SERVER, STRANGER, Reader, Visibility
from settings import Settings
from tests.handlers.sse_client import open_event_stream
from tests.support.client import ApiClient, ApiResponse, multipart
from tests.support.pictures import png
from tests.support.source import ROOT
from tests.support.waiting import finished

pytestmark = pytest.mark.requirement(46)


@pytest.fixture
def settings(settings_of: Callable[..., Settings]) -> Settings:
    return settings_of(developers=("dev",))


@dataclass(frozen=True, slots=True)
class World:
    """Ada's source and its result, both with one visibility. urls: the plain addresses of source, result, cell map."""

    source: dict[str, Any]
    result: dict[str, Any]
    task: dict[str, Any]
    urls: tuple[str, ...]
    visibility: str

    @property
    def ids(self) -> tuple[int, int]:
        return self.source["id"], self.result["id"]

    def is_shown_in(self, response: ApiResponse) -> bool:
        """Whether a response names an image by id or key, or is one."""
        media_type = response.headers.get("Content-Type", "")
        if response.status == 200 and media_type.startswith(("image/", "application/octet-stream")):
            return True
        keys = [urlsplit(url).path.rpartition("/")[2] for url in self.urls]
        marks = keys if b'"error":' in response.body else [*keys, *self.ids]  # an error repeats the id of the request
        return any(str(mark).encode() in response.body for mark in marks)


async def make_world(ada: ApiClient, visibility: str) -> World:
    """A brick mosaic, which has a cell map."""
    ticket = await ada.post("/api/image/token/", filename="photo.png", visibility=visibility)
    fields = {"token": ticket["token"], "key": ticket["key"]}
    source = (await ada.post_form(ticket["upload_url"], fields, "photo.png", png(60, 40))).json
    done = await finished(ada, (await ada.add_task(source["url"], "brick", visibility=visibility, batch="b"))["id"])
    assert done["state"] == "done", done
    result = (await ada.get("/api/image/query/", id=done["result_id"])).json
    urls = (source["url"], result["url"], result["map_url"].partition("?")[0])
    return World(source, result, done, urls, visibility)


Walk = Callable[[ApiClient, World], Awaitable[list[ApiResponse]]]


def listing(path: str, **query: Any) -> Walk:
    async def walk(client: ApiClient, world: World) -> list[ApiResponse]:
        return [await client.get(path, **query)]

    return walk


async def feeds(client: ApiClient, world: World) -> list[ApiResponse]:
    return [
        await client.get("/api/feed/"),
        await client.get("/api/feed/", view="following"),
        await client.get("/api/feed/", view="user", username="ada"),
        await client.get("/api/feed/", view="batch", id=world.result["id"]),
    ]


async def query_image(client: ApiClient, world: World) -> list[ApiResponse]:
    return [await client.get("/api/image/query/", id=image_id) for image_id in world.ids]


async def thumbnail(client: ApiClient, world: World) -> list[ApiResponse]:
    etags = [f'"{image_id}-320"' for image_id in world.ids]
    conditional = [
        await client.get(f"/thumbnail/{image_id}/320/", headers={"If-None-Match": etag})
        for image_id, etag in zip(world.ids, etags, strict=True)
    ]
    unseen = [response for response in conditional if response.status != 304]
    return [*[await client.get(f"/thumbnail/{image_id}/320/") for image_id in world.ids], *unseen]


async def page(client: ApiClient, world: World) -> list[ApiResponse]:
    """The page's address is in it only where it has a preview."""
    return [await client.get(f"/i/{image_id}") for image_id in world.ids]


async def files(client: ApiClient, world: World) -> list[ApiResponse]:
    """Plain addresses, those of thumbnails too, and addresses signed by another key or for another object."""
    thumbnails = [urlsplit(world.urls[0])._replace(path=f"/bucket/thumbnail/{each}/320.webp") for each in world.ids]
    plain = [*world.urls, *(each.geturl() for each in thumbnails)]
    return [await client.get(url) for url in plain]


async def queue(client: ApiClient, world: World) -> list[ApiResponse]:
    return [await client.get("/tasks/query/"), await client.get("/api/tasks/query/", id=world.task["id"])]


async def add_task(client: ApiClient, world: World) -> list[ApiResponse]:
    recipe = {"style": "photomosaic", "cell": 10, "tiles": [world.result["id"]]}
    own = (await client.upload(png(30, 30, seed=5)))["url"]
    return [
        await client.post("/api/tasks/add/", url=world.urls[0], param="diamond"),
        await client.post("/api/tasks/add/", url=world.urls[1], param="diamond"),
        await client.post("/api/tasks/add/", url=own, param=recipe),
    ]


async def preview(client: ApiClient, world: World) -> list[ApiResponse]:
    recipe = f'{{"style": "photomosaic", "cell": 10, "tiles": [{world.result["id"]}]}}'
    body, content_type = multipart({"param": recipe}, "small.png", png(30, 30))
    return [await client.request("POST", "/api/preview/", body=body, headers={"Content-Type": content_type})]


async def register(client: ApiClient, world: World) -> list[ApiResponse]:
    values = {"filename": "x", "user_id": client.user_id or 1}
    return [await client.post("/api/image/addinfo/", url=url, **values) for url in world.urls]


async def token_for_key(client: ApiClient, world: World) -> list[ApiResponse]:
    return [await client.post("/api/image/token/", key=urlsplit(world.urls[0]).path.removeprefix("/bucket/"))]


def change(path: str, **values: Any) -> Walk:
    async def walk(client: ApiClient, world: World) -> list[ApiResponse]:
        return [await client.post(path, id=image_id, **values) for image_id in world.ids]

    return walk


async def change_visibility(client: ApiClient, world: World) -> list[ApiResponse]:
    return [await client.post("/api/image/visibility/", ids=list(world.ids), visibility="public")]


def task_action(path: str) -> Walk:
    async def walk(client: ApiClient, world: World) -> list[ApiResponse]:
        return [await client.post(path, id=world.task["id"])]

    return walk


READING: dict[str, Walk] = {
    "/api/feed": feeds,
    "/api/image/query": query_image,
    r"/thumbnail/(?P<id>[0-9]{1,20})/(?P<width>[0-9]{1,9})": thumbnail,
    r"/i/(?P<id>[0-9]+)": page,
    r"/bucket/(.*)": files,
    "/tasks/query": queue,
    "/api/tasks/query": queue,
    "/api/tasks/add": add_task,
    "/api/preview": preview,
    "/api/user/query": listing("/api/user/query/", username="ada"),
    "/api/session": listing("/api/session/"),
    r"/u/(?P<username>[^/]+)": listing("/u/ada"),
    "/": listing("/"),
    "/gallery": listing("/gallery"),
    "/account": listing("/account"),
    "/tasks": listing("/tasks"),
    "/health": listing("/health"),
    "/metrics": listing("/metrics"),
    r"/api/openapi\.json": listing("/api/openapi.json"),
    "/api/styles": listing("/api/styles/"),
    "/api/user/export": listing("/api/user/export/"),
}
CHANGING: dict[str, Walk] = {
    "/api/image/token": token_for_key,
    "/api/image/addinfo": register,
    "/api/image/change": change("/api/image/change/", title="mine now"),
    "/api/image/visibility": change_visibility,
    "/api/image/delete": change("/api/image/delete/"),
    "/api/tasks/cancel": task_action("/api/tasks/cancel/"),
    "/api/tasks/retry": task_action("/api/tasks/retry/"),
}
OTHERWISE: dict[str, str] = {
    "/api/user/add": "makes a user",
    "/api/user/guest": "makes a guest",
    "/api/user/follow": "changes an edge between users",
    "/api/user/logout": "ends the own session",
    "/api/user/change": "changes the own account",
    "/api/user/delete": "deletes the own account",
    "/api/image/upload": "the bucket's callback: signed, for a pending key",
    "/api/rendition": "stores and reads nothing",
    "/tasks/events": "test_events_name_addresses_to_those_who_may_see_them",
    "/api/tasks/events": "the same handler",
    "/api/tasks/pause": "the whole queue",
    "/api/tasks/resume": "the whole queue",
    r"/static/(.*)": "our own files",
    "/up": "writes with a token of one's own",
    UPLOADS: "the same",
    UPLOADS + r"/(?P<upload_id>[0-9a-f]{32})": "the same",
    UPLOADS + r"/(?P<upload_id>[0-9a-f]{32})/(?P<number>[0-9]{1,6})": "the same",
    r"/rs/stat/([^/]+)": "signed with the secret key",
    r"/rs/delete/([^/]+)": "signed with the secret key",
    "/rsf/list": "signed with the secret key",
}

# Whom a route shows an image, by its visibility. Where a row is missing: nobody but the owner, or nobody at all.
EVERYBODY, OWNER, NOBODY = {"stranger", "user", "owner", "developer"}, {"owner"}, set[str]()
BY_LINK = {"private": OWNER, "link": EVERYBODY, "public": EVERYBODY}
SIGNED_IN = EVERYBODY - {"stranger"}
SHOWN: dict[str, dict[str, set[str]]] = {
    "/api/feed": {"private": NOBODY, "link": NOBODY, "public": EVERYBODY},
    "/api/image/query": BY_LINK,
    r"/thumbnail/(?P<id>[0-9]{1,20})/(?P<width>[0-9]{1,9})": BY_LINK,
    r"/i/(?P<id>[0-9]+)": {"private": NOBODY, "link": EVERYBODY, "public": EVERYBODY},
    r"/bucket/(.*)": {"private": NOBODY, "link": EVERYBODY, "public": EVERYBODY},
    "/tasks/query": {"private": OWNER, "link": OWNER | {"developer"}, "public": OWNER | {"developer"}},
    "/api/tasks/query": {"private": OWNER, "link": OWNER | {"developer"}, "public": OWNER | {"developer"}},
    "/api/preview": BY_LINK,
    "/api/user/export": {"private": OWNER, "link": OWNER, "public": OWNER},
}


def test_every_route_is_walked_or_has_a_reason_why_not() -> None:
    assert sorted({*READING, *CHANGING, *OTHERWISE}) == sorted({path for path, _ in ROUTES})


def test_only_the_callback_of_the_bucket_looks_images_up_for_the_server_itself() -> None:
    using = {path.name for path in (ROOT / "handlers").rglob("*.py") if re.search(r"\bSERVER\b", path.read_text())}

    assert using == {"uploads.py"}


async def people(api: ApiClient) -> dict[str, ApiClient]:
    names = {"owner": "ada", "user": "bob", "developer": "dev"}
    clients = {role: await api.new_client().sign_up(name) for role, name in names.items()}
    for role in ("user", "developer"):
        follow = {"from_user_name": names[role], "to_user_name": "ada", "follow_bool": 1}
        await clients[role].post("/api/user/follow/", **follow)
    return clients | {"stranger": api.new_client()}


@pytest.mark.parametrize("visibility", [str(each) for each in Visibility])
@pytest.mark.gen_test(timeout=60)
async def test_each_route_shows_an_image_to_those_who_may_see_it(
    api: ApiClient, services: Services, visibility: str
) -> None:
    clients = await people(api)
    world = await make_world(clients["owner"], visibility)

    for path, walk in READING.items():
        for role, client in clients.items():
            if path == "/api/tasks/add":
                continue
            if path == "/api/user/export" and role != "owner":
                continue
            shown_to = SHOWN.get(path, {}).get(visibility, NOBODY)
            responses = await walk(client, world)
            shows = [_unzipped_is_shown(world, response) for response in responses]
            expected = role in shown_to
            if path == "/api/feed":
                assert shows[0] is shows[2] is shows[3] is expected, (path, role, shows)
                assert shows[1] is (expected and role in ("user", "developer")), (path, role)
            else:
                assert all(each is expected for each in shows), (path, role, [each.status for each in responses], shows)


def _unzipped_is_shown(world: World, response: ApiResponse) -> bool:
    if response.headers.get("Content-Type") != "application/zip":
        return world.is_shown_in(response)
    with zipfile.ZipFile(io.BytesIO(response.body)) as archive:
        return str(world.result["id"]).encode() in archive.read("data.json")


@pytest.mark.parametrize("visibility", [str(each) for each in Visibility])
@pytest.mark.gen_test(timeout=60)
async def test_others_make_something_of_an_image_only_if_they_may_see_it(api: ApiClient, visibility: str) -> None:
    clients = await people(api)
    world = await make_world(clients["owner"], visibility)

    for role in ("user", "developer", "owner"):
        codes = [response["code"] == 1 for response in await add_task(clients[role], world)]

        assert codes == [role == "owner" or visibility != "private"] * 3, role


@pytest.mark.parametrize("visibility", [str(each) for each in Visibility])
@pytest.mark.gen_test(timeout=60)
async def test_others_change_nothing_and_do_not_learn_of_a_private_image(
    api: ApiClient, services: Services, visibility: str
) -> None:
    clients = await people(api)
    world = await make_world(clients["owner"], visibility)
    before = [await services.images.by_id(image_id, SERVER) for image_id in world.ids]

    for path, walk in CHANGING.items():
        for role in ("stranger", "user", "developer"):
            for response in await walk(clients[role], world):
                if role == "stranger":
                    assert response.status == 401, (path, response.json)
                elif path == "/api/image/visibility":
                    assert response["changed"] == [], role
                elif path.startswith("/api/tasks/"):
                    assert response["error"] in ("not_yours", "wrong_state"), (path, role)
                elif visibility == "private" or path == "/api/image/token":
                    assert response["error"] == "not_found", (path, role, response.json)
                else:
                    assert response["error"] in ("not_yours", "not_found"), (path, role, response.json)

    assert [await services.images.by_id(image_id, SERVER) for image_id in world.ids] == before


@pytest.mark.gen_test(timeout=60)
async def test_events_name_addresses_to_those_who_may_see_them(api: ApiClient) -> None:
    clients = await people(api)
    for visibility in map(str, Visibility):
        async with AsyncExitStack() as stack:
            opened = {role: await stack.enter_async_context(open_event_stream(each)) for role, each in clients.items()}
            world = await make_world(clients["owner"], visibility)
            for role, stream in opened.items():
                event = await stream.state(world.task["id"], "done")
                sees = role == "owner" or (role == "developer" and visibility != "private")
                assert {"url", "source_id", "result_id", "result_url"} <= event.data.keys() if sees else True
                assert sees or not {"url", "source_id", "result_id", "result_url"} & event.data.keys(), role


@pytest.mark.gen_test(timeout=60)
async def test_the_file_of_a_private_image_is_read_by_a_signed_address_until_its_end(
    api: ApiClient, services: Services
) -> None:
    ada = await api.sign_up("ada")
    world, stranger = await make_world(ada, "private"), api.new_client()
    bucket = services.embedded_bucket
    assert bucket is not None

    signed = [world.result["readable_url"], world.result["map_url"], world.task["result_url"]]
    opened = [await stranger.get(url) for url in signed]
    late = sign_read(bucket.keys, world.urls[1], 1_700_000_000)
    expired = await stranger.get(late)
    altered = [
        signed[0].replace(world.urls[1], world.urls[0]),
        signed[0].replace("?e=", "?e=9"),
        signed[0][:-4] + "AAA=",
        signed[0].partition("&token")[0],
        late + "&e=99999999999",
    ]
    refused = [await stranger.get(url) for url in altered]
    named = await stranger.get(sign_read(bucket.keys, world.urls[1] + "?attname=a.png", 2**33))

    assert [response.status for response in opened] == [200, 200, 200]
    lifetimes = [int(response.headers["Cache-Control"].split("max-age=")[1].split(",")[0]) for response in opened]
    assert all(3500 < lifetime <= 4200 for lifetime in lifetimes)
    assert {response.headers["Cache-Control"].split(",")[0] for response in opened} == {"private"}
    assert (expired.status, expired.json) == (401, {"error": "token out of date"})
    assert {response.status for response in refused} == {404}
    assert {response.body for response in refused} == {b'{"error": "Document not found"}'}
    assert named.headers["Content-Disposition"].startswith("attachment")
    assert "token=" not in world.result["url"] + world.task["url"]


@pytest.mark.gen_test(timeout=60)
async def test_caches_keep_no_private_thumbnail_and_shared_ones_none_at_all(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    for visibility, expected in (("private", "private, no-cache"), ("public", "private, max-age=31536000, immutable")):
        world = await make_world(ada, visibility)
        response = await ada.get(f"/thumbnail/{world.result['id']}/320/")

        assert response.headers["Cache-Control"] == expected


@pytest.mark.gen_test(timeout=60)
async def test_an_object_made_by_two_users_is_open_if_one_of_them_lets_it_be(api: ApiClient) -> None:
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    source, stranger = (await ada.upload())["url"], api.new_client()
    own = await finished(ada, (await ada.add_task(source, visibility="private"))["id"])
    plain = own["result_url"].partition("?")[0]
    before = await stranger.get(plain)

    shared = await finished(bob, (await bob.add_task(source, visibility="public"))["id"])
    after = await stranger.get(plain)
    images = [(await stranger.get("/api/image/query/", id=each["result_id"]))["code"] for each in (own, shared)]

    assert (before.status, after.status) == (404, 200)
    assert shared["result_url"] == plain
    assert images == [-1, 1]


@pytest.mark.gen_test(timeout=60)
async def test_many_images_change_at_once_and_their_tasks_with_them(api: ApiClient) -> None:
    ada, dev = await api.sign_up("ada"), await api.new_client().sign_up("dev")
    world, stranger = await make_world(ada, "private"), api.new_client()
    other = await finished(ada, (await ada.add_task(world.urls[0], visibility="link"))["id"])
    ids = [*world.ids, other["result_id"]]

    published = await ada.post("/api/image/visibility/", ids=ids, visibility="public")
    seen = (await stranger.get("/api/feed/"))["images"]
    by_dev = (await dev.get("/tasks/query/"))["done"]
    hidden = await ada.form("/api/image/visibility/", ids=",".join(map(str, ids)), visibility="private")
    afterwards = (await stranger.get("/api/feed/"))["images"]
    hidden_from_dev = (await dev.get("/tasks/query/"))["done"]
    refused = [
        await ada.post("/api/image/visibility/", ids=[], visibility="public"),
        await ada.post("/api/image/visibility/", ids=[1] * 501, visibility="public"),
        await ada.post("/api/image/visibility/", ids=ids, visibility="everybody"),
    ]

    assert sorted(published["changed"]) == sorted(hidden["changed"]) == sorted(ids)
    assert {image["id"] for image in seen} == {world.result["id"], other["result_id"]}
    assert all("result_url" in task for task in by_dev)
    assert afterwards == []
    assert not any("result_url" in task or "url" in task for task in hidden_from_dev)
    assert [response.status for response in refused] == [400, 400, 400]


@pytest.mark.gen_test(timeout=60)
async def test_without_a_word_an_image_is_visible_by_link_and_the_newest_choice_counts(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    uploaded = await ada.upload()
    task = (await ada.post("/api/tasks/add/", url=uploaded["url"]))["task"]
    done = await finished(ada, task["id"])

    async def again(**chosen: str) -> str:
        repeated = (await ada.post("/api/tasks/add/", url=uploaded["url"], **chosen))["task"]
        assert (await finished(ada, repeated["id"]))["result_id"] == done["result_id"]
        return str((await ada.get("/api/image/query/", id=done["result_id"]))["visibility"])

    chosen = [await again(visibility="private"), await again(), await again(visibility="public"), await again()]

    assert (await ada.get("/api/image/query/", id=uploaded["id"]))["visibility"] == "link"
    assert (done["visibility"], task["visibility"]) == ("link", "link")
    assert chosen == ["private", "private", "public", "public"]


@pytest.mark.gen_test
async def test_records_of_an_earlier_version_stay_as_visible_as_they_were(
    api: ApiClient, services: Services, database: Database
) -> None:
    ada = await api.sign_up("ada")
    world = await make_world(ada, "private")
    records = database.collection("images")
    await records.update_many({}, {"$unset": {"visibility": ""}})
    closed = [(await api.new_client().get("/api/image/query/", id=each))["code"] for each in world.ids]

    for _ in range(2):
        await services.images.state_visibility()

    source, result = [await services.images.by_id(image_id, STRANGER) for image_id in world.ids]
    assert closed == [-1, -1], "a record without a visibility is private"
    assert (source.visibility, result.visibility) == (Visibility.LINK, Visibility.PUBLIC)
    assert result.kind is ImageKind.RESULT


@pytest.mark.gen_test
async def test_the_source_of_a_result_is_shown_with_it_though_it_is_private(api: ApiClient) -> None:
    ada, stranger = await api.sign_up("ada"), api.new_client()
    world = await make_world(ada, "private")
    await ada.post("/api/image/visibility/", ids=[world.result["id"]], visibility="public")
    before = (await stranger.get("/api/image/query/", id=world.result["id"]))["source_url"]

    await ada.post("/api/image/change/", id=world.result["id"], show_source=True)
    shown_url = (await stranger.get("/api/image/query/", id=world.result["id"]))["source_url"]

    assert before is None
    assert (await stranger.get(shown_url)).status == 200
    assert (await stranger.get(world.urls[0])).status == 404


def test_the_policy_is_closed_for_nobodys_private_images() -> None:
    assert not STRANGER.owns(_Record(Visibility.PRIVATE, None))
    assert not STRANGER.may_see(_Record(Visibility.PRIVATE, None))
    assert [Reader(7).may_see(_Record(Visibility.PRIVATE, owner)) for owner in (7, 8)] == [True, False]


@dataclass(frozen=True, slots=True)
class _Owner:
    id: int | None


class _Record:
    def __init__(self, visibility: Visibility, owner_id: int | None) -> None:
        self.visibility, self.owner = visibility, _Owner(owner_id)


@pytest.mark.gen_test(timeout=60)
async def test_pictures_made_together_are_one_entry_of_the_gallery(api: ApiClient) -> None:
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    stranger = api.new_client()
    source = (await ada.upload())["url"]

    async def make(person: ApiClient, cell: int, batch: str | None, visibility: str = "public") -> int:
        more = {} if batch is None else {"batch": batch}
        recipe = {"style": "mosaic", "cell": cell}
        task = await person.add_task(source, recipe, visibility=visibility, **more)
        return int((await finished(person, task["id"]))["result_id"])

    single = await make(ada, 4, None)
    batch = [await make(ada, cell, "x") for cell in range(5, 10)]
    private = await make(ada, 10, "x", "private")
    of_bob = await make(bob, 11, "x")

    pages, cursor = [], {}
    while True:
        feed = await stranger.get("/api/feed/", limit=1, **cursor)
        pages += [(image["id"], image["batch_size"]) for image in feed["images"]]
        if feed["cursor"] is None:
            break
        cursor = {"cursor": feed["cursor"]}
    made_together = (await stranger.get("/api/feed/", view="batch", id=batch[0]))["images"]
    seen_from_inside = (await ada.get("/api/image/query/", id=private))["batch_size"]
    await ada.post("/api/image/delete/", id=batch[-1])
    next_one = [(each["id"], each["batch_size"]) for each in (await stranger.get("/api/feed/"))["images"]]

    assert pages == [(of_bob, 1), (batch[-1], 5), (single, 1)]
    assert [image["id"] for image in made_together] == batch[::-1]
    assert seen_from_inside == 5
    assert next_one == [(of_bob, 1), (batch[-2], 4), (single, 1)]
    assert len((await ada.get("/api/feed/", view="mine"))["images"]) == 6
