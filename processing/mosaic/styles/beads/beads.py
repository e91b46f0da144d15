"""The style `beads`: the picture in fuse beads of a maker's colours, with the list of beads to buy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ...canvas import StyleResult
from ...cells.cells import Circle
from ...cells.grid import SquareGrid
from ...cells.palette_cells import assign_colours
from ...cells.stamps import drawn_in_pieces, paste_stamps
from ...codec.encoders.vector_image import VectorImage
from ...colour.medoids import choose_colours
from ...colour.own_costs import SIMILAR_MIXING
from ...colour.palette import hex_to_rgb
from ...colour.srgb import Colours
from ...costs import FileSizes, RenderCost
from ...counted import CountedParams
from ...params import (
    FORMATS,
    Condition,
    bool_param,
    choice_param,
    colour_param,
    int_param,
)
from ...progress import Progress
from ...scaled import Drawing
from ...stamped import paint_stamped
from ...style import RenderContext, Style
from .building_plan import BOARD, bead_plan
from .makers import BEADS
from .relief import HOLE, RADIUS, bead_cover, bead_shade, draw_beads

MAX_MAP_COLOURS = 1 << 16
_CHROMA_PENALTY = 3.0  # without it, skin becomes grey
_FREE = "free"
_PALETTES = {
    "mard": ("MARD", "MARD"),
    "hama": ("Hama", "Hama"),
    "perler": ("Perler", "Perler"),
    "artkal": ("Artkal S", "Artkal S"),
    _FREE: ("Any colour", "任意颜色"),
}


class BeadsParams(CountedParams):
    """cell: the distance of beads. columns: how many lie across; the result is as large as they need. palette: of a
    maker; "free": every bead's own mean. colours: how many of them at most."""

    ACROSS: ClassVar[int] = 87  # three boards

    conditions: ClassVar[Mapping[str, Condition]] = {
        "colours": Condition("palette", (_FREE,), negated=True),
        "dither": Condition("palette", (_FREE,), negated=True),
    }

    cell: int | None = int_param(None, low=4, high=1024, unit="px", en="Bead size, pixels", zh="拼豆大小（像素）")
    columns: int | None = int_param(None, low=2, high=1000, en="Beads across", zh="横向颗数")
    linear: bool = bool_param(True, en="Average in linear light", zh="在线性光下求平均")
    palette: str = choice_param("mard", _PALETTES, en="Colours of", zh="色号")
    colours: int = int_param(40, low=2, high=400, en="Number of colours, at most", zh="最多颜色数")
    dither: bool = bool_param(True, en="Dither the colours", zh="颜色抖动")
    board: str = colour_param("#e8e6e1", en="Colour of the board", zh="底板颜色")
    light: bool = bool_param(True, en="Light and shine", zh="光影")
    format: str = choice_param("png", FORMATS, en="File format", zh="文件格式")


@dataclass(frozen=True, slots=True)
class BeadPlan:
    """beads: (rows, columns), the index in the palette of each. palette: (k, 3). names: code and name of its colours;
    None for free colours."""

    grid: SquareGrid
    beads: NDArray[np.int32]
    palette: Colours
    names: list[str] | None


def paint_beads(context: RenderContext[BeadsParams]) -> StyleResult:
    """Assign the nearest of the chosen colours to each bead, and draw the beads on their board."""
    params = context.params
    return paint_stamped(
        context,
        linear=params.linear,
        ground=params.board,
        make_plan=partial(_plan_beads, context),
        draw=partial(_draw, params),
        cell_map=_cell_map,
        vector=lambda plan: _vector(plan, params),
    )


def _plan_beads(context: RenderContext[BeadsParams], grid: SquareGrid, means: Colours, progress: Progress) -> BeadPlan:
    params, colours = context.params, means.reshape(-1, 3)
    if params.palette == _FREE:
        palette, own = np.unique(colours, axis=0, return_inverse=True)
        return BeadPlan(grid, np.asarray(own, np.int32).reshape(means.shape[:2]), palette, None)
    beads = BEADS[params.palette]
    everything = np.array([hex_to_rgb(bead.colour) for bead in beads], np.uint8)
    choosing = progress.sub(0.0, 0.5)
    chosen = context.once("colours", lambda: choose_colours(colours, everything, params.colours, choosing))
    palette = everything[chosen]
    indices = assign_colours(
        grid,
        colours,
        palette,
        progress.sub(0.5, 1.0),
        dither=params.dither,
        still=context.shared is None,
        chroma_penalty=_CHROMA_PENALTY,
        own_weights=SIMILAR_MIXING,
    )
    names = [f"{beads[index].code} {beads[index].name}".strip() for index in chosen.tolist()]
    return BeadPlan(grid, indices.reshape(means.shape[:2]), palette, names)


def _draw(params: BeadsParams, canvas: Drawing, plan: BeadPlan, progress: Progress) -> None:
    side, board = plan.grid.side, hex_to_rgb(params.board)
    cover, shade = bead_cover(side), bead_shade(side) if params.light else None
    draw = drawn_in_pieces(side, lambda used: draw_beads(plan.palette[used], board, cover, shade))
    paste_stamps(canvas, plan.beads.shape, side, lambda rows, columns: plan.beads[rows, columns], draw, progress)


def _cell_map(plan: BeadPlan) -> dict[str, object] | None:
    if len(plan.palette) > MAX_MAP_COLOURS:
        return None
    rows, columns = plan.beads.shape
    rgb = ["#" + bytes(colour.tolist()).hex() for colour in plan.palette]
    names = rgb if plan.names is None else plan.names
    counts = np.bincount(plan.beads.ravel(), minlength=len(rgb))
    parts = [{"colour": names[index], "count": int(counts[index])} for index in np.argsort(-counts, kind="stable")]
    return {
        "cell": plan.grid.side,
        "rows": rows,
        "columns": columns,
        "boards": [-(-rows // BOARD), -(-columns // BOARD)],
        "colours": names,
        "rgb": rgb,
        "beads": plan.beads.ravel().tolist(),
        "parts": [part for part in parts if part["count"]],
    }


def _vector(plan: BeadPlan, params: BeadsParams) -> VectorImage:
    """Flat discs with flat holes."""
    holes = np.repeat(np.array([hex_to_rgb(params.board)], np.uint8), plan.grid.count, axis=0)
    colours = np.concatenate([plan.palette[plan.beads.ravel()], holes])
    size = (plan.grid.width, plan.grid.height)
    return VectorImage(size, lambda: _outlines(plan), colours, params.board, exact=not params.light)


def _outlines(plan: BeadPlan) -> Iterator[Circle]:
    for radius in (RADIUS, HOLE):
        for x, y in plan.grid.centres(0, plan.grid.count).tolist():
            yield Circle(x, y, radius * plan.grid.side)


BEADS_STYLE = Style(
    name="beads",
    version=11,
    params=BeadsParams,
    paint=paint_beads,
    en="Fuse beads",
    zh="拼豆",
    about_en="Fuse beads in a maker's real colours on their board, with the beads to buy.",
    about_zh="以真实色号的拼豆拼出画面，并附用豆清单。",
    cost=RenderCost(0.2, 0.055),
    file_mb=FileSizes(10, 4.9, 2.4),
    svg=True,
    plan=bead_plan,
)
