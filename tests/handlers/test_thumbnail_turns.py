"""Thumbnails are made for clients in turn."""

from __future__ import annotations

import asyncio

import pytest
from PIL import Image

from handlers.services import Services
from models import errors
from processing.executors import Executors
from processing.images.thumbnails import Thumbnails
from tests.support.client import ApiClient
from tests.support.pictures import encoded
from tests.support.slow_bucket import SlowBucket, looked_at


@pytest.mark.requirement(67)
@pytest.mark.parametrize("size", [(900, 600), (3000, 2000)], ids=["small", "in the place of a job"])
@pytest.mark.gen_test
async def test_the_thumbnails_of_one_client_let_others_have_theirs(
    api: ApiClient, services: Services, size: tuple[int, int]
) -> None:
    ada = await api.sign_up()
    pictures = [encoded(Image.new("RGB", size, (at, 99, 0)), "PNG") for at in range(5)]
    images = [await looked_at(services, (await ada.upload(picture))["id"]) for picture in pictures]
    threads, bucket = Executors(2), SlowBucket(services.bucket)
    async with Thumbnails(services.images, bucket, threads, max_megapixels=50) as thumbnails:
        crowd = [
            asyncio.create_task(thumbnails.get(image, width, client="203.0.113.9"))
            for image in images
            for width in (640, 1280)
        ]
        await asyncio.to_thread(bucket.storing.wait, 120)
        shared = asyncio.create_task(thumbnails.get(images[-1], 1280, client="198.51.100.1"))
        await asyncio.sleep(0)
        bucket.may_store.set()
        await asyncio.gather(shared, *crowd)

    await threads.close()
    key = f"thumbnail/{images[-1].id}/1280.webp"
    assert bucket.stored.index(key) <= 4
    assert sorted(bucket.stored) == sorted(set(bucket.stored)), "each is made once"


@pytest.mark.requirement(67)
@pytest.mark.gen_test
async def test_a_client_that_has_too_many_in_progress_is_asked_to_come_back(
    api: ApiClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processing.images.thumbnails.IN_PROGRESS_LIMIT", 1)
    image = await looked_at(services, (await (await api.sign_up()).upload())["id"])
    threads, bucket = Executors(2), SlowBucket(services.bucket)
    async with Thumbnails(services.images, bucket, threads, max_megapixels=50) as thumbnails:
        first = asyncio.create_task(thumbnails.get(image, 640, client="203.0.113.9"))
        await asyncio.to_thread(bucket.storing.wait, 120)

        with pytest.raises(errors.Overloaded):
            await thumbnails.get(image, 1280, client="203.0.113.9")

        bucket.may_store.set()
        await first
        assert await thumbnails.get(image, 1280, client="203.0.113.9")
    await threads.close()
