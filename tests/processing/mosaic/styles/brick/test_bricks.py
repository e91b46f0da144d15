"""Bricks cover every cell exactly once."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.mosaic.progress import Progress
from processing.mosaic.styles.brick.bricks import merge_bricks


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 3), st.booleans(), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_bricks_cover_every_cell_once_and_have_one_colour(
    rows: int, columns: int, colour_count: int, larger: bool, seed: int
) -> None:
    colours = np.random.default_rng(seed).integers(0, colour_count, (rows, columns)).astype(np.int32)

    layout = merge_bricks(colours, Progress(), larger=larger)

    times_covered = np.zeros((rows, columns), int)
    for top, left, high, wide in layout.boxes.tolist():
        part = (slice(top, top + high), slice(left, left + wide))
        times_covered[part] += 1
        assert times_covered[part].size == high * wide
        assert len(np.unique(colours[part])) == 1
        assert (layout.owner[part] == top * columns + left).all()
        assert larger or (high, wide) == (1, 1)
    assert (times_covered == 1).all()
