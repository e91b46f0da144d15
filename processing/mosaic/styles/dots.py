"""The style `dots`: round dots on a ground, as a halftone print or a wall of lamps has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .. import fields
from ..canvas import Painting, Picture
from ..cells.raster import measure
from ..cells.strips import Slabs
from ..codec.decode import Source
from ..codec.svg import write_svg
from ..colour.oklab import from_srgb
from ..colour.srgb import Colours, Floats
from ..flat_cells import settle
from ..params import CellParams, automatic_cell
from ..progress import BAND_PX, Stage
from ..style import Style
from .dot_grid import DotGrid

_GAP = 0.97  # of the distance of two dots, what the largest ones fill
_LEAST = 0.2  # of the largest radius, the smallest one: a white sky keeps its pattern
_GROWTH = 0.36  # 0.5 would make areas proportional; a dot also has the colour itself, so less difference is enough
_PIECE = 1 << 16  # dots whose lightness is looked at together: the colour space needs some hundred bytes for each
_SMALLEST_CELL = 8  # of those that we choose: smaller dots are not round


class DotsParams(CellParams):
    size: str = fields.choice(
        "dark",
        {
            "dark": ("Larger where it is dark", "越暗越大"),
            "light": ("Larger where it is light", "越亮越大"),
            "equal": ("All equal", "大小相同"),
        },
        en="Size of the dots",
        zh="圆点大小",
    )
    lattice: str = fields.choice(
        "staggered",
        {"staggered": ("Staggered rows", "错位排列"), "square": ("Rows and columns", "行列排列")},
        en="Arrangement",
        zh="排列方式",
    )
    ground: str = fields.colour("#f7f2e8", en="Ground", zh="底色")
    smooth: bool = fields.flag(True, en="Soft edges", zh="边缘平滑")


@dataclass(frozen=True, slots=True)
class Dots:
    """colours: (count, 3); radii: (count,) pixels. smooth: edges are mixed with the ground over one pixel."""

    grid: DotGrid
    colours: Colours
    radii: Floats
    smooth: bool


def paint_dots(source: Source, params: DotsParams, stage: Stage) -> Painting:
    """Each dot in the exact mean of the rectangle around it, from which its size comes too."""
    size = (source.width, source.height)
    side = params.cell or max(_SMALLEST_CELL, automatic_cell(*size))
    grid = DotGrid(*size, side, staggered=params.lattice == "staggered")
    means = measure(source.image, Slabs(grid), params.linear, stage.part(0.0, 0.5))
    radii = radii_of(means.colours, params.size, grid.pitch, stage.part(0.5, 0.55))
    colours = settle(means, params, grid, stage.part(0.55, 0.6))
    dots, there = Dots(grid, colours, radii, params.smooth), means.areas > 0
    del means  # where dots are small, half as large as the picture
    image = source.canvas()
    image.paste(params.ground, (0, 0, *size))
    covered = sum(_lay(image, dots, row, stage.part(0.6 + 0.4 * row / grid.rows, 1.0)) for row in range(grid.rows))
    return Painting(
        Picture(image),
        cells=int(np.count_nonzero(there)),
        pitch=grid.pitch,
        coverage=covered / (size[0] * size[1]),
        svg=lambda stage: write_svg(
            size, grid.circles(there, dots.radii), colours[there], params.ground, stage, crisp=not params.smooth
        ),
    )


def radii_of(colours: Colours, size: str, pitch: float, stage: Stage) -> Floats:
    """(count,) pixels, growing with the darkness or the lightness (OKLab's L) of the dot's colour."""
    largest = pitch / 2 * _GAP
    radii = np.full(len(colours), largest, np.float32)
    for first in range(0, 0 if size == "equal" else len(colours), _PIECE):
        lightness = from_srgb(colours[first : first + _PIECE])[:, 0]
        share = np.clip(lightness if size == "light" else 1.0 - lightness, 0.0, 1.0)
        radii[first : first + _PIECE] = largest * np.maximum(share**_GROWTH, _LEAST)
        stage(first / len(colours))
    return radii


def _lay(image: Image.Image, dots: Dots, row: int, stage: Stage) -> float:
    """Paint one row of dots; returns how many pixels they cover."""
    grid, covered = dots.grid, 0.0
    cells = slice(row * grid.columns, (row + 1) * grid.columns)
    colours, radii = dots.colours[cells], dots.radii[cells]
    left, top = grid.corner(row)
    away = _distances(grid.side)
    step = max(1, BAND_PX // grid.side**2)
    for first in range(0, grid.columns, step):
        part = slice(first, first + step)
        mask = Image.fromarray(_coverage(away, radii[part], smooth=dots.smooth))
        place = (left + first * grid.side, top)
        strip = Image.fromarray(colours[None, part]).resize(mask.size, Image.Resampling.NEAREST)
        image.paste(strip, place, mask)
        covered += _inside(mask, place, image.size)
        stage(0.0)
    return covered


def _distances(side: int) -> NDArray[np.float32]:
    """(side, side) from each pixel's centre to the middle."""
    away = np.abs(np.arange(side) + 0.5 - side / 2)
    middle: NDArray[np.float32] = np.hypot(away[:, None], away).astype(np.float32)
    return middle


def _coverage(away: NDArray[np.float32], radii: Floats, *, smooth: bool) -> NDArray[np.uint8]:
    """(side, n * side) 0 to 255: how much of each pixel lies in its dot."""
    side = len(away)
    edges = radii[None, :, None] - away[:, None, :]
    if not smooth:
        return np.where(edges > 0, np.uint8(255), np.uint8(0)).reshape(side, -1)
    edges += 0.5
    np.clip(edges, 0.0, 1.0, out=edges)
    edges *= 255
    return edges.astype(np.uint8).reshape(side, -1)


def _inside(mask: Image.Image, place: tuple[int, int], size: tuple[int, int]) -> float:
    """Pixels that a strip covers of the picture."""
    left, top = max(0, -place[0]), max(0, -place[1])
    right, bottom = min(mask.width, size[0] - place[0]), min(mask.height, size[1] - place[1])
    if right <= left or bottom <= top:
        return 0.0
    levels = np.array(mask.crop((left, top, right, bottom)).histogram(), np.float64)
    return float(levels @ np.arange(256)) / 255


DOTS = Style(
    name="dots",
    version=2,
    params=DotsParams,
    paint=paint_dots,
    en="Dots",
    zh="圆点",
    about_en="Round dots on a ground, larger or smaller by the picture's light, like a coloured halftone print.",
    about_zh="底色上的圆点随明暗变化大小,如彩色网点印刷。",
    svg=True,
)
