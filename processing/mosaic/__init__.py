"""The mosaic engine: image bytes in, mosaic bytes out. No network, no database, no event loop, no imports from outside.

from processing.mosaic import parse, render

result = render(photo, parse({"style": "mosaic", "cell": 24}))
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from . import style as _style
from .building_plan import PLANNED_STYLES, PlanOptions, plan_pdf
from .codec.animation import frame_durations
from .codec.decode import MAX_MEGAPIXELS, Source, read_size
from .codec.encoders.encode import MEDIA_TYPES, encode, encode_animation
from .codec.encoders.resolution import write_resolution
from .codec.footprint import decoded_pixels
from .codec.heap import release_free_memory
from .colour.transfer import ColourStatistics
from .costs import RenderCost
from .errors import BadParameter, Message, MosaicError, NotAPicture, TooManyPixels
from .painted import DEFAULT_LIMITS, Limits, paint_source
from .params import FLAT, TRANSPARENT
from .pdf.embedded import jpeg_in_pdf
from .pdf.picture import PageOptions
from .pdf.printed import print_pdf
from .progress import Progress, ProgressCallback
from .recipe import Recipe, read_recipe
from .region_canvas import PixelBox, Region, reduced
from .rendition import Rendition, colours_of, decode_image, encode_image, normalise
from .report import QualityReport, mean_colour, measure_quality
from .result_file import write_result
from .reveal import encode_reveal
from .style import Style
from .styles import STYLES
from .styles.photomosaic.photomosaic import MAX_TILES
from .tiles.centering import CROPS
from .tiles.cutting import SQUARE, TILE_PX
from .tiles.files import FileReader, TileCache, TileFiles
from .tiles.packed import FEATURES_VERSION, PackedFeatures, measure_features
from .tiles.pool import TilePool, build_pool, pool_from_tiles, pool_of_features

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
    "Message",
    "MosaicError",
    "NotAPicture",
    "PackedFeatures",
    "PageOptions",
    "PlanOptions",
    "ProgressCallback",
    "QualityReport",
    "Recipe",
    "Region",
    "RegionResult",
    "RenderCost",
    "Rendition",
    "Result",
    "Source",
    "Style",
    "TileCache",
    "TileFiles",
    "TilePool",
    "TooManyPixels",
    "build_pool",
    "colours_of",
    "decode_image",
    "decoded_pixels",
    "describe",
    "encode_image",
    "frame_durations",
    "jpeg_in_pdf",
    "measure_features",
    "normalise",
    "parse",
    "plan_pdf",
    "pool_from_tiles",
    "pool_of_features",
    "preview_recipe",
    "print_pdf",
    "read_size",
    "release_free_memory",
    "render",
    "render_region",
]


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


@dataclass(frozen=True, slots=True)
class RegionResult:
    """A part of a mosaic. format: png, jpeg or webp. box: left, top, right, bottom in pixels of the result. size: of
    the whole result."""

    data: bytes
    format: str
    box: PixelBox
    size: tuple[int, int]

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES[self.format]


def parse(param: str | Mapping[str, Any]) -> Recipe:
    """A checked recipe from a style's name, a JSON text or a dictionary. Raises BadParameter."""
    return read_recipe(param, STYLES)


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
    limits: Limits = DEFAULT_LIMITS,
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
    started_at, whole = clock(), Progress(progress)
    whole(0.0)
    painted = paint_source(data, recipe, whole, limits=limits, pool=pool, colours=colours)
    result, params, size, original = painted.result, painted.params, painted.size, painted.original
    assert original is not None  # of a whole result
    if painted.is_animated:
        mode = "RGBA" if params.background == TRANSPARENT else "RGB"
        images = (frame.canvas.to_image().convert(mode) for frame in chain([result], painted.following))
        encoded = encode_animation(images, painted.durations_ms, params.format, params.quality)
    elif painted.is_revealed:
        order = STYLES[recipe.style].laying
        encoded, size = encode_reveal(result, order, params.format, params.quality, whole.sub(0.8, 0.97))
    else:
        encoded = write_result(result, params, size, whole.sub(0.8, 0.97))
    if params.dpi is not None:
        encoded = write_resolution(encoded, params.format, params.dpi)
    whole(0.97)
    small = result.canvas.reduce(original.factor)
    quality = measure_quality(original, small, result, clock() - started_at)
    whole(1.0)
    return Result(
        encoded, params.format, *size, quality, mean_colour(small), result.vector is not None, result.cell_map
    )


def render_region(
    data: bytes,
    recipe: Recipe,
    region: Region,
    progress: ProgressCallback | None = None,
    *,
    format: str = "png",
    limits: Limits = DEFAULT_LIMITS,
    pool: TilePool | None = None,
    colours: ColourStatistics | None = None,
    geometry: dict[str, Any] | None = None,
) -> RegionResult:
    """The pixels that the result of `render` has in a region, before it is encoded.

    geometry: empty at first; with the same dictionary, further regions of the same data and recipe take less time.
    Raises what `render` raises.
    """
    whole = Progress(progress)
    whole(0.0)
    painted = paint_source(
        data, recipe, whole, limits=limits, pool=pool, colours=colours, region=region, geometry=geometry
    )
    box = region.box(painted.size)
    image = reduced(painted.result.canvas.crop(box), region.reduction)
    encoded = encode(image, format, painted.params.quality, whole.sub(0.8, 1.0))
    return RegionResult(encoded, format, box, painted.size)
