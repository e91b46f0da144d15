"""The style `numbers`: paint by numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from PIL import Image

from ...canvas import Laid, StyleResult, finished
from ...cells.raster import fill_cells
from ...cells.strips import Strips
from ...codec.encoders.vector_image import VectorImage
from ...colour.palette import nearest_indices
from ...costs import FileSizes, RenderCost
from ...params import FORMATS, Condition, SizedParams, choice_param, colour_param, default_cell, int_param
from ...segments.strokes import Stroke, StrokePainter
from ...style import RenderContext, Style
from .building_plan import painting_plan
from .digits import half_diagonal, number_strokes
from .painting import Painting, mean_colours, plan_painting

MIN_HEIGHT, _MAX_HEIGHT = 0.36, 0.8
"""Of a number, in cells."""

_CELLS_ACROSS = 80
_MIN_DEFAULT_CELL = 20  # so that numbers can be read on a screen
_LINE = 0.04  # the width of outlines, in cells
_TINT = 0.24  # of the colour, the rest is white
_PAINTED = "painted"
_SHOW = {
    "tinted": ("Pale colours with numbers", "浅色底稿与编号"),
    "outlines": ("Outlines with numbers", "线稿与编号"),
    _PAINTED: ("The finished painting", "完成的画"),
}


class NumbersParams(SizedParams):
    """cell: the side of a square as large as the smallest region. colours: how many at most. show: what is drawn."""

    conditions: ClassVar[Mapping[str, Condition]] = {"outline": Condition("show", (_PAINTED,), negated=True)}

    cell: int | None = int_param(None, low=4, high=1024, unit="px", en="Smallest region, pixels", zh="最小色块（像素）")
    colours: int = int_param(24, low=2, high=99, en="Number of colours, at most", zh="最多颜色数")
    show: str = choice_param("tinted", _SHOW, en="Show", zh="显示")
    outline: str = colour_param("#7c7c7c", en="Colour of outlines and numbers", zh="线条与编号颜色")
    format: str = choice_param("png", FORMATS, en="File format", zh="文件格式")


def paint_by_numbers(context: RenderContext[NumbersParams]) -> StyleResult:
    """Divide the picture into regions of few colours; draw their outlines and numbers, or paint them."""
    params, progress, size = context.params, context.progress, context.size
    cell = smallest_region(params, *size)
    image = context.source.image

    def plan() -> Painting:
        return plan_painting(image, size, cell, params.colours, progress.sub(0.0, 0.7))

    painting = context.once("painting", plan)
    indices = painting.colours if context.shared is None else _of_frame(painting, image)
    colours = painting.palette[indices]
    if params.show != _PAINTED:
        tint = _TINT if params.show == "tinted" else 0.0
        colours = np.rint(255 - (255 - colours.astype(np.float64)) * tint).astype(np.uint8)
    count = painting.cells.count
    strokes = (
        []
        if params.show == _PAINTED
        else context.once_measured("strokes", count, lambda: _strokes(painting, indices, cell))
    )
    over = None
    if strokes:
        over = context.once_measured("painter", count, lambda: StrokePainter(strokes, params.outline))
    canvas = context.new_canvas()
    fill_cells(canvas, Strips(painting.cells), colours, (255, 255, 255), progress.sub(0.7, 1.0), over=over)
    return StyleResult(
        finished(canvas),
        cells=painting.cells.count,
        pitch=painting.cells.pitch,
        cell_map=_cell_map(painting, indices),
        laid=Laid(painting.cells, "#ffffff", keys=np.asarray(indices, np.int64)),
        vector=lambda: VectorImage(
            size, painting.cells.outlines, colours, strokes=strokes, stroke_colour=params.outline
        ),
    )


def smallest_region(params: NumbersParams, width: int, height: int) -> float:
    """The side in pixels of a square as large as the smallest region; no larger than a quarter of the picture."""
    cell = params.cell or max(_MIN_DEFAULT_CELL, default_cell(width, height, across=_CELLS_ACROSS))
    return max(1.0, min(float(cell), min(width, height) / 4))


def number_height(digits: int, radius: float, cell: float) -> float:
    """In pixels: as high as fits into a circle of that radius, from MIN_HEIGHT to _MAX_HEIGHT of a cell."""
    return min(max(0.9 * radius / half_diagonal(digits), MIN_HEIGHT * cell), _MAX_HEIGHT * cell)


def _of_frame(painting: Painting, image: Image.Image) -> np.ndarray:
    """The colour of each region in a frame of an animation."""
    rows, columns = painting.labels.shape
    pixels = np.asarray(image.resize((columns, rows), Image.Resampling.BOX, reducing_gap=2.0), np.uint8)
    return nearest_indices(mean_colours(pixels, painting.labels), painting.palette)


def _strokes(painting: Painting, indices: np.ndarray, cell: float) -> list[Stroke]:
    """Outlines and numbers; colours count from 1."""
    strokes = [Stroke(points, _LINE * cell) for points in painting.lines]
    for index, (x, y), radius in zip(indices.tolist(), painting.poles.tolist(), painting.radii.tolist(), strict=True):
        height = number_height(len(str(index + 1)), radius, cell)
        strokes += number_strokes(index + 1, (x, y), height)
    return strokes


def _cell_map(painting: Painting, indices: np.ndarray) -> dict[str, object]:
    count = len(painting.palette)
    regions = np.bincount(indices, minlength=count).tolist()
    areas = np.bincount(indices[painting.labels].ravel(), minlength=count) / painting.labels.size
    rgb = ["#" + bytes(colour.tolist()).hex() for colour in painting.palette]
    names = [f"{number} {code}" for number, code in enumerate(rgb, 1)]
    return {
        "regions": painting.cells.count,
        "colours": names,
        "rgb": rgb,
        "parts": [
            {"colour": name, "count": number, "area": round(float(area), 4)}
            for name, number, area in zip(names, regions, areas, strict=True)
        ],
    }


NUMBERS = Style(
    name="numbers",
    version=8,
    params=NumbersParams,
    paint=paint_by_numbers,
    en="Paint by numbers",
    zh="数字油画",
    about_en="Regions of a few colours with their numbers, to paint by hand, and a list of the colours.",
    about_zh="分成少数几种颜色的色块并标上编号，附颜色清单，可亲手填色。",
    cost=RenderCost(1.4, 0.05),
    file_mb=FileSizes(2, 3.2, 1.6, shapes=0),
    svg=True,
    plan=painting_plan,
)
