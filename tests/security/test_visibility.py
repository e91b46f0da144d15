"""Requirement 46: an image is seen by those for whom its owner has chosen it to be visible, on every route."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest

from handlers import ROUTES
from handlers.services import Services
from models.images.visibility import SERVER, Visibility
from settings import Settings
from tests.handlers.sse_client import open_event_stream
from tests.security.image_routes import CHANGING, NOBODY, OTHERWISE, READING, SHOWN, World, add_task, make_world, people
from tests.support.client import ApiClient, ApiResponse
from tests.support.source import ROOT

pytestmark = pytest.mark.requirement(46)


@pytest.fixture
def settings(settings_of: Callable[..., Settings]) -> Settings:
    return settings_of(developers=("dev",))


def test_every_route_is_walked_or_has_a_reason_why_not() -> None:
    assert sorted({*READING, *CHANGING, *OTHERWISE}) == sorted({path for path, _ in ROUTES})


def test_only_the_callback_of_the_bucket_looks_images_up_for_the_server_itself() -> None:
    using = {path.name for path in (ROOT / "handlers").rglob("*.py") if re.search(r"\bSERVER\b", path.read_text())}

    assert using == {"uploads.py"}


@pytest.mark.parametrize("visibility", [str(each) for each in Visibility])
@pytest.mark.usefixtures("accounts_of_developers")
@pytest.mark.gen_test
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
@pytest.mark.usefixtures("accounts_of_developers")
@pytest.mark.gen_test
async def test_others_make_something_of_an_image_only_if_they_may_see_it(api: ApiClient, visibility: str) -> None:
    clients = await people(api)
    world = await make_world(clients["owner"], visibility)

    for role in ("user", "developer", "owner"):
        codes = [response["code"] == 1 for response in await add_task(clients[role], world)]

        assert codes == [role == "owner" or visibility != "private"] * 3, role


@pytest.mark.parametrize("visibility", [str(each) for each in Visibility])
@pytest.mark.usefixtures("accounts_of_developers")
@pytest.mark.gen_test
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


@pytest.mark.usefixtures("accounts_of_developers")
@pytest.mark.gen_test
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
