"""Pixel modes: the steps from a file's pixel format to RGB of 8 bits in sRGB."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageChops, ImageFile

from ..progress import Progress, run_interruptible
from .hdr import HighDynamicRange, tone_map
from .icc import Colour, colour_space, transform

_MAX_ROUNDED_MEGAPIXELS = 24.0  # larger 16-bit images are truncated: rounding reads the file a second time
_GREY_MODES = ("1", "L", "LA", "La")

PollCallback = Callable[[], None]
"""Called repeatedly during a long step; may raise to stop it."""


def low_byte_mode(image: ImageFile.ImageFile) -> str | None:
    """The raw mode with which Pillow reads the low bytes of 16-bit colour; by default it reads the high bytes.

    None for other images, and for those too large to be read twice.
    """
    if image.width * image.height > _MAX_ROUNDED_MEGAPIXELS * 1_000_000:
        return None
    modes = [tile[3] for tile in image.tile]
    return "RGBA;16L" if modes == ["RGBA;16B"] else "RGB;16L" if modes == ["RGB;16B"] else None


def to_8_bits(high: Image.Image, file: io.BytesIO, low_mode: str, poll: PollCallback) -> Image.Image:
    """Round 16-bit colour to 8 bits: a value is 257 x its high byte + (low byte - high byte).

    high: the high bytes, changed in place, and returned as RGBA if one colour is transparent. file: the image file.
    low_mode: see low_byte_mode.
    """
    key = high.info.pop("transparency", None)  # 16 bits, which Pillow would compare with 8
    alpha = None if key is None else Image.new("L", high.size)
    file.seek(0)
    low = Image.open(file, formats=("PNG",))
    low.tile = [tile._replace(args=low_mode) for tile in low.tile]
    low.load()
    carry = ([0] * 129 + [1] * 127) * len(low.getbands())  # 1 for differences of more than half of 257
    for top, bottom in Progress().bands(*high.size):
        box = (0, top, high.width, bottom)
        high_band, low_band = high.crop(box), low.crop(box)
        if alpha is not None:
            alpha.paste(_differs(high_band, low_band, key), (0, top))
        up = ImageChops.subtract(low_band, high_band).point(carry)
        down = ImageChops.subtract(high_band, low_band).point(carry)
        high.paste(ImageChops.subtract(ImageChops.add(high_band, up), down), box)
        poll()
    if alpha is not None:
        high.putalpha(alpha)
    return high


def _differs(high: Image.Image, low: Image.Image, key: tuple[int, ...]) -> Image.Image:
    """L: 0 where all 16-bit values equal the key, 255 elsewhere."""
    same = (np.asarray(high) == np.array(key) >> 8) & (np.asarray(low) == (np.array(key) & 255))
    return Image.fromarray(np.where(same.all(axis=-1), 0, 255).astype(np.uint8))


def clear_around(image: Image.Image, frame: tuple[int, int, int, int]) -> Image.Image:
    """RGBA, transparent outside of the frame (left, top, right, bottom); unchanged if the frame fills the image."""
    if frame == (0, 0, *image.size):
        return image
    part = image.crop(frame)
    if "transparency" in image.info:
        part.info["transparency"] = image.info["transparency"]
    return on_canvas(part, image.size, frame[:2])


def on_canvas(image: Image.Image, size: tuple[int, int], offset: tuple[int, int]) -> Image.Image:
    """RGBA of that size, transparent beside the image, which is laid there at that offset."""
    result = Image.new("RGBA", size)
    result.paste(image.convert("RGBA"), offset)
    return result


def is_grey(image: Image.Image) -> bool:
    return image.mode in _GREY_MODES or image.mode.startswith("I")


def normalise_mode(image: Image.Image) -> Image.Image:
    """Any mode of the formats -> L, RGB, CMYK, or RGBA."""
    if image.mode.startswith("I"):  # 16-bit grey
        image = _grey_to_8_bits(image)
    elif image.mode == "1":
        image = image.convert("L")
    if image.mode in ("P", "PA", "LA", "La", "RGBa") or (image.mode != "RGBA" and "transparency" in image.info):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image


def to_srgb(image: Image.Image, colour: Colour, poll: PollCallback, *, grey: bool) -> Image.Image:
    """Convert from the colour space of the file. A damaged profile, or one of another colour model, is ignored.

    image: L, RGB, CMYK or RGBA. grey: the file stores grey values, with or without transparency.
    """
    if isinstance(colour, HighDynamicRange):
        return tone_map(image if image.mode == "RGBA" else image.convert("RGB"), colour, poll)
    space = colour_space(colour) if colour else ""
    if not colour or not space:
        return image
    if grey:
        return _convert_grey(image, colour) if space in ("GRAY", "RGB") else image
    if space != image.mode.removesuffix("A"):
        return image
    return run_interruptible(lambda: transform(image, colour), poll)  # a single call: 0.2 s for 12 megapixels


def _convert_grey(image: Image.Image, profile: bytes) -> Image.Image:
    """By a table of 256 values: L stays L if they stay grey."""
    values = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    table = transform(values if profile[16:20] == b"GRAY" else values.convert("RGB"), profile)
    red, green, blue = (list(table.getchannel(band).tobytes()) for band in range(3))
    if image.mode == "RGBA":
        return image.point([*red, *green, *blue, *range(256)])
    return image.point(red) if red == green == blue else image.convert("RGB").point([*red, *green, *blue])


def split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """RGB and its alpha, None for an opaque image. Invisible pixels become white, whatever the file stores there."""
    if image.mode != "RGBA" or image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB"), None
    alpha = image.getchannel("A")
    colours = image.convert("RGB")
    colours.paste((255, 255, 255), mask=alpha.point([255] + [0] * 255))
    return colours, alpha


def flatten(image: Image.Image, background: str) -> Image.Image:
    """-> RGB, transparent parts blended with the background."""
    if image.mode == "RGBA":
        result = Image.new("RGB", image.size, background)
        result.paste(image, mask=image.getchannel("A"))
        return result
    return image if image.mode == "RGB" else image.convert("RGB")


def _grey_to_8_bits(image: Image.Image) -> Image.Image:
    """16-bit grey -> L, rounded to the nearest; with a transparent grey value -> LA."""
    transparent = image.info.get("transparency")
    grey = Image.new("L", image.size)
    alpha = Image.new("L", image.size, 255) if isinstance(transparent, int) else None
    for top, bottom in Progress().bands(*image.size):
        values = np.asarray(image.crop((0, top, image.width, bottom))).astype(np.uint32)
        grey.paste(Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8)), (0, top))
        if alpha is not None:
            alpha.paste(Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8)), (0, top))
    return grey if alpha is None else Image.merge("LA", (grey, alpha))
