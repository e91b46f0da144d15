"""Every style, through the server's own events: percent rises in steps, and a cancelled task leaves nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from handlers import Parts
from processing import mosaic
from settings import Settings
from tests.client import Api
from tests.handlers.listening import listening
from tests.pictures import encoded, photo
from tests.waiting import until

STEPS = 5
OVER_S = 2.0
"""From this time on a task tells as many steps."""
MORE: dict[str, dict[str, Any]] = {"redact": {"regions": [[0.1, 0.1, 0.3, 0.3]]}}


@pytest.fixture
def settings(settings_of: Callable[..., Settings]) -> Settings:
    return settings_of(workers=1)


@pytest.fixture(scope="module")
def picture() -> bytes:
    return encoded(photo(1600, 1200), "JPEG", quality=90)


@pytest.mark.parametrize("style", mosaic.STYLES)
@pytest.mark.gen_test(timeout=60)
async def test_a_task_of_two_seconds_tells_five_steps_and_never_falls(
    api: Api, picture: bytes, style: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await api.sign_up("ada")
    url = (await ada.upload(picture, "photo.jpg"))["url"]
    async with listening(ada) as ear:
        first = (await ada.make(url, {"style": style, "seed": 1, **MORE.get(style, {})}))["id"]
        took_s = (await ear.state(first, "done", timeout_s=30)).data["seconds"]
        _slow_down(monkeypatch, took_s / OVER_S)
        second = (await ada.make(url, {"style": style, "seed": 2, **MORE.get(style, {})}))["id"]
        await ear.state(second, "done", timeout_s=30)

    told = [one.data["percent"] for one in ear.told if one.data.get("id") == second and "percent" in one.data]
    assert told == sorted(told)
    assert len(set(told)) > STEPS, told


def _slow_down(monkeypatch: pytest.MonkeyPatch, share: float) -> None:
    """All that counts in seconds, so that a quick task of a small picture tells what a long one would."""
    for name in ("processing.attempt.PROGRESS_PAUSE_S", "processing.attempt.SILENT_S", "handlers.broadcast.TICK_S"):
        module, _, constant = name.rpartition(".")
        now = getattr(__import__(module, fromlist=[constant]), constant)
        monkeypatch.setattr(name, now * share)


@pytest.mark.parametrize("style", mosaic.STYLES)
@pytest.mark.gen_test(timeout=60)
async def test_a_running_task_of_any_style_is_cancelled_and_nothing_is_stored(
    api: Api, parts: Parts, picture: bytes, style: str
) -> None:
    ada = await api.sign_up("ada")
    source = await ada.upload(picture, "photo.jpg")
    async with listening(ada) as ear:
        task = (await ada.make(source["url"], {"style": style, **MORE.get(style, {})}))["id"]
        await ear.state(task, "running")

        await ada.post("/api/tasks/cancel/", id=task)
        await ear.state(task, "cancelled")

    late = parts.queue._workers._runner.late
    await until(lambda: _empty(late))
    assert [stat.key for stat in parts.bucket.list()] == [parts.bucket.key_of(source["url"])]
    assert (await ada.get("/api/feed/"))["images"] == []


async def _empty(late: set[Any]) -> bool:
    return not late
