"""Dithering by direct search."""

from __future__ import annotations

import numpy as np
import pytest

from processing.mosaic.colour.direct_search import search_indices
from processing.mosaic.colour.oklab import light_to_oklab, oklab_slopes
from processing.mosaic.progress import Progress
from tests.bench.differences import blurred_difference
from tests.processing.mosaic.colour.test_dithering import diffused
from tests.processing.mosaic.pictures import noise, scene, true_mean

FIVE = np.array([[20, 20, 20], [240, 240, 240], [200, 40, 30], [40, 150, 60], [30, 60, 200]], np.uint8)


def searched(colours: np.ndarray, palette: np.ndarray, chroma_penalty: float = 0) -> np.ndarray:
    return palette[search_indices(colours, palette, Progress(), chroma_penalty=chroma_penalty)]


@pytest.mark.parametrize("grey", [110, 128, 150])
def test_the_light_of_a_mix_is_that_of_the_colour(grey: int) -> None:
    palette = np.array([[90] * 3, [170] * 3], np.uint8)

    mix = searched(np.full((40, 40, 3), grey, np.uint8), palette)

    assert np.abs(true_mean(mix) - grey).max() <= 3


def test_colours_of_the_palette_stay_as_they_are() -> None:
    picture = FIVE[np.kron(np.arange(4).reshape(2, 2), np.ones((8, 8), int))]

    assert np.array_equal(searched(picture, FIVE), picture)


def test_a_searched_mix_is_nearer_from_a_distance_than_diffused_errors() -> None:
    picture = scene(60, 45)

    search, diffusion = (blurred_difference(picture, mix(picture, FIVE), 1) for mix in (searched, diffused))

    assert search < 0.92 * diffusion


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (3, 2), (5, 9)])
def test_grids_smaller_than_the_reach_of_the_blur_are_searched(size: tuple[int, int]) -> None:
    assert searched(noise(*size), FIVE).shape == noise(*size).shape


def test_black_is_mixed_neutral_where_the_darkest_colours_are_blue_and_brown() -> None:
    palette = np.array([[0x1B, 0x2A, 0x34], [0x35, 0x21, 0x00], [0xF4, 0xF4, 0xF4]], np.uint8)

    mix = true_mean(searched(np.full((40, 40, 3), 4, np.uint8), palette, chroma_penalty=3))

    assert mix.max() - mix.min() < 12
    assert mix.max() < 50


def test_progress_never_falls_and_ends_at_the_end() -> None:
    fractions: list[float] = []

    search_indices(scene(40, 30), FIVE, Progress(fractions.append))

    assert fractions == sorted(fractions)
    assert len(fractions) >= 16


def test_the_slopes_are_those_of_oklab() -> None:
    light = np.array([[0.2, 0.5, 0.1], [0.7, 0.3, 0.6]])
    step = 1e-6

    measured = np.stack(
        [
            (light_to_oklab(light + step * np.eye(3)[axis]) - light_to_oklab(light - step * np.eye(3)[axis])) / 2 / step
            for axis in range(3)
        ],
        axis=-1,
    )

    assert np.allclose(oklab_slopes(light), measured, atol=1e-4)
