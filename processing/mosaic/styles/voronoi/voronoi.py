"""The style `voronoi`: stained glass, with panes along the contours of the picture or around random seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import ClassVar

import numpy as np

from ...canvas import StyleResult
from ...cells.convex import inset_polygons, voronoi_cells
from ...cells.polygons import PolygonCells
from ...colour.srgb import Floats
from ...costs import FileSizes, RenderCost
from ...flat_cells import paint_flat_cells
from ...params import (
    CellParams,
    Condition,
    bool_param,
    choice_param,
    colour_param,
    default_cell,
    float_param,
    int_param,
)
from ...progress import Progress
from ...style import RenderContext, Style
from .contour_panes import contour_panes
from .leads import LeadPainter, brightened
from .seeds import gradient_magnitude, sample_count, stipple_points

_MAX_SEEDS = 25_000  # with more, a single call of Qhull, which cannot be stopped, takes longer than 0.3 s
_PANES_ACROSS = 82  # about 5,000 panes in a picture of 4 to 3
_CONTOUR_PANES, _MAX_CONTOUR_PANES = 600, 3000
_PANES = {"contours": ("Along the contours", "沿轮廓"), "voronoi": ("Voronoi cells", "Voronoi 单元")}


class VoronoiParams(CellParams):
    """cell: the side of a square as large as the mean pane. cells: number of panes, overrides `cell`.
    leading: None is an eleventh of the cell; it never takes more than a quarter. detail, steps: of voronoi panes.
    light: leads are rounded, and panes glow; of panes along contours."""

    conditions: ClassVar[Mapping[str, Condition]] = {
        "cell": Condition("cells", (None,)),
        "detail": Condition("panes", ("voronoi",)),
        "steps": Condition("panes", ("voronoi",)),
        "light": Condition("panes", ("contours",)),
        "leading_colour": Condition("leading", (0,), negated=True),
    }

    panes: str = choice_param("contours", _PANES, en="Shape of the panes", zh="玻璃形状")
    cells: int | None = int_param(None, low=1, high=_MAX_SEEDS, en="Number of panes", zh="玻璃块数")
    detail: float = float_param(0.8, low=0.0, high=1.0, step=0.05, en="Follow the detail", zh="细节密度")
    steps: int = int_param(3, low=0, high=20, en="Smoothing steps", zh="均匀化次数")
    leading: int | None = int_param(None, low=0, high=256, unit="px", en="Leading, pixels", zh="铅条宽度（像素）")
    leading_colour: str = colour_param("#17140f", en="Colour of the leading", zh="铅条颜色")
    light: bool = bool_param(True, en="Light and glow", zh="光影")


def paint_panes(context: RenderContext[VoronoiParams]) -> StyleResult:
    """Partition into panes, then paint each in the mean of its pixels, with leading between them."""
    if context.params.panes == "contours" and context.source.alpha is None:
        return _paint_contour_panes(context)
    params, progress, size = context.params, context.progress, context.size
    count = pane_count(params, *size)
    pitch = (size[0] * size[1] / count) ** 0.5
    leading = min(max(1.0, pitch / 11) if params.leading is None else params.leading, pitch / 4)
    seeds = context.once("seeds", lambda: pane_seeds(context, count, progress.sub(0.0, 0.3)))
    cells = panes(seeds, size, leading, pitch, progress.sub(0.3, 0.35))
    gap_colour = params.leading_colour if leading else None
    return paint_flat_cells(context, cells, progress.sub(0.35, 1.0), gap_colour=gap_colour)


def _paint_contour_panes(context: RenderContext[VoronoiParams]) -> StyleResult:
    params, progress, size = context.params, context.progress, context.size
    count = contour_pane_count(params, *size)
    pitch = (size[0] * size[1] / count) ** 0.5
    leading = min(pitch / 11 if params.leading is None else params.leading, pitch / 4)
    image = context.source.image
    panes = context.once("panes", lambda: contour_panes(image, size, count, leading, progress.sub(0.0, 0.5)))
    if not leading or not panes.leads:
        return paint_flat_cells(context, panes.cells, progress.sub(0.5, 1.0))
    colour, light, seed = params.leading_colour, params.light, params.seed
    painter = context.once(
        "leads", lambda: LeadPainter(panes.leads, leading, colour, size=size, light=light, seed=seed)
    )
    painter.covered_px = 0.0
    glowing = partial(brightened, lead_shares=panes.lead_shares, colour=colour) if light else None
    result = paint_flat_cells(context, panes.cells, progress.sub(0.5, 1.0), over=painter, adjust=glowing)
    panes_as_shapes = result.vector
    assert panes_as_shapes is not None
    return replace(
        result,
        coverage=max(0.0, 1 - painter.covered_px / (size[0] * size[1])),
        vector=lambda: replace(panes_as_shapes(), strokes=panes.leads, stroke_colour=colour, exact=not light),
    )


def contour_pane_count(params: VoronoiParams, width: int, height: int) -> int:
    """The number of panes along contours; a picture of few pixels gets fewer."""
    if params.cells is None and params.cell is None:
        return max(1, min(_CONTOUR_PANES, width * height // 200))
    count = params.cells or max(1, round(width * height / (params.cell or 1) ** 2))
    return max(1, min(count, _MAX_CONTOUR_PANES, width * height // 16))


def pane_count(params: VoronoiParams, width: int, height: int) -> int:
    """The number of panes; by default, panes of a small picture are large enough for their leading."""
    if params.cells is not None:
        return params.cells
    cell = params.cell or max(default_cell(width, height, across=_PANES_ACROSS), min(9, min(width, height) // 6))
    return min(_MAX_SEEDS, max(1, round(width * height / cell**2)))


def pane_seeds(context: RenderContext[VoronoiParams], count: int, progress: Progress) -> Floats:
    """(n, 2) x and y in pixels."""
    params = context.params
    density = (0.02 + gradient_magnitude(context.source.image, sample_count(count)) ** 2) ** params.detail
    progress(0.2)
    steps, seed = params.steps, params.seed
    return stipple_points(density, context.size, count, steps=steps, seed=seed, progress=progress.sub(0.2, 1.0))


def panes(seeds: Floats, size: tuple[int, int], leading: float, pitch: float, progress: Progress) -> PolygonCells:
    """The Voronoi cells of the seeds, inset by half the width of the leading.

    A pane that leading covers completely becomes a single point, which has no pixel.
    """
    points, counts = voronoi_cells(seeds, size, progress)
    progress(0.7)
    if leading:
        points, counts = inset_polygons(points, counts, leading / 2)
        empty = counts == 0
        points = np.insert(points, np.cumsum(counts)[empty], seeds[empty], axis=0)
        counts = np.where(empty, 1, counts)
    progress(1.0)
    return PolygonCells(*size, points, counts, pitch)


VORONOI = Style(
    name="voronoi",
    version=16,
    params=VoronoiParams,
    paint=paint_panes,
    en="Stained glass",
    zh="彩色玻璃",
    about_en="Panes of glass along the contours of the picture, between leads.",
    about_zh="玻璃沿画面轮廓切割，以铅条相接，如教堂花窗。",
    cost=RenderCost(1.1, 0.11),
    file_mb=FileSizes(9.1, 2.5, 1.5),
    svg=True,
    laying="middle",
    seeded=True,
)
