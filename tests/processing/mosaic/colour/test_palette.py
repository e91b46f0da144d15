"""Palettes: fitting, nearest colours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.mosaic.colour import palette as palette_module
from processing.mosaic.colour.oklab import srgb_to_oklab
from processing.mosaic.colour.palette import nearest_indices, resolve_palette, sample_cells
from processing.mosaic.progress import Progress
from tests.processing.mosaic.pictures import noise


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60).filter(any), st.integers(1, 9), st.integers(1, 9))
def test_an_automatic_palette_samples_every_nth_cell_that_has_pixels(
    areas: list[int], piece_cells: int, limit: int
) -> None:
    weights = np.array(areas, np.uint32)
    visible = np.flatnonzero(weights)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(palette_module, "PIECE_CELLS", piece_cells)
        patch.setattr(palette_module, "SAMPLED_CELLS", limit)

        assert sample_cells(weights).tolist() == visible[:: -(-len(visible) // limit)].tolist()


@pytest.mark.parametrize("count", [2, 12, 256])
def test_fitting_a_palette_reports_progress(count: int) -> None:
    colours = noise(50, 50).reshape(-1, 3)
    fractions: list[float] = []

    palette = resolve_palette(f"auto-{count}", colours, np.ones(2500, np.uint32), Progress(fractions.append))

    assert len(palette) == count
    assert len(fractions) >= 12
    assert fractions == sorted(fractions)


def test_a_fitted_palette_has_no_more_colours_than_the_picture() -> None:
    colours = np.array([[1, 2, 3], [200, 100, 50]] * 20, np.uint8)

    palette = resolve_palette("auto-9", colours, np.ones(40, np.uint32), Progress())

    assert palette.tolist() == [[1, 2, 3], [200, 100, 50]]


def test_the_nearest_colour_is_the_perceptually_nearest() -> None:
    palette = np.array([[0, 0, 0], [255, 0, 0], [255, 255, 255]], np.uint8)
    colours = np.array([[200, 30, 30], [20, 20, 20], [240, 250, 250]], np.uint8)

    assert nearest_indices(colours, palette).tolist() == [1, 0, 2]


def test_a_chroma_penalty_prefers_a_coloured_entry_to_a_nearer_grey() -> None:
    palette = np.array([[150, 150, 150], [200, 120, 80]], np.uint8)
    skin = np.array([[170, 145, 130]], np.uint8)

    assert nearest_indices(skin, palette).tolist() == [0]
    assert nearest_indices(skin, palette, 20).tolist() == [1]


def test_a_deep_black_is_painted_black_where_a_brown_is_darker() -> None:
    palette = np.array([[0x1B, 0x2A, 0x34], [0x35, 0x21, 0x00], [0xF4, 0xF4, 0xF4]], np.uint8)
    sources = np.array([[8, 6, 4], [2, 2, 3], [0x3A, 0x24, 0x08]], np.uint8)

    assert nearest_indices(sources, palette, chroma_penalty=3).tolist() == [0, 0, 1]


def test_a_dark_red_is_painted_red_and_not_orange_brown() -> None:
    palette = np.array([[0x91, 0x50, 0x1C], [0xB4, 0x00, 0x00], [0x72, 0x00, 0x12]], np.uint8)
    curtain = np.array([[0x8E, 0x36, 0x30]], np.uint8)

    assert nearest_indices(curtain, palette).tolist() == [0]
    assert nearest_indices(curtain, palette, chroma_penalty=3).tolist() == [1]


def test_greys_lose_no_chroma() -> None:
    palette = np.array([[100, 100, 100], [150, 150, 150], [200, 120, 80]], np.uint8)
    greys = np.array([[104, 104, 104], [140, 140, 140]], np.uint8)

    assert nearest_indices(greys, palette, 1.5).tolist() == nearest_indices(greys, palette).tolist() == [0, 1]


def test_a_pale_colour_is_painted_neither_grey_nor_in_another_hue() -> None:
    """A dark, pale brown against a grey and a green that are both nearer than the brown."""
    brown = np.array([[138, 122, 114]], np.uint8)
    palette = np.array([[124, 124, 124], [126, 132, 114], [158, 124, 104]], np.uint8)

    unpenalised, penalised = (int(nearest_indices(brown, palette, penalty)[0]) for penalty in (0.0, 4.0))

    assert (unpenalised, penalised) == (0, 2)


def test_a_palette_for_dithering_is_wider_than_what_it_was_fitted_to() -> None:
    colours, areas = noise(40, 40).reshape(-1, 3), np.ones(1600, np.uint32)

    fitted, widened = (
        srgb_to_oklab(resolve_palette("auto-12", colours, areas, Progress(), dither=dither)).std(axis=0)
        for dither in (False, True)
    )

    assert (widened > 1.03 * fitted).all()
