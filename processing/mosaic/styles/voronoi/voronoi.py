"""The style `voronoi`: stained glass, small panes where the picture has detail and large ones where it is calm."""

from __future__ import annotations

import numpy as np

from ... import fields
from ...canvas import Painting
from ...cells.convex import moved_in, voronoi_cells
from ...cells.polygons import PolygonCells
from ...codec.decode import Source
from ...colour.srgb import Floats
from ...flat_cells import paint_flat
from ...params import CellParams, automatic_cell
from ...progress import Stage
from ...style import Style
from .seeds import detail, places_for, spread

_MOST_SEEDS = 25_000  # more keep Qhull, which cannot be stopped, for longer than 0.3 s
_ACROSS = 82  # about 5,000 panes in a picture of 4 to 3


class VoronoiParams(CellParams):
    """cell: the side of a square as large as the mean pane. cells: how many panes, instead of their size.
    leading: None is an eleventh of the cell; it never takes more than a quarter."""

    cells: int | None = fields.integer(None, low=1, high=_MOST_SEEDS, en="Number of panes", zh="玻璃块数")
    detail: float = fields.number(0.8, low=0.0, high=1.0, step=0.05, en="Follow the detail", zh="细节密度")
    steps: int = fields.integer(3, low=0, high=20, en="Steps of evening out", zh="均匀化次数")
    leading: int | None = fields.integer(None, low=0, high=64, unit="px", en="Leading, pixels", zh="铅条宽度(像素)")
    leading_colour: str = fields.colour("#17140f", en="Colour of the leading", zh="铅条颜色")


def paint_panes(source: Source, params: VoronoiParams, stage: Stage) -> Painting:
    """Every pane in the mean of its pixels; leading in one colour between them."""
    size = (source.width, source.height)
    count = count_for(params, *size)
    pitch = (size[0] * size[1] / count) ** 0.5
    leading = min(round(pitch / 11) if params.leading is None else params.leading, pitch / 4)
    seeds = panes_of(source, params, count, stage.part(0.0, 0.3))
    cells = panes(seeds, size, leading, pitch, stage.part(0.3, 0.35))
    ground = params.leading_colour if leading else None
    return paint_flat(source, cells, params, stage.part(0.35, 1.0), ground=ground)


def count_for(params: VoronoiParams, width: int, height: int) -> int:
    """How many panes are asked for; those of a small picture stay large enough for their leading."""
    if params.cells is not None:
        return params.cells
    cell = params.cell or max(automatic_cell(width, height, across=_ACROSS), min(9, min(width, height) // 6))
    return min(_MOST_SEEDS, max(1, round(width * height / cell**2)))


def panes_of(source: Source, params: VoronoiParams, count: int, stage: Stage) -> Floats:
    """(n, 2) the seeds, x and y in pixels."""
    density = (0.02 + detail(source.image, places_for(count)) ** 2) ** params.detail
    stage(0.2)
    size = (source.width, source.height)
    return spread(density, size, count, steps=params.steps, seed=params.seed, stage=stage.part(0.2, 1.0))


def panes(seeds: Floats, size: tuple[int, int], leading: float, pitch: float, stage: Stage) -> PolygonCells:
    """The seeds' Voronoi cells; with leading, their sides moved inwards by half its width. A pane that leading
    covers altogether stays as a single point and has no pixel."""
    points, counts = voronoi_cells(seeds, size, stage)
    stage(0.7)
    if leading:
        points, counts = moved_in(points, counts, leading / 2)
        gone = counts == 0
        points = np.insert(points, np.cumsum(counts)[gone], seeds[gone], axis=0)
        counts = np.where(gone, 1, counts)
    stage(1.0)
    return PolygonCells(*size, points, counts, pitch)


VORONOI = Style(
    name="voronoi",
    version=2,
    params=VoronoiParams,
    paint=paint_panes,
    en="Stained glass",
    zh="彩色玻璃",
    about_en="Panes of glass between leading, smaller where the picture has detail.",
    about_zh="铅条之间的彩色玻璃,细节多的地方玻璃更小。",
    svg=True,
)
