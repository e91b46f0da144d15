"""SVG from the outlines of the same cells that the raster is painted from."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..cells.cells import Circle, Outline
from ..errors import BadParameter
from ..progress import Progress

MAX_SVG_CELLS = 200_000
_REPORT_EVERY = 1 << 12  # cells
_SEAM_PX = 0.6


def write_svg(
    size: tuple[int, int],
    outlines: Iterable[Outline],
    colours: NDArray[np.uint8],
    background: str | None,
    progress: Progress,
    *,
    underlay: Iterable[Outline] = (),
    alphas: NDArray[np.uint8] | None = None,
) -> bytes:
    """One element for each cell.

    colours: (count, 3). background: #rrggbb; None if the cells cover everything: then each has a thin stroke of its own
    colour, or antialiasing would leave seams between neighbours. underlay: drawn before the cells, one outline for each
    in the same colour.
    alphas: (count,) opacities, 0 to 255.
    Raises BadParameter above 200,000 cells, which viewers cannot show.
    """
    if len(colours) > MAX_SVG_CELLS:
        raise BadParameter(
            field="cell", value=f"{len(colours)} cells", allowed=f"up to {MAX_SVG_CELLS} cells in an SVG"
        )
    width, height = size
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" shape-rendering="geometricPrecision">'
    )
    parts = [head] if background is None else [head, f'<rect width="{width}" height="{height}" fill="{background}"/>']
    codes = [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in colours.tolist()]
    touching = background is None and alphas is None
    stroke = f' stroke-width="{_SEAM_PX}" stroke="' if touching else ""
    fills = [f'fill="{code}"{stroke}{code}"/>' if touching else f'fill="{code}"/>' for code in codes]
    if alphas is not None:
        opacities = [f'fill-opacity="{_format_number(alpha / 255)}" ' for alpha in alphas.tolist()]
        fills = [opacity + fill for opacity, fill in zip(opacities, fills, strict=True)]
    parts += [f"<{_element(outline)} {fill}" for outline, fill in zip(underlay, fills, strict=False)]
    for cell, (outline, fill) in enumerate(zip(outlines, fills, strict=True)):
        if cell % _REPORT_EVERY == 0:
            progress(cell / len(colours))
        parts.append(f"<{_element(outline)} {fill}")
    parts.append("</svg>\n")
    return "\n".join(parts).encode()


def mask_svg(svg: bytes, alpha: Image.Image) -> bytes:
    """An SVG of write_svg that shows as much as an image of mode L says, 0 to 255, stretched over the whole."""
    file = io.BytesIO()
    alpha.save(file, "PNG")
    href = base64.b64encode(file.getvalue()).decode()
    image = f'<image width="100%" height="100%" preserveAspectRatio="none" href="data:image/png;base64,{href}"/>'
    head, _, shapes = svg.removesuffix(b"</svg>\n").partition(b"\n")
    mask = (
        f'<mask id="alpha" mask-type="luminance" style="mask-type:luminance">{image}</mask>\n<g mask="url(#alpha)">\n'
    )
    return head + b"\n" + mask.encode() + shapes + b"</g>\n</svg>\n"


def _element(outline: Outline) -> str:
    if isinstance(outline, Circle):
        x, y, radius = map(_format_number, (outline.x, outline.y, outline.radius))
        return f'circle cx="{x}" cy="{y}" r="{radius}"'
    points = " ".join(f"{_format_number(x)},{_format_number(y)}" for x, y in outline.points)
    return f'polygon points="{points}"'


def _format_number(value: float) -> str:
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
