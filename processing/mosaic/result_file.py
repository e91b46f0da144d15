"""The file of a result, in the format of its recipe."""

from __future__ import annotations

from .canvas import PixelCanvas, StyleResult
from .codec.encoders.svg import write_svg
from .codec.encoders.vector_image import MAX_VECTOR_CELLS, VectorImage
from .codec.heap import release_before_large
from .codec.modes import on_white
from .errors import BadParameter, Message
from .params import Params
from .pdf.picture import PageOptions, write_picture
from .pdf.shapes import add_shapes
from .progress import Progress
from .strip_canvas import StripCanvas


def write_result(result: StyleResult, params: Params, size: tuple[int, int], progress: Progress) -> bytes:
    """The bytes of a png, jpeg, webp, gif, svg or pdf file. size: width and height in pixels.

    Raises BadParameter for an SVG of a style without flat cells, for what is too large for the format, and whatever the
    progress callback raises.
    """
    if params.format == "pdf":
        return _write_pdf(result, params, size, progress)
    if params.format != "svg":
        return result.canvas.encode(params.format, params.quality, progress)
    if result.vector is None:
        raise BadParameter(field="format", value="svg", allowed=Message("jpeg, png, webp, gif, pdf for this recipe"))
    return write_svg(result.vector(), progress)


def _write_pdf(result: StyleResult, params: Params, size: tuple[int, int], progress: Progress) -> bytes:
    """Shapes where they show all that the pixels show, else a JPEG."""
    vector = None if result.vector is None else result.vector()
    poster = None if params.poster == "none" else params.poster
    options = PageOptions(params.dpi, poster, params.overlap)
    if vector is not None and _is_drawn(vector):
        return write_picture(size, lambda document: add_shapes(document, vector, progress), options)
    canvas, opacity = result.canvas, None
    if isinstance(canvas, PixelCanvas) and canvas.image.mode == "RGBA":
        opacity = canvas.image.getchannel("A")
        canvas = PixelCanvas(on_white(canvas.image, opacity))
    if isinstance(canvas, StripCanvas):
        opacity = canvas.opacity
    jpeg = canvas.encode("jpeg", params.quality, progress)
    release_before_large(size[0] * size[1])
    return write_picture(size, lambda document: document.add_jpeg(jpeg, size, opacity), options)


def _is_drawn(vector: VectorImage) -> bool:
    return vector.exact and len(vector.colours) <= MAX_VECTOR_CELLS
