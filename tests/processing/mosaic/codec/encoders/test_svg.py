"""SVGs are bounded and can be stopped."""

from __future__ import annotations

import numpy as np
import pytest

from processing.mosaic import BadParameter
from processing.mosaic.cells.grid import SquareGrid
from processing.mosaic.codec.encoders.svg import write_svg
from processing.mosaic.codec.encoders.vector_image import MAX_VECTOR_CELLS, VectorImage
from processing.mosaic.progress import Progress


def test_more_cells_than_a_viewer_can_show_are_refused() -> None:
    with pytest.raises(BadParameter, match="up to 200000 cells") as refused:
        write_svg(VectorImage((1000, 1000), list, np.zeros((MAX_VECTOR_CELLS + 1, 3), np.uint8)), Progress())

    assert refused.value.details["field"] == "cell"


def test_writing_an_svg_can_be_stopped() -> None:
    grid = SquareGrid(600, 400, 4)

    def stop(fraction: float) -> None:
        if fraction > 0.5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        write_svg(VectorImage((600, 400), grid.outlines, np.zeros((grid.count, 3), np.uint8)), Progress(stop))
