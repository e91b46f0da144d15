"""Paint what is built by hand from pieces of one size that are all drawn alike: fuse beads, cross-stitches."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .canvas import Laid, StyleResult, finished
from .cells.grid import SquareGrid
from .codec.encoders.vector_image import VectorImage
from .colour.srgb import Colours
from .counted import CountedParams
from .progress import Progress
from .scaled import Drawing
from .square_means import square_means
from .style import RenderContext

PlanT = TypeVar("PlanT")


def paint_stamped(
    context: RenderContext[CountedParams],
    *,
    linear: bool,
    ground: str,
    make_plan: Callable[[SquareGrid, Colours, Progress], PlanT],
    draw: Callable[[Drawing, PlanT, Progress], None],
    cell_map: Callable[[PlanT], dict[str, object] | None],
    vector: Callable[[PlanT], VectorImage],
) -> StyleResult:
    """Average the picture over a square grid, let `make_plan` choose a piece for each cell, and draw the pieces.

    linear: whether means are those of light. ground: colour of what the pieces lie on.
    make_plan: from (rows, columns, 3) mean colours. draw: the pieces of a plan on an empty canvas.
    """
    progress, size = context.progress, context.size
    side = context.params.side_in(*size)
    grid = SquareGrid(*size, side)

    def averaged_and_planned() -> PlanT:
        means = square_means(context, side, linear, progress.sub(0.0, 0.4))
        return make_plan(grid, means, progress.sub(0.4, 0.6))

    plan = context.once_measured("plan", grid.count, averaged_and_planned)
    canvas = context.new_canvas()
    draw(canvas, plan, progress.sub(0.6, 1.0))
    return StyleResult(
        finished(canvas),
        cells=grid.count,
        pitch=float(side),
        cell_map=cell_map(plan),
        laid=Laid(grid, ground),
        vector=lambda: vector(plan),
    )
