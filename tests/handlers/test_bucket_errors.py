"""A bucket that is full or away: each endpoint answers an error that it declares."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from handlers.services import Services
from models import errors
from models.images.image import Image, ImageKind, NewImage, Owner
from processing.images import thumbnails
from tests.support.client import ApiClient
from tests.support.pictures import png


async def add_image(services: Services, owner: ApiClient, data: bytes) -> Image:
    """An image that no thumbnail was made of yet."""
    services.bucket.put("source/new", data, mime="image/png")
    new = NewImage(
        ImageKind.SOURCE,
        Owner(owner.user_id, owner.username),
        key="source/new",
        url=services.bucket.url("source/new"),
        filename="new.png",
        filesize=len(data),
        param="",
    )
    return await services.images.add(new)


def fails_with(error: type[errors.TesseraError]) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise error()

    return fail


@pytest.mark.gen_test
async def test_a_preview_of_new_pictures_needs_space_for_their_thumbnails(
    api: ApiClient, services: Services, monkeypatch: pytest.MonkeyPatch, expect_log: Callable[[str], None]
) -> None:
    expect_log("storage_full")
    ada = await api.sign_up("ada")
    image = await add_image(services, ada, png(60, 40))
    monkeypatch.setattr(services.bucket, "put", fails_with(errors.StorageFull))
    recipe = json.dumps({"style": "photomosaic", "cell": 20, "apart": 1, "tiles": [image.id]})

    preview = await ada.post_form("/api/preview/", {"param": recipe}, "preview.png", png(120, 80))
    thumbnail = await ada.get(f"/thumbnail/{image.id}/320")

    assert [(answer.status, answer["error"]) for answer in (preview, thumbnail)] == [(507, "storage_full")] * 2


@pytest.mark.gen_test
async def test_a_task_of_a_named_object_needs_the_bucket(
    api: ApiClient, services: Services, monkeypatch: pytest.MonkeyPatch, expect_log: Callable[[str], None]
) -> None:
    expect_log("bucket_unavailable")
    ada = await api.sign_up("ada")
    monkeypatch.setattr(services.bucket, "stat", fails_with(errors.BucketUnavailable))

    answer = await ada.post("/api/tasks/add/", url=services.bucket.url("photo.png"), type="model", param="mosaic")

    assert (answer.status, answer["error"]) == (503, "bucket_unavailable")


@pytest.mark.gen_test
async def test_a_picture_that_is_too_large_to_be_read_has_no_thumbnail(
    api: ApiClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await api.sign_up("ada")
    data = png(60, 40)
    image = await add_image(services, ada, data)
    monkeypatch.setattr(thumbnails, "LIMIT_BYTES", len(data) - 1)

    answer = await ada.get(f"/thumbnail/{image.id}/320")

    assert (answer.status, answer["error"]) == (404, "not_found")
