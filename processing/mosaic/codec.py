"""Decode: from foreign bytes to one RGB picture, upright, in sRGB, with its metadata dropped."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image, ImageChops, ImageCms, ImageFile, UnidentifiedImageError

from .errors import NotAPicture, TooManyPixels
from .pool import Pool
from .scan import scan
from .stage import Stage, attended

FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
MAX_MEGAPIXELS = 50.0
"""The server's own default too: with the limits below, no picture of this size takes more than 600 MiB to decode."""
_MAX_WEBP_MEGAPIXELS = 35.0  # libwebp's animation decoder and Pillow take 16 bytes a pixel: 600 MiB
_MAX_ROUNDED_MEGAPIXELS = 24.0  # 16-bit colour is read a second time; larger ones are cut off
_JPEG = ("JPEG", "MPO")
_PROFILE_ERRORS = (ImageCms.PyCMSError, OSError, ValueError, TypeError)
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
    deep = _deep(opened)  # before anything loads the picture, as a look at a PNG's EXIF does
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
        image = _rounded(image, watched, deep)
    profile = image.info.get("icc_profile")
    image = _plain(image)
    if profile:
        image = _to_srgb(image, profile, watched.look)
    image = _on_ground(image, background)
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


def _plain(image: Image.Image) -> Image.Image:
    """Any mode that the four formats can have -> L, RGB, CMYK, or RGBA."""
    if image.mode.startswith("I"):  # 16-bit grey
        image = _eight_bits(image)
    elif image.mode == "1":
        image = image.convert("L")
    if image.mode in ("P", "PA", "LA", "La", "RGBa") or (image.mode != "RGBA" and "transparency" in image.info):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image


def _on_ground(image: Image.Image, background: str) -> Image.Image:
    """-> RGB."""
    if image.mode == "RGBA":
        ground = Image.new("RGB", image.size, background)
        ground.paste(image, mask=image.getchannel("A"))
        return ground
    return image if image.mode == "RGB" else image.convert("RGB")


def _deep(image: ImageFile.ImageFile) -> str | None:
    """For 16-bit colour, of which Pillow reads the high bytes: what it must be told to read the low ones; None for a
    picture that is not, or is too large to be read twice."""
    if image.width * image.height > _MAX_ROUNDED_MEGAPIXELS * 1_000_000:
        return None
    modes = [tile[3] for tile in image.tile]
    return "RGBA;16L" if modes == ["RGBA;16B"] else "RGB;16L" if modes == ["RGB;16B"] else None


def _rounded(high: Image.Image, watched: _Watched, low_mode: str) -> Image.Image:
    """16-bit colour -> 8 bits, to the nearest: a value is 257 x its high byte + (low byte - high byte).

    high: changed in place.
    """
    watched.seek(0)
    low = Image.open(watched, formats=("PNG",))
    low.tile = [tile._replace(args=low_mode) for tile in low.tile]
    low.load()
    far = ([0] * 129 + [1] * 127) * len(low.getbands())  # differences of more than half of 257
    for top, bottom in Stage().bands(*high.size):
        box = (0, top, high.width, bottom)
        above, below = high.crop(box), low.crop(box)
        up, down = (ImageChops.subtract(*pair).point(far) for pair in ((below, above), (above, below)))
        high.paste(ImageChops.subtract(ImageChops.add(above, up), down), box)
        watched.look()
    return high


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey -> L, rounded to the nearest; a 16-bit transparent grey is kept as an alpha channel."""
    transparent = image.info.get("transparency")
    grey = Image.new("L", image.size)
    alpha = Image.new("L", image.size, 255) if isinstance(transparent, int) else None
    for top, bottom in Stage().bands(*image.size):
        values = np.asarray(image.crop((0, top, image.width, bottom))).astype(np.uint32)
        grey.paste(Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8)), (0, top))
        if alpha is not None:
            alpha.paste(Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8)), (0, top))
    return grey if alpha is None else Image.merge("LA", (grey, alpha))


def _to_srgb(image: Image.Image, profile: bytes, look: Callable[[], None]) -> Image.Image:
    """Converted through the embedded profile; one that is damaged or of another colour space is passed over.

    So is one with multi-process elements, of which a few bytes can claim 100,000 and keep lcms busy for hours.
    """
    if b"mpet" in profile:
        return image
    try:
        embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if (embedded.profile.profile_description or "").startswith("sRGB"):
            return image  # most photos; saves half of their decoding time
    except _PROFILE_ERRORS:
        return image
    return attended(lambda: _through(image, embedded), look)


def _through(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    """One call of lcms: a fifth of a second for 12 megapixels."""
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        result = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode=mode)
    except _PROFILE_ERRORS:
        return image
    return result if result is not None else image


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is not a JPEG, PNG, GIF or WebP"
    return "it is damaged or incomplete"
