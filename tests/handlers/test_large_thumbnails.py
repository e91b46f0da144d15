"""The thumbnail of a large picture takes the place of a job, so that it adds nothing to the memory of all jobs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from handlers.services import Services
from models.images.visibility import SERVER
from processing.engine import job as engine_job
from processing.rendering import render
from settings import Settings
from tests.support.client import ApiClient
from tests.support.pictures import encoded, png
from tests.support.upkeep import filler_of
from tests.support.waiting import finished, until

SIDE_PX = 2200
"""4.8 megapixels."""


@pytest.fixture
def settings(settings_of: Callable[..., Settings]) -> Settings:
    return settings_of(workers=1)


class HeldJob:
    """Holds a job, before it renders, until it may go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.may_end = threading.Event(), threading.Event()
        monkeypatch.setattr(engine_job, "render", self.render)

    def render(self, *arguments: Any, **options: Any) -> Any:
        self.reached.set()
        self.may_end.wait(timeout=120)
        return render(*arguments, **options)


async def measured(services: Services, image_id: int) -> bool:
    return bool((await services.images.by_id(image_id, SERVER)).placeholder)


@pytest.mark.gen_test
async def test_large_pictures_are_not_decoded_beside_a_job_and_small_ones_are(
    api: ApiClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await api.sign_up("ada")
    job = HeldJob(monkeypatch)
    task = await ada.add_task((await ada.upload(png()))["url"])
    await asyncio.to_thread(job.reached.wait, 120)
    flat = Image.new("RGB", (SIDE_PX, SIDE_PX), (200, 40, 40))

    large = [
        (await ada.upload(encoded(flat, "PNG"), "large.png"))["id"],
        (await ada.upload(encoded(flat, "JPEG", progressive=True), "progressive.jpg"))["id"],
    ]
    small = [
        (await ada.upload(encoded(flat, "JPEG"), "reduced.jpg"))["id"],
        (await ada.upload(png(50, 40), "small.png"))["id"],
    ]
    upkeep = asyncio.create_task(filler_of(services).fill())
    for image_id in small:
        await until(lambda image_id=image_id: measured(services, image_id))
    while_rendering = [await measured(services, image_id) for image_id in large]
    upkeep_waits = not upkeep.done()
    job.may_end.set()
    await upkeep

    assert (await finished(ada, task["id"]))["state"] == "done"
    assert (while_rendering, upkeep_waits) == ([False, False], True)
    for image_id in large:
        await until(lambda image_id=image_id: measured(services, image_id))
