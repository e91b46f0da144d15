"""The style `triangle`: triangles that point up and down by turns, each in the mean of its pixels."""

from __future__ import annotations

from math import sqrt

from ..canvas import Painting
from ..cells.lattice import Lattice, Triangles
from ..codec.decode import Source
from ..flat_cells import paint_flat
from ..params import GroutParams, automatic_cell
from ..progress import Stage
from ..style import Style


class TriangleParams(GroutParams):
    """cell: the side of a triangle."""


def paint_triangles(source: Source, params: TriangleParams, stage: Stage) -> Painting:
    """Every triangle in the exact mean of the pixels it shows."""
    cells = triangles(source.width, source.height, params)
    return paint_flat(source, cells, params, stage, ground=params.ground)


def triangles(width: int, height: int, params: TriangleParams) -> Lattice:
    """Triangles with equal sides, to an eighth of a pixel, so that the SVG says the very same."""
    side = params.cell or automatic_cell(width, height, across=56)
    rise = round(side * 4 * sqrt(3)) / 8
    return Lattice(width, height, Triangles(side, rise, params.joint(side)), side * 2 / 3)


TRIANGLE = Style(
    name="triangle",
    version=2,
    params=TriangleParams,
    paint=paint_triangles,
    en="Triangles",
    zh="三角形",
    about_en="Triangles that point up and down by turns, each in the mean colour of its pixels.",
    about_zh="上下交错的正三角形,每块取其像素的平均颜色。",
    svg=True,
)
