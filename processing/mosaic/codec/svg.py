"""SVG from the cells that the raster is painted from."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..cells.cells import Circle, Outline
from ..errors import BadParameter
from ..progress import Stage

MOST_CELLS = 200_000
_PIECE = 1 << 12


def write_svg(
    size: tuple[int, int],
    outlines: Iterable[Outline],
    colours: NDArray[np.uint8],
    ground: str | None,
    stage: Stage,
    *,
    crisp: bool = True,
) -> bytes:
    """One element a cell on the ground colour (#rrggbb; None when the cells cover everything).

    crisp: `crispEdges` decides each pixel as the raster does, by its centre, so that neighbours leave no seam; False
    leaves edges smooth, for cells that do not touch.
    Raises BadParameter above 200,000 cells, which no viewer can show.
    """
    if len(colours) > MOST_CELLS:
        raise BadParameter(field="cell", value=f"{len(colours)} cells", allowed=f"up to {MOST_CELLS} cells in an SVG")
    width, height = size
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" shape-rendering="{"crispEdges" if crisp else "geometricPrecision"}">'
    )
    parts = [head] if ground is None else [head, f'<rect width="{width}" height="{height}" fill="{ground}"/>']
    for cell, (outline, colour) in enumerate(zip(outlines, colours.tolist(), strict=True)):
        if cell % _PIECE == 0:
            stage(cell / len(colours))
        parts.append(f'<{_shape(outline)} fill="#{colour[0]:02x}{colour[1]:02x}{colour[2]:02x}"/>')
    parts.append("</svg>\n")
    return "\n".join(parts).encode()


def _shape(outline: Outline) -> str:
    if isinstance(outline, Circle):
        return f'circle cx="{_short(outline.x)}" cy="{_short(outline.y)}" r="{_short(outline.radius)}"'
    points = " ".join(f"{_short(x)},{_short(y)}" for x, y in outline.points)
    return f'polygon points="{points}"'


def _short(value: float) -> str:
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
