"""Regions with many neighbours are split."""

from __future__ import annotations

import numpy as np

from processing.mosaic.segments.branching import neighbour_counts, split_branching


def test_a_region_with_many_neighbours_is_cut_in_two() -> None:
    comb = np.zeros((20, 120), np.int64)
    comb[10:] = 1 + np.arange(120) // 10

    parts = split_branching(comb, 8)

    assert neighbour_counts(comb)[0] == 13
    assert neighbour_counts(parts).max() <= 8
    assert len(np.unique(parts[:10])) == 2
