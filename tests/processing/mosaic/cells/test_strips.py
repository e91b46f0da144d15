"""Strips: their runs, computed for several bands together, are those of the whole picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.mosaic.cells import strips as strips_module
from processing.mosaic.cells.runs import BACKGROUND, Runs
from processing.mosaic.cells.strips import Strips


class LabelledCells:
    """Cells given pixel by pixel. requested: the rows whose runs were computed."""

    def __init__(self, labels: np.ndarray, pitch: float) -> None:
        self.height, self.width = labels.shape
        self.pitch = pitch
        self.requested: list[tuple[int, int]] = []
        self._labels = labels

    def runs(self, top: int, bottom: int) -> Runs:
        """A run of the background continues in the next row, as those of polygons do."""
        self.requested.append((top, bottom))
        labels = self._labels[top:bottom].ravel()
        is_start = np.ones(labels.size, bool)
        is_start[1:] = labels[1:] != labels[:-1]
        is_start[:: self.width] |= labels[:: self.width] != BACKGROUND
        starts = np.flatnonzero(is_start)
        return Runs(starts, labels[starts], labels.size)


@given(st.integers(1, 9), st.integers(1, 30), st.integers(1, 40), st.integers(1, 60), st.integers(0, 99))
def test_bands_and_strips_of_any_size_contain_every_pixel_once(
    width: int, height: int, band_px: int, runs: int, seed: int
) -> None:
    labels = np.random.default_rng(seed).integers(-1, 2, (height, width)).astype(np.int32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strips_module, "BAND_PX", band_px)
        patch.setattr(strips_module, "RUNS_PER_STRIP", runs)
        labels_by_band, rows = [], []
        for strip in Strips(LabelledCells(labels, 2.0)):
            for band in strip.bands:
                assert strip.runs.starts[band.runs][0] == band.first_pixel
                labels_by_band.append(np.repeat(strip.runs.cells[band.runs], strip.runs.lengths[band.runs]))
                rows += range(band.top, band.bottom)
                assert len(labels_by_band[-1]) == (band.bottom - band.top) * width
                assert band.bottom - band.top == 1 or len(labels_by_band[-1]) <= band_px

    assert rows == list(range(height))
    assert np.array_equal(np.concatenate(labels_by_band), labels.ravel())


def test_runs_are_computed_once_unless_they_exceed_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strips_module, "MAX_CACHED_RUNS", 5)
    monkeypatch.setattr(strips_module, "RUNS_PER_STRIP", 8)  # one row
    cells = LabelledCells(np.arange(9, dtype=np.int32).reshape(3, 3), 1.0)

    strips = Strips(cells)
    for _ in range(2):
        assert [strip.runs.cells.tolist() for strip in strips] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]

    assert cells.requested == [(0, 1), (1, 2), (2, 3), (1, 2), (2, 3)]


def test_runs_of_large_cells_are_computed_for_many_bands_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strips_module, "BAND_PX", 20)
    cells = LabelledCells(np.zeros((12, 10), np.int32), 10.0)

    bands = [[(band.top, band.bottom) for band in strip.bands] for strip in Strips(cells)]

    assert bands == [[(top, top + 2) for top in range(0, 12, 2)]]
    assert cells.requested == [(0, 12)]


def test_small_cells_make_smaller_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strips_module, "RUNS_PER_STRIP", 90)
    cells = LabelledCells(np.zeros((12, 10), np.int32), 1.0)

    assert [len(strip.bands) for strip in Strips(cells)] == [1, 1, 1]
    assert cells.requested == [(0, 4), (4, 8), (8, 12)]
