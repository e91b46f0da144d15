"""The common way of every style of flat cells: measure, choose colours, paint."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .canvas import Painting, Picture
from .cells.cells import Cells
from .cells.raster import Means, measure, paint
from .cells.strips import Slabs
from .codec.decode import Source
from .codec.svg import write_svg
from .colour.palette import choose, dithered, nearest, rgb
from .colour.srgb import Colours
from .params import CellParams
from .progress import Stage

_PIECE = 1 << 15  # cells settled at once: the colour space needs some hundred bytes for each


def settle(means: Means, params: CellParams, cells: Cells, stage: Stage) -> Colours:
    """The colours (count, 3) that cells are painted in: their own, or, written over them, the palette's."""
    if params.palette is None:
        return means.colours
    palette = choose(params.palette, means.colours, means.areas, stage.part(0.0, 0.3))
    for piece, picked in picks(means.colours, palette, cells, stage.part(0.3, 1.0), dither=params.dither):
        means.colours[piece] = palette[picked]
    return means.colours


def picks(
    colours: Colours, palette: Colours, cells: Cells, stage: Stage, *, dither: bool
) -> Iterator[tuple[slice, NDArray[np.intp]]]:
    """Some cells at a time, and for each of them the index of the palette's colour that stands for its own."""
    for first in range(0, len(colours), _PIECE):
        piece = slice(first, min(first + _PIECE, len(colours)))
        if dither:
            yield piece, dithered(colours[piece], palette, cells.centres(piece.start, piece.stop), cells.pitch)
        else:
            yield piece, nearest(colours[piece], palette)
        stage(piece.stop / len(colours))


def paint_flat(
    source: Source, cells: Cells, params: CellParams, stage: Stage, *, ground: str | None = None
) -> Painting:
    """Every cell in the mean of its pixels, or in the palette's colour for it.

    ground: #rrggbb of pixels that no cell covers (grout, leading); None when there are none.
    """
    slabs = Slabs(cells)
    colours, areas = _coloured(source, slabs, params, stage.part(0.0, 0.65))
    seen, covered = int(np.count_nonzero(areas)), float(areas.sum(dtype=np.int64))
    del areas  # where cells are small, a third of the picture
    canvas = source.canvas()
    paint(canvas, slabs, colours, rgb(ground or "#000000"), stage.part(0.65, 1.0))
    return Painting(
        Picture(canvas),
        cells=seen,
        pitch=cells.pitch,
        coverage=covered / (cells.width * cells.height),
        svg=lambda stage: write_svg((cells.width, cells.height), cells.outlines(), colours, ground, stage),
    )


def _coloured(source: Source, slabs: Slabs, params: CellParams, stage: Stage) -> tuple[Colours, NDArray[np.uint32]]:
    """The colour of every cell, and its pixels."""
    means = measure(source.image, slabs, params.linear, stage.part(0.0, 0.95))
    return settle(means, params, slabs.cells, stage.part(0.95, 1.0)), means.areas
