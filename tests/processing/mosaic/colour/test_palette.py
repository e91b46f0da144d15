"""Palettes: what an automatic one is fitted to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.mosaic.colour import palette
from processing.mosaic.colour.palette import resolve_palette
from processing.mosaic.progress import Progress
from tests.processing.mosaic.pictures import noise


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60).filter(any), st.integers(1, 9), st.integers(1, 9))
def test_an_automatic_palette_looks_at_every_so_many_of_the_cells_that_have_pixels(
    areas: list[int], piece: int, most: int
) -> None:
    weights = np.array(areas, np.uint32)
    seen = np.flatnonzero(weights)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(palette, "_PIECE_CELLS", piece)
        patch.setattr(palette, "_SAMPLE", most)

        assert palette._sample_cells(weights).tolist() == seen[:: -(-len(seen) // most)].tolist()


@pytest.mark.parametrize("count", [2, 12, 256])
def test_fitting_a_palette_reports_and_can_be_stopped(count: int) -> None:
    colours, reports = noise(50, 50).reshape(-1, 3), []

    palette_ = resolve_palette(f"auto-{count}", colours, np.ones(2500, np.uint32), Progress(reports.append))

    assert len(palette_) == count
    assert len(reports) >= 12
    assert reports == sorted(reports)


def test_no_more_colours_are_found_than_there_are() -> None:
    colours = np.array([[1, 2, 3], [200, 100, 50]] * 20, np.uint8)

    assert resolve_palette("auto-9", colours, np.ones(40, np.uint32), Progress()).tolist() == [
        [1, 2, 3],
        [200, 100, 50],
    ]
