"""The mosaic engine with our errors. Previews and thumbnails use it without the queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from models import errors
from models.images.image_formats import FORMAT_NAMES
from processing import mosaic_lazy as mosaic
from processing.engine_messages import phrase_of

ProgressCallback = Callable[[float], None]
"""Called with the progress, 0 to 1; raises to stop the work."""


class Cancelled(Exception):
    """Raised by a progress callback: the work was asked to stop."""


def parse_recipe(param: str | dict[str, Any]) -> mosaic.Recipe:
    """Raises BadParameter, which names the key, the value and the allowed range."""
    try:
        return mosaic.parse(param)
    except mosaic.BadParameter as error:
        raise errors.BadParameter.of(_translated(error)) from error


def is_known(recipe: dict[str, Any]) -> bool:
    """Whether this version can make a recipe that a server has accepted, perhaps one of another version."""
    try:
        mosaic.parse(recipe)
    except mosaic.BadParameter:
        return False
    return True


def render(
    source: bytes,
    recipe: dict[str, Any],
    progress: ProgressCallback | None,
    *,
    max_megapixels: float,
    max_result_megapixels: float,
    pool: mosaic.TilePool | None = None,
    colours: mosaic.ColourStatistics | None = None,
) -> mosaic.Result:
    """Render a recipe. max_result_megapixels: of a result that is larger than its source.

    Raises TooManyPixels, NotAPicture, RecipeImpossible, and whatever `progress` raises."""
    limits = mosaic.Limits(max_megapixels, max_result_megapixels)
    with translated_errors():
        return mosaic.render(source, mosaic.parse(recipe), progress, limits=limits, pool=pool, colours=colours)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise the engine's errors as TooManyPixels, NotAPicture and RecipeImpossible."""
    try:
        yield
    except mosaic.TooManyPixels as error:
        raise errors.TooManyPixels(limit=error.megapixels) from error
    except mosaic.NotAPicture as error:
        raise errors.NotAPicture(what=phrase_of(error.reason), formats=FORMAT_NAMES) from error
    except mosaic.BadParameter as error:
        raise errors.RecipeImpossible.of(_translated(error)) from error


def _translated(error: mosaic.BadParameter) -> dict[str, object]:
    return {
        name: phrase_of(detail) if isinstance(detail, mosaic.Message) else detail
        for name, detail in error.details.items()
    }
