"""The complete flow: from signing up to the pixels of the mosaic."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.support.client import ApiClient
from tests.support.pictures import encoded, photo
from tests.support.waiting import finished

CELL = 7


@pytest.mark.gen_test
async def test_a_new_user_gets_a_mosaic_whose_blocks_are_the_means_of_their_pixels(api: ApiClient) -> None:
    source = photo(61, 45)
    person = await api.sign_up("ada")
    uploaded = await person.upload(encoded(source, "PNG"), "holiday.png")

    task = await person.add_task(uploaded["url"], {"style": "mosaic", "cell": CELL, "format": "png"})
    done = await finished(person, task["id"])

    assert done["state"] == "done"
    picture = await person.get(done["result_url"])
    assert picture.headers["Content-Type"] == "image/png"
    assert_blocks_are_means(source, Image.open(io.BytesIO(picture.body)).convert("RGB"), CELL)
    feed = await api.new_client().get("/api/feed/")
    assert [image["id"] for image in feed["images"]] == [done["result_id"]]


def assert_blocks_are_means(source: Image.Image, mosaic: Image.Image, cell: int) -> None:
    """Every block has one colour: the mean of its pixels in linear light, within 1/255."""
    assert mosaic.size == source.size
    source_levels, mosaic_levels = np.asarray(source) / 255, np.asarray(mosaic) / 255
    linear = np.where(source_levels <= 0.04045, source_levels / 12.92, ((source_levels + 0.055) / 1.055) ** 2.4)
    for top in range(0, source.height, cell):
        for left in range(0, source.width, cell):
            block = mosaic_levels[top : top + cell, left : left + cell].reshape(-1, 3)
            assert (block == block[0]).all(), f"the block at {left}, {top} has more than one colour"
            mean = linear[top : top + cell, left : left + cell].reshape(-1, 3).mean(axis=0)
            wanted = np.where(mean <= 0.0031308, mean * 12.92, 1.055 * mean ** (1 / 2.4) - 0.055)
            assert np.abs(block[0] - wanted).max() <= 1 / 255, f"the block at {left}, {top} is not the mean"
