"""The common steps of every style of flat cells: measure the means, assign colours, draw."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .canvas import EMPTY_GROUND, Laid, StyleResult, finished
from .cells.cells import Cells
from .cells.lattice import Lattice
from .cells.polygons import FilledCells, PolygonCells
from .cells.raster import MIN_SMOOTH_PITCH, CellMeans, Over, cell_means, fill_cells
from .cells.strips import Strips
from .codec.encoders.vector_image import MAX_VECTOR_CELLS, VectorImage
from .colour.dithering import MAX_DIFFUSED_CELLS, diffuse_indices
from .colour.palette import hex_to_rgb, resolve_palette
from .colour.palette_indices import palette_indices
from .colour.srgb import Colours
from .params import CellParams
from .progress import Progress, pieces
from .scaled import scaled
from .style import RenderContext

_MEASURED_PITCH = 12.0  # pixels of a cell, from which its mean is exact to about a number
_LEAST_PITCH = 4.0  # of cells in the source that are measured there
_PASSED_ON = 0.8  # of the error of dithering: a palette fitted to the picture needs less than others
_WORTHWHILE = 0.8  # of the size of the result
_PIECE_CELLS = 1 << 15  # converting to OKLab takes some hundred bytes a cell


def cell_colours(
    means: CellMeans,
    params: CellParams,
    cells: Cells,
    progress: Progress,
    context: RenderContext[CellParams] | None = None,
) -> Colours:
    """(count, 3): the colour to paint each cell in, its mean or the palette's. Changes means.colours in place.

    context: of an animation, whose frames share a palette.
    """
    if params.palette is None:
        return means.colours
    named = params.palette

    def resolve() -> Colours:
        return resolve_palette(named, means.colours, means.areas, progress.sub(0.0, 0.3), dither=params.dither)

    palette = resolve() if context is None else context.once("palette", resolve)
    still = context is None or context.shared is None  # diffused errors would flicker from frame to frame
    if params.dither and still and str(params.palette).startswith("auto-") and cells.count <= MAX_DIFFUSED_CELLS:
        centres, visible = cells.centres(0, cells.count), means.areas > 0
        mixing = progress.sub(0.3, 1.0)
        indices = diffuse_indices(
            means.colours, palette, centres, cells.pitch, mixing, visible=visible, passed_on=_PASSED_ON
        )
        means.colours[:] = palette[indices]
        return means.colours
    assigning = progress.sub(0.3, 1.0)
    assigned = palette_indices(means.colours, palette, cells.centres, cells.pitch, assigning, dither=params.dither)
    for piece, indices in assigned:
        means.colours[piece] = palette[indices]
    return means.colours


def paint_flat_cells(
    context: RenderContext[CellParams],
    cells: Cells,
    progress: Progress,
    *,
    gap_colour: str | None = None,
    over: Over | None = None,
    adjust: Callable[[Colours], Colours] | None = None,
) -> StyleResult:
    """Paint every cell in the mean of its pixels, or in the palette's colour for it.

    progress: the range of these steps. gap_colour: #rrggbb of pixels that no cell covers (grout, leading); None if
    there are none. Of a transparent source, the gaps are transparent too. over: see raster.fill_cells. adjust: of the
    means, before the palette.
    """
    strips = Strips(cells)
    measured = measured_cells(context, cells)
    measured_strips = strips if measured is cells else Strips(measured)
    measuring = progress.sub(0.0, 0.65)
    colours, areas, alphas = context.once_measured(
        "means", cells.count, lambda: measure_cells(context, measured_strips, measuring, adjust)
    )
    visible, covered_px = int(np.count_nonzero(areas)), float(areas.sum(dtype=np.int64))
    del areas  # where cells are small, as large as a third of the picture
    shapes = over is None and cells.count <= MAX_VECTOR_CELLS  # else a PDF has to show pixels
    canvas = context.new_canvas("RGB" if alphas is None else "RGBA", shapes=shapes)
    background = hex_to_rgb(gap_colour or "#000000")
    fill_cells(canvas, strips, colours, background, progress.sub(0.65, 1.0), alphas=alphas, over=over)
    return StyleResult(
        finished(canvas),
        cells=visible,
        pitch=cells.pitch,
        coverage=covered_px / (measured.width * measured.height),
        laid=Laid(cells, gap_colour or EMPTY_GROUND),
        vector=lambda: VectorImage(
            (cells.width, cells.height),
            cells.outlines,
            colours,
            gap_colour if alphas is None else None,
            underlay=cells.underlay if isinstance(cells, FilledCells) and alphas is None else None,
            alphas=alphas,
            joints=alphas is not None and gap_colour is not None,
        ),
    )


def measured_cells(context: RenderContext[CellParams], cells: Cells) -> Cells:
    """The cells that means are measured on: of an enlarged result, the same cells at the size of the source, or as
    large as a mean needs. All other pixels of the result would be interpolated from these.

    With a palette, they are those at the size of the source unless they are tiny there: a small difference would be
    another colour, and larger results would not have the same.
    """
    if context.alpha is not None or not isinstance(cells, Lattice | PolygonCells | FilledCells):
        return cells
    (width, height), source = context.size, context.source.image
    factor = source.width / width
    if context.params.palette is None or factor * cells.pitch < _LEAST_PITCH:
        factor = max(factor, _MEASURED_PITCH / cells.pitch)
        factor = factor if factor < _WORTHWHILE else 1.0
    return cells if factor == 1.0 else cells.scaled(round(width * factor), round(height * factor))


def _colour_empty_cells(means: CellMeans, cells: Cells, image: Image.Image) -> None:
    """Cells that contain no pixel's centre get the colour of the picture there: their edges may show, antialiased."""
    if means.alphas is not None:
        return
    across, down = image.width / cells.width, image.height / cells.height
    for piece in pieces(cells.count, _PIECE_CELLS):
        empty = np.flatnonzero(means.areas[piece] == 0)
        if not len(empty) or cells.pitch < MIN_SMOOTH_PITCH:
            continue
        centres = cells.centres(piece.start, piece.stop)[empty]
        x = np.clip(centres[:, 0] * across, 0, image.width - 1).astype(np.int64)
        y = np.clip(centres[:, 1] * down, 0, image.height - 1).astype(np.int64)
        colours = [image.getpixel(place) for place in zip(x.tolist(), y.tolist(), strict=True)]
        means.colours[piece.start + empty] = np.array(colours, np.uint8)


def measure_cells(
    context: RenderContext[CellParams],
    strips: Strips,
    progress: Progress,
    adjust: Callable[[Colours], Colours] | None = None,
) -> tuple[Colours, NDArray[np.uint32], NDArray[np.uint8] | None]:
    """Colour, area and alpha of every cell. A function of its own, so that the means are freed before painting."""
    measuring, cells = progress.sub(0.0, 0.95), strips.cells
    image = (
        scaled(context.source.image, (cells.width, cells.height)) if cells.width != context.size[0] else context.image
    )
    means = cell_means(image, strips, context.params.linear, measuring, alpha=context.alpha)
    _colour_empty_cells(means, cells, context.source.image)
    if adjust is not None:
        means.colours[:] = adjust(means.colours)
    colours = cell_colours(means, context.params, cells, progress.sub(0.95, 1.0), context)
    return colours, means.areas, means.alphas
