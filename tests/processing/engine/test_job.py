"""Jobs: fetch, render, store; progress, cancellation, errors."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import math
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models import errors
from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.keys import Keys
from models.images.image_formats import FORMAT_NAMES
from processing import mosaic
from processing.engine.job import Job, run, timeout_for
from processing.engine.threads import REPORT_INTERVAL_S, ThreadEngine
from processing.fetch.allowlist import FetchPolicy
from processing.images import cell_maps
from processing.images.tile_pool import TileRef
from processing.rendering import Cancelled
from tests.support.pictures import encoded, png

RECIPE = mosaic.parse({"style": "mosaic", "cell": 8}).to_dict()
LARGE = encoded(Image.new("RGB", (1200, 1000)), "PNG")


@pytest.fixture
def bucket(tmp_path: Path) -> EmbeddedBucket:
    keys = Keys("access", "secret")
    return EmbeddedBucket(tmp_path, keys, public_url="http://x", callback_url="http://x/c", size_limit_bytes=9_000_000)


def job_of(bucket: EmbeddedBucket, source: bytes | None = None, **options: Any) -> Job:
    if source is not None:
        bucket.put("source/a", source, mime="image/png")
    limits = {"max_megapixels": 50, "max_result_megapixels": 150, **options}
    return Job(1, "http://x/bucket/source/a", "source/a", RECIPE, bucket, FetchPolicy(), **limits)


def test_the_same_source_and_recipe_give_the_same_key_and_bytes(bucket: EmbeddedBucket) -> None:
    job = job_of(bucket, png(90, 60))

    first = run(job, lambda _: None)
    data = bucket.read(first.key, limit_bytes=10**7, timeout_s=60)
    second = run(job, lambda _: None)

    assert second.key == first.key
    assert bucket.read(second.key, limit_bytes=10**7, timeout_s=60) == data
    assert (first.size_bytes, first.width, first.height) == (len(data), 90, 60)


def test_the_placeholder_is_the_mean_colour_of_the_result(bucket: EmbeddedBucket) -> None:
    """SVG, which has no pixels, has the colour of its raster."""
    black_and_white = job_of(bucket, png(64, 64))
    raster = run(black_and_white, lambda _: None)
    with Image.open(io.BytesIO(bucket.read(raster.key, limit_bytes=10**7, timeout_s=60))) as image:
        mean = np.asarray(image.convert("RGB"), float).mean(axis=(0, 1))
    vector = run(replace(black_and_white, recipe=RECIPE | {"format": "svg"}), lambda _: None)

    assert np.abs(np.array(list(bytes.fromhex(raster.placeholder[1:]))) - mean).max() <= 1.5
    assert vector.placeholder == raster.placeholder


def test_progress_rises_to_the_end(bucket: EmbeddedBucket) -> None:
    reports: list[float] = []

    run(job_of(bucket, png(900, 600)), reports.append)

    assert reports == sorted(reports)
    assert reports[0] == 0
    assert 0.9 < reports[-1] <= 1


@pytest.mark.parametrize("step", range(5))
def test_a_job_stops_at_any_report_and_stores_nothing(bucket: EmbeddedBucket, step: int) -> None:
    job, reports = job_of(bucket, png(900, 600)), list[float]()

    def report(fraction: float) -> None:
        reports.append(fraction)
        if len(reports) > step:
            raise Cancelled

    with pytest.raises(Cancelled):
        run(job, report)
    assert [stat.key for stat in bucket.list()] == ["source/a"]


def test_a_job_has_a_total_deadline(bucket: EmbeddedBucket) -> None:
    with pytest.raises(errors.TimedOut):
        run(job_of(bucket, png(), timeout_s=-1.0), lambda _: None)


def test_a_job_with_a_large_tile_pool_has_more_time() -> None:
    tile = TileRef(1, "source/a")

    assert [timeout_for([tile] * count) for count in (0, 1000, 20_000)] == [120, 220, 600]


@pytest.mark.parametrize(
    ("source", "options", "error"),
    [
        (None, {}, errors.SourceMissing),
        (b"no picture", {}, errors.NotAPicture),
        (LARGE, {"max_megapixels": 1}, errors.TooManyPixels),
    ],
)
def test_each_fault_of_a_source_has_an_error_of_its_own(
    bucket: EmbeddedBucket, source: bytes | None, options: dict[str, Any], error: type[errors.JobError]
) -> None:
    with pytest.raises(error):
        run(job_of(bucket, source, **options), lambda _: None)


def test_a_job_and_its_errors_travel_to_other_machines_and_back(bucket: EmbeddedBucket) -> None:
    job: Job = pickle.loads(pickle.dumps(job_of(bucket, png())))

    result = pickle.loads(pickle.dumps(run(job, lambda _: None)))
    error = pickle.loads(
        pickle.dumps(errors.NotAPicture(what=errors.Phrase("it is damaged", "文件已损坏"), formats=FORMAT_NAMES))
    )

    assert hashlib.sha256(bucket.read(result.key, limit_bytes=10**7, timeout_s=60)).digest()
    assert isinstance(error, errors.NotAPicture)
    assert "文件已损坏" in error.message("zh")


@pytest.mark.gen_test
async def test_a_thread_reports_progress_on_the_loop_and_stops_on_request(bucket: EmbeddedBucket) -> None:
    """The loop receives one report per REPORT_INTERVAL_S, here every fourth one, and the one that it is rendered."""
    received, reports = list[float](), itertools.count()
    engine = ThreadEngine(1, clock=lambda: next(reports) * REPORT_INTERVAL_S / 3.5)
    try:
        await engine.start(job_of(bucket, png(900, 600)), received.append).future
        count = next(reports)
        stopped = engine.start(job_of(bucket), lambda _: None)
        stopped.stop()
        with pytest.raises(Cancelled):
            await stopped.future
    finally:
        await engine.close()

    assert count > 8
    assert received == sorted(received)
    assert len(received) - math.ceil(count / 4) in (0, 1)
    assert (engine.size, engine.problem) == (1, None)


PHOTOMOSAIC = mosaic.parse({"style": "photomosaic", "cell": 8, "tiles": [7, 9]}).to_dict()


def photomosaic_of(bucket: EmbeddedBucket, *tiles: bytes, **options: Any) -> Job:
    keys = [bucket.put(f"source/tile{number}", tile, mime="image/png").key for number, tile in enumerate(tiles)]
    named = tuple(TileRef(7 + 2 * number, key) for number, key in enumerate(keys))
    return replace(job_of(bucket, png(90, 60), **options), recipe=PHOTOMOSAIC, tiles=named)


def test_a_photomosaic_is_made_of_its_tiles_and_its_map_is_stored_beside_it(bucket: EmbeddedBucket) -> None:
    reports: list[float] = []

    result = run(photomosaic_of(bucket, png(seed=1), png(seed=2)), reports.append)

    assert result.map_key == f"map/{result.key}.json"
    cell_map = json.loads(bucket.read(result.map_key, limit_bytes=10**6, timeout_s=60))
    assert set(cell_map["tiles"]) == {0, 1}
    assert cell_map["uses"] == [cell_map["tiles"].count(index) for index in (0, 1)]
    assert reports == sorted(reports)


def test_features_are_measured_where_they_are_missing_and_small_tiles_come_from_thumbnails(
    bucket: EmbeddedBucket,
) -> None:
    red, blue = (encoded(Image.new("RGB", (200, 200), colour), "PNG") for colour in ("red", "blue"))
    job = photomosaic_of(bucket, red, blue)
    bucket.put("thumbnail/7/320.webp", encoded(Image.new("RGB", (200, 200), "lime"), "WEBP"), mime="image/webp")

    first = run(job, lambda _: None)
    measured = tuple(replace(tile, features=first.features[tile.image_id]) for tile in job.tiles)
    bucket.delete("source/tile1")
    bucket.put("thumbnail/9/320.webp", encoded(Image.new("RGB", (90, 90), "black"), "WEBP"), mime="image/webp")
    second = run(replace(job, tiles=measured), lambda _: None)

    assert list(first.features) == [7, 9]
    assert second.features == {}
    with Image.open(io.BytesIO(bucket.read(first.key, limit_bytes=10**7, timeout_s=1))) as image:
        strongest = image.convert("RGB").resize((1, 1)).getpixel((0, 0))
    assert strongest[0] < 40


@pytest.mark.parametrize("step", range(6))
def test_a_photomosaic_stops_at_any_report_and_stores_nothing(bucket: EmbeddedBucket, step: int) -> None:
    job, reports = photomosaic_of(bucket, png(seed=1), png(seed=2)), list[float]()

    def report(fraction: float) -> None:
        reports.append(fraction)
        if len(reports) > step:
            raise Cancelled

    with pytest.raises(Cancelled):
        run(job, report)
    assert {stat.key.partition("/")[0] for stat in bucket.list()} == {"source"}


@pytest.mark.parametrize(("tiles", "options"), [((png(), b"no picture"), {}), ((png(), LARGE), {"max_megapixels": 1})])
def test_a_tile_that_cannot_be_used_is_named(
    bucket: EmbeddedBucket, tiles: tuple[bytes, ...], options: dict[str, Any]
) -> None:
    with pytest.raises(errors.RecipeImpossible, match="tiles: 9"):
        run(photomosaic_of(bucket, *tiles, **options), lambda _: None)


def test_a_cell_map_that_is_too_large_is_not_stored() -> None:
    assert cell_maps.encode({"tiles": [1]}) == b'{"tiles":[1]}'
    cell_map = {"tiles": [7, 9, 8], "uses": {7: 1, 8: 1, 9: 1}}
    assert cell_maps.encode(cell_map, [9, 7, 9, 8]) == b'{"tiles":[1,0,3],"uses":[1,1,1,1]}'
    assert cell_maps.encode({"tiles": [10**9] * 400_000}) is None
    assert cell_maps.encode(None) is None
