"""Features of images: stored by version, read for whole pools, gone with their images."""

from __future__ import annotations

import pytest

from models.database import Database
from models.images.image import Image, ImageKind, NewImage, Owner
from models.images.images import Images
from models.paging import IDS_PER_CALL

ADA = Owner(1, "ada")


async def add(images: Images, name: str) -> Image:
    return await images.add(
        NewImage(ImageKind.SOURCE, ADA, key=f"source/{name}", url="", filename=name, filesize=1, param="")
    )


@pytest.mark.gen_test
async def test_more_features_are_read_than_one_call_takes(database: Database) -> None:
    features, ids = Images(database).features, range(1, IDS_PER_CALL + 5)
    await features.save({image_id: str(image_id).encode() for image_id in ids}, 1)
    await features.save({7: b"again", 8: b""}, 1)

    stored = await features.of([*ids, 10**9], 1)

    assert len(stored) == len(ids)
    assert (stored[7], stored[8], stored[IDS_PER_CALL + 1]) == (b"again", b"", str(IDS_PER_CALL + 1).encode())
    assert await features.of(ids, 2) == {}


@pytest.mark.gen_test
async def test_images_without_features_of_this_version_are_found_and_deleted_ones_leave_none(
    database: Database,
) -> None:
    images = Images(database)
    measured, older, new, hidden = [await add(images, name) for name in ("measured", "older", "new", "hidden")]
    await images.features.save({measured.id: b"x", hidden.id: b"x"}, 2)
    await images.features.save({older.id: b"x"}, 1)
    hidden = await images.hide(hidden.id, ADA.id)

    unmeasured = [image.id async for image in images.unmeasured(2)]
    await images.purge(hidden)
    await images.delete(measured.id, ADA.id)

    assert sorted(unmeasured) == sorted([older.id, new.id])
    assert await images.features.of([hidden.id, measured.id], 2) == {}
