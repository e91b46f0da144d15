"""A flat mosaic as paths of a PDF."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np

from ..cells.cells import Circle, Outline
from ..codec.encoders.vector_image import CellGradients, VectorImage, colour_codes
from ..colour.srgb import Floats
from ..progress import Progress
from .document import PdfDocument, PdfImage, colour_operands

_ARC = 0.552285  # of the radius: the handles of a quarter of a circle
_REPORT_EVERY = 1 << 12  # cells
_VERTEX = np.dtype([("flag", "u1"), ("place", ">u4", 2), ("colour", "u1", 3)])  # of a mesh
_MAX_PLACE = 2**32 - 1


def add_shapes(document: PdfDocument, image: VectorImage, progress: Progress) -> PdfImage:
    """The image as an object that pages draw like a picture.

    Where cells touch, strokes of their own colours are below them, which show in the seams that antialiasing leaves.
    Opacities are the light of a mask, in which cells are drawn in the same way, so that no seam is transparent.
    Raises BadParameter above 200,000 cells, and whatever the progress callback raises.
    """
    image.check_count("pdf")
    colours = [colour_operands(code) for code in colour_codes(image.colours)]
    paths = []
    for cell, outline in enumerate(image.outlines()):
        if cell % _REPORT_EVERY == 0:
            progress(0.5 * cell / len(colours))
        paths.append(_path(outline))
    parts = []
    mask = _mask(document, image, paths)
    if image.alphas is not None:
        visible = np.flatnonzero(image.alphas).tolist()
        paths, colours = [paths[cell] for cell in visible], [colours[cell] for cell in visible]
    if image.background is not None:
        box = b"0 0 %d %d re" % image.size
        parts.append(b"%s rg %s f" % (colour_operands(image.background), box))
    if image.underlay is not None:
        parts += _painted(map(_path, image.underlay()), colours, b"rg", b"f")
    if image.has_seams or (image.alphas is not None and not image.joints):
        parts += _strokes(image, paths, colours, b"RG")
    progress(0.7)
    if image.gradients is None:
        parts += _painted(paths, colours, b"rg", b"f")
    else:
        mesh = document.add_mesh(_mesh(image, image.gradients), image.size)
        parts.append(b"/%s sh" % mesh.encode())
    progress(0.9)
    if image.strokes:
        parts.append(b"1 J 1 j %s RG" % colour_operands(image.stroke_colour))
        parts += [b"%.2f w %s S" % (stroke.width, _polygon(stroke.points.tolist())) for stroke in image.strokes]
    return document.add_form(b"\n".join(parts), image.size, mask)


def _strokes(image: VectorImage, paths: list[bytes], colours: list[bytes], colour: bytes) -> list[bytes]:
    """Below cells that touch."""
    return [b"%.2f w 1 j" % image.seam_px, *_painted(paths, colours, colour, b"S")]


def _mask(document: PdfDocument, image: VectorImage, paths: list[bytes]) -> bytes | None:
    """Operators that draw the opacity of the cells, or of the whole, in grey; None if all is opaque."""
    width, height = image.size
    if image.alphas is not None:
        greys = [b"%.3f" % (alpha / 255) for alpha in image.alphas.tolist()]
        strokes = [] if image.joints else _strokes(image, paths, greys, b"G")
        return b"\n".join([*strokes, *_painted(paths, greys, b"g", b"f")])
    if image.mask is None:
        return None
    pixels = document.add_opacity(image.mask)
    return b"q %d 0 0 %d 0 %d cm /%s Do Q" % (width, -height, height, pixels.name.encode())


def _painted(paths: Iterable[bytes], colours: list[bytes], colour: bytes, paint: bytes) -> Iterator[bytes]:
    """The paths, each with its colour where it is another one than before."""
    before = None
    for path, operands in zip(paths, colours, strict=True):
        if operands != before:
            yield b"%s %s" % (operands, colour)
        yield b"%s %s" % (path, paint)
        before = operands


def _path(outline: Outline) -> bytes:
    if not isinstance(outline, Circle):
        return _polygon(outline.points) + b" h"
    x, y, radius = outline.x, outline.y, outline.radius
    turns = ((1, 0), (0, 1), (-1, 0), (0, -1), (1, 0))
    parts = [b"%.2f %.2f m" % (x + radius, y)]
    for (x0, y0), (x1, y1) in pairwise(turns):
        handles = (x0 + _ARC * x1, y0 + _ARC * y1, x1 + _ARC * x0, y1 + _ARC * y0, x1, y1)
        points = tuple((y if index % 2 else x) + radius * value for index, value in enumerate(handles))
        parts.append(b"%.2f %.2f %.2f %.2f %.2f %.2f c" % points)
    return b" ".join([*parts, b"h"])


def _polygon(points: Iterable[tuple[float, float]]) -> bytes:
    first, *others = (b"%.2f %.2f" % (x, y) for x, y in points)
    return b" ".join([first + b" m", *(point + b" l" for point in others)])


def _mesh(image: VectorImage, gradients: CellGradients) -> bytes:
    """Triangles with a colour at each corner (ISO 32000-1, 8.7.4.5.5: type 4), between which it is linear."""
    triangles, cells = [], []
    for cell, outline in enumerate(image.outlines()):
        assert not isinstance(outline, Circle)
        points = list(outline.points)
        for second, third in pairwise(points[1:]):
            triangles.append((points[0], second, third))
            cells.append(cell)
    corners: Floats = np.array(triangles, float).reshape(-1, 3, 2)
    vertices = np.zeros(corners.shape[:2], _VERTEX)
    places = np.clip(corners / np.array(image.size), 0, 1) * _MAX_PLACE
    vertices["place"] = np.rint(places).astype(np.uint32)
    vertices["colour"] = _colours_at(corners, np.array(cells, int), gradients)
    return vertices.tobytes()


def _colours_at(corners: Floats, cells: np.ndarray, gradients: CellGradients) -> Floats:
    """(count, 3, 3): the colours of the corners of triangles. cells: (count,), of which gradient each is a part."""
    starts, along = gradients.starts[cells], (gradients.ends - gradients.starts)[cells]
    length = np.maximum((along**2).sum(axis=-1), 1e-9)
    share = ((corners - starts[:, None]) * along[:, None]).sum(axis=-1) / length[:, None]
    first = gradients.start_colours[cells].astype(float)[:, None]
    last = gradients.end_colours[cells].astype(float)[:, None]
    colours: Floats = np.rint(np.clip(first + share[..., None] * (last - first), 0, 255))
    return colours
