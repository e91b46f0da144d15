"""Decode image files to one RGB image: upright, in sRGB, without metadata.

Each of its pixels was in the file: a file that is damaged or cut short is refused, never completed.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageFile

from ..errors import DAMAGED, Message, MosaicError, NotAPicture, TooManyPixels
from ..progress import Progress, run_interruptible
from .container import Container, read_container
from .deep import deep_png
from .formats.jpeg import digest, digest_before_noise, is_complete
from .heap import release_before_large
from .isolated import decode_isolated
from .modes import (
    clear_around,
    flatten,
    is_grey,
    normalise_mode,
    on_canvas,
    split_alpha,
    to_srgb,
)

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "HEIF", "AVIF")
MAX_MEGAPIXELS = 50.0
"""Also the server's default. With the limits below, an image of this size takes at most 600 MiB to decode."""

_UNSUPPORTED = Message("its format is not supported")
_MAX_WEBP_MEGAPIXELS = 35.0  # libwebp's animation decoder and Pillow take 16 bytes a pixel: 600 MiB
BLEED_PX = {"WEBP": 32, "HEIF": 64, "AVIF": 64}  # the side of the largest transform, in AV1 also of its filters

# Pillow decodes this much at a time: some milliseconds of a photo, 160 ms of 50 megapixels in one colour. Its default
# of 64 KiB makes two concurrent renders wait twice as long, as each piece ends by acquiring the interpreter lock. The
# other formats keep the default: 256 KiB of a PNG, which deflate can shrink a thousandfold, may be 80 megapixels.
_JPEG_READ_BYTES = 1 << 18

_TRANSPOSITIONS = {  # by EXIF orientation
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

    image: mode RGB; shared, so it must not be changed (see style.RenderContext.reusable). width, height: of the picture
    in pixels; `image` has that size, or is `reduction` times smaller (1, 2, 4 or 8, rounded up) if the caller allowed
    it. bleed_px: how many of these pixels the content of a pixel may have spread through compression; 0 for a PNG.
    alpha: mode L, of the size of `image`, if transparency was kept and there is any.
    """

    image: Image.Image
    width: int
    height: int
    reduction: int = 1
    bleed_px: int = 0
    alpha: Image.Image | None = None


class _InterruptibleReader(io.BytesIO):
    """Reports progress on each large read: Pillow reads at least 64 KiB at a time while it decodes."""

    def __init__(self, data: bytes, progress: Progress) -> None:
        super().__init__(data)
        self._progress, self._length = progress, max(len(data), 1)
        self.interruption: Exception | None = None

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0 or size > 4096:
            self.poll()
        return super().read(size)

    def poll(self) -> None:
        """Report the share of bytes read so far. An exception of the callback is stored, as Pillow may replace it."""
        try:
            self._progress(self.tell() / self._length)
        except Exception as interruption:
            self.interruption = interruption
            raise


def decode(
    data: bytes,
    progress: Progress,
    *,
    megapixels: float = MAX_MEGAPIXELS,
    background: str | None = "#ffffff",
    reduction_for: Callable[[int, int], int] | None = None,
) -> Source:
    """The first picture of a JPEG, PNG, GIF, WebP, HEIF or AVIF (recognised by content), upright, in sRGB.

    megapixels: the limit, checked before any pixel is decoded. background: #rrggbb behind transparent parts; None:
    they stay.
    reduction_for: called with width and height before any pixel is decoded, returns how many times smaller (1, 2, 4 or
    8) a JPEG may be decoded; applied only if each pixel of the reduced image stands for a whole square of the original
    one.
    Raises NotAPicture, TooManyPixels, BadParameter if `reduction_for` does, and whatever the progress callback raises.
    """
    file = _InterruptibleReader(data, progress)
    try:
        container = read_container(data, megapixels)
        file = _InterruptibleReader(container.pixels, progress)
        return _decode(container, file, megapixels, background, reduction_for)
    except MosaicError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooManyPixels(megapixels) from error
    except Exception as error:  # on damaged files Pillow raises anything from OSError to MemoryError
        if file.interruption is not None:
            raise file.interruption from None
        raise NotAPicture(DAMAGED) from error


def _decode(
    container: Container,
    file: _InterruptibleReader,
    megapixels: float,
    background: str | None,
    reduction_for: Callable[[int, int], int] | None,
) -> Source:
    if container.format not in FORMATS:
        raise NotAPicture(_UNSUPPORTED)
    orientation, colour, reduction = container.orientation, container.colour, 1
    if container.heif is not None:
        release_before_large(container.heif.pixels)
        isolated = decode_isolated(container.pixels, container.format, container.heif.pixels, colour, file.poll)
        image, orientation, colour = isolated.image, isolated.orientation, isolated.colour
        del isolated
        aperture = container.heif.aperture if container.format == "AVIF" else None  # libheif applies it itself
        if aperture is not None and (box := aperture.box(*image.size)) is not None:
            image = image.crop(box)
        width, height = image.size
        bleed_px = BLEED_PX[container.format]
    else:
        opened = Image.open(file, formats=(container.format,))
        width, height = container.canvas or opened.size
        limit = min(megapixels, _MAX_WEBP_MEGAPIXELS) if container.format == "WEBP" else megapixels
        if width * height > limit * 1_000_000:
            raise TooManyPixels(limit)
        release_before_large(width * height)
        bleed_px = _bleed_px(opened)
        reduction = draft(opened, orientation, reduction_for)
        image = _load(opened, container, file, reduction)  # from here on one name, so that no earlier image stays
        colour = colour or opened.info.get("icc_profile")
        del opened
    if container.png is not None and container.png.depth == 16:
        deep = deep_png(image, container.png, file)
        del image
        image, colour = deep.to_srgb(colour, file.poll), None
        del deep
    grey = is_grey(image)
    image = normalise_mode(image)
    image = to_srgb(image, colour, file.poll, grey=grey)
    if container.canvas is not None and container.canvas != image.size:
        image = on_canvas(image, container.canvas, container.offset)
    source = Source(image, width, height, reduction, bleed_px)
    del image
    return upright(source, orientation, background)


def read_size(data: bytes, *, megapixels: float = MAX_MEGAPIXELS) -> tuple[int, int]:
    """Width and height as the file stores them, before it is turned upright; the pixels are not decoded.

    Raises NotAPicture, TooManyPixels.
    """
    container = read_container(data, megapixels)
    if container.heif is not None:
        image = decode(data, Progress(), megapixels=megapixels).image
        return image.size
    if container.canvas is not None:
        return container.canvas
    try:
        with Image.open(io.BytesIO(container.pixels), formats=(container.format,)) as opened:
            return opened.size
    except Exception as error:  # as in `decode`
        raise NotAPicture(DAMAGED if container.format else _UNSUPPORTED) from error


def upright(source: Source, orientation: int, background: str | None) -> Source:
    """The final steps. The source's image may have any mode that normalise_mode returns."""
    image, width, height, reduction, bleed_px = (
        source.image,
        source.width,
        source.height,
        source.reduction,
        source.bleed_px,
    )
    del source
    if background is not None:
        image = flatten(image, background)
    if orientation in _TRANSPOSITIONS:
        image = image.transpose(_TRANSPOSITIONS[orientation])
        if orientation >= 5:
            width, height = height, width
    image, alpha = split_alpha(image) if background is None else (image, None)
    image.info.clear()  # Pillow would write parts of it to any file: a JPEG's comment, a profile
    return Source(image, width, height, reduction, bleed_px, alpha)


def _load(image: ImageFile.ImageFile, container: Container, file: _InterruptibleReader, reduction: int) -> Image.Image:
    """The image with all its pixels, in the mode of the file. Raises NotAPicture if some are missing."""
    tile = next(iter(image.tile), None)
    jpeg, expected = container.jpeg, None
    if jpeg is not None and not jpeg.sequential:
        if not jpeg.all_scans:
            raise NotAPicture(DAMAGED)
        expected = run_interruptible(lambda: digest_before_noise(container.pixels, jpeg, reduction), file.poll)
        release_before_large(image.width * image.height)  # other threads may have split the room that it has freed
    if container.format == "JPEG":
        image.decodermaxblock = _JPEG_READ_BYTES
    if container.format == "WEBP":
        run_interruptible(image.load, file.poll)  # a single call of libwebp: a quarter of a second for 12 megapixels
    else:
        image.load()
    if not (_has_all_pixels(image, container, reduction) if expected is None else digest(image) == expected):
        raise NotAPicture(DAMAGED)
    if container.format == "WEBP":
        return image.copy()  # the file's own image keeps libwebp's two canvases
    if container.png is not None and container.png.grey_step > 1 and "transparency" in image.info:
        image.info["transparency"] *= container.png.grey_step  # Pillow scales only the pixels
    if container.format == "GIF" and tile is not None and tile.extents is not None:
        return clear_around(image, tile.extents)
    return image


def _has_all_pixels(image: Image.Image, container: Container, reduction: int) -> bool:
    """Whether the file held every pixel. Pillow leaves black what a PNG lacks; libjpeg completes a sequential JPEG in
    one colour. Only images that end like that are examined further.
    """
    width, height = image.size
    if container.png is not None:
        suspicious = container.png.interlaced or not any(image.crop((0, height - 1, width, height)).tobytes())
        return not suspicious or container.png.has_all_rows()
    if container.jpeg is None:
        return True
    side = max(2, 8 // reduction)
    corner = image.crop((max(0, width - side), max(0, height - side), width, height))
    suspicious = not container.jpeg.has_end or len(corner.getcolors() or ()) == 1
    return not suspicious or is_complete(container.pixels, container.jpeg)


def contain_size(width: int, height: int, max_side: int) -> tuple[int, int]:
    """The size with the same aspect ratio whose longer side is at most `max_side`; no side below 1."""
    longer = max(width, height)
    if longer <= max_side:
        return width, height
    return max(1, round(width * max_side / longer)), max(1, round(height * max_side / longer))


def draft(image: Image.Image, orientation: int, reduction_for: Callable[[int, int], int] | None) -> int:
    """Make libjpeg decode at a reduced scale where allowed. Returns the reduction: 1, 2, 4 or 8."""
    width, height = image.size
    limit = 1 if reduction_for is None else reduction_for(*((height, width) if orientation >= 5 else (width, height)))
    if image.format != "JPEG" or image.mode != "RGB":
        return 1
    reduction = max(scale for scale in (1, 2, 4, 8) if scale <= max(limit, 1))
    if orientation != 1 and (width % reduction or height % reduction):
        return 1  # the incomplete pixels of the right or bottom edge would move to another edge
    if reduction > 1:
        image.draft("RGB", (width // reduction, height // reduction))
    return reduction


def _bleed_px(image: Image.Image) -> int:
    """How far lossy compression spreads the content of a pixel.

    In a JPEG it stays inside its minimum coded unit, a square of 8 pixels times the largest sampling factor, except for
    one pixel where the decoder smooths chroma between units: the side of a unit in all.
    """
    if image.format == "JPEG":
        return 8 * max((max(layer[1:3]) for layer in getattr(image, "layer", ())), default=4)
    return BLEED_PX.get(image.format or "", 0)
