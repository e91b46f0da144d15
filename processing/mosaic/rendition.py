"""Pictures as the engine sees them, without a mosaic: decoded, scaled, encoded, measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from .codec.decode import MAX_MEGAPIXELS, Source, contain_size, decode
from .codec.encoders.encode import MEDIA_TYPES, encode
from .colour.transfer import ColourStatistics, measure_colours
from .progress import Progress, ProgressCallback

_MEASURED_SIDE_PX = 256


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


def colours_of(data: bytes, *, megapixels: float = MAX_MEGAPIXELS) -> ColourStatistics:
    """What `render` needs of the picture that a recipe names in `colours_of`. Raises NotAPicture, TooManyPixels."""

    def reduction(width: int, height: int) -> int:
        return max(1, max(width, height) // (2 * _MEASURED_SIDE_PX))

    return measure_colours(decode_image(data, megapixels=megapixels, reduction_for=reduction).image)
