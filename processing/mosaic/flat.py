"""The common way of every style of flat cells: measure, choose colours, paint."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .canvas import Painting, Picture
from .cells import Cells
from .codec import Source
from .light import Colours, Floats, light_table, to_bytes
from .palette import choose, dithered, nearest, rgb
from .params import CellParams
from .raster import measure, paint
from .slabs import Slabs
from .stage import Stage
from .svg import write_svg

_PIECE = 1 << 16  # cells settled at once: the colour space needs some hundred bytes for each


def settle(
    colours: Colours,
    areas: Callable[[], NDArray[np.uint32]],
    params: CellParams,
    centres: Callable[[], Floats],
    pitch: float,
    stage: Stage | None = None,
) -> Colours:
    """The colours (count, 3) that cells are painted in: their own, or the palette's."""
    if params.palette is None:
        return colours
    palette = choose(params.palette, colours, areas)
    places, settled = centres() if params.dither else None, np.empty_like(colours)
    for first in range(0, len(colours), _PIECE):
        piece = slice(first, first + _PIECE)
        if places is None:
            settled[piece] = palette[nearest(colours[piece], palette)]
        else:
            settled[piece] = palette[dithered(colours[piece], palette, places[piece], pitch)]
        if stage is not None:
            stage(first / len(colours))
    return settled


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
        svg=lambda: write_svg((cells.width, cells.height), cells.outlines(), colours, ground),
    )


def _coloured(source: Source, slabs: Slabs, params: CellParams, stage: Stage) -> tuple[Colours, NDArray[np.uint32]]:
    """The colour of every cell, and its pixels."""
    cells = slabs.cells
    means = measure(source.image, slabs, light_table(params.linear), stage.part(0.0, 0.92))
    own = _own_colours(means.light, params.linear, stage.part(0.92, 0.95))
    colours = settle(own, lambda: means.areas, params, cells.centres, cells.pitch, stage.part(0.95, 1.0))
    return colours, means.areas


def _own_colours(light: NDArray[np.float32], linear: bool, stage: Stage) -> Colours:
    colours = np.empty(light.shape, np.uint8)
    for first in range(0, len(light), _PIECE):
        colours[first : first + _PIECE] = to_bytes(light[first : first + _PIECE], linear)
        stage(first / len(light))
    return colours
