"""The mosaic engine: image bytes in, mosaic bytes out. No network, no database, no event loop, no imports from outside.

from processing.mosaic import parse, render

result = render(photo, parse({"style": "mosaic", "cell": 24}))
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image, ImageChops

from . import style as _style
from .canvas import PixelCanvas, StyleResult
from .codec.decode import MAX_MEGAPIXELS, Source, contain_size, decode
from .codec.encode import MEDIA_TYPES, check_size, encode
from .errors import BadParameter, MosaicError, NotAPicture, TooManyPixels
from .params import OPAQUE_FORMATS, TRANSPARENT, Params
from .progress import Progress, ProgressCallback
from .recipe import Recipe, parse_recipe
from .report import QualityReport, mean_colour, measure_quality, reference
from .style import RenderContext, Style
from .styles import STYLES
from .tile_pool import TilePool, build_pool, cut_tile, pool_from_tiles

__all__ = [
    "STYLES",
    "BadParameter",
    "Limits",
    "MosaicError",
    "NotAPicture",
    "ProgressCallback",
    "QualityReport",
    "Recipe",
    "Rendition",
    "Result",
    "Source",
    "Style",
    "TilePool",
    "TooManyPixels",
    "build_pool",
    "cut_tile",
    "decode_image",
    "describe",
    "encode_image",
    "normalise",
    "parse",
    "pool_from_tiles",
    "render",
]


@dataclass(frozen=True, slots=True)
class Limits:
    """megapixels: the largest source that is decoded."""

    megapixels: float = MAX_MEGAPIXELS


@dataclass(frozen=True, slots=True)
class Result:
    """A finished mosaic.

    format: png, jpeg, webp or svg. colour: `#rrggbb`, its mean. svg_possible: the same recipe can be rendered as SVG.
    cell_map: which cell shows which tile or brick, JSON-like; None for styles without one.
    """

    data: bytes
    format: str
    width: int
    height: int
    quality: QualityReport
    colour: str
    svg_possible: bool
    cell_map: Mapping[str, object] | None = None

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES[self.format]


@dataclass(frozen=True, slots=True)
class Rendition:
    """A picture as the engine decodes it. width, height: in pixels, upright, before it was scaled down."""

    data: bytes
    format: str
    width: int
    height: int

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES[self.format]


def parse(param: str | Mapping[str, Any]) -> Recipe:
    """A checked recipe from a style's name, a JSON text or a dictionary. Raises BadParameter."""
    return parse_recipe(param, STYLES)


def describe() -> list[dict[str, Any]]:
    """Every style with its parameters, labels, ranges and defaults, as plain data."""
    return _style.describe(STYLES)


def decode_image(
    data: bytes,
    *,
    megapixels: float = MAX_MEGAPIXELS,
    reduction_for: Callable[[int, int], int] | None = None,
    progress: ProgressCallback | None = None,
) -> Source:
    """Decode an image file as `render` does: first picture, upright, RGB in sRGB, without metadata.

    reduction_for: called with width and height, returns how many times smaller (1, 2, 4, 8) a JPEG may be decoded.
    Raises NotAPicture, TooManyPixels, and whatever `progress` raises.
    """
    return decode(data, Progress(progress), megapixels=megapixels, reduction_for=reduction_for)


def normalise(
    data: bytes,
    *,
    max_side: int,
    format: str = "webp",
    quality: int = 90,
    megapixels: float = MAX_MEGAPIXELS,
    progress: ProgressCallback | None = None,
) -> Rendition:
    """The picture as `render` sees it, upright and in sRGB, with its longer side at most `max_side` pixels.

    Regions that are drawn on it are where `render` puts them, whatever a browser makes of the file itself.
    format: jpeg, png or webp. Raises NotAPicture, TooManyPixels, BadParameter, and whatever `progress` raises.
    """

    def reduction(width: int, height: int) -> int:
        return max(1, max(width, height) // (2 * max_side))

    source = decode_image(data, megapixels=megapixels, reduction_for=reduction, progress=progress)
    size = contain_size(source.width, source.height, max_side)
    image = source.image
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    return Rendition(encode_image(image, format, quality=quality), format, source.width, source.height)


def encode_image(image: Image.Image, format: str, *, quality: int) -> bytes:
    """Encode an RGB image as jpeg, png or webp, without metadata. quality: 1 to 100, for jpeg and webp.

    Raises BadParameter if the image is too large or too detailed for the format.
    """
    return encode(image, format, quality, Progress())


def render(
    data: bytes,
    recipe: Recipe,
    progress: ProgressCallback | None = None,
    *,
    limits: Limits = Limits(),
    pool: TilePool | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Result:
    """Render the mosaic of an image. The same data, recipe and pool give the same bytes.

    data: an image file. progress: called with fractions that rise to 1.0; may raise to stop the work, which passes
    through. pool: the tiles of a photomosaic; None: pieces of the image itself. clock: seconds, for the time in
    the quality report.
    Raises NotAPicture, TooManyPixels, and BadParameter for values that the size of the image makes impossible.
    """
    started_at = clock()
    whole, style, params = Progress(progress), STYLES[recipe.style], recipe.params
    whole(0.0)
    transparent = params.background == TRANSPARENT
    if transparent and params.format in OPAQUE_FORMATS:
        raise BadParameter(field="background", value=TRANSPARENT, allowed="a colour like #1c2d3e for a JPEG")
    reduction = style.reduction
    source = decode(
        data,
        whole.sub(0.0, 0.4),
        megapixels=limits.megapixels,
        background=None if transparent else params.background,
        max_side=params.max_side,
        reduction_for=None if reduction is None else lambda width, height: reduction(params, width, height),
    )
    check_size(source.width, source.height, params.format)
    size, original, alpha = (source.width, source.height), reference(source), source.alpha
    result = style.paint(RenderContext(source, params, whole.sub(0.4, 0.8), pool, reusable=True))
    del source  # frees memory for the encoder
    if alpha is not None:
        result = _with_alpha(result, alpha)
    encoded = _encode(result, params, whole.sub(0.8, 0.97))
    reduced = result.canvas.reduce(original.factor)
    quality = measure_quality(original, reduced, result, clock() - started_at)
    whole(1.0)
    return Result(encoded, params.format, *size, quality, mean_colour(reduced), result.svg is not None, result.cell_map)


def _with_alpha(result: StyleResult, alpha: Image.Image) -> StyleResult:
    """A result that ignored the source's alpha gets it back, opaque where it hides the source."""
    canvas = result.canvas
    if not isinstance(canvas, PixelCanvas) or canvas.image.mode == "RGBA":
        return result
    image = canvas.image.convert("RGBA")
    opacity = alpha.resize(image.size)
    if result.hidden_mask is not None:
        opacity = ImageChops.lighter(opacity, result.hidden_mask(1))
    image.putalpha(opacity)
    return replace(result, canvas=PixelCanvas(image), svg=None)


def _encode(result: StyleResult, params: Params, progress: Progress) -> bytes:
    if params.format != "svg":
        return result.canvas.encode(params.format, params.quality, progress)
    if result.svg is None:
        raise BadParameter(field="format", value="svg", allowed="jpeg, png, webp for this recipe")
    return result.svg(progress)
