"""The common way of every style of flat cells: measure, choose colours, paint."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .canvas import Painting, Picture
from .cells import Cells, measure, paint
from .codec import Source
from .light import Colours, Floats, light_table, to_bytes
from .palette import choose, dithered, nearest, rgb
from .params import CellParams
from .stage import Stage
from .svg import write_svg


def settle(
    colours: Colours,
    areas: Callable[[], NDArray[np.uint32]],
    params: CellParams,
    centres: Callable[[], Floats],
    pitch: float,
) -> Colours:
    """The colours that cells are painted in: their own, or the palette's."""
    if params.palette is None:
        return colours
    palette = choose(params.palette, colours, areas)
    if params.dither:
        return palette[dithered(colours, palette, centres(), pitch)]
    return palette[nearest(colours, palette)]


def paint_flat(
    source: Source, cells: Cells, params: CellParams, stage: Stage, *, ground: str | None = None
) -> Painting:
    """Every cell in the mean of its pixels, or in the palette's colour for it.

    ground: #rrggbb of pixels that no cell covers (grout, leading); None when there are none.
    """
    means = measure(source.image, cells, light_table(params.linear), stage.part(0.0, 0.6))
    colours = settle(to_bytes(means.light, params.linear), lambda: means.areas, params, cells.centres, cells.pitch)
    image = paint(cells, colours, rgb(ground or "#000000"), stage.part(0.65, 1.0))
    return Painting(
        Picture(image),
        cells=int(np.count_nonzero(means.areas)),
        pitch=cells.pitch,
        coverage=float(means.areas.sum(dtype=np.int64)) / (cells.width * cells.height),
        svg=lambda: write_svg((cells.width, cells.height), cells.outlines(), colours, ground),
    )
