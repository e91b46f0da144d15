"""Square blocks are the exact means of their pixels in every format."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.mosaic import parse, render
from processing.mosaic.progress import Progress
from processing.mosaic.styles.blocks import BlockCanvas
from tests.processing.mosaic.pictures import encoded, noise, opened, scene, true_mean


def worst_error(source: np.ndarray, result: np.ndarray, cell: int, linear: bool) -> float:
    """The largest distance of any pixel from its block's true mean, in 255ths."""
    worst = 0.0
    for top in range(0, source.shape[0], cell):
        for left in range(0, source.shape[1], cell):
            block = (slice(top, top + cell), slice(left, left + cell))
            worst = max(worst, float(np.abs(result[block] - true_mean(source[block], linear)).max()))
    return worst


@given(st.integers(1, 70), st.integers(1, 70), st.integers(2, 80), st.booleans(), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_every_block_of_a_png_is_the_mean_of_its_pixels(
    width: int, height: int, cell: int, linear: bool, seed: int
) -> None:
    source = noise(width, height, seed)

    result = opened(render(encoded(source), parse({"cell": cell, "linear": linear})).data)

    assert worst_error(source, result, cell, linear) <= (0.51 if linear else 0.67)


@pytest.mark.parametrize(("size", "cell"), [((1, 20_000), 7), ((20_000, 1), 7), ((1200, 900), 100)])
def test_large_and_thin_pictures_are_exact_too(size: tuple[int, int], cell: int) -> None:
    source = noise(*size)

    result = opened(render(encoded(source), parse({"cell": cell})).data)

    assert worst_error(source, result, cell, True) <= 0.51


@given(st.integers(1, 130), st.integers(1, 130), st.sampled_from([8, 16, 24, 64]))
@settings(max_examples=40, deadline=None)
def test_every_block_of_a_jpeg_is_flat_and_near_its_mean(width: int, height: int, cell: int) -> None:
    source = noise(width, height)

    result = opened(render(encoded(source), parse({"cell": cell, "format": "jpeg", "quality": 100})).data)

    assert worst_error(source, result, cell, True) <= 2.6


def test_averages_are_in_linear_light_by_default() -> None:
    checks = np.zeros((16, 16, 3), np.uint8)
    checks[::2, ::2] = checks[1::2, 1::2] = 255

    linear = opened(render(encoded(checks), parse({"cell": 16})).data)
    of_numbers = opened(render(encoded(checks), parse({"cell": 16, "linear": False})).data)

    assert linear[0, 0].tolist() == [188, 188, 188]
    assert of_numbers[0, 0].tolist() == [128, 128, 128]


def test_draft_stays_near_the_exact_means() -> None:
    source = encoded(scene(1203, 901), "JPEG", quality=92)
    exact = opened(render(source, parse({"cell": 16})).data).astype(int)

    draft = opened(render(source, parse({"cell": 16, "draft": True})).data).astype(int)

    error = np.abs(draft - exact)
    assert draft.shape == exact.shape
    assert error.mean() < 0.5, f"mean {error.mean():.2f}, worst {error.max()}"


@pytest.mark.parametrize(
    ("size", "cell"), [((4000, 3000), 40), ((300, 200), 3), ((1, 1), 2), ((1920, 1080), 17), ((4000, 200), 11)]
)
def test_the_default_cell_is_chosen_from_the_size(size: tuple[int, int], cell: int) -> None:
    result = render(encoded(np.zeros((size[1], size[0], 3), np.uint8)), parse("mosaic"))

    assert result.quality.cells == -(-size[0] // cell) * -(-size[1] // cell)


def test_only_palette_colours_are_used_and_dithering_mixes_them() -> None:
    grey = encoded(np.full((128, 128, 3), 100, np.uint8))

    plain = opened(render(grey, parse({"cell": 4, "palette": "mono"})).data)
    dithered = opened(render(grey, parse({"cell": 4, "palette": "mono", "dither": True})).data)

    assert set(plain.ravel().tolist()) <= {0, 255}
    assert set(dithered.ravel().tolist()) == {0, 255}


@pytest.mark.parametrize("count", [2, 7, 30])
def test_an_automatic_palette_has_at_most_the_given_number_of_colours(count: int) -> None:
    result = opened(render(encoded(noise(120, 90)), parse({"cell": 6, "palette": f"auto-{count}"})).data)

    assert 2 <= len(np.unique(result.reshape(-1, 3), axis=0)) <= count


def test_a_large_jpeg_is_written_in_strips_and_has_the_same_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    canvas = BlockCanvas(noise(5, 200), 7, (33, 1397))
    whole = opened(canvas.encode("jpeg", 85, Progress()))

    monkeypatch.setattr("processing.mosaic.styles.blocks.LARGE_MEGAPIXELS", 0)

    assert np.array_equal(opened(canvas.encode("jpeg", 85, Progress())), whole)
