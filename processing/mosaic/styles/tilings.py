"""The style `hexagon`: a honeycomb, each cell in the mean of its pixels."""

from __future__ import annotations

from math import sqrt

from ..canvas import Painting
from ..cells.lattice import Lattice, Zigzag
from ..codec.decode import Source
from ..flat_cells import paint_flat
from ..params import GroutParams, automatic_cell
from ..progress import Stage
from ..style import Style


class HexagonParams(GroutParams):
    """cell: the width of a hexagon from side to side."""


def paint_hexagons(source: Source, params: HexagonParams, stage: Stage) -> Painting:
    """Every hexagon in the exact mean of the pixels it shows."""
    cells = honeycomb(source.width, source.height, params)
    return paint_flat(source, cells, params, stage, ground=params.ground)


def honeycomb(width: int, height: int, params: HexagonParams) -> Lattice:
    """Regular hexagons that stand on a corner, to an eighth of a pixel, so that the SVG says the very same."""
    side = params.cell or automatic_cell(width, height, across=72)
    slope = max(1, round(side * 8 / sqrt(12))) / 8
    return Lattice(width, height, Zigzag(side, 2 * slope, slope, params.joint(side)), side)


HEXAGON = Style(
    name="hexagon",
    version=2,
    params=HexagonParams,
    paint=paint_hexagons,
    en="Honeycomb",
    zh="蜂巢六边形",
    about_en="Regular hexagons, each in the mean colour of its pixels.",
    about_zh="正六边形,每块取其像素的平均颜色。",
    svg=True,
)
