"""The styles `hexagon`, `triangle` and `diamond`: regular tilings, each cell in the mean of its pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import sqrt
from typing import ClassVar, TypeVar

from ..canvas import StyleResult
from ..cells.lattice import HexagonalTiling, Lattice, TriangularTiling
from ..costs import FileSizes, RenderCost
from ..flat_cells import paint_flat_cells
from ..materials.pieces import lay, paint_pieces
from ..params import SEED_OF_MATERIAL, Condition, GroutParams, default_cell
from ..style import RenderContext, Style

G = TypeVar("G", bound=GroutParams)


class HexagonParams(GroutParams):
    """cell: the width of a hexagon between two opposite sides."""

    conditions: ClassVar[Mapping[str, Condition]] = SEED_OF_MATERIAL


class TriangleParams(GroutParams):
    """cell: the side of a triangle."""

    conditions: ClassVar[Mapping[str, Condition]] = SEED_OF_MATERIAL


class DiamondParams(GroutParams):
    """cell: the width of a diamond."""

    conditions: ClassVar[Mapping[str, Condition]] = SEED_OF_MATERIAL


def hexagon_lattice(width: int, height: int, params: HexagonParams, joint: float | None = None) -> Lattice:
    """Regular hexagons standing on a corner."""
    side = params.cell or default_cell(width, height, across=72)
    slope = side / sqrt(12)
    grout = params.joint_width(side) if joint is None else joint
    return Lattice(width, height, HexagonalTiling(side, 2 * slope, slope, grout), side)


def triangle_lattice(width: int, height: int, params: TriangleParams, joint: float | None = None) -> Lattice:
    """Equilateral triangles."""
    side = params.cell or default_cell(width, height, across=56)
    row_height = side * sqrt(3) / 2
    grout = params.joint_width(side) if joint is None else joint
    return Lattice(width, height, TriangularTiling(side, row_height, grout), side * 2 / 3)


def diamond_lattice(width: int, height: int, params: DiamondParams, joint: float | None = None) -> Lattice:
    """Rhombi, one and a half times as high as wide."""
    side = params.cell or default_cell(width, height, across=72)
    grout = params.joint_width(side) if joint is None else joint
    return Lattice(width, height, HexagonalTiling(side, 0, side * 3 / 4, grout), side)


def paint_hexagons(context: RenderContext[HexagonParams]) -> StyleResult:
    """Partition into hexagons, then paint each in the mean of its pixels."""
    return _paint(context, hexagon_lattice)


def paint_triangles(context: RenderContext[TriangleParams]) -> StyleResult:
    """Partition into triangles, then paint each in the mean of its pixels."""
    return _paint(context, triangle_lattice)


def paint_diamonds(context: RenderContext[DiamondParams]) -> StyleResult:
    """Partition into diamonds, then paint each in the mean of its pixels."""
    return _paint(context, diamond_lattice)


def _paint(context: RenderContext[G], lattice: Callable[[int, int, G, float | None], Lattice]) -> StyleResult:
    params, size = context.params, context.size
    cells = lattice(*size, params, None)
    joint = params.joint_width(cells.pitch)
    laying = lay(context, params.material, cells.pitch, joint, params.grout_colour, outweighed=params.grout is None)
    if laying is None:
        return paint_flat_cells(context, cells, context.progress, gap_colour=params.gap_colour)
    return paint_pieces(context, lattice(*size, params, 0.0), laying, context.progress, flat=lambda: cells)


HEXAGON = Style(
    name="hexagon",
    version=11,
    params=HexagonParams,
    paint=paint_hexagons,
    en="Honeycomb",
    zh="蜂巢六边形",
    about_en="Regular hexagons, each in the mean colour of its pixels.",
    about_zh="正六边形，每块取其像素的平均颜色。",
    cost=RenderCost(0.12, 0.035, pieces_s=0.09, small_pieces_s=0.2),
    file_mb=FileSizes(1.3, 1.4, 0.87, shapes=0.2),
    svg=True,
    seeded=True,
)
TRIANGLE = Style(
    name="triangle",
    version=11,
    params=TriangleParams,
    paint=paint_triangles,
    en="Triangles",
    zh="三角形",
    about_en="Triangles that point up and down alternately, each in the mean colour of its pixels.",
    about_zh="上下交错的正三角形，每块取其像素的平均颜色。",
    cost=RenderCost(0.15, 0.035, pieces_s=0.09, small_pieces_s=0.2),
    file_mb=FileSizes(1.75, 1.7, 0.84, shapes=0.15),
    svg=True,
    seeded=True,
)
DIAMOND = Style(
    name="diamond",
    version=11,
    params=DiamondParams,
    paint=paint_diamonds,
    en="Diamonds",
    zh="菱形",
    about_en="Tall diamonds, each in the mean colour of its pixels.",
    about_zh="竖长菱形，每块取其像素的平均颜色。",
    cost=RenderCost(0.15, 0.038, pieces_s=0.09, small_pieces_s=0.2),
    file_mb=FileSizes(1.75, 1.9, 0.97, shapes=0.2),
    svg=True,
    seeded=True,
)
