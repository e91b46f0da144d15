"""The mosaic engine: image bytes in, mosaic bytes out. No network, no database, no event loop, no imports from outside.

from processing.mosaic import parse, render

result = render(photo, parse({"style": "mosaic", "cell": 24}))
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from PIL import Image, ImageChops

from . import style as _style
from .building_plan import PLANNED_STYLES, PlanOptions, plan_pdf
from .canvas import PixelCanvas, StyleResult
from .codec.animation import MAX_TOTAL_MEGAPIXELS, frame_durations
from .codec.decode import MAX_MEGAPIXELS, Source, decode, read_size
from .codec.encode import MEDIA_TYPES, check_size, encode_animation
from .codec.frames import decode_frames
from .codec.heap import release_free_memory
from .codec.resolution import write_resolution
from .colour.transfer import ColourStatistics, colour_map, measure_colours, recolour
from .errors import BadParameter, MosaicError, NotAPicture, TooManyPixels
from .params import ANIMATED_FORMATS, FLAT, OPAQUE_FORMATS, TRANSPARENT, Params
from .pdf.embedded import jpeg_in_pdf
from .pdf.picture import PageOptions
from .pdf.printed import print_pdf
from .progress import Progress, ProgressCallback
from .recipe import Recipe, parse_recipe
from .rendition import Rendition, colours_of, decode_image, encode_image, normalise
from .report import QualityReport, mean_colour, measure_quality, reference
from .result_file import write_result
from .reveal import encode_reveal, is_revealed, painted_params
from .strip_canvas import check_strips
from .style import RenderContext, Style
from .styles import STYLES
from .styles.photomosaic.photomosaic import MAX_TILES
from .tiles.centering import CROPS
from .tiles.cutting import SQUARE, TILE_PX, Tile, cut_tile
from .tiles.files import FileReader, TileCache, TileFiles
from .tiles.packed import FEATURES_VERSION, PackedFeatures, measure_features
from .tiles.pool import TilePool, build_pool, pool_from_tiles, pool_of, pool_of_features

__all__ = [
    "CROPS",
    "FEATURES_VERSION",
    "FLAT",
    "MAX_TILES",
    "PLANNED_STYLES",
    "SQUARE",
    "STYLES",
    "TILE_PX",
    "BadParameter",
    "ColourStatistics",
    "FileReader",
    "Limits",
    "MosaicError",
    "NotAPicture",
    "PackedFeatures",
    "PageOptions",
    "PlanOptions",
    "ProgressCallback",
    "QualityReport",
    "Recipe",
    "Rendition",
    "Result",
    "Source",
    "Style",
    "Tile",
    "TileCache",
    "TileFiles",
    "TilePool",
    "TooManyPixels",
    "build_pool",
    "colours_of",
    "cut_tile",
    "decode_image",
    "describe",
    "encode_image",
    "jpeg_in_pdf",
    "measure_features",
    "normalise",
    "parse",
    "plan_pdf",
    "pool_from_tiles",
    "pool_of",
    "pool_of_features",
    "preview_recipe",
    "print_pdf",
    "read_size",
    "release_free_memory",
    "render",
]


MAX_RESULT_MEGAPIXELS = 150.0


@dataclass(frozen=True, slots=True)
class Limits:
    """megapixels: the largest source that is decoded. result_megapixels: the largest result that is painted; one of the
    source's size always is."""

    megapixels: float = MAX_MEGAPIXELS
    result_megapixels: float = MAX_RESULT_MEGAPIXELS


@dataclass(frozen=True, slots=True)
class Result:
    """A finished mosaic.

    format: png, jpeg, webp, gif, svg or pdf. colour: `#rrggbb`, its mean. svg_possible: the same recipe can be rendered
    as SVG. cell_map: which cell shows which tile or brick, JSON-like; None for styles without one.
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


def parse(param: str | Mapping[str, Any]) -> Recipe:
    """A checked recipe from a style's name, a JSON text or a dictionary. Raises BadParameter."""
    return parse_recipe(param, STYLES)


def preview_recipe(recipe: Recipe, data: bytes, *, scale: float, megapixels: float = MAX_MEGAPIXELS) -> Recipe:
    """The recipe with which the reduced picture in `data` shows what `recipe` makes of the full one.

    scale: width of the reduced picture / width of the full one. Raises NotAPicture, TooManyPixels.
    """
    return recipe.scaled(scale, read_size(data, megapixels=megapixels))


def describe() -> list[dict[str, Any]]:
    """Every style with its parameters, labels, ranges and defaults, as plain data."""
    return _style.describe(STYLES)


def render(
    data: bytes,
    recipe: Recipe,
    progress: ProgressCallback | None = None,
    *,
    limits: Limits = Limits(),
    pool: TilePool | None = None,
    colours: ColourStatistics | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Result:
    """Render the mosaic of an image. The same data, recipe and pool give the same bytes.

    data: an image file. progress: called with fractions that rise to 1.0; may raise to stop the work, which passes
    through. pool: the tiles of a photomosaic; None: small copies of the image itself. colours: of the picture that
    the recipe names in `colours_of`. clock: seconds, for the time in
    the quality report.
    Raises NotAPicture, TooManyPixels, and BadParameter for values that the size of the image makes impossible.
    """
    started_at = clock()
    whole, style, params = Progress(progress), STYLES[recipe.style], recipe.params
    whole(0.0)
    transparent = params.background == TRANSPARENT
    if colours is None and getattr(params, "colours_of", None) is not None:
        raise BadParameter(
            field="colours_of", value=params.model_dump()["colours_of"], allowed="a picture that was read"
        )
    if transparent and params.format in OPAQUE_FORMATS:
        raise BadParameter(field="background", value=TRANSPARENT, allowed="a colour like #1c2d3e for a JPEG")
    background = None if transparent else params.background
    revealed = is_revealed(params)
    durations = [] if revealed else frame_durations(data)
    frames: Iterator[Source] = iter(())
    share = 1.0  # of the first frame in all of the work
    if (params.frame is not None and not revealed) or (len(durations) > 1 and params.format in ANIMATED_FORMATS):
        if params.frame is not None and params.frame >= max(1, len(durations)):
            raise BadParameter(field="frame", value=params.frame, allowed=f"0 to {max(1, len(durations)) - 1}")
        frames = decode_frames(
            data,
            len(durations),
            whole.sub(0.0, 0.0),
            megapixels=limits.megapixels,
            background=background,
        )
        frames = islice(frames, params.frame or 0, None if params.frame is None else params.frame + 1)
        share = 1.0 if params.frame is not None else 1 / max(1, len(durations))
    animated = share < 1.0
    first = next(frames, None)
    source = first or decode(
        data,
        whole.sub(0.0, 0.4),
        megapixels=limits.megapixels,
        background=background,
        reduction_for=lambda width, height: _reduction(style, params, (width, height), limits),
    )
    del first
    if revealed:
        params = painted_params(recipe, (source.width, source.height))
    size = _result_size(params, (source.width, source.height), limits, frames=len(durations) if animated else 1)
    check_size(*size, params.pixel_format)
    if size != (source.width, source.height):
        check_strips(*size, params.pixel_format)
    lut = None if colours is None else colour_map(measure_colours(source.image), colours)
    if lut is not None:
        recolour(source.image, lut, whole.sub(0.4 * share, 0.4 * share))
    original, alpha = reference(source, size), source.alpha
    shared: dict[str, Any] | None = {} if animated else None
    painting = whole.sub(0.0, share) if animated else whole.sub(0.4, 0.8)
    result = style.paint(RenderContext(source, params, painting, size, pool, reusable=True, shared=shared))
    del source  # frees memory for the encoder
    if alpha is not None:
        result = _with_alpha(result, alpha)
    if animated:

        def images() -> Iterator[Image.Image]:
            mode = "RGBA" if transparent else "RGB"
            yield result.canvas.to_image().convert(mode)
            for number, frame in enumerate(frames, 1):
                part = whole.sub(number * share, (number + 1) * share)
                if lut is not None:
                    recolour(frame.image, lut, part.sub(0.0, 0.0))
                painted = style.paint(RenderContext(frame, params, part, size, pool, reusable=True, shared=shared))
                if frame.alpha is not None:
                    painted = _with_alpha(painted, frame.alpha)
                yield painted.canvas.to_image().convert(mode)

        encoded = encode_animation(images(), durations, params.format, params.quality)
    elif revealed:
        encoded, size = encode_reveal(result, style.laying, params.format, params.quality, whole.sub(0.8, 0.97))
    else:
        encoded = write_result(result, params, size, whole.sub(0.8, 0.97))
    if params.dpi is not None:
        encoded = write_resolution(encoded, params.format, params.dpi)
    reduced = result.canvas.reduce(original.factor)
    quality = measure_quality(original, reduced, result, clock() - started_at)
    whole(1.0)
    return Result(
        encoded, params.format, *size, quality, mean_colour(reduced), result.vector is not None, result.cell_map
    )


def _reduction(style: Style[Any], params: Params, source: tuple[int, int], limits: Limits) -> int:
    """How many times smaller a JPEG of that size may be decoded: to twice the result's size, or as the style allows."""
    reduction = max(source) // (2 * max(_result_size(params, source, limits)))
    return max(reduction, 1 if style.reduction is None else style.reduction(params, *source))


def _result_size(params: Params, source: tuple[int, int], limits: Limits, *, frames: int = 1) -> tuple[int, int]:
    """Width and height. Raises BadParameter if the result is larger than its source and than the limit."""
    size = params.result_size(*source)
    megapixels = limits.result_megapixels if frames == 1 else min(limits.result_megapixels, MAX_TOTAL_MEGAPIXELS)
    if max(size) > max(source) and size[0] * size[1] * frames > megapixels * 1_000_000:
        pixels = f"{size[0]} x {size[1]} pixels" + (f" in {frames} frames" if frames > 1 else "")
        raise BadParameter(field="size", value=pixels, allowed=f"up to {megapixels:g} megapixels")
    return size


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
    shapes = result.vector
    vector = None if shapes is None else lambda: replace(shapes(), mask=opacity)
    return replace(result, canvas=PixelCanvas(image), vector=vector)
