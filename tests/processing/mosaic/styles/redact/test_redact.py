"""No byte of the result and no figure of its report depends on a hidden pixel."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from processing.mosaic import BadParameter, Result, parse, render
from tests.processing.mosaic.pictures import encoded, noise, opened, scene
from tests.processing.mosaic.svg_raster import inside

FRACTION = st.floats(0, 1, width=32)
RECTANGLE = st.tuples(FRACTION, FRACTION, FRACTION, FRACTION)
POLYGON = st.lists(st.tuples(FRACTION, FRACTION), min_size=3, max_size=7)
REGIONS = st.lists(RECTANGLE | POLYGON, min_size=1, max_size=3)


def covered_pixels(regions: Any, width: int, height: int) -> np.ndarray:
    """(height, width) the pixels of which a region covers any of 3 x 3 points."""
    mask = np.zeros((height, width), bool)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    for region in regions:
        if isinstance(region[0], float):
            left, top, right, bottom = region
            region = [(left, top), (right, top), (right, bottom), (left, bottom)]
        points = [(a * width, b * height) for a, b in region]
        for dy in (0.01, 0.5, 0.99):
            for dx in (0.01, 0.5, 0.99):
                mask |= inside(points, x + dx, y + dy)
    return mask


def twins(regions: Any, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Two pictures that differ in nearly every covered pixel and in no other."""
    first, second = noise(width, height, 1), noise(width, height, 2)
    return first, np.where(covered_pixels(regions, width, height)[..., None], second, first)


def redact(data: bytes, regions: Any, **params: Any) -> Result:
    recipe = {"style": "redact", "regions": regions, "cell": 8, **params}
    return render(data, parse(recipe), clock=lambda: 0.0)


@given(REGIONS, st.integers(1, 90), st.integers(1, 90), st.sampled_from(["around", "solid"]), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_sources_that_differ_only_inside_the_regions_give_equal_results(
    regions: Any, width: int, height: int, fill: str, seed: int
) -> None:
    first, second = twins(regions, width, height)

    assert redact(encoded(first), regions, fill=fill, seed=seed) == redact(
        encoded(second), regions, fill=fill, seed=seed
    )


def test_the_result_keeps_the_size_of_the_source() -> None:
    with pytest.raises(BadParameter, match="size"):
        parse({"style": "redact", "regions": [[0, 0, 1, 1]], "size": 64})


@given(REGIONS, st.sampled_from([0, 1, 2]), st.booleans(), st.integers(60, 100))
@settings(max_examples=30, deadline=None)
def test_results_are_equal_for_jpegs_whose_squares_mix_their_pixels(
    regions: Any, subsampling: int, progressive: bool, width: int
) -> None:
    options = {"quality": 70, "subsampling": subsampling, "progressive": progressive}
    first, second = (encoded(pixels, "JPEG", **options) for pixels in twins(regions, width, 75))

    assert redact(first, regions) == redact(second, regions)


def test_nothing_bleeds_diagonally_from_the_corner_of_a_region_in_a_jpeg() -> None:
    regions = [(0.0, 1.0, 0.5, 0.625)]
    first, second = (encoded(pixels, "JPEG", quality=70, subsampling=2) for pixels in twins(regions, 65, 75))

    assert redact(first, regions) == redact(second, regions)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_results_are_equal_for_a_jpeg_with_an_orientation(orientation: int) -> None:
    regions = [[0.3, 0.3, 0.45, 0.6]]
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    inverse = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]
    sources = []
    for pixels in twins(regions, 91, 77):
        image = Image.fromarray(pixels)
        turned = image if inverse is None else image.transpose(Image.Transpose(inverse))
        sources.append(encoded(np.asarray(turned), "JPEG", exif=exif, quality=60))

    assert redact(sources[0], regions) == redact(sources[1], regions)


def test_visible_pixels_are_unchanged_and_hidden_blocks_are_flat() -> None:
    source = scene(96, 64)

    result = opened(redact(encoded(source), [[0.4, 0.4, 0.5, 0.5]]).data)

    changed = np.abs(result.astype(int) - source).max(axis=-1) > 0
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    assert (rows[0] // 8, rows[-1] // 8, columns[0] // 8, columns[-1] // 8) == (2, 4, 4, 6)
    blocks = result[16:40, 32:56].reshape(3, 8, 3, 8, 3).transpose(0, 2, 1, 3, 4).reshape(9, 64, 3)
    assert all(len(np.unique(block, axis=0)) == 1 for block in blocks)


def test_the_fill_is_interpolated_from_the_surroundings() -> None:
    source = np.zeros((96, 96, 3), np.uint8)
    source[:, :48], source[:, 48:] = (200, 30, 30), (30, 30, 200)
    source[32:64, 32:64] = (0, 255, 0)

    filled = opened(redact(encoded(source), [[0.34, 0.34, 0.66, 0.66]], variation=0).data).astype(int)

    assert filled[48, 34, 0] > filled[48, 34, 2] + 60
    assert filled[48, 62, 2] > filled[48, 62, 0] + 60
    assert filled[..., 1].max() < 120


def test_a_completely_hidden_picture_shows_the_solid_colour() -> None:
    result = redact(encoded(noise(30, 30)), [[0, 0, 1, 1]], colour="#102030", variation=0)

    assert np.unique(opened(result.data).reshape(-1, 3), axis=0).tolist() == [[0x10, 0x20, 0x30]]


def test_the_report_does_not_depend_on_large_hidden_areas() -> None:
    regions = [[0.2, 0.2, 0.7, 0.7]]
    black, white = (np.full((900, 900, 3), 128, np.uint8) for _ in range(2))
    black[200:600, 200:600], white[200:600, 200:600] = 0, 255

    reports = [redact(encoded(pixels), regions, cell=100).quality for pixels in (black, white)]

    assert replace(reports[0], time_s=0) == replace(reports[1], time_s=0)


@pytest.mark.parametrize(
    "regions",
    [None, [], [[]], [[0.1, 0.1, 0.5]], [[[0, 0], [1, 1]]], [[0, 0, 1, 1.5]], [[0, 0, 1, -0.1]], [["a"]], "all"],
)
def test_a_recipe_without_a_valid_region_is_refused(regions: Any) -> None:
    params = {} if regions is None else {"regions": regions}

    with pytest.raises(BadParameter) as refused:
        parse({"style": "redact", **params})

    assert refused.value.details["field"] == "regions"
    assert "rectangles" in str(refused.value.details["allowed"])
