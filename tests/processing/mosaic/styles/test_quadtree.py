"""Quadtree: the largest errors are split first, limits are respected, and cells are exact."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from processing.mosaic import parse, render
from processing.mosaic.progress import Progress
from processing.mosaic.styles import quadtree
from processing.mosaic.styles.quadtree import QuadtreeParams, by_count, error_pyramid, leaves, root_grid
from tests.processing.mosaic.pictures import encoded, noise, opened, saved, scene, true_mean

SIDES = st.integers(1, 90)


def boxes_of(pixels: np.ndarray, cell: int, count: int) -> np.ndarray:
    size = (pixels.shape[1], pixels.shape[0])
    roots = root_grid(*size, cell)
    return leaves(by_count(error_pyramid(Image.fromarray(pixels), roots, Progress()), count), roots, size)


@given(SIDES, SIDES, st.integers(2, 40), st.integers(1, 300), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_boxes_cover_every_pixel_once_and_respect_the_smallest_side(
    width: int, height: int, cell: int, count: int, seed: int
) -> None:
    times_covered = np.zeros((height, width), int)

    boxes = boxes_of(noise(width, height, seed), cell, count)

    for left, top, right, bottom in boxes:
        times_covered[top:bottom, left:right] += 1
    assert (times_covered == 1).all()
    sides = boxes[:, 2:] - boxes[:, :2]
    assert (sides >= np.minimum(cell, [width, height])).all()


def whole_pixels(start: float, end: float) -> tuple[int, int]:
    """The first pixel that lies in the range as a whole, and the one after the last."""
    return math.ceil(start), math.floor(end)


@pytest.mark.parametrize("linear", [True, False])
def test_every_cell_is_the_mean_of_its_pixels(linear: bool) -> None:
    pixels = noise(131, 97)
    roots = root_grid(131, 97, 6)
    split = by_count(error_pyramid(Image.fromarray(pixels), roots, Progress()), 120)
    boxes = leaves(split, roots, (131, 97), exact=True)

    recipe = parse({"style": "quadtree", "cell": 6, "cells": 120, "grout": 0, "linear": linear})
    result = opened(render(encoded(pixels), recipe).data)

    uncut_px = 0
    for box in boxes:
        left, top, right, bottom = np.ceil(box - 0.5).astype(int)  # its pixels are those whose centres it contains
        mean = true_mean(pixels[top:bottom, left:right], linear)
        uncut = result[slice(*whole_pixels(box[1], box[3])), slice(*whole_pixels(box[0], box[2]))]
        assert np.abs(uncut - mean).max() <= 0.51
        uncut_px += uncut[..., 0].size
    assert uncut_px > result[..., 0].size / 2


@pytest.mark.parametrize("count", [20, 100, 500])
def test_the_number_of_cells_is_respected(count: int) -> None:
    result = render(encoded(noise(400, 300)), parse({"style": "quadtree", "cell": 4, "cells": count}))

    assert count - 3 <= result.quality.cells <= count


def test_the_worst_cell_is_always_split_first() -> None:
    pixels = noise(64, 64) // 8
    pixels[:32, :32] = noise(32, 32)
    roots = root_grid(64, 64, 4)
    errors = error_pyramid(Image.fromarray(pixels), roots, Progress())
    cells = [(-error, 0, row, column) for (row, column), error in np.ndenumerate(errors[0])]
    while len(cells) + 3 <= 40:  # the simple algorithm: one split at a time
        cells.sort()
        _, level, row, column = next(cell for cell in cells if cell[1] < roots.levels)
        cells.remove((-errors[level][row, column], level, row, column))
        for y in (2 * row, 2 * row + 1):
            cells += [(-errors[level + 1][y, x], level + 1, y, x) for x in (2 * column, 2 * column + 1)]

    split = by_count(errors, 40)

    expected = set()
    for _, level, row, column in cells:
        side = 64 // (roots.rows << level)
        expected.add((column * side, row * side, (column + 1) * side, (row + 1) * side))
    assert {tuple(box) for box in leaves(split, roots, (64, 64)).tolist()} == expected


def test_a_uniform_picture_is_not_split_by_error_and_a_lower_error_gives_more_cells() -> None:
    uniform = encoded(np.full((240, 320, 3), 77, np.uint8))
    detailed = encoded(scene(320, 240))

    def cells(data: bytes, error: float) -> int:
        recipe = parse({"style": "quadtree", "cell": 4, "stop": "error", "error": error})
        return render(data, recipe).quality.cells

    assert cells(uniform, 0.5) == 12
    assert cells(detailed, 1.0) > 2 * cells(detailed, 4.0) > 24


def test_an_error_that_needs_too_many_cells_splits_only_the_worst(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = {"style": "quadtree", "cell": 2, "stop": "error", "error": 0}
    monkeypatch.setattr(quadtree, "MAX_CELLS", 90)

    result = render(encoded(noise(320, 240)), parse(recipe))

    assert 90 - 3 <= result.quality.cells <= 90


@pytest.mark.parametrize("grout", [5, 6])
def test_joints_have_the_given_width(grout: int) -> None:
    """In the middle of what they separate, so that half a pixel of an odd one lies on either side."""
    recipe = parse({"style": "quadtree", "cell": 40, "cells": 1, "grout": grout, "grout_colour": "#ff0000"})

    result = opened(render(encoded(np.zeros((200, 200, 3), np.uint8)), recipe).data)

    first, end = whole_pixels(100 - grout / 2, 100 + grout / 2)
    assert result[20, :, 0].sum() / 255 == pytest.approx(2 * grout, abs=0.02)
    assert (result[20, first:end, 0] == 255).all()
    assert not result[20, first - 2, 0]
    assert not result[20, end + 1, 0]


def test_the_smallest_side_counts_pixels_of_the_picture() -> None:
    assert QuadtreeParams.model_fields["cell"].json_schema_extra["unit"] == "px"


def test_memory_is_bounded_for_a_picture_with_many_levels() -> None:
    """As in test_styles, for a size that can be halved eleven times."""
    photo = saved(Image.fromarray(scene(512, 384)).resize((4096, 3072)), "JPEG", quality=90)

    tracemalloc.start()
    try:
        render(photo, parse({"style": "quadtree", "cell": 2}))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 4 * 4096 * 3072 * 2, f"{peak / 2**20:.0f} MiB"


@pytest.mark.parametrize("size", [(1, 90), (2, 90), (90, 3)])
@pytest.mark.parametrize("material", ["flat", "gold"])
def test_a_picture_that_is_narrower_than_a_cell_is_not_all_joint(size: tuple[int, int], material: str) -> None:
    recipe = parse({"style": "quadtree", "cell": 8, "grout": 5, "material": material, "grout_colour": "#000000"})

    result = render(encoded(np.full((*size[::-1], 3), 200, np.uint8)), recipe)

    assert result.quality.cells > 0
    assert opened(result.data).mean() > 80
