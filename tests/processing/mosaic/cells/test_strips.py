"""Slabs: the runs of several bands worked out together are those of the whole picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.mosaic.cells import strips as slabs_module
from processing.mosaic.cells.runs import BACKGROUND, Runs
from processing.mosaic.cells.strips import Strips


class Labelled:
    """Cells drawn pixel by pixel; `asked` says which rows were worked out."""

    def __init__(self, labels: np.ndarray, pitch: float) -> None:
        self.height, self.width = labels.shape
        self.pitch = pitch
        self.requested: list[tuple[int, int]] = []
        self._labels = labels

    def runs(self, top: int, bottom: int) -> Runs:
        """A run of the ground goes on in the next row, as those of polygons do."""
        self.requested.append((top, bottom))
        labels = self._labels[top:bottom].ravel()
        begins = np.ones(labels.size, bool)
        begins[1:] = labels[1:] != labels[:-1]
        begins[:: self.width] |= labels[:: self.width] != BACKGROUND
        starts = np.flatnonzero(begins)
        return Runs(starts, labels[starts], labels.size)


@given(st.integers(1, 9), st.integers(1, 30), st.integers(1, 40), st.integers(1, 60), st.integers(0, 99))
def test_bands_and_slabs_of_any_size_tell_every_pixel_once(
    width: int, height: int, band: int, runs: int, seed: int
) -> None:
    labels = np.random.default_rng(seed).integers(-1, 2, (height, width)).astype(np.int32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slabs_module, "BAND_PX", band)
        patch.setattr(slabs_module, "_RUNS_PER_STRIP", runs)
        cells_by_band, rows = [], []
        for slab in Strips(Labelled(labels, 2.0)):
            for part in slab.bands:
                assert slab.runs.starts[part.runs][0] == part.first_pixel
                cells_by_band.append(np.repeat(slab.runs.cells[part.runs], slab.runs.lengths[part.runs]))
                rows += range(part.top, part.bottom)
                assert len(cells_by_band[-1]) == (part.bottom - part.top) * width
                assert part.bottom - part.top == 1 or len(cells_by_band[-1]) <= band

    assert rows == list(range(height))
    assert np.array_equal(np.concatenate(cells_by_band), labels.ravel())


def test_slabs_are_worked_out_once_unless_their_runs_are_too_many_to_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slabs_module, "_MAX_CACHED_RUNS", 5)
    monkeypatch.setattr(slabs_module, "_RUNS_PER_STRIP", 8)  # a row
    cells = Labelled(np.arange(9, dtype=np.int32).reshape(3, 3), 1.0)

    slabs = Strips(cells)
    for _ in range(2):
        assert [slab.runs.cells.tolist() for slab in slabs] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]

    assert cells.requested == [(0, 1), (1, 2), (2, 3), (1, 2), (2, 3)]


def test_runs_of_large_cells_are_worked_out_for_many_bands_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slabs_module, "BAND_PX", 20)
    cells = Labelled(np.zeros((12, 10), np.int32), 10.0)

    assert [[(band.top, band.bottom) for band in slab.bands] for slab in Strips(cells)] == [
        [(top, top + 2) for top in range(0, 12, 2)]
    ]
    assert cells.requested == [(0, 12)]


def test_small_cells_make_smaller_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slabs_module, "_RUNS_PER_STRIP", 90)
    cells = Labelled(np.zeros((12, 10), np.int32), 1.0)

    assert [len(slab.bands) for slab in Strips(cells)] == [1, 1, 1]
    assert cells.requested == [(0, 4), (4, 8), (8, 12)]
