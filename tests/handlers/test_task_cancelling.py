"""A running task of every style is cancelled, through the server's own events, and leaves nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from handlers.services import Services
from processing import mosaic
from settings import Settings
from tests.handlers.sse_client import open_event_stream
from tests.support.client import ApiClient
from tests.support.pictures import encoded, photo

MORE: dict[str, dict[str, Any]] = {"redact": {"regions": [[0.1, 0.1, 0.3, 0.3]]}}


@pytest.fixture
def settings(settings_of: Callable[..., Settings]) -> Settings:
    return settings_of(workers=1)


@pytest.fixture(scope="module")
def picture() -> bytes:
    """Large enough that the quickest style is still at work when the wish to stop arrives."""
    return encoded(Image.fromarray(np.tile(photo(1000, 750), (4, 4, 1))), "JPEG", quality=90)


@pytest.mark.gen_test
async def test_a_running_task_of_any_style_is_cancelled_and_nothing_is_stored(
    api: ApiClient, services: Services, picture: bytes
) -> None:
    ada = await api.sign_up("ada")
    source = await ada.upload(picture, "photo.jpg")
    async with open_event_stream(ada) as ear:
        for style in mosaic.STYLES:
            task = (await ada.add_task(source["url"], {"style": style, **MORE.get(style, {})}))["id"]
            await ear.state(task, "running")

            await ada.post("/api/tasks/cancel/", id=task)
            await ear.state(task, "cancelled")

            await services.queue.wait_until_idle()
            assert [stat.key for stat in services.bucket.list() if stat.key.startswith("mosaic/")] == [], style
            assert (await ada.get("/api/feed/"))["images"] == [], style
