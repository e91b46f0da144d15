"""Every route as a way to learn of an image, and whom it shows one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from handlers import UPLOADS
from tests.support.client import ApiClient, ApiResponse, multipart
from tests.support.pictures import png
from tests.support.waiting import finished


@dataclass(frozen=True, slots=True)
class World:
    """Ada's source and its result, both with one visibility. urls: the plain addresses of source, result, cell map.

    mosaic: the id of a photomosaic of hers that everybody with the id sees, with the result in it.
    """

    source: dict[str, Any]
    result: dict[str, Any]
    task: dict[str, Any]
    urls: tuple[str, ...]
    visibility: str
    mosaic: int

    @property
    def ids(self) -> tuple[int, int]:
        return self.source["id"], self.result["id"]

    def is_shown_in(self, response: ApiResponse) -> bool:
        """Whether a response names an image by id or key, or is one."""
        media_type = response.headers.get("Content-Type", "")
        if response.status == 200 and media_type.startswith(("image/", "application/octet-stream", "application/pdf")):
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
    recipe = {"style": "photomosaic", "cell": 10, "tiles": [result["id"]]}
    mosaic = await finished(
        ada, (await ada.add_task((await ada.upload(png(30, 30)))["url"], recipe, visibility="link"))["id"]
    )
    return World(source, result, done, urls, visibility, mosaic["result_id"])


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


async def tiles(client: ApiClient, world: World) -> list[ApiResponse]:
    return [await client.get("/api/image/tiles/", id=world.mosaic)]


async def thumbnail(client: ApiClient, world: World) -> list[ApiResponse]:
    etags = [f'"{image_id}-320"' for image_id in world.ids]
    conditional = [
        await client.get(f"/thumbnail/{image_id}/320/", headers={"If-None-Match": etag})
        for image_id, etag in zip(world.ids, etags, strict=True)
    ]
    unseen = [response for response in conditional if response.status != 304]
    return [*[await client.get(f"/thumbnail/{image_id}/320/") for image_id in world.ids], *unseen]


async def pdf(client: ApiClient, world: World) -> list[ApiResponse]:
    return [await client.get("/api/image/pdf/", id=image_id) for image_id in world.ids]


async def plan(client: ApiClient, world: World) -> list[ApiResponse]:
    return [await client.get("/api/image/plan/", id=world.result["id"])]


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


async def query_story(client: ApiClient, world: World) -> list[ApiResponse]:
    return [await client.get("/api/queue/task/", id=world.task["id"])]


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
    "/api/image/tiles": tiles,
    "/api/image/pool": listing("/api/image/pool/", of="everybody"),
    "/api/image/pdf": pdf,
    "/api/image/plan": plan,
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
    "/photomosaic": listing("/photomosaic"),
    "/gallery": listing("/gallery"),
    "/account": listing("/account"),
    "/tasks": listing("/tasks"),
    r"/tasks/(?P<id>[0-9]{1,20})": listing("/tasks/1"),
    "/tasks/api": listing("/tasks/api"),
    "/api/queue/status": listing("/api/queue/status/"),
    "/api/queue/tasks": listing("/api/queue/tasks/"),
    "/api/queue/task": query_story,
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
    "/api/preview/source": "keeps what it is sent in memory, and reads nothing",
    "/api/rendition": "stores and reads nothing",
    "/tasks/events": "test_events_name_addresses_to_those_who_may_see_them",
    "/api/tasks/events": "the same handler",
    "/api/tasks/pause": "the whole queue",
    "/api/tasks/resume": "the whole queue",
    "/api/queue/change": "for developers alone, and answers with numbers",
    r"/static/(.*)": "our own files",
    "/up": "writes with a token of one's own",
    UPLOADS: "the same",
    UPLOADS + r"/(?P<upload_id>[0-9a-f]{32})": "the same",
    UPLOADS + r"/(?P<upload_id>[0-9a-f]{32})/(?P<number>[0-9]{1,6})": "the same",
    r"/up/mkblk/(?P<size>[0-9]{1,9})": "the same",
    r"/up/bput/(?P<ctx>[^/]+)/(?P<offset>[0-9]{1,9})": "the same",
    r"/up/mkfile/(.+)": "the same",
    r"/up/(.+)": "nothing is there",
    r"/rs/(.+)": "signed with the secret key",
    "/rs/batch": "signed with the secret key",
    r"/rsf/(.+)": "nothing is there",
    "/rsf/list": "signed with the secret key",
    "/rsf/v2/list": "signed with the secret key",
}

# Whom a route shows an image, by its visibility. Where a row is missing: nobody but the owner, or nobody at all.
EVERYBODY, OWNER, NOBODY = {"stranger", "user", "owner", "developer"}, {"owner"}, set[str]()
BY_LINK = {"private": OWNER, "link": EVERYBODY, "public": EVERYBODY}
SHOWN: dict[str, dict[str, set[str]]] = {
    "/api/feed": {"private": NOBODY, "link": NOBODY, "public": EVERYBODY},
    "/api/image/query": BY_LINK,
    "/api/image/tiles": {"private": OWNER, "link": OWNER, "public": EVERYBODY},
    "/api/image/pool": {"private": NOBODY, "link": NOBODY, "public": EVERYBODY},
    "/api/image/pdf": BY_LINK,
    "/api/image/plan": BY_LINK,
    r"/thumbnail/(?P<id>[0-9]{1,20})/(?P<width>[0-9]{1,9})": BY_LINK,
    r"/i/(?P<id>[0-9]+)": {"private": NOBODY, "link": EVERYBODY, "public": EVERYBODY},
    r"/bucket/(.*)": {"private": NOBODY, "link": EVERYBODY, "public": EVERYBODY},
    "/tasks/query": {"private": OWNER, "link": OWNER | {"developer"}, "public": OWNER | {"developer"}},
    "/api/tasks/query": {"private": OWNER, "link": OWNER | {"developer"}, "public": OWNER | {"developer"}},
    "/api/queue/tasks": {"private": NOBODY, "link": {"developer"}, "public": {"developer"}},
    "/api/queue/task": {"private": NOBODY, "link": {"developer"}, "public": {"developer"}},
    "/api/preview": BY_LINK,
    "/api/user/export": {"private": OWNER, "link": OWNER, "public": OWNER},
}


async def people(api: ApiClient) -> dict[str, ApiClient]:
    names = {"owner": "ada", "user": "bob", "developer": "dev"}
    clients = {role: api.new_client() for role in names}
    for role, name in names.items():
        await (clients[role].sign_in(name) if role == "developer" else clients[role].sign_up(name))
    for role in ("user", "developer"):
        follow = {"from_user_name": names[role], "to_user_name": "ada", "follow_bool": 1}
        await clients[role].post("/api/user/follow/", **follow)
    return clients | {"stranger": api.new_client()}
