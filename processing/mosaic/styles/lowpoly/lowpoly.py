"""The style `lowpoly`: triangles whose sides lie on the edges of the picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from ...canvas import EMPTY_GROUND, Laid, StyleResult, finished
from ...cells.convex import inset_polygons
from ...cells.polygons import PolygonCells
from ...cells.raster import cell_means
from ...cells.strips import Strips
from ...codec.encoders.vector_image import VectorImage
from ...colour.srgb import Floats
from ...costs import FileSizes, RenderCost
from ...flat_cells import paint_flat_cells
from ...params import CellParams, Condition, choice_param, colour_param, int_param
from ...progress import Progress
from ...style import RenderContext, Style
from .error_field import ErrorField, reduce_to_samples
from .gradients import fill_gradients, fit_gradients
from .placement import place_triangles

_DEFAULT_CELLS = 1500
_MAX_CELLS = 10_000
_FILLS = {"flat": ("One colour", "单色"), "gradient": ("Gradient", "渐变")}


class LowpolyParams(CellParams):
    """cell: the side of a square as large as the mean triangle. cells: number of triangles, overrides `cell`; without
    both, 1,500. With a palette, or where transparency is kept, gradients
    are painted flat."""

    conditions: ClassVar[Mapping[str, Condition]] = {
        "cell": Condition("cells", (None,)),
        "fill": Condition("palette", (None,)),
        "wireframe_colour": Condition("wireframe", (0,), negated=True),
    }

    cells: int | None = int_param(None, low=2, high=_MAX_CELLS, en="Number of triangles", zh="三角形数量")
    fill: str = choice_param("flat", _FILLS, en="Fill", zh="填充")
    wireframe: int = int_param(0, low=0, high=256, unit="px", en="Wireframe, pixels", zh="线框宽度（像素）")
    wireframe_colour: str = colour_param("#17140f", en="Colour of the wireframe", zh="线框颜色")


def paint_lowpoly(context: RenderContext[LowpolyParams]) -> StyleResult:
    """Place the triangles on a reduced picture, then paint each in the mean or the gradient of its pixels."""
    params, progress, size = context.params, context.progress, context.size
    corners = context.once("corners", lambda: place_corners(context, progress.sub(0.0, 0.7)))
    pitch = float((size[0] * size[1] / len(corners)) ** 0.5)
    cells = _inset_cells(corners, size, min(params.wireframe, pitch / 4), pitch)
    gap_colour = params.wireframe_colour if params.wireframe else None
    if params.fill == "flat" or params.palette is not None or context.source.alpha is not None:
        return paint_flat_cells(context, cells, progress.sub(0.7, 1.0), gap_colour=gap_colour)
    return _paint_gradients(context, cells, corners, gap_colour, progress.sub(0.7, 1.0))


def place_corners(context: RenderContext[LowpolyParams], progress: Progress) -> Floats:
    """(count, 3, 2): x and y in pixels of the corners of every triangle."""
    source, params, size = context.source, context.params, context.size
    field = ErrorField(source.image, progress.sub(0.0, 0.15), alpha=source.alpha)
    points, triangles = place_triangles(field, triangle_count(params, *size), params.seed, progress.sub(0.15, 1.0))
    corners: Floats = (points * np.array(size) / (field.width, field.height))[triangles]
    return corners


def triangle_count(params: LowpolyParams, width: int, height: int) -> int:
    """The number of triangles of the recipe; a small picture gets fewer."""
    if params.cells is not None:
        return params.cells
    if params.cell is None:
        return _DEFAULT_CELLS
    return min(_MAX_CELLS, max(2, round(width * height / params.cell**2)))


def _inset_cells(corners: Floats, size: tuple[int, int], wire: float, pitch: float) -> PolygonCells:
    """The triangles, inset by half the width of the wire. One that is covered completely becomes a point."""
    points, counts = corners.reshape(-1, 2), np.full(len(corners), 3)
    if wire:
        points, counts = inset_polygons(points, counts, wire / 2)
        empty = counts == 0
        points = np.insert(points, np.cumsum(counts)[empty], corners[empty].mean(axis=1), axis=0)
        counts = np.where(empty, 1, counts)
    return PolygonCells(*size, points, counts, pitch)


def _paint_gradients(
    context: RenderContext[LowpolyParams],
    cells: PolygonCells,
    corners: Floats,
    gap_colour: str | None,
    progress: Progress,
) -> StyleResult:
    means = cell_means(context.image, Strips(cells), context.params.linear, progress.sub(0.0, 0.4))
    gradients = fit_gradients(reduce_to_samples(context.source.image), context.size, corners, means.colours)
    progress(0.5)
    canvas, colours = context.new_canvas(), means.colours
    fill_gradients(canvas, cells, colours, gradients, gap_colour or "#000000", progress.sub(0.5, 1.0))
    return StyleResult(
        finished(canvas),
        cells=int(np.count_nonzero(means.areas)),
        pitch=cells.pitch,
        coverage=float(means.areas.sum(dtype=np.int64)) / (cells.width * cells.height),
        laid=Laid(cells, gap_colour or EMPTY_GROUND),
        vector=lambda: VectorImage(
            context.size, cells.outlines, colours, gap_colour, gradients=gradients.as_lines(colours)
        ),
    )


LOWPOLY = Style(
    name="lowpoly",
    version=8,
    params=LowpolyParams,
    paint=paint_lowpoly,
    en="Low poly",
    zh="低多边形",
    about_en="Triangles whose sides follow the outlines of the picture.",
    about_zh="三角形沿着画面轮廓排列。",
    cost=RenderCost(0.9, 0.03),
    file_mb=FileSizes(1.45, 1.3, 0.72, shapes=0.1),
    svg=True,
    laying="middle",
    seeded=True,
)
