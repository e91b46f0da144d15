"""Requirement 46: how the visibility of images is chosen and changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from handlers.services import Services
from models.database import Database
from models.images.image import ImageKind
from models.images.visibility import STRANGER, Viewer, Visibility
from settings import Settings
from tests.security.image_routes import make_world
from tests.support.client import ApiClient
from tests.support.waiting import finished

pytestmark = pytest.mark.requirement(46)


@pytest.fixture
def settings(settings_of: Callable[..., Settings]) -> Settings:
    return settings_of(developers=("dev",))


@pytest.mark.usefixtures("accounts_of_developers")
@pytest.mark.gen_test
async def test_many_images_change_at_once_and_their_tasks_with_them(api: ApiClient) -> None:
    ada, dev = await api.sign_up("ada"), await api.new_client().sign_in("dev")
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
    others = [task for task in hidden_from_dev if task.get("result_id") != world.mosaic]  # seen by link
    assert len(others) == len(hidden_from_dev) - 1
    assert not any("result_url" in task or "url" in task for task in others)
    assert [response.status for response in refused] == [400, 400, 400]


@pytest.mark.gen_test
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


def test_the_policy_is_closed_for_nobodys_private_images() -> None:
    assert not STRANGER.owns(_Record(Visibility.PRIVATE, None))
    assert not STRANGER.can_see(_Record(Visibility.PRIVATE, None))
    assert [Viewer(7).can_see(_Record(Visibility.PRIVATE, owner)) for owner in (7, 8)] == [True, False]


@dataclass(frozen=True, slots=True)
class _Owner:
    id: int | None


class _Record:
    def __init__(self, visibility: Visibility, owner_id: int | None) -> None:
        self.visibility, self.owner = visibility, _Owner(owner_id)
