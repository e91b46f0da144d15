"""The style `brick`: the picture as a base plate of construction bricks, with the list of parts to build it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from ...canvas import Laid, StyleResult, finished
from ...cells.cells import Circle, Outline, Polygon
from ...cells.grid import SquareGrid
from ...cells.palette_cells import assign_colours
from ...cells.stamps import paste_stamps
from ...codec.encoders.vector_image import VectorImage
from ...colour.own_costs import FULL_MIXING, GENTLE_MIXING, SIMILAR_MIXING
from ...colour.srgb import Colours
from ...costs import FileSizes, RenderCost
from ...counted import CountedParams
from ...params import FORMATS, Condition, Conditions, bool_param, choice_param, custom_param, int_param
from ...progress import Progress, pieces
from ...scaled import Drawing
from ...square_means import square_means
from ...style import RenderContext, Style
from .bricks import (
    BASIC,
    CHROMA_PENALTY,
    COLOURS,
    GREYS,
    BrickLayout,
    ColourIndices,
    merge_bricks,
    named_colours,
    parts_list,
    unique_colours,
)
from .building_plan import brick_plan
from .catalogue import BRICKLINK_COLOURS, NUMBERS
from .relief import BOTTOM, LEFT, RIGHT, STUD, TOP, Shade, apply_shade, flat_disc, render_stud
from .stock import ALLOWED_STOCK, check_stock, stock_colours

_MIN_CELL = 4
_SHADED_PX = 1 << 18  # of studs rendered at a time: each pixel takes several floats
MAX_MAP_COLOURS = 1 << 16  # in a cell map: with free colours the map might have as many as the picture has studs
_MAX_CACHED, _MAX_CACHED_PX = 1 << 12, 1 << 21  # stud images: enough for all brick colours at 56 pixels
_GENTLE = "gentle"
_MIXINGS = {_GENTLE: GENTLE_MIXING, "similar": SIMILAR_MIXING, "full": FULL_MIXING}
_WITHOUT_STOCK, _OF_BRICKS = Condition("stock", (None,)), Condition("colours", ("free",), negated=True)
_PALETTES = {"toy": COLOURS, "basic": BASIC, "greys": GREYS}


class BrickParams(CountedParams):
    """columns: studs across, overrides `cell`. colours: which of the brick colours; "free": every cell's own mean.
    stock: the studs that there are of each colour, instead of `colours`."""

    ACROSS: ClassVar[int] = 80
    conditions: ClassVar[Mapping[str, Conditions]] = {
        "cell": Condition("columns", (None,)),
        "colours": _WITHOUT_STOCK,
        "dither": (_WITHOUT_STOCK, _OF_BRICKS),
        "mixing": (_WITHOUT_STOCK, _OF_BRICKS, Condition("dither", (True,))),
    }

    cell: int | None = int_param(
        None, low=_MIN_CELL, high=1024, unit="px", en="Stud size, pixels", zh="凸点大小（像素）"
    )
    columns: int | None = int_param(None, low=4, high=512, en="Width in studs", zh="宽度（凸点数）")
    stock: dict[str, int] | None = custom_param(
        None, "stock", allowed=ALLOWED_STOCK, en="Pieces that there are", zh="现有零件"
    )
    linear: bool = bool_param(True, en="Average in linear light", zh="在线性光下求平均")
    colours: str = choice_param(
        "toy",
        {
            "toy": ("All brick colours", "积木全部颜色"),
            "basic": ("Twelve common ones", "十二种常见色"),
            "greys": ("White, greys, black", "黑白灰"),
            "free": ("Any colour", "任意颜色"),
        },
        en="Colours",
        zh="颜色",
    )
    dither: bool = bool_param(True, en="Dither the colours", zh="颜色抖动")
    mixing: str = choice_param(
        _GENTLE,
        {
            _GENTLE: ("All colours, calm on skin", "全部颜色，肤色柔和"),
            "similar": ("Similar colours, calm everywhere", "只混合相近颜色，减少杂色"),
            "full": ("All colours everywhere", "处处使用全部颜色"),
        },
        en="Mix",
        zh="混合",
    )
    larger: bool = bool_param(True, en="Merge to larger bricks", zh="合并为较大的积木")
    relief: bool = bool_param(True, en="Light and shadow", zh="光影")
    format: str = choice_param("png", FORMATS, en="File format", zh="文件格式")

    @field_validator("stock")
    @classmethod
    def _stock_exists(cls, value: dict[str, int] | None) -> dict[str, int] | None:
        if value is not None:
            check_stock(value)
        return value

    def side_for(self, width: int, columns: int) -> int:
        """`cell` has no effect beside `columns`."""
        return max(_MIN_CELL, round(width / columns))


@dataclass(frozen=True, slots=True)
class BrickPlan:
    """cells: (rows, columns), the index in the palette of each. palette: (k, 3). names: of its colours; None for free
    colours."""

    grid: SquareGrid
    cells: ColourIndices
    palette: Colours
    names: list[str] | None
    layout: BrickLayout


def paint_bricks(context: RenderContext[BrickParams]) -> StyleResult:
    """Assign the colour nearest to its mean to each cell, merge cells to bricks, and draw them."""
    params, progress, size = context.params, context.progress, context.size
    side = params.side_in(*size)
    grid, still = SquareGrid(*size, side), context.shared is None  # diffused errors would flicker from frame to frame

    def make_plan() -> BrickPlan:
        means = square_means(context, side, params.linear, progress.sub(0.0, 0.4))
        return _plan_bricks(grid, means, params, progress.sub(0.4, 0.6), still=still)

    plan = context.once_measured("plan", grid.count, make_plan)
    canvas = context.new_canvas()
    _draw_studs(canvas, plan, progress.sub(0.6, 1.0), relief=params.relief)
    return StyleResult(
        finished(canvas),
        cells=plan.grid.count,
        pitch=float(side),
        cell_map=_cell_map(plan),
        laid=Laid(plan.grid, keys=plan.layout.owner.ravel().astype(np.int64)),
        vector=lambda: _vector(plan, size, exact=not params.relief),
    )


def _plan_bricks(
    grid: SquareGrid, means: Colours, params: BrickParams, progress: Progress, *, still: bool
) -> BrickPlan:
    colours, indices = means.reshape(-1, 3), np.empty(grid.count, np.int32)
    if params.stock is not None:
        palette, names = named_colours(params.stock)
        indices[:] = stock_colours(colours, palette, params.stock, progress.sub(0.0, 0.5))
    elif params.colours == "free":
        palette, indices[:] = unique_colours(colours)
        names = None
    else:
        palette, names = named_colours(_PALETTES[params.colours])
        penalty = 0.0 if params.colours == "greys" else CHROMA_PENALTY
        choosing = progress.sub(0.0, 0.5)
        indices[:] = assign_colours(
            grid,
            colours,
            palette,
            choosing,
            dither=params.dither,
            still=still,
            chroma_penalty=penalty,
            own_weights=_MIXINGS[params.mixing],
        )
    cells = indices.reshape(means.shape[:2])
    return BrickPlan(grid, cells, palette, names, merge_bricks(cells, progress.sub(0.5, 1.0), larger=params.larger))


class StudCache:
    """Images of studs by appearance (colour x 16 + the sides where the brick ends), rendered on first use.

    Emptied when it would exceed _MAX_CACHED images or _MAX_CACHED_PX pixels.
    """

    def __init__(self, palette: Colours, side: int, *, relief: bool) -> None:
        self._palette, self._side, self._relief = palette, side, relief
        self._limit = min(_MAX_CACHED, _MAX_CACHED_PX // side**2)
        self._shades: dict[int, Shade] = {}
        self._studs: dict[int, NDArray[np.uint32]] = {}

    def __call__(self, appearances: list[int]) -> NDArray[np.uint32]:
        """(len(appearances), side, side): R, G, B, 255 in the bytes of each number."""
        missing = [appearance for appearance in appearances if appearance not in self._studs]
        if len(self._studs) + len(missing) > self._limit:
            self._studs, missing = {}, appearances
        for piece in pieces(len(missing), max(1, _SHADED_PX // self._side**2)):
            self._studs.update(zip(missing[piece], self._render(missing[piece]), strict=True))
        return np.stack([self._studs[appearance] for appearance in appearances])

    def _render(self, appearances: list[int]) -> NDArray[np.uint32]:
        studs = np.full((len(appearances), self._side, self._side, 4), 255, np.uint8)
        colours = self._palette[np.array(appearances) >> 4]
        shades = np.stack([self._shade(appearance & 15) for appearance in appearances])
        for rows in pieces(self._side, max(1, _SHADED_PX // (len(appearances) * self._side))):
            studs[:, rows, :, :3] = apply_shade(colours, shades[:, rows])
        return studs.view(np.uint32)[..., 0]

    def _shade(self, ends: int) -> Shade:
        if ends not in self._shades:
            if len(self._shades) >= self._limit:
                self._shades = {}
            self._shades[ends] = render_stud(self._side, ends) if self._relief else flat_disc(self._side)
        return self._shades[ends]


def _draw_studs(canvas: Drawing, plan: BrickPlan, progress: Progress, *, relief: bool) -> None:
    appearances = plan.cells * 16 + _brick_ends(plan.layout.owner)
    studs = StudCache(plan.palette, plan.grid.side, relief=relief)
    paste_stamps(
        canvas,
        appearances.shape,
        plan.grid.side,
        lambda rows, columns: appearances[rows, columns],
        lambda used: studs(used.tolist()),
        progress,
    )


def _brick_ends(owner: ColourIndices) -> NDArray[np.int32]:
    """(rows, columns): the sum of the bits of the sides of each cell where its brick ends."""
    padded = np.pad(owner, 1, constant_values=-1)
    around = {TOP: padded[:-2, 1:-1], LEFT: padded[1:-1, :-2], BOTTOM: padded[2:, 1:-1], RIGHT: padded[1:-1, 2:]}
    ends = np.zeros(owner.shape, np.int32)
    for bit, neighbour in around.items():
        ends += np.where(neighbour != owner, bit, 0).astype(np.int32)
    return ends


def _cell_map(plan: BrickPlan) -> dict[str, object] | None:
    if len(plan.palette) > MAX_MAP_COLOURS:
        return None
    rows, columns = plan.cells.shape
    digits = plan.palette.tobytes().hex()
    colours = ["#" + digits[start : start + 6] for start in range(0, len(digits), 6)]
    return {
        "cell": plan.grid.side,
        "rows": rows,
        "columns": columns,
        "colours": colours if plan.names is None else plan.names,
        "rgb": colours,
        "studs": plan.cells.ravel().tolist(),
        "parts": parts_list(plan.layout, plan.cells, plan.names),
        **_catalogue(plan.names),
    }


def _catalogue(names: list[str] | None) -> dict[str, object]:
    """The numbers of the colours, in their order; nothing for free colours, which are not sold."""
    if names is None:
        return {}
    return {
        "numbers": [NUMBERS[name] for name in names],
        "bricklink": [BRICKLINK_COLOURS[name] for name in names],
    }


def _vector(plan: BrickPlan, size: tuple[int, int], *, exact: bool) -> VectorImage:
    """Flat bricks, then flat studs."""
    stud_colours = apply_shade(plan.palette, np.full((len(plan.palette), 1, 1), flat_disc(1)[0, 0]))[:, 0, 0]
    top, left = plan.layout.boxes.T[:2]
    colours = np.concatenate([plan.palette[plan.cells[top, left]], stud_colours[plan.cells.ravel()]])
    return VectorImage(size, lambda: _outlines(plan), colours, exact=exact)


def _outlines(plan: BrickPlan) -> Iterator[Outline]:
    side = plan.grid.side
    for top, left, high, wide in (plan.layout.boxes * side).tolist():
        right, bottom = min(left + wide, plan.grid.width), min(top + high, plan.grid.height)
        yield Polygon(((left, top), (right, top), (right, bottom), (left, bottom)))
    for x, y in plan.grid.centres(0, plan.grid.count).tolist():
        yield Circle(x, y, STUD * side)


BRICK = Style(
    name="brick",
    version=16,
    params=BrickParams,
    paint=paint_bricks,
    en="Bricks",
    zh="积木",
    about_en="Studs of a construction toy in its real colours, with a parts list to build it.",
    about_zh="用真实颜色的小颗粒积木拼出画面，并附零件清单。",
    cost=RenderCost(0.1, 0.042),
    file_mb=FileSizes(5.2, 3.5, 1.7),
    svg=True,
    plan=brick_plan,
)
