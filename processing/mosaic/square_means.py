"""The means of rectangular cells of a result."""

from __future__ import annotations

from typing import Any

from .cells.area_means import area_means
from .cells.block_means import block_means
from .cells.grid import cell_count
from .colour.srgb import Colours
from .progress import Progress
from .scaled import Picture, scaled
from .style import RenderContext

_LEAST_PX, _ENLARGED_PX = 2.0, 12.0  # of a cell in the source; what smaller ones are interpolated to
_WHOLE = 1e-6  # what a side may differ from whole pixels because numbers are rounded


def square_means(context: RenderContext[Any], side: float, linear: bool, progress: Progress) -> Colours:
    """(rows, columns, 3): of every square of `side` pixels; those at the edge by the pixels they have."""
    return rectangle_means(context, (side, side), linear, progress)


def rectangle_means(
    context: RenderContext[Any], cell: tuple[float, float], linear: bool, progress: Progress
) -> Colours:
    """(rows, columns, 3): of every rectangle of that width and height; those at the edge by the pixels they have.

    They are measured on the source, whatever the size of the result is, so that larger results have the same colours.
    """
    source, size = context.source, context.size
    image: Picture = source.image
    wide, high = (
        side * length / (pixels * source.reduction)
        for side, length, pixels in zip(cell, (source.width, source.height), size, strict=True)
    )
    if min(wide, high) < _LEAST_PX:
        factor = _ENLARGED_PX / min(wide, high)
        image = scaled(source.image, (round(image.width * factor), round(image.height * factor)))
        wide, high = wide * image.width / source.image.width, high * image.height / source.image.height
    whole = round(wide)
    if max(abs(wide - whole), abs(high - whole)) < _WHOLE:
        return block_means(image, whole, linear, progress)
    columns, rows = (cell_count(length, side) for length, side in zip(size, cell, strict=True))
    return area_means(image, (wide, high), (columns, rows), linear, progress)
