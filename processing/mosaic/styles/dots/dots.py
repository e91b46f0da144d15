"""The style `dots`: round dots on a plain ground, like a coloured halftone print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...canvas import Laid, StyleResult, finished
from ...cells.grid import SquareGrid
from ...cells.raster import CellMeans, cell_means
from ...cells.screens import paint_screens
from ...cells.strips import Strips
from ...codec.encoders.vector_image import VectorImage
from ...colour.oklab import srgb_to_oklab
from ...colour.palette import hex_to_rgb
from ...colour.srgb import Colours, Floats, linear_lut, to_bytes
from ...costs import FileSizes, RenderCost
from ...fine_canvas import FineCanvas
from ...flat_cells import cell_colours
from ...params import CellParams, Condition, bool_param, choice_param, colour_param, default_cell
from ...progress import BAND_PX, Progress, pieces
from ...scaled import Drawing, is_visible
from ...square_means import square_means
from ...style import RenderContext, Style
from .dot_grid import DotGrid
from .inks import MIN_COVERAGE, InkBlend, ink_coverage

_MAX_DIAMETER = 0.97  # of the distance of two dots
_MIN_RADIUS = 0.2  # of the largest radius: even a white sky keeps its pattern
# 0.5 would make areas proportional to darkness; as dots are coloured too, a smaller contrast is enough.
_EXPONENT = 0.36
_FINE_FROM_PX, _FINE_BELOW_PX = 16, 64  # distances at which whole dots are drawn at half pixels
_SMALL_RESULT_PX = 1_000_000  # where closer ones are, too
_PIECE_DOTS = 1 << 16  # converting to OKLab takes some hundred bytes a dot
_MIN_SCREEN_CELL = 8  # smaller dots of four inks would be noise, and take too much memory
_MIN_DEFAULT_CELL = 8  # smaller dots do not look round


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


@dataclass(frozen=True, slots=True)
class Dots:
    """colours: (count, 3); radii: (count,) pixels. smooth: blend edges with the ground over one pixel. inks: of dots
    that are cut at the edges of their cells and blended in linear light; None for dots that are whole."""

    grid: DotGrid
    colours: Colours
    radii: Floats
    smooth: bool
    inks: InkBlend | None


def paint_dots(context: RenderContext[DotsParams]) -> StyleResult:
    """Dots whose inks and sizes keep the mean of each rectangle, or dots in the exact means."""
    params, progress, size = context.params, context.progress, context.size
    side = params.cell or max(_MIN_DEFAULT_CELL, default_cell(*size))
    if params.screens == "cmyk":
        return _print_screens(context, side)
    grid = DotGrid(*size, side, staggered=params.lattice == "staggered")
    dots, visible = context.once_measured("dots", grid.count, lambda: _measured_dots(context, grid))
    canvas = context.new_canvas()
    covered_px = _paint(canvas, dots, params.ground, progress.sub(0.6, 1.0))
    return StyleResult(
        finished(canvas),
        cells=int(np.count_nonzero(visible)),
        pitch=grid.pitch,
        coverage=covered_px / (size[0] * size[1]),
        laid=Laid(grid, params.ground),
        vector=lambda: _vector(dots, visible, size, params.ground),
    )


def _vector(dots: Dots, visible: NDArray[np.bool_], size: tuple[int, int], ground: str) -> VectorImage:
    """visible: (count,), which dots are in the picture."""
    inks = dots.inks
    if inks is None:
        return VectorImage(size, lambda: dots.grid.circles(visible, dots.radii), dots.colours[visible], ground)
    by_row = visible.reshape(dots.grid.rows, -1)
    seen = (by_row | ~by_row.any(axis=1, keepdims=True)).ravel()  # tips of the hexagons of an outer row may be, too
    underlay = partial(inks.underlay, seen, dots.radii)
    return VectorImage(size, lambda: inks.outlines(seen, dots.radii), dots.colours[seen], ground, underlay=underlay)


def _measured_dots(context: RenderContext[DotsParams], grid: DotGrid) -> tuple[Dots, NDArray[np.bool_]]:
    """The dots, and which of them are in the picture."""
    params, progress = context.params, context.progress
    means = cell_means(context.image, Strips(grid), params.linear, progress.sub(0.0, 0.5))
    if params.dot_size == "tone":
        _fill_hidden_rows(means.colours.reshape(grid.rows, grid.columns, 3), means.areas)
        dots = tonal_dots(grid, means, context, progress.sub(0.5, 0.6))
    else:
        radii = dot_radii(means.colours, params.dot_size, grid.pitch, progress.sub(0.5, 0.55))
        colours = cell_colours(means, params, grid, progress.sub(0.55, 0.6), context)
        dots = Dots(grid, colours, radii, params.smooth, None)
    return dots, means.areas > 0


def _print_screens(context: RenderContext[DotsParams], side: int) -> StyleResult:
    """Dots of four inks on turned screens. There is no SVG: its shapes cover each other instead of mixing."""
    params, progress, (width, height) = context.params, context.progress, context.size
    side = max(_MIN_SCREEN_CELL, side)
    mean_side = side / 2
    means = square_means(context, mean_side, params.linear, progress.sub(0.0, 0.4))
    canvas, ground = context.new_canvas(), linear_lut(True)[list(hex_to_rgb(params.ground))]
    printing = progress.sub(0.4, 1.0)
    coverage = paint_screens(canvas, means, mean_side, float(side), ground, printing, smooth=params.smooth)
    grid = SquareGrid(width, height, side)
    laid = Laid(grid, params.ground)
    return StyleResult(finished(canvas), cells=grid.count, pitch=float(side), coverage=coverage, laid=laid)


def tonal_dots(grid: DotGrid, means: CellMeans, context: RenderContext[DotsParams], progress: Progress) -> Dots:
    """Dots with which the light of ink and ground adds up to the mean.

    With a palette, each dot has the palette's colour nearest to that ink, and the size that is nearest to the mean.
    """
    params = context.params
    inks = InkBlend(grid, params.ground, smooth=params.smooth)
    colours, radii = means.colours.copy(), np.empty(grid.count, np.float32)
    for piece in pieces(grid.count, _PIECE_DOTS):
        light = linear_lut(True)[means.colours[piece]]
        covered, radii[piece] = inks.discs(ink_coverage(light, inks.ground), piece.start)
        colours[piece] = to_bytes(inks.ground + (light - inks.ground) / covered[:, None], linear=True)
        progress(piece.start / grid.count / 2)
    if params.palette is not None:
        cell_colours(CellMeans(colours, means.areas), params, grid, progress.sub(0.5, 0.9), context)
        for piece in pieces(grid.count, _PIECE_DOTS):
            to_mean = linear_lut(True)[means.colours[piece]] - inks.ground
            to_ink = linear_lut(True)[colours[piece]] - inks.ground
            share = (to_mean * to_ink).sum(axis=1) / np.maximum((to_ink**2).sum(axis=1), 1e-9)
            _, radii[piece] = inks.discs(np.clip(share, MIN_COVERAGE, 1.0), piece.start)
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
                if colours.shape[1] > 1:  # the first or the last rectangle of the next row may have none either
                    for end, beside in ((0, 1), (-1, -2)):
                        if not areas[inner, end]:
                            colours[outer, end] = colours[inner, beside]


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


def _paint(canvas: Drawing, dots: Dots, ground: str, progress: Progress) -> float:
    """Paint all dots. Returns the number of pixels that they cover."""
    grid, samples = dots.grid, 1
    is_small = grid.width * grid.height <= _SMALL_RESULT_PX
    if dots.inks is None and dots.smooth and (is_small or grid.side >= _FINE_FROM_PX) and grid.side < _FINE_BELOW_PX:
        samples = 2  # that they are not where whole pixels are would show
        dots = replace(dots, grid=grid.enlarged_twice(), radii=dots.radii * samples)
    image = canvas if samples == 1 else FineCanvas(canvas, samples)
    image.paste(ground, (0, 0, *image.size))
    covered_px = 0.0
    for row in range(grid.rows):
        if isinstance(image, FineCanvas):
            image.finish(max(0, dots.grid.corner(row)[1]))
        covered_px += _paint_row(image, dots, row, progress.sub(row / grid.rows, 1.0))
    if isinstance(image, FineCanvas):
        image.finish(image.height)
    return covered_px / samples**2


def _paint_row(image: Drawing, dots: Dots, row: int, progress: Progress) -> float:
    """Paint one row of dots. Returns the number of pixels that they cover."""
    grid, covered_px = dots.grid, 0.0
    cells = slice(row * grid.columns, (row + 1) * grid.columns)
    colours, radii = dots.colours[cells], dots.radii[cells]
    left, top = grid.corner(row)
    inks = dots.inks
    distances = _distances(grid.side) if inks is None else inks.distances(row)
    top -= 0 if inks is None else inks.margin
    if not is_visible(image, top, top + len(distances)):
        return covered_px
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
    version=12,
    params=DotsParams,
    paint=paint_dots,
    en="Dots",
    zh="圆点",
    about_en="Round dots on a plain ground that blend to the picture from a distance, like a coloured halftone print.",
    about_zh="底色上的圆点，远看融合成原图，如彩色网点印刷。",
    cost=RenderCost(0.1, 0.04),
    file_mb=FileSizes(3.4, 4.5, 2.2, shapes=1.3),
    svg=True,
    svg_condition=Condition("screens", ("one",)),
)
