"""The mosaic engine: picture in, picture out. No network, no disk, no database, no loop, nothing of ours but itself.

from processing.mosaic import parse, render

result = render(photo, parse({"style": "mosaic", "cell": 24}))
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from . import style as _style
from .canvas import Painting
from .codec.decode import MAX_MEGAPIXELS, decode
from .codec.encode import MEDIA_TYPES, check_size
from .errors import BadParameter, MosaicError, NotAPicture, TooManyPixels
from .params import Params
from .progress import Progress, Stage
from .recipe import Recipe, parse_recipe
from .report import Card, glance, make_card, mean_colour
from .style import Style
from .styles.blocks import MOSAIC
from .styles.brick.brick import BRICK
from .styles.diamond import DIAMOND
from .styles.dots import DOTS
from .styles.photomosaic.photomosaic import PHOTOMOSAIC
from .styles.photomosaic.tile_pool import Pool, make_pool
from .styles.photomosaic.tiles import collect, cut_tile
from .styles.quadtree import QUADTREE
from .styles.redact.redact import REDACT
from .styles.tesserae.tesserae import TESSERAE
from .styles.tilings import HEXAGON
from .styles.triangle import TRIANGLE
from .styles.voronoi.voronoi import VORONOI

__all__ = [
    "STYLES",
    "BadParameter",
    "Card",
    "Limits",
    "MosaicError",
    "NotAPicture",
    "Pool",
    "Recipe",
    "Result",
    "TooManyPixels",
    "collect",
    "cut_tile",
    "describe",
    "make_pool",
    "parse",
    "render",
]

STYLES: Mapping[str, Style[Any]] = MappingProxyType(
    {
        "mosaic": MOSAIC,
        "hexagon": HEXAGON,
        "triangle": TRIANGLE,
        "diamond": DIAMOND,
        "voronoi": VORONOI,
        "quadtree": QUADTREE,
        "tesserae": TESSERAE,
        "photomosaic": PHOTOMOSAIC,
        "redact": REDACT,
        "dots": DOTS,
        "brick": BRICK,
    }
)


@dataclass(frozen=True, slots=True)
class Limits:
    """megapixels: the largest source that is decoded."""

    megapixels: float = MAX_MEGAPIXELS


@dataclass(frozen=True, slots=True)
class Result:
    """A finished mosaic. format: png, jpeg, webp or svg. colour: `#rrggbb`, its mean. svg_possible: the same recipe
    could be had as SVG. cell_map: of styles that use tiles, which cell shows which."""

    data: bytes
    format: str
    width: int
    height: int
    card: Card
    colour: str
    svg_possible: bool
    cell_map: Mapping[str, object] | None = None

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES[self.format]


def parse(param: str | Mapping[str, Any]) -> Recipe:
    """A checked recipe from a style's name, a JSON text or a dictionary. Raises BadParameter."""
    return parse_recipe(param, STYLES)


def describe() -> list[dict[str, Any]]:
    """Every style with its parameters, labels, ranges and defaults, as plain data."""
    return _style.describe(STYLES)


def render(
    data: bytes,
    recipe: Recipe,
    progress: Progress | None = None,
    *,
    limits: Limits = Limits(),
    pool: Pool | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Result:
    """The mosaic of a picture.

    data: a JPEG, PNG, GIF or WebP. progress: called with fractions that rise to 1.0; what it raises stops the work
    and passes through. pool: the tiles of a photomosaic; None: its own pieces. clock: seconds, for the card's time
    alone. The same data, recipe and pool give the same bytes.
    Raises NotAPicture, TooManyPixels, and BadParameter for what only shows once the picture's size is known.
    """
    started = clock()
    stage, style, params = Stage(progress), STYLES[recipe.style], recipe.params
    stage(0.0)
    shrink = style.shrink
    source = decode(
        data,
        stage.part(0.0, 0.4),
        megapixels=limits.megapixels,
        background=params.background,
        max_side=params.max_side,
        shrink=None if shrink is None else lambda width, height: shrink(params, width, height),
    )
    check_size(source.width, source.height, params.format)
    source = replace(source, pool=pool, disposable=True)
    size, before = (source.width, source.height), glance(source)
    painting = style.paint(source, params, stage.part(0.4, 0.8))
    del source  # encoders need the room
    encoded = _encode(painting, params, stage.part(0.8, 0.97))
    after = painting.canvas.reduced(before.factor)
    card = make_card(before, after, painting, clock() - started)
    stage(1.0)
    return Result(encoded, params.format, *size, card, mean_colour(after), painting.svg is not None, painting.cell_map)


def _encode(painting: Painting, params: Params, stage: Stage) -> bytes:
    if params.format != "svg":
        return painting.canvas.encode(params.format, params.quality, stage)
    if painting.svg is None:
        raise BadParameter(field="format", value="svg", allowed="jpeg, png, webp for this recipe")
    return painting.svg(stage)
