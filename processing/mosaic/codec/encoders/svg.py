"""SVG from the outlines of the same cells that the raster is painted from."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import numpy as np

from ...cells.cells import Circle, Outline
from ...progress import Progress
from .vector_image import CellGradients, VectorImage, colour_codes, short_number

_REPORT_EVERY = 1 << 12  # cells


def write_svg(image: VectorImage, progress: Progress) -> bytes:
    """One element for each cell.

    Cells that touch are in a group, which is drawn twice: first with strokes, which show in the seams that antialiasing
    leaves, then as they are. Raises BadParameter above 200,000 cells, and whatever the progress callback raises.
    """
    image.check_count("svg")
    width, height = image.size
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" shape-rendering="geometricPrecision">'
    )
    shapes = list(_shapes(image, progress))
    if image.mask is not None:
        shapes = [*_mask(image), '<g mask="url(#alpha)">', *shapes, "</g>"]
    return "\n".join([head, *shapes, "</svg>\n"]).encode()


def _shapes(image: VectorImage, progress: Progress) -> Iterator[str]:
    if image.background is not None:
        yield f'<rect width="{image.size[0]}" height="{image.size[1]}" fill="{image.background}"/>'
    fills = _fills(image)
    if image.gradients is not None:
        yield from ("<defs>", *_gradients(image.gradients), "</defs>")
    if image.underlay is not None:
        yield from (
            f'<{_element(outline)} fill="{code}"/>' for outline, code in zip(image.underlay(), fills, strict=True)
        )
    if image.has_seams:
        yield f'<g stroke-width="{short_number(image.seam_px)}" stroke-linejoin="round">\n<g id="cells">'
    for cell, (outline, fill) in enumerate(zip(image.outlines(), _paints(image, fills), strict=True)):
        if cell % _REPORT_EVERY == 0:
            progress(cell / len(fills))
        yield f"<{_element(outline)} {fill}/>"
    if image.has_seams:
        yield '</g>\n</g>\n<use href="#cells" stroke-width="0"/>'
    if image.strokes:
        yield f'<g fill="none" stroke="{image.stroke_colour}" stroke-linejoin="round" stroke-linecap="round">'
        for stroke in image.strokes:
            points = " ".join(f"{x:.2f},{y:.2f}" for x, y in stroke.points.tolist())
            yield f'<polyline points="{points}" stroke-width="{stroke.width:.2f}"/>'
        yield "</g>"


def _fills(image: VectorImage) -> list[str]:
    if image.gradients is not None:
        return [f"url(#g{cell})" for cell in range(len(image.colours))]
    return colour_codes(image.colours)


def _paints(image: VectorImage, fills: list[str]) -> Iterator[str]:
    """The attributes of each cell."""
    if image.alphas is not None:
        for alpha, code in zip(image.alphas.tolist(), fills, strict=True):
            yield f'fill-opacity="{short_number(alpha / 255)}" fill="{code}"'
    elif image.has_seams:
        yield from (f'fill="{code}" stroke="{code}"' for code in fills)
    else:
        yield from (f'fill="{code}"' for code in fills)


def _gradients(gradients: CellGradients) -> Iterator[str]:
    ends = np.stack([gradients.starts, gradients.ends], axis=1).tolist()
    colours = zip(colour_codes(gradients.start_colours), colour_codes(gradients.end_colours), strict=True)
    for cell, (((x1, y1), (x2, y2)), (start, end)) in enumerate(zip(ends, colours, strict=True)):
        line = f'x1="{x1:.2f}" y1="{y1:.2f}" x2="{x2:.2f}" y2="{y2:.2f}"'
        yield (
            f'<linearGradient id="g{cell}" gradientUnits="userSpaceOnUse" {line}>'
            f'<stop stop-color="{start}"/><stop offset="1" stop-color="{end}"/></linearGradient>'
        )


def _mask(image: VectorImage) -> Iterator[str]:
    """The mask of the whole, stretched over it."""
    file = io.BytesIO()
    assert image.mask is not None
    image.mask.save(file, "PNG")
    href = base64.b64encode(file.getvalue()).decode()
    picture = f'<image width="100%" height="100%" preserveAspectRatio="none" href="data:image/png;base64,{href}"/>'
    yield f'<mask id="alpha" mask-type="luminance" style="mask-type:luminance">{picture}</mask>'


def _element(outline: Outline) -> str:
    if isinstance(outline, Circle):
        x, y, radius = map(short_number, (outline.x, outline.y, outline.radius))
        return f'circle cx="{x}" cy="{y}" r="{radius}"'
    points = " ".join(f"{short_number(x)},{short_number(y)}" for x, y in outline.points)
    return f'polygon points="{points}"'
