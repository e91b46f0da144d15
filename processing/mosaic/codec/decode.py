"""Decode: from foreign bytes to one RGB picture, upright, in sRGB, with its metadata dropped."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass

from PIL import ExifTags, Image, UnidentifiedImageError

from ..errors import NotAPicture, TooManyPixels
from ..progress import Stage, attended
from ..styles.photomosaic.tile_pool import Pool
from .modes import deep_mode, on_ground, plain, rounded, to_srgb
from .scan import scan

FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
MAX_MEGAPIXELS = 50.0
"""The server's own default too: with the limits below, no picture of this size takes more than 600 MiB to decode."""
_MAX_WEBP_MEGAPIXELS = 35.0  # libwebp's animation decoder and Pillow take 16 bytes a pixel: 600 MiB
_JPEG = ("JPEG", "MPO")
_JPEG_READ_BYTES = 1 << 18
"""Some milliseconds of a photo, 160 of 50 megapixels in one colour: time to stop. Pillow's own 64 KiB make two threads
wait twice as long, for each piece ends in asking for the interpreter lock. The other formats keep those: as much of a
PNG, deflated a thousandfold, may be 80 megapixels."""

_UPRIGHT = {  # EXIF orientation -> how to undo it
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Source:
    """A decoded source.

    image: mode RGB, shared and never written to, unless it is `disposable`. width, height: the picture's size in
    pixels; `image` has that size, or is `shrink` times smaller (rounded up) where the style allowed it (1, 2, 4 or
    8). spread: how many of these pixels further the file's format and scaling may have carried a pixel's content; 0
    for a PNG in its own size. pool: the tiles that a photomosaic was given. disposable: nobody looks at the source
    once its style is done with it, so that a mosaic may be painted over it instead of beside it.
    """

    image: Image.Image
    width: int
    height: int
    shrink: int = 1
    spread: int = 0
    pool: Pool | None = None
    disposable: bool = False

    def canvas(self) -> Image.Image:
        """A picture of the source's size to paint on, whatever it shows. The source is not to be looked at any more."""
        if self.disposable and self.shrink == 1:
            return self.image
        return Image.new("RGB", (self.width, self.height), None)  # black all the same, but filled once

    def changeable(self) -> Image.Image:
        """The source's own picture, to change parts of it. The source is not to be looked at any more."""
        return self.image if self.disposable else self.image.copy()


class _Watched(io.BytesIO):
    """Pillow reads 64 KiB or more at a time while it decodes, so that each read is a chance to report and to stop."""

    def __init__(self, data: bytes, stage: Stage) -> None:
        super().__init__(data)
        self._stage, self._length = stage, max(len(data), 1)
        self.interruption: Exception | None = None

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0 or size > 4096:
            self.look()
        return super().read(size)

    def look(self) -> None:
        """Report how much is read."""
        try:
            self._stage(self.tell() / self._length)
        except Exception as interruption:
            self.interruption = interruption
            raise


def decode(
    data: bytes,
    stage: Stage,
    *,
    megapixels: float = MAX_MEGAPIXELS,
    background: str = "#ffffff",
    max_side: int | None = None,
    shrink: Callable[[int, int], int] | None = None,
) -> Source:
    """The first frame of a JPEG, PNG, GIF or WebP (told by content) as an upright sRGB picture.

    megapixels: the limit, checked before any pixel is decoded. background: what shows through transparency.
    max_side: the picture is scaled down until its longer side fits. shrink: asked with width and height how many
    times smaller a JPEG may be decoded (1, 2, 4 or 8); taken only where each pixel of the small picture stands for
    a whole square of the large one.
    Raises NotAPicture, TooManyPixels, and whatever the stage's progress raises.
    """
    scan(data)
    watched = _Watched(data, stage)
    try:
        return _decode(watched, megapixels, background, max_side, shrink)
    except TooManyPixels:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooManyPixels(megapixels) from error
    except Exception as error:  # Pillow raises anything from OSError to MemoryError on damaged files
        if watched.interruption is not None:
            raise watched.interruption from None
        raise NotAPicture(_reason(error)) from error


def _decode(
    watched: _Watched,
    megapixels: float,
    background: str,
    max_side: int | None,
    shrink_for: Callable[[int, int], int] | None,
) -> Source:
    opened = Image.open(watched, formats=FORMATS)
    if opened.format in _JPEG:
        opened.decodermaxblock = _JPEG_READ_BYTES
    image: Image.Image = opened  # one name for every step, so that none keeps what the steps before it made
    limit = min(megapixels, _MAX_WEBP_MEGAPIXELS) if image.format == "WEBP" else megapixels
    if image.width * image.height > limit * 1_000_000:
        raise TooManyPixels(limit)
    deep = deep_mode(opened)  # before anything loads the picture, as a look at a PNG's EXIF does
    del opened
    orientation = _orientation(image)
    width, height = image.size
    spread = _spread(image)
    shrink = _draft(image, orientation, max_side, shrink_for)
    if image.format == "WEBP":
        attended(image.load, watched.look)  # one call of libwebp, a quarter of a second for 12 megapixels
    else:
        image.load()
    if deep is not None:
        image = rounded(image, watched, deep, watched.look)
    profile = image.info.get("icc_profile")
    image = plain(image)
    if profile:
        image = to_srgb(image, profile, watched.look)
    image = on_ground(image, background)
    if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
        if orientation >= 5:
            width, height = height, width
    if max_side is not None and max(width, height) > max_side:
        spread = math.ceil(spread * max_side / max(width, height)) + 2  # two more that the scaling itself mixes
        width, height = fitting(width, height, max_side)
        image, shrink = image.resize((width, height), Image.Resampling.BOX, reducing_gap=3.0), 1
    image.info.clear()  # Pillow would write some of it into any file: a JPEG's comment, a profile
    return Source(image, width, height, shrink, spread)


def fitting(width: int, height: int, max_side: int) -> tuple[int, int]:
    """The size with the same shape whose longer side is at most `max_side`; no side below 1."""
    longer = max(width, height)
    if longer <= max_side:
        return width, height
    return max(1, round(width * max_side / longer)), max(1, round(height * max_side / longer))


def _draft(
    image: Image.Image, orientation: int, max_side: int | None, shrink_for: Callable[[int, int], int] | None
) -> int:
    """Ask libjpeg for a reduced decode; returns how many times smaller it will be."""
    if image.format not in _JPEG or image.mode != "RGB":
        return 1
    width, height = image.size
    if max_side is not None and max(width, height) > max_side:
        wanted = max(width, height) // (2 * max_side)  # twice the size it is scaled to keeps what the eye sees
    elif shrink_for is not None:
        wanted = shrink_for(*((height, width) if orientation >= 5 else (width, height)))
    else:
        return 1
    shrink = max(scale for scale in (1, 2, 4, 8) if scale <= max(wanted, 1))
    if max_side is None and orientation != 1 and (width % shrink or height % shrink):
        return 1  # the cut pixels of the right or bottom edge would come to stand elsewhere
    if shrink > 1:
        image.draft("RGB", (width // shrink, height // shrink))
    return shrink


def _spread(image: Image.Image) -> int:
    """How far, in pixels, a lossy file carries a pixel's content: through the squares it is cut into (in a JPEG as
    wide as its coarsest channel asks for) and one pixel more, where chroma is smoothed between them."""
    if image.format in _JPEG:
        return 8 * max((max(layer[1:3]) for layer in getattr(image, "layer", ())), default=4)
    return 32 if image.format == "WEBP" else 0


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # EXIF is foreign data; its trouble alone must not fail the picture
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is not a JPEG, PNG, GIF or WebP"
    return "it is damaged or incomplete"
