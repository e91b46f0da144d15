"""The style `dots`: round dots on a plain ground, like a coloured halftone print."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..canvas import PixelCanvas, StyleResult
from ..cells.cells import Circle, Polygon
from ..cells.raster import cell_means
from ..cells.runs import Runs, runs_from_columns
from ..cells.strips import Strips
from ..codec.svg import write_svg
from ..colour.oklab import srgb_to_oklab
from ..colour.srgb import Colours, Floats
from ..flat_cells import cell_colours
from ..params import CellParams, bool_param, choice_param, colour_param, default_cell
from ..progress import BAND_PX, Progress, pieces
from ..style import RenderContext, Style

_MAX_DIAMETER = 0.97  # of the distance of two dots
_MIN_RADIUS = 0.2  # of the largest radius: even a white sky keeps its pattern
_EXPONENT = (
    0.36  # 0.5 would make areas proportional to darkness; as dots are coloured too, a smaller contrast is enough
)
_PIECE_DOTS = 1 << 16  # converting to OKLab takes some hundred bytes a dot
_MIN_DEFAULT_CELL = 8  # smaller dots do not look round

Row = TypeVar("Row", int, NDArray[np.int64])


class DotsParams(CellParams):
    """cell: the distance of two dots of a row. size: which dots are large. ground: the colour between the dots."""

    size: str = choice_param(
        "dark",
        {
            "dark": ("Larger where it is dark", "越暗越大"),
            "light": ("Larger where it is light", "越亮越大"),
            "equal": ("All equal", "大小相同"),
        },
        en="Size of the dots",
        zh="圆点大小",
    )
    lattice: str = choice_param(
        "staggered",
        {"staggered": ("Staggered rows", "错位排列"), "square": ("Rows and columns", "行列排列")},
        en="Arrangement",
        zh="排列方式",
    )
    ground: str = colour_param("#f7f2e8", en="Ground", zh="底色")
    smooth: bool = bool_param(True, en="Soft edges", zh="边缘平滑")


class DotGrid:
    """Rectangles, each with a dot in its middle; implements cells.Cells.

    side: the distance of two dots of a row, and the side of the square that a dot is drawn in. staggered: every second
    row is shifted by half a side. One dot is in the middle of the picture, so that opposite edges cut the dots alike.
    """

    def __init__(self, width: int, height: int, side: int, *, staggered: bool) -> None:
        self.width, self.height, self.side = width, height, side
        self.pitch = float(side)
        self._row_height = max(1, round(side * math.sqrt(3) / 2)) if staggered else side
        across, self.rows = _odd_count(width, side), _odd_count(height, self._row_height)
        self.columns = across + 1 if staggered else across
        self.count = self.columns * self.rows
        self._left, self._top = (width - across * side) // 2, (height - self.rows * self._row_height) // 2
        self._row_offset = side - side // 2 if staggered else 0

    def corner(self, row: Row) -> tuple[Row, Row]:
        """Left and top of the square that a row's first dot is drawn in; may lie outside the picture."""
        top = self._top - (self.side - self._row_height) // 2
        return self._left - (row - self.rows // 2) % 2 * self._row_offset, top + row * self._row_height

    def runs(self, top: int, bottom: int) -> Runs:
        rows, columns = (np.arange(top, bottom) - self._top) // self._row_height, np.arange(self.columns)
        lefts = self._left - (rows - self.rows // 2) % 2 * self._row_offset
        first_columns = np.clip(lefts[:, None] + columns * self.side, 0, self.width)
        cells = (rows[:, None] * self.columns + columns).astype(np.int32)
        return runs_from_columns(first_columns, cells, self.width)

    def lowest_index(self, row: int) -> int:
        return (row - self._top) // self._row_height * self.columns

    def centres(self, start: int, stop: int) -> Floats:
        row, column = np.divmod(np.arange(start, stop), self.columns)
        left, top = self.corner(row)
        return np.stack([left + (column + 0.5) * self.side, top + self.side / 2], axis=-1)

    def outlines(self) -> Iterator[Polygon]:
        half = self.side / 2
        for x, y in self.centres(0, self.count).tolist():
            top = y - half + (self.side - self._row_height) // 2
            bottom = top + self._row_height
            yield Polygon(((x - half, top), (x + half, top), (x + half, bottom), (x - half, bottom)))

    def circles(self, visible: NDArray[np.bool_], radii: Floats) -> Iterator[Circle]:
        """The dots of the visible cells. visible: (count,); radii: (count,) pixels."""
        for (x, y), radius in zip(self.centres(0, self.count)[visible].tolist(), radii[visible].tolist(), strict=True):
            yield Circle(x, y, radius)


def _odd_count(length: int, step: int) -> int:
    """The least odd number of steps that cover the length."""
    return -(-length // step) | 1


@dataclass(frozen=True, slots=True)
class Dots:
    """colours: (count, 3); radii: (count,) pixels. smooth: blend edges with the ground over one pixel."""

    grid: DotGrid
    colours: Colours
    radii: Floats
    smooth: bool


def paint_dots(context: RenderContext[DotsParams]) -> StyleResult:
    """Each dot in the exact mean of its rectangle, which also determines its size."""
    params, progress, size = context.params, context.progress, context.size
    side = params.cell or max(_MIN_DEFAULT_CELL, default_cell(*size))
    grid = DotGrid(*size, side, staggered=params.lattice == "staggered")
    means = cell_means(context.source.image, Strips(grid), params.linear, progress.sub(0.0, 0.5))
    radii = dot_radii(means.colours, params.size, grid.pitch, progress.sub(0.5, 0.55))
    colours = cell_colours(means, params, grid, progress.sub(0.55, 0.6))
    dots, visible = Dots(grid, colours, radii, params.smooth), means.areas > 0
    del means  # where dots are small, half as large as the picture
    image = context.new_canvas()
    image.paste(params.ground, (0, 0, *size))
    covered_px = 0.0
    for row in range(grid.rows):
        covered_px += _paint_row(image, dots, row, progress.sub(0.6 + 0.4 * row / grid.rows, 1.0))
    return StyleResult(
        PixelCanvas(image),
        cells=int(np.count_nonzero(visible)),
        pitch=grid.pitch,
        coverage=covered_px / (size[0] * size[1]),
        svg=lambda progress: write_svg(
            size, grid.circles(visible, dots.radii), colours[visible], params.ground, progress, crisp=not params.smooth
        ),
    )


def dot_radii(colours: Colours, size: str, pitch: float, progress: Progress) -> Floats:
    """(count,) pixels, growing with the darkness or the lightness (OKLab's L) of the dot's colour."""
    largest = pitch / 2 * _MAX_DIAMETER
    radii = np.full(len(colours), largest, np.float32)
    if size == "equal":
        return radii
    for piece in pieces(len(colours), _PIECE_DOTS):
        lightness = srgb_to_oklab(colours[piece])[:, 0]
        share = np.clip(lightness if size == "light" else 1.0 - lightness, 0.0, 1.0)
        radii[piece] = largest * np.maximum(share**_EXPONENT, _MIN_RADIUS)
        progress(piece.start / len(colours))
    return radii


def _paint_row(image: Image.Image, dots: Dots, row: int, progress: Progress) -> float:
    """Paint one row of dots. Returns the number of pixels that they cover."""
    grid, covered_px = dots.grid, 0.0
    cells = slice(row * grid.columns, (row + 1) * grid.columns)
    colours, radii = dots.colours[cells], dots.radii[cells]
    left, top = grid.corner(row)
    distances = _distances(grid.side)
    for piece in pieces(grid.columns, max(1, BAND_PX // grid.side**2)):
        mask = Image.fromarray(_coverage(distances, radii[piece], smooth=dots.smooth))
        position = (left + piece.start * grid.side, top)
        strip = Image.fromarray(colours[None, piece]).resize(mask.size, Image.Resampling.NEAREST)
        image.paste(strip, position, mask)
        covered_px += _covered_pixels(mask, position, image.size)
        progress(0.0)
    return covered_px


def _distances(side: int) -> NDArray[np.float32]:
    """(side, side) from each pixel's centre to the middle."""
    offsets = np.abs(np.arange(side) + 0.5 - side / 2)
    distances: NDArray[np.float32] = np.hypot(offsets[:, None], offsets).astype(np.float32)
    return distances


def _coverage(distances: NDArray[np.float32], radii: Floats, *, smooth: bool) -> NDArray[np.uint8]:
    """(side, n * side) 0 to 255: how much of each pixel lies in its dot."""
    side = len(distances)
    depths = radii[None, :, None] - distances[:, None, :]
    if not smooth:
        return np.where(depths > 0, np.uint8(255), np.uint8(0)).reshape(side, -1)
    depths += 0.5
    np.clip(depths, 0.0, 1.0, out=depths)
    depths *= 255
    return depths.astype(np.uint8).reshape(side, -1)


def _covered_pixels(mask: Image.Image, position: tuple[int, int], size: tuple[int, int]) -> float:
    """The number of pixels of the picture that a mask pasted at `position` covers."""
    left, top = max(0, -position[0]), max(0, -position[1])
    right, bottom = min(mask.width, size[0] - position[0]), min(mask.height, size[1] - position[1])
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
    about_en="Round dots on a plain ground, sized by the picture's lightness, like a coloured halftone print.",
    about_zh="底色上的圆点随明暗变化大小,如彩色网点印刷。",
    svg=True,
)
