"""The style `stitch`: the picture in cross-stitch, with the plan's symbols and the list of threads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import field_validator

from ...canvas import StyleResult
from ...cells.cells import Polygon
from ...cells.grid import SquareGrid
from ...cells.palette_cells import assign_colours
from ...cells.stamps import drawn_in_pieces, paste_stamps
from ...codec.encoders.vector_image import VectorImage
from ...colour.medoids import choose_colours, own_colours, sample_colours
from ...colour.palette import hex_to_rgb
from ...colour.srgb import Colours
from ...costs import FileSizes, RenderCost
from ...counted import CountedParams
from ...params import (
    FORMATS,
    bool_param,
    choice_param,
    colour_param,
    custom_param,
    int_param,
)
from ...progress import Progress
from ...scaled import Drawing
from ...stamped import paint_stamped
from ...style import RenderContext, Style
from .building_plan import stitch_plan
from .relief import HALF_WIDTH, VARIANTS, draw_stitches, flat_cover, stitches
from .threads import ALLOWED_THREADS, SYMBOLS, Thread, fabric_sizes, read_threads, skeins, write_threads

_CHROMA_PENALTY = 1.0  # without it, skin becomes grey


class StitchParams(CountedParams):
    """cell: the distance of stitches. columns: how many lie across; the result is as large as they need. threads: CSV
    of what there is to choose from; None: colours of the picture. colours: how many threads at most."""

    ACROSS: ClassVar[int] = 150

    cell: int | None = int_param(None, low=4, high=1024, unit="px", en="Stitch size, pixels", zh="针格大小（像素）")
    columns: int | None = int_param(None, low=2, high=1000, en="Stitches across", zh="横向针数")
    linear: bool = bool_param(True, en="Average in linear light", zh="在线性光下求平均")
    threads: str | None = custom_param(None, "threads", allowed=ALLOWED_THREADS, en="Threads", zh="绣线")
    colours: int = int_param(40, low=2, high=len(SYMBOLS), en="Number of threads, at most", zh="最多用线数")
    dither: bool = bool_param(False, en="Dither the colours", zh="颜色抖动")
    ground: str = colour_param("#f1ece0", en="Colour of the fabric", zh="绣布颜色")
    light: bool = bool_param(True, en="Light and thread", zh="光影与线感")
    format: str = choice_param("png", FORMATS, en="File format", zh="文件格式")

    @field_validator("threads")
    @classmethod
    def _threads_are_a_list(cls, value: str | None) -> str | None:
        return None if value is None else write_threads(read_threads(value))


@dataclass(frozen=True, slots=True)
class StitchPlan:
    """stitches: (rows, columns), the index of each one's thread. threads: those that are used, the most used first."""

    grid: SquareGrid
    stitches: NDArray[np.int32]
    threads: list[Thread]

    @property
    def colours(self) -> Colours:
        """(k, 3)."""
        return np.array([hex_to_rgb(thread.colour) for thread in self.threads], np.uint8)


def paint_stitches(context: RenderContext[StitchParams]) -> StyleResult:
    """Choose the threads, assign the nearest to each stitch, and draw the stitches on their fabric."""
    params = context.params
    return paint_stamped(
        context,
        linear=params.linear,
        ground=params.ground,
        make_plan=partial(_plan_stitches, context),
        draw=partial(_draw, params),
        cell_map=_cell_map,
        vector=lambda plan: _vector(plan, params),
    )


def _plan_stitches(
    context: RenderContext[StitchParams], grid: SquareGrid, means: Colours, progress: Progress
) -> StitchPlan:
    colours, params = means.reshape(-1, 3), context.params
    image = context.source.image
    threads = context.once("threads", lambda: _choose_threads(image, params, progress.sub(0.0, 0.5)))
    palette = np.array([hex_to_rgb(thread.colour) for thread in threads], np.uint8)
    indices = assign_colours(
        grid,
        colours,
        palette,
        progress.sub(0.5, 1.0),
        dither=params.dither,
        still=context.shared is None,
        chroma_penalty=_CHROMA_PENALTY,
    )
    counts = np.bincount(indices, minlength=len(threads))
    order = [index for index in np.argsort(-counts, kind="stable").tolist() if counts[index]]
    rank = np.zeros(len(threads), np.int32)
    rank[order] = np.arange(len(order))
    return StitchPlan(grid, rank[indices].reshape(means.shape[:2]), [threads[index] for index in order])


def _choose_threads(image: Image.Image, params: StitchParams, progress: Progress) -> list[Thread]:
    """At most `colours` threads: of the list, or of the picture's own colours, numbered from dark to light.

    They are chosen from a small copy of the picture, so that they are the same for every size of the result.
    """
    if params.threads is None:
        codes = ["#" + bytes(colour.tolist()).hex() for colour in own_colours(image, params.colours, progress)]
        return [Thread(str(number), code, code) for number, code in enumerate(codes, 1)]
    threads = read_threads(params.threads)
    palette = np.array([hex_to_rgb(thread.colour) for thread in threads], np.uint8)
    chosen = choose_colours(sample_colours(image), palette, params.colours, progress)
    return [threads[index] for index in chosen.tolist()]


def _draw(params: StitchParams, canvas: Drawing, plan: StitchPlan, progress: Progress) -> None:
    side, ground, colours = plan.grid.side, hex_to_rgb(params.ground), plan.colours
    if params.light:
        drawn = stitches(side)
        cover, light = drawn.cover, drawn.light
    else:
        cover, light = flat_cover(side), None

    def kinds_of(rows: slice, columns: slice) -> NDArray[np.signedinteger]:
        kinds = plan.stitches[rows, columns] * len(cover)
        return kinds + _variants(rows, columns) if params.light else kinds

    def draw(used: NDArray[np.signedinteger]) -> NDArray[np.uint8]:
        return draw_stitches(colours[used // len(cover)], used % len(cover), ground, cover, light)

    paste_stamps(canvas, plan.stitches.shape, side, kinds_of, drawn_in_pieces(side, draw), progress)


def _variants(rows: slice, columns: slice) -> NDArray[np.int64]:
    """(rows, columns): which variant each stitch is, without a pattern that can be seen."""
    y, x = np.ogrid[rows, columns]
    return np.asarray(((x * 73856093) ^ (y * 19349663) ^ (x * y)) // 7 % VARIANTS, np.int64)


def _cell_map(plan: StitchPlan) -> dict[str, object]:
    rows, columns = plan.stitches.shape
    names = [f"{thread.code} {thread.name}".strip() for thread in plan.threads]
    counts = np.bincount(plan.stitches.ravel(), minlength=len(names)).tolist()
    return {
        "cell": plan.grid.side,
        "rows": rows,
        "columns": columns,
        "aida": fabric_sizes(columns, rows),
        "colours": names,
        "rgb": [thread.colour for thread in plan.threads],
        "symbols": list(SYMBOLS[: len(names)]),
        "stitches": plan.stitches.ravel().tolist(),
        "parts": [
            {"colour": name, "count": count, "skeins": skeins(count)} for name, count in zip(names, counts, strict=True)
        ],
    }


def _vector(plan: StitchPlan, params: StitchParams) -> VectorImage:
    """Flat crosses, one shape each."""
    colours, size = plan.colours[plan.stitches.ravel()], (plan.grid.width, plan.grid.height)
    return VectorImage(size, lambda: _outlines(plan.grid), colours, params.ground, exact=not params.light)


def _outlines(grid: SquareGrid) -> Iterator[Polygon]:
    inner = 0.5 - HALF_WIDTH
    quarter = np.array([(0, 0), (HALF_WIDTH, 0), (0.5, inner), (1 - HALF_WIDTH, 0)]) - 0.5
    turns = [quarter]
    for _ in range(3):
        turns.append(np.stack([-turns[-1][:, 1], turns[-1][:, 0]], axis=1))
    star = np.concatenate(turns)
    for centre in grid.centres(0, grid.count):
        yield Polygon([(x, y) for x, y in (centre + star * grid.side).tolist()])


STITCH = Style(
    name="stitch",
    version=5,
    params=StitchParams,
    paint=paint_stitches,
    en="Cross-stitch",
    zh="十字绣",
    about_en="Cross-stitch on aida, with the threads to buy and a symbol for each.",
    about_zh="绣布上的十字绣，附绣线清单与每种线的符号。",
    cost=RenderCost(0.1, 0.055),
    file_mb=FileSizes(20, 7.1, 3.5),
    svg=True,
    plan=stitch_plan,
)
