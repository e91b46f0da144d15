"""The files from which tiles are made."""

from __future__ import annotations

from pathlib import Path

import pytest

from models import errors
from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.keys import Keys
from processing.images.thumbnails import WIDTHS, thumbnail_key
from processing.images.tile_pool import SPARE_PIXELS, TileLimits, TileReader, TileRef
from tests.support.pictures import png


def test_small_tiles_are_made_from_thumbnails_where_there_are_some(tmp_path: Path) -> None:
    keys, limits = Keys("access", "secret"), TileLimits(10**6, 1.0, 50)
    bucket = EmbeddedBucket(tmp_path, keys, public_url="http://x", callback_url="http://x/c", size_limit_bytes=10**6)
    originals = {number: png(640, 480, seed=number) for number in (1, 2)}
    for number, data in originals.items():
        bucket.put(f"source/{number}", data, mime="image/png")
    thumbnail = png(WIDTHS[0], 240)
    bucket.put(thumbnail_key(1, WIDTHS[0]), thumbnail, mime="image/png")
    reader = TileReader(bucket, [TileRef(number, f"source/{number}") for number in (1, 2, 3)], limits)

    small, large = [list(reader([1, 2], side)) for side in (20, int(WIDTHS[0] / SPARE_PIXELS) + 1)]

    assert small == [thumbnail, originals[2]]
    assert large == [originals[1], originals[2]]
    with pytest.raises(errors.RecipeImpossible, match=r"tiles: 3 .* still there"):
        list(reader([3], 20))
