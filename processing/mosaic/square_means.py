"""The means of square cells of a result."""

from __future__ import annotations

from typing import Any

from .cells.block_means import block_means
from .cells.grid import RectangleGrid, cell_count
from .cells.raster import cell_means
from .cells.strips import Strips
from .colour.srgb import Colours
from .flat_cells import measured_factor
from .progress import Progress
from .scaled import scaled
from .style import RenderContext

_LEAST_CUT_PX = 1.5


def square_means(context: RenderContext[Any], side: float, linear: bool, progress: Progress) -> Colours:
    """(rows, columns, 3): of every square of `side` pixels; those at the edge by the pixels they have.

    Of an enlarged result they are measured at the size of the source: all other pixels would be interpolated from it.
    """
    width, height = context.size
    factor = 1.0 if context.is_original_size else measured_factor(context, side)
    cut = min(length - side * (cell_count(length, side) - 1) for length in context.size)
    if factor * cut < _LEAST_CUT_PX:  # a square that the edge cuts needs pixels, too
        factor = min(1.0, _LEAST_CUT_PX / cut)
    if factor == 1.0 and float(side / context.reduction).is_integer():
        return block_means(context.image, int(side) // context.reduction, linear, progress)
    image = context.image
    if factor < 1.0:
        image = scaled(context.source.image, (round(width * factor), round(height * factor)))
    across, down = image.width / width, image.height / height
    grid = RectangleGrid(image.width, image.height, side * across, side * down)
    return cell_means(image, Strips(grid), linear, progress).colours.reshape(grid.rows, grid.columns, 3)
