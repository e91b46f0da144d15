"""The style `brick`: the picture built on a base plate, with the list of parts that it takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ... import fields
from ...canvas import Painting, Picture
from ...cells.cells import Circle, Outline, Polygon
from ...cells.grid import SquareGrid
from ...codec.decode import Source
from ...codec.svg import write_svg
from ...colour.palette import rgb
from ...colour.srgb import Colours
from ...flat_cells import picks
from ...params import FORMATS, Params, automatic_cell
from ...progress import BAND_PX, Stage
from ...style import Style
from ..blocks import block_means
from .bricks import BASIC, GREYS, TOY, Cells, Pieces, join, parts
from .relief import BOTTOM, LEFT, RIGHT, STUD, TOP, Shade, flat_stud, lit_stud, shaded

_ACROSS = 80
_SMALLEST_CELL = 8  # of those that we choose: in fewer pixels a stud is not round
_SHADED_PX = 1 << 18  # of studs shaded together: each pixel takes some floats
_MOST_TOLD = 1 << 16  # colours in a map: more, of those that are free, are as many words as the picture has studs
_KEPT, _KEPT_PX = 1 << 12, 1 << 21  # looks, and pixels of them: all those of all the toy's colours at 56 pixels
_PALETTES = {"toy": TOY, "basic": BASIC, "greys": GREYS}


class BrickParams(Params):
    """colours: which of the toy's; "free" keeps every cell's own."""

    cell: int | None = fields.integer(None, low=4, high=1024, unit="px", en="Stud size, pixels", zh="凸点大小(像素)")
    linear: bool = fields.flag(True, en="Average in linear light", zh="在线性光下求平均")
    colours: str = fields.choice(
        "toy",
        {
            "toy": ("All of the toy's colours", "积木全部颜色"),
            "basic": ("Twelve common ones", "十二种常见色"),
            "greys": ("White, greys, black", "黑白灰"),
            "free": ("Any colour", "任意颜色"),
        },
        en="Colours",
        zh="颜色",
    )
    dither: bool = fields.flag(False, en="Dither the colours", zh="颜色抖动")
    larger: bool = fields.flag(True, en="Join to larger pieces", zh="合并为较大的积木")
    relief: bool = fields.flag(True, en="Light and shadow", zh="光影")
    format: str = fields.choice("png", FORMATS, en="File format", zh="文件格式")


@dataclass(frozen=True, slots=True)
class Plan:
    """cells: (rows, columns), the colour of each, an index of palette (k, 3) and names; None: they have none."""

    grid: SquareGrid
    cells: Cells
    palette: Colours
    names: list[str] | None
    pieces: Pieces


def paint_bricks(source: Source, params: BrickParams, stage: Stage) -> Painting:
    """Each cell is one stud in the colour nearest to the mean of its pixels. `cell_map` holds the parts list."""
    size = (source.width, source.height)
    side = params.cell or max(_SMALLEST_CELL, automatic_cell(*size, across=_ACROSS))
    means = block_means(source.image, side, params.linear, stage.part(0.0, 0.4))
    plan = _plan(SquareGrid(*size, side), means, params, stage.part(0.4, 0.6))
    canvas = source.canvas()
    _build(canvas, plan, stage.part(0.6, 1.0), relief=params.relief)
    return Painting(
        Picture(canvas),
        cells=plan.grid.count,
        pitch=float(side),
        cell_map=_cell_map(plan),
        svg=lambda stage: _drawn(plan, size, stage),
    )


def _plan(grid: SquareGrid, means: Colours, params: BrickParams, stage: Stage) -> Plan:
    flat, index = means.reshape(-1, 3), np.empty(grid.count, np.int32)
    if params.colours == "free":
        palette, index[:] = _all_of(flat)
        names = None
    else:
        chosen = _PALETTES[params.colours]
        palette, names = np.array([rgb(colour) for colour in chosen.values()], np.uint8), list(chosen)
        for piece, picked in picks(flat, palette, grid, stage.part(0.0, 0.5), dither=params.dither):
            index[piece] = picked
    cells = index.reshape(means.shape[:2])
    return Plan(grid, cells, palette, names, join(cells, stage.part(0.5, 1.0), larger=params.larger))


def _all_of(colours: Colours) -> tuple[Colours, NDArray[np.intp]]:
    """The different ones of some colours, in order, and for each of these its place among them."""
    numbers, places = np.unique(colours @ np.array([1 << 16, 1 << 8, 1]), return_inverse=True)
    return (numbers[:, None] >> (16, 8, 0)).astype(np.uint8), places


class Studs:
    """One picture of a stud for each look (colour x 16 + the sides where its piece ends), shaded when first asked for
    and kept while there is room."""

    def __init__(self, palette: Colours, side: int, *, relief: bool) -> None:
        self._palette, self._side, self._relief = palette, side, relief
        self._most = min(_KEPT, _KEPT_PX // side**2)
        self._shades: dict[int, Shade] = {}
        self._studs: dict[int, NDArray[np.uint32]] = {}

    def __call__(self, looks: list[int]) -> NDArray[np.uint32]:
        """(len(looks), side, side): R, G, B, 255 in the bytes of each number."""
        fresh = [look for look in looks if look not in self._studs]
        if len(self._studs) + len(fresh) > self._most:
            self._studs, fresh = {}, looks
        step = max(1, _SHADED_PX // self._side**2)
        for first in range(0, len(fresh), step):
            part = fresh[first : first + step]
            self._studs.update(zip(part, self._shaded(part), strict=True))
        return np.stack([self._studs[look] for look in looks])

    def _shaded(self, looks: list[int]) -> NDArray[np.uint32]:
        studs = np.full((len(looks), self._side, self._side, 4), 255, np.uint8)
        colours = self._palette[np.array(looks) >> 4]
        shades = np.stack([self._shade(look & 15) for look in looks])
        step = max(1, _SHADED_PX // (len(looks) * self._side))
        for top in range(0, self._side, step):
            studs[:, top : top + step, :, :3] = shaded(colours, shades[:, top : top + step])
        return studs.view(np.uint32)[..., 0]

    def _shade(self, ends: int) -> Shade:
        if ends not in self._shades:
            if len(self._shades) >= self._most:
                self._shades = {}
            self._shades[ends] = lit_stud(self._side, ends) if self._relief else flat_stud(self._side)
        return self._shades[ends]


def _build(canvas: Image.Image, plan: Plan, stage: Stage, *, relief: bool) -> None:
    """Some rows of studs at a time, or some columns of one row where studs are large."""
    side = plan.grid.side
    looks = plan.cells * 16 + _ends(plan.pieces.owner)
    studs = Studs(plan.palette, side, relief=relief)
    rows, columns = looks.shape
    across = min(columns, max(1, BAND_PX // side**2))
    down = max(1, BAND_PX // (side**2 * columns))
    for top in range(0, rows, down):
        for left in range(0, columns, across):
            part = looks[top : top + down, left : left + across]
            used, place = np.unique(part, return_inverse=True)
            strip = np.ascontiguousarray(studs(used.tolist())[place.reshape(part.shape)].transpose(0, 2, 1, 3))
            extent = (part.shape[1] * side, part.shape[0] * side)
            canvas.paste(Image.frombuffer("RGBA", extent, strip, "raw", "RGBA", 0, 1), (left * side, top * side))
            done = min(left + across, columns) / columns
            stage((top + done * (min(top + down, rows) - top)) / rows)


def _ends(owner: Cells) -> NDArray[np.int32]:
    """(rows, columns) the sides of each cell where its piece ends, added up."""
    padded = np.pad(owner, 1, constant_values=-1)
    around = {TOP: padded[:-2, 1:-1], LEFT: padded[1:-1, :-2], BOTTOM: padded[2:, 1:-1], RIGHT: padded[1:-1, 2:]}
    ends = np.zeros(owner.shape, np.int32)
    for bit, other in around.items():
        ends += np.where(other != owner, bit, 0).astype(np.int32)
    return ends


def _cell_map(plan: Plan) -> dict[str, object] | None:
    if len(plan.palette) > _MOST_TOLD:
        return None
    rows, columns = plan.cells.shape
    digits = plan.palette.tobytes().hex()
    colours = ["#" + digits[first : first + 6] for first in range(0, len(digits), 6)]
    return {
        "cell": plan.grid.side,
        "rows": rows,
        "columns": columns,
        "colours": colours if plan.names is None else plan.names,
        "rgb": colours,
        "studs": plan.cells.ravel().tolist(),
        "parts": parts(plan.pieces, plan.cells, plan.names),
    }


def _drawn(plan: Plan, size: tuple[int, int], stage: Stage) -> bytes:
    """Flat pieces, then flat studs."""
    tops = shaded(plan.palette, np.full((len(plan.palette), 1, 1), flat_stud(1)[0, 0]))[:, 0, 0]
    top, left = plan.pieces.boxes.T[:2]
    colours = np.concatenate([plan.palette[plan.cells[top, left]], tops[plan.cells.ravel()]])
    return write_svg(size, _outlines(plan), colours, None, stage)


def _outlines(plan: Plan) -> Iterator[Outline]:
    side = plan.grid.side
    for top, left, high, wide in (plan.pieces.boxes * side).tolist():
        right, bottom = min(left + wide, plan.grid.width), min(top + high, plan.grid.height)
        yield Polygon(((left, top), (right, top), (right, bottom), (left, bottom)))
    for x, y in plan.grid.centres(0, plan.grid.count).tolist():
        yield Circle(x, y, STUD * side)


BRICK = Style(
    name="brick",
    version=3,
    params=BrickParams,
    paint=paint_bricks,
    en="Bricks",
    zh="积木",
    about_en="Studs of a construction toy in its real colours, with a parts list to build it.",
    about_zh="用积木凸点以真实积木颜色拼出画面,并附零件清单。",
    svg=True,
)
