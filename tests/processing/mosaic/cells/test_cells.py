"""The contract of cells.Cells, for every kind of cells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.mosaic.cells.runs import BACKGROUND
from processing.mosaic.progress import pieces
from tests.processing.mosaic.cell_samples import KINDS, labels_of

KIND = st.sampled_from(sorted(KINDS))
ANTIALIASED = {"hexagon", "diamond with joints", "triangle", "bent square", "bent square with filled joints"}
SIDE = st.integers(1, 60)


@given(KIND, SIDE, SIDE, st.integers(2, 25))
@settings(max_examples=60, deadline=None)
def test_the_lowest_index_is_a_lower_bound_for_the_row_and_all_below(
    kind: str, width: int, height: int, side: int
) -> None:
    cells = KINDS[kind](width, height, side)
    labels = labels_of(cells).astype(np.int64)
    labels[labels == BACKGROUND] = cells.count

    lowest_below = np.minimum.accumulate(labels.min(axis=1)[::-1])[::-1]

    bounds = [cells.lowest_index(row) for row in range(height)]
    assert (np.array(bounds) <= lowest_below).all()
    assert bounds == sorted(bounds)


@given(KIND, SIDE, SIDE, st.integers(2, 25), st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_centres_are_the_same_in_pieces(kind: str, width: int, height: int, side: int, size: int) -> None:
    cells = KINDS[kind](width, height, side)

    parts = [cells.centres(piece.start, piece.stop) for piece in pieces(cells.count, size)]

    assert np.allclose(np.concatenate(parts), cells.centres(0, cells.count), atol=1e-9)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_enlarged_cells_are_the_same_ones_with_edges_that_cut_pixels(kind: str) -> None:
    cells = KINDS[kind](62, 47, 9)

    fine = cells.enlarged(3)

    assert (fine is not None) == (kind in ANTIALIASED)
    if fine is not None:
        samples = labels_of(fine).reshape(47, 3, 62, 3)
        assert np.array_equal(samples[:, 1, :, 1], labels_of(cells)), "in the middle of each pixel"
        assert (samples.min(axis=(1, 3)) != samples.max(axis=(1, 3))).any()
