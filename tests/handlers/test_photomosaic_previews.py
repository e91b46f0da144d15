"""A preview of a photomosaic reads few pictures, and shows those as well as it can."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from processing.images import preview_tiles
from tests.support.client import ApiClient
from tests.support.pictures import encoded, photo


@pytest.mark.gen_test
async def test_all_crops_of_a_picture_that_a_preview_reads_are_sharp(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await api.sign_up("ada")
    picture = encoded(photo(640, 480), "PNG")
    tiles = [(await ada.upload(picture))["id"]]
    recipe = {"style": "photomosaic", "cell": 40, "tint": 0, "apart": 1, "tiles": tiles}
    source = encoded(photo(640, 480).resize((240, 160)), "PNG")

    answers = []
    for limit in (1, preview_tiles.READ_LIMIT):
        monkeypatch.setattr(preview_tiles, "READ_LIMIT", limit)
        answers.append(await ada.post_form("/api/preview/", {"param": json.dumps(recipe)}, "preview.png", source))

    assert answers[0].body == answers[1].body, "one picture is read, whichever of its crops are shown"


@pytest.mark.parametrize("params", [{"shape": "hexagon"}, {"split": True}], ids=["hexagons", "two sizes"])
@pytest.mark.gen_test
async def test_hexagons_and_cells_of_two_sizes_show_the_pool(api: ApiClient, params: dict[str, Any]) -> None:
    """Small ones from what is stored of the pictures, larger ones from their thumbnails."""
    ada = await api.sign_up("ada")
    files = [encoded(Image.new("RGB", (90, 60), colour), "PNG") for colour in ("red", "lime", "blue")]
    tiles = [(await ada.upload(file))["id"] for file in files]
    source = encoded(photo(640, 480).resize((240, 160)), "PNG")

    for cell in (12, 40):
        recipe = {"style": "photomosaic", "cell": cell, "tint": 0, "apart": 1, "margin": 1, "tiles": tiles, **params}
        answer = await ada.post_form("/api/preview/", {"param": json.dumps(recipe)}, "preview.png", source)

        with Image.open(io.BytesIO(answer.body)) as image:
            pixels = np.asarray(image.convert("RGB")).reshape(-1, 3).astype(int)
        pure = (np.abs(np.sort(pixels, axis=1) - (0, 0, 255)) < 60).all(axis=1)
        assert 0.6 < pure.mean() < 0.98, "the rest are margins"
