"""Decodes an image and makes a small copy of it. Blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image as Pillow

from models import errors
from processing import mosaic_lazy as mosaic
from processing.rendering import render

FEATURES_WIDTH = 320
"""Of the thumbnail by which photomosaics match an image."""
QUALITY = 82
MAX_ASPECT = 4
"""The largest height of a thumbnail, in widths."""
SMALL_MEGAPIXELS = 4.0
"""What is decoded beside jobs: 64 MB at 16 bytes a pixel. For more, a thumbnail takes the place of a job."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """width, height: of the image itself, in pixels, upright. placeholder: its mean colour, `#rrggbb`.

    features: as photomosaics match it; of the smallest thumbnail only."""

    data: bytes
    width: int
    height: int
    placeholder: str
    features: bytes | None = None


def make_small(data: bytes, recipe: dict[str, Any] | None, width: int, max_megapixels: int) -> Thumbnail | None:
    """As `make_thumbnail`; None if that would hold more than SMALL_MEGAPIXELS at once."""
    try:
        pixels = mosaic.decoded_pixels(data, megapixels=max_megapixels, reduction_for=_reduction_for(width))
    except mosaic.MosaicError as error:
        raise errors.NotFound(what="thumbnail", which=width) from error
    if recipe is not None or pixels > SMALL_MEGAPIXELS * 1_000_000:
        return None
    return make_thumbnail(data, None, width, max_megapixels)


def make_thumbnail(data: bytes, recipe: dict[str, Any] | None, width: int, max_megapixels: int) -> Thumbnail:
    """A small copy of an image, or of the mosaic that the recipe makes of it. Blocks.

    Raises NotFound if the image cannot be decoded.
    """
    try:
        if recipe is not None:
            result = render(data, recipe, None, max_megapixels=max_megapixels, max_result_megapixels=max_megapixels)
            data = result.data
        source = mosaic.decode_image(data, megapixels=max_megapixels, reduction_for=_reduction_for(width))
    except (errors.JobError, mosaic.MosaicError) as error:
        raise errors.NotFound(what="thumbnail", which=width) from error
    small = source.image.resize(
        thumbnail_size(source.width, source.height, width), Pillow.Resampling.LANCZOS, reducing_gap=2.0
    )
    colour = small.resize((1, 1), Pillow.Resampling.BOX).tobytes().hex()
    encoded = mosaic.encode_image(small, "webp", quality=QUALITY)
    features = mosaic.measure_features(encoded) if width == FEATURES_WIDTH else None
    return Thumbnail(encoded, source.width, source.height, f"#{colour}", features)


def thumbnail_size(source_width: int, source_height: int, width: int) -> tuple[int, int]:
    """The largest size with this aspect ratio in a box of `width` by MAX_ASPECT * `width`; never enlarged."""
    scale = min(1.0, width / source_width, MAX_ASPECT * width / source_height)
    return max(1, round(source_width * scale)), max(1, round(source_height * scale))


def _reduction_for(width: int) -> Callable[[int, int], int]:
    """The factor by which a JPEG may be reduced while decoding: at least twice the thumbnail's size remains."""
    return lambda across, down: max(1, across // (2 * thumbnail_size(across, down, width)[0]))
