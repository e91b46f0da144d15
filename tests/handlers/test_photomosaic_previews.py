"""A preview of a photomosaic reads few pictures, and shows those as well as it can."""

from __future__ import annotations

import json

import pytest

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
