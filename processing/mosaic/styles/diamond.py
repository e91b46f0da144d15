"""The style `diamond`: tall rhombs, each in the mean of its pixels."""

from __future__ import annotations

from ..canvas import Painting
from ..cells.lattice import Lattice, Zigzag
from ..codec.decode import Source
from ..flat_cells import paint_flat
from ..params import GroutParams, automatic_cell
from ..progress import Stage
from ..style import Style


class DiamondParams(GroutParams):
    """cell: the width of a diamond; it is half as high again."""


def paint_diamonds(source: Source, params: DiamondParams, stage: Stage) -> Painting:
    """Every diamond in the exact mean of the pixels it shows."""
    cells = harlequin(source.width, source.height, params)
    return paint_flat(source, cells, params, stage, ground=params.ground)


def harlequin(width: int, height: int, params: DiamondParams) -> Lattice:
    """Rhombs one and a half times as high as wide."""
    side = params.cell or automatic_cell(width, height, across=72)
    return Lattice(width, height, Zigzag(side, 0, side * 3 / 4, params.joint(side)), side)


DIAMOND = Style(
    name="diamond",
    version=2,
    params=DiamondParams,
    paint=paint_diamonds,
    en="Diamonds",
    zh="菱形",
    about_en="Tall diamonds, each in the mean colour of its pixels.",
    about_zh="竖长菱形,每块取其像素的平均颜色。",
    svg=True,
)
