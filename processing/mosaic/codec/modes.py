"""Pixel modes: the steps from a file's pixel format to RGB of 8 bits in sRGB."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageChops, ImageCms, ImageFile

from ..progress import Progress, run_interruptible

_MAX_ROUNDED_MEGAPIXELS = 24.0  # larger 16-bit images are truncated: rounding reads the file a second time
_PROFILE_ERRORS = (ImageCms.PyCMSError, OSError, ValueError, TypeError)

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

    high: the high bytes, changed in place. file: the image file. low_mode: see low_byte_mode.
    """
    file.seek(0)
    low = Image.open(file, formats=("PNG",))
    low.tile = [tile._replace(args=low_mode) for tile in low.tile]
    low.load()
    carry = ([0] * 129 + [1] * 127) * len(low.getbands())  # 1 for differences of more than half of 257
    for top, bottom in Progress().bands(*high.size):
        box = (0, top, high.width, bottom)
        high_band, low_band = high.crop(box), low.crop(box)
        up = ImageChops.subtract(low_band, high_band).point(carry)
        down = ImageChops.subtract(high_band, low_band).point(carry)
        high.paste(ImageChops.subtract(ImageChops.add(high_band, up), down), box)
        poll()
    return high


def normalise_mode(image: Image.Image) -> Image.Image:
    """Any mode of the four formats -> L, RGB, CMYK, or RGBA."""
    if image.mode.startswith("I"):  # 16-bit grey
        image = _grey_to_8_bits(image)
    elif image.mode == "1":
        image = image.convert("L")
    if image.mode in ("P", "PA", "LA", "La", "RGBa") or (image.mode != "RGBA" and "transparency" in image.info):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image


def to_srgb(image: Image.Image, profile: bytes, poll: PollCallback) -> Image.Image:
    """Convert from the embedded profile. A damaged profile, or one of another colour space, is ignored.

    So is a profile with multi-process elements: a few bytes can declare 100,000 of them and keep lcms busy for hours.
    """
    if b"mpet" in profile:
        return image
    try:
        embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if (embedded.profile.profile_description or "").startswith("sRGB"):
            return image  # most photos; saves half of their decoding time
    except _PROFILE_ERRORS:
        return image
    return run_interruptible(lambda: _apply_profile(image, embedded), poll)


def flatten(image: Image.Image, background: str) -> Image.Image:
    """-> RGB, transparent parts blended with the background."""
    if image.mode == "RGBA":
        result = Image.new("RGB", image.size, background)
        result.paste(image, mask=image.getchannel("A"))
        return result
    return image if image.mode == "RGB" else image.convert("RGB")


def _apply_profile(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    """A single call of lcms: a fifth of a second for 12 megapixels."""
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        result = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode=mode)
    except _PROFILE_ERRORS:
        return image
    return result if result is not None else image


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
