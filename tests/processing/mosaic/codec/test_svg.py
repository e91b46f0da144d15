"""SVGs are bounded and can be stopped."""

from __future__ import annotations

import numpy as np
import pytest

from processing.mosaic import BadParameter
from processing.mosaic.cells.grid import SquareGrid
from processing.mosaic.codec.svg import MAX_SVG_CELLS, write_svg
from processing.mosaic.progress import Progress


def test_more_cells_than_a_viewer_can_show_are_refused() -> None:
    with pytest.raises(BadParameter, match="up to 200000 cells") as refused:
        write_svg((1000, 1000), [], np.zeros((MAX_SVG_CELLS + 1, 3), np.uint8), None, Progress())

    assert refused.value.details["field"] == "cell"


def test_writing_an_svg_can_be_stopped() -> None:
    grid = SquareGrid(600, 400, 4)

    def stop(fraction: float) -> None:
        if fraction > 0.5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        write_svg((600, 400), grid.outlines(), np.zeros((grid.count, 3), np.uint8), None, Progress(stop))
