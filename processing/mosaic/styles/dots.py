"""The style `dots`: round dots on a plain ground, like a coloured halftone print."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..canvas import StyleResult, finished
from ..cells.block_means import block_means
from ..cells.cells import Circle, Outline, Polygon
from ..cells.discs import CutDisc, DiscCoverage, cell_distances, window_margin
from ..cells.raster import CellMeans, cell_means
from ..cells.runs import Runs, runs_from_columns
from ..cells.screens import paint_screens
from ..cells.strips import Strips
from ..codec.svg import write_svg
from ..colour.oklab import srgb_to_oklab
from ..colour.palette import hex_to_rgb
from ..colour.srgb import Colours, Floats, linear_lut, to_bytes
from ..flat_cells import cell_colours
from ..params import CellParams, Condition, bool_param, choice_param, colour_param, default_cell
from ..progress import BAND_PX, Progress, pieces
from ..scaled import Drawing
from ..style import RenderContext, Style

_MAX_DIAMETER = 0.97  # of the distance of two dots
_MIN_COVERAGE = 0.02  # even a picture in the colour of the ground keeps its pattern
_COVERAGE_EXPONENT = 0.6  # with 1, the least coverage, inks are saturated and amplify the noise of skin and walls
_FULL_COVERAGE = 0.96  # from here on no gap is left: a few bright pixels in a dark picture look like dust
_MIN_RADIUS = 0.2  # of the largest radius: even a white sky keeps its pattern
_EXPONENT = (
    0.36  # 0.5 would make areas proportional to darkness; as dots are coloured too, a smaller contrast is enough
)
_PIECE_DOTS = 1 << 16  # converting to OKLab takes some hundred bytes a dot
_MIN_SCREEN_CELL = 8  # smaller dots of four inks would be noise, and take too much memory
_MIN_DEFAULT_CELL = 8  # smaller dots do not look round

Row = TypeVar("Row", int, NDArray[np.int64])


class DotsParams(CellParams):
    """cell: the distance of two dots of a row. dot_size: "tone" keeps the picture's colours when seen from a distance,
    with inks of its own; the others paint dots in the cells' means. ground: the colour between the dots."""

    conditions: ClassVar[Mapping[str, Condition]] = {
        name: Condition("screens", ("one",)) for name in ("dot_size", "lattice", "palette", "dither")
    }

    dot_size: str = choice_param(
        "tone",
        {
            "tone": ("True to the picture's tone", "忠于原图影调"),
            "airy": ("Airy, larger where it is dark", "疏朗，越暗越大"),
            "light": ("Larger where it is light", "越亮越大"),
            "equal": ("All equal", "大小相同"),
        },
        en="Size of the dots",
        zh="圆点大小",
    )
    screens: str = choice_param(
        "one",
        {
            "one": ("One, in the picture's colours", "单网，用原图颜色"),
            "cmyk": ("Four, cyan, magenta, yellow, black", "四色网：青、品红、黄、黑"),
        },
        en="Screens",
        zh="网屏",
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
        self.row_height = max(1, round(side * math.sqrt(3) / 2)) if staggered else side
        across, self.rows = _odd_count(width, side), _odd_count(height, self.row_height)
        self.columns = across + 1 if staggered else across
        self.count = self.columns * self.rows
        self._left, self._top = (width - across * side) // 2, (height - self.rows * self.row_height) // 2
        self.row_offset = side - side // 2 if staggered else 0

    def corner(self, row: Row) -> tuple[Row, Row]:
        """Left and top of the square that a row's first dot is drawn in; may lie outside the picture."""
        top = self._top - (self.side - self.row_height) // 2
        return self._left - self.is_shifted(row) * self.row_offset, top + row * self.row_height

    def is_shifted(self, row: Row) -> Row:
        """1 for the rows that are `row_offset` further to the left, else 0."""
        return (row - self.rows // 2) % 2

    def runs(self, top: int, bottom: int) -> Runs:
        rows, columns = (np.arange(top, bottom) - self._top) // self.row_height, np.arange(self.columns)
        lefts = self._left - self.is_shifted(rows) * self.row_offset
        first_columns = np.clip(lefts[:, None] + columns * self.side, 0, self.width)
        cells = (rows[:, None] * self.columns + columns).astype(np.int32)
        return runs_from_columns(first_columns, cells, self.width)

    def lowest_index(self, row: int) -> int:
        return (row - self._top) // self.row_height * self.columns

    def centres(self, start: int, stop: int) -> Floats:
        row, column = np.divmod(np.arange(start, stop), self.columns)
        left, top = self.corner(row)
        return np.stack([left + (column + 0.5) * self.side, top + self.side / 2], axis=-1)

    def enlarged(self, factor: int) -> None:
        return None

    def outlines(self) -> Iterator[Polygon]:
        half = self.side / 2
        for x, y in self.centres(0, self.count).tolist():
            top = y - half + (self.side - self.row_height) // 2
            bottom = top + self.row_height
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
    """colours: (count, 3); radii: (count,) pixels. smooth: blend edges with the ground over one pixel. inks: of dots
    that are cut at the edges of their cells and blended in linear light; None for dots that are whole."""

    grid: DotGrid
    colours: Colours
    radii: Floats
    smooth: bool
    inks: InkBlend | None


class InkBlend:
    """Dots that are cut at the edges of their cells: hexagons, or squares in a square lattice.

    Soft edges are blended in linear light: blended as numbers they would be too dark, and so would the picture.
    """

    def __init__(self, grid: DotGrid, ground: str, *, smooth: bool) -> None:
        shifts = (-grid.row_offset, grid.row_offset)
        self.margin = window_margin(grid.side, grid.row_height, grid.row_offset)
        self._grid, self._shifts = grid, shifts
        inner = cell_distances(grid.side, grid.row_height, shifts[0], self.margin)
        self.coverage = DiscCoverage(inner, smooth=smooth)
        self._outlines = [CutDisc(grid.side, grid.row_height, shift) for shift in shifts]
        self.ground = linear_lut(True)[list(hex_to_rgb(ground))]
        alpha = np.arange(256)[:, None, None] / 255
        self._blended = to_bytes(alpha * linear_lut(True)[:, None] + (1 - alpha) * self.ground, linear=True)

    def distances(self, row: int) -> Floats:
        """As of `cell_distances`, for the cells of a row."""
        grid, shift = self._grid, self._shifts[self._grid.is_shifted(row)]
        is_first, is_last = row == 0, row == grid.rows - 1
        return cell_distances(grid.side, grid.row_height, shift, self.margin, is_first=is_first, is_last=is_last)

    def blend(self, alpha: NDArray[np.uint8], colours: Colours) -> Colours:
        """(rows, n * side, 3). alpha: (rows, n * side), 0 to 255; colours: (n, 3)."""
        high, wide = alpha.shape
        pixels = np.empty((high, wide, 3), np.uint8)
        rows_of_table = alpha.reshape(high, len(colours), -1).astype(np.uint16) << 8
        for channel in range(3):
            table = np.ascontiguousarray(self._blended[..., channel]).ravel()
            pixels[..., channel] = table[rows_of_table + colours[:, None, channel]].reshape(high, wide)
        return pixels

    def outlines(self, visible: NDArray[np.bool_], radii: Floats) -> Iterator[Outline]:
        """The dots of the visible cells. visible: (count,); radii: (count,) pixels."""
        grid, cells = self._grid, np.flatnonzero(visible)
        shifted = grid.is_shifted(cells // grid.columns)
        rows = zip(grid.centres(0, grid.count)[cells].tolist(), radii[cells].tolist(), shifted.tolist(), strict=True)
        for (x, y), radius, is_shifted in rows:
            yield self._outlines[is_shifted].outline(x, y, radius)


def paint_dots(context: RenderContext[DotsParams]) -> StyleResult:
    """Dots whose inks and sizes keep the mean of each rectangle, or dots in the exact means."""
    params, progress, size = context.params, context.progress, context.size
    side = params.cell or max(_MIN_DEFAULT_CELL, default_cell(*size))
    if params.screens == "cmyk":
        return _print_screens(context, side)
    grid = DotGrid(*size, side, staggered=params.lattice == "staggered")
    means = cell_means(context.image, Strips(grid), params.linear, progress.sub(0.0, 0.5))
    if params.dot_size == "tone":
        _fill_hidden_rows(means.colours.reshape(grid.rows, grid.columns, 3), means.areas)
        dots = tonal_dots(grid, means, context, progress.sub(0.5, 0.6))
    else:
        radii = dot_radii(means.colours, params.dot_size, grid.pitch, progress.sub(0.5, 0.55))
        colours = cell_colours(means, params, grid, progress.sub(0.55, 0.6), context)
        dots = Dots(grid, colours, radii, params.smooth, None)
    visible = means.areas > 0
    del means  # where dots are small, half as large as the picture
    image = context.new_canvas()
    image.paste(params.ground, (0, 0, *size))
    covered_px = 0.0
    for row in range(grid.rows):
        covered_px += _paint_row(image, dots, row, progress.sub(0.6 + 0.4 * row / grid.rows, 1.0))
    return StyleResult(
        finished(image),
        cells=int(np.count_nonzero(visible)),
        pitch=grid.pitch,
        coverage=covered_px / (size[0] * size[1]),
        svg=lambda progress: write_svg(
            size,
            dots.inks.outlines(visible, dots.radii) if dots.inks else grid.circles(visible, dots.radii),
            dots.colours[visible],
            params.ground,
            progress,
        ),
    )


def _print_screens(context: RenderContext[DotsParams], side: int) -> StyleResult:
    """Dots of four inks on turned screens. There is no SVG: its shapes cover each other instead of mixing."""
    params, progress, (width, height) = context.params, context.progress, context.size
    side = max(_MIN_SCREEN_CELL, side)
    mean_side = side // 2
    means = block_means(context.image, mean_side, params.linear, progress.sub(0.0, 0.4))
    canvas, ground = context.new_canvas(), linear_lut(True)[list(hex_to_rgb(params.ground))]
    printing = progress.sub(0.4, 1.0)
    coverage = paint_screens(canvas, means, mean_side, float(side), ground, printing, smooth=params.smooth)
    return StyleResult(
        finished(canvas), cells=-(-width // side) * -(-height // side), pitch=float(side), coverage=coverage
    )


def tonal_dots(grid: DotGrid, means: CellMeans, context: RenderContext[DotsParams], progress: Progress) -> Dots:
    """Dots with which the light of ink and ground adds up to the mean.

    With a palette, each dot has the palette's colour nearest to that ink, and the size that is nearest to the mean.
    """
    params = context.params
    inks = InkBlend(grid, params.ground, smooth=params.smooth)
    colours, radii = means.colours.copy(), np.empty(grid.count, np.float32)
    for piece in pieces(grid.count, _PIECE_DOTS):
        light = linear_lut(True)[means.colours[piece]]
        levels = inks.coverage.levels(ink_coverage(light, inks.ground))
        covered = inks.coverage.coverage[levels][:, None]
        colours[piece] = to_bytes(inks.ground + (light - inks.ground) / covered, linear=True)
        radii[piece] = inks.coverage.radii[levels]
        progress(piece.start / grid.count / 2)
    if params.palette is not None:
        cell_colours(CellMeans(colours, means.areas), params, grid, progress.sub(0.5, 0.9), context)
        for piece in pieces(grid.count, _PIECE_DOTS):
            to_mean = linear_lut(True)[means.colours[piece]] - inks.ground
            to_ink = linear_lut(True)[colours[piece]] - inks.ground
            share = (to_mean * to_ink).sum(axis=1) / np.maximum((to_ink**2).sum(axis=1), 1e-9)
            radii[piece] = inks.coverage.radii[inks.coverage.levels(np.clip(share, _MIN_COVERAGE, 1.0))]
    return Dots(grid, colours, radii, params.smooth, inks)


def _fill_hidden_rows(colours: Colours, areas: NDArray[np.uint32]) -> None:
    """Copy the next row's colours to an outer row whose rectangles have no pixel: tips of its hexagons may have some.

    colours: (rows, columns, 3), changed in place; areas: (rows * columns,).
    """
    areas = areas.reshape(colours.shape[:2])
    if len(colours) > 1:
        for outer, inner in ((0, 1), (-1, -2)):
            if not np.any(areas[outer]):
                colours[outer] = colours[inner]


def ink_coverage(light: Floats, ground: Floats) -> Floats:
    """(n,): how much of each cell a dot covers. light: (n, 3), the cells' means; ground: (3,), both in linear light.

    There is an ink, ground + (light - ground) / coverage, from the least coverage on that keeps it in 0..1.
    """
    darker = (ground - light) / np.maximum(ground, 1e-9)
    lighter = (light - ground) / np.maximum(1.0 - ground, 1e-9)
    least = np.clip(np.maximum(darker, lighter).max(axis=1), _MIN_COVERAGE, 1.0)
    coverage = least**_COVERAGE_EXPONENT
    return np.where(coverage > _FULL_COVERAGE, 1.0, coverage)


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


def _paint_row(image: Drawing, dots: Dots, row: int, progress: Progress) -> float:
    """Paint one row of dots. Returns the number of pixels that they cover."""
    grid, covered_px = dots.grid, 0.0
    cells = slice(row * grid.columns, (row + 1) * grid.columns)
    colours, radii = dots.colours[cells], dots.radii[cells]
    left, top = grid.corner(row)
    inks = dots.inks
    distances = _distances(grid.side) if inks is None else inks.distances(row)
    top -= 0 if inks is None else inks.margin
    for piece in pieces(grid.columns, max(1, BAND_PX // distances.size)):
        alpha = _coverage(distances, radii[piece], smooth=dots.smooth)
        mask, position = Image.fromarray(alpha), (left + piece.start * grid.side, top)
        if inks is None or not dots.smooth:
            strip = Image.fromarray(colours[None, piece]).resize(mask.size, Image.Resampling.NEAREST)
            image.paste(strip, position, mask)
        else:
            blended = Image.fromarray(inks.blend(alpha, colours[piece]))
            image.paste(blended, position, Image.fromarray((alpha > 0).astype(np.uint8) * np.uint8(255)))
        covered_px += _covered_pixels(mask, position, image.size)
        progress(0.0)
    return covered_px


def _distances(side: int) -> NDArray[np.float32]:
    """(side, side) from each pixel's centre to the middle."""
    offsets = np.abs(np.arange(side) + 0.5 - side / 2)
    distances: NDArray[np.float32] = np.hypot(offsets[:, None], offsets).astype(np.float32)
    return distances


def _coverage(distances: NDArray[np.float32], radii: Floats, *, smooth: bool) -> NDArray[np.uint8]:
    """(rows, n * side) 0 to 255: how much of each pixel lies in its dot. distances: (rows, side)."""
    row_count = len(distances)
    depths = radii[None, :, None] - distances[:, None, :]
    if not smooth:
        return np.where(depths > 0, np.uint8(255), np.uint8(0)).reshape(row_count, -1)
    depths += 0.5
    np.clip(depths, 0.0, 1.0, out=depths)
    depths *= 255
    return depths.astype(np.uint8).reshape(row_count, -1)


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
    version=6,
    params=DotsParams,
    paint=paint_dots,
    en="Dots",
    zh="圆点",
    about_en="Round dots on a plain ground that blend to the picture from a distance, like a coloured halftone print.",
    about_zh="底色上的圆点，远看融合成原图，如彩色网点印刷。",
    svg=True,
    svg_condition=Condition("screens", ("one",)),
)
