"""Modes: the ways in which a file's pixels are stored, and the steps from there to RGB of 8 bits in sRGB."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageChops, ImageCms, ImageFile

from ..progress import Stage, attended

_MAX_ROUNDED_MEGAPIXELS = 24.0  # 16-bit colour is read a second time; larger ones are cut off
_PROFILE_ERRORS = (ImageCms.PyCMSError, OSError, ValueError, TypeError)

Look = Callable[[], None]
"""Asked again and again while a step takes long; what it raises ends the step."""


def deep_mode(image: ImageFile.ImageFile) -> str | None:
    """For 16-bit colour, of which Pillow reads the high bytes: what it must be told to read the low ones; None for a
    picture that is not, or is too large to be read twice."""
    if image.width * image.height > _MAX_ROUNDED_MEGAPIXELS * 1_000_000:
        return None
    modes = [tile[3] for tile in image.tile]
    return "RGBA;16L" if modes == ["RGBA;16B"] else "RGB;16L" if modes == ["RGB;16B"] else None


def rounded(high: Image.Image, file: io.BytesIO, low_mode: str, look: Look) -> Image.Image:
    """16-bit colour -> 8 bits, to the nearest: a value is 257 x its high byte + (low byte - high byte).

    high: changed in place. file: what it was read from. low_mode: see deep_mode.
    """
    file.seek(0)
    low = Image.open(file, formats=("PNG",))
    low.tile = [tile._replace(args=low_mode) for tile in low.tile]
    low.load()
    far = ([0] * 129 + [1] * 127) * len(low.getbands())  # differences of more than half of 257
    for top, bottom in Stage().bands(*high.size):
        box = (0, top, high.width, bottom)
        above, below = high.crop(box), low.crop(box)
        up, down = (ImageChops.subtract(*pair).point(far) for pair in ((below, above), (above, below)))
        high.paste(ImageChops.subtract(ImageChops.add(above, up), down), box)
        look()
    return high


def plain(image: Image.Image) -> Image.Image:
    """Any mode that the four formats can have -> L, RGB, CMYK, or RGBA."""
    if image.mode.startswith("I"):  # 16-bit grey
        image = _eight_bits(image)
    elif image.mode == "1":
        image = image.convert("L")
    if image.mode in ("P", "PA", "LA", "La", "RGBa") or (image.mode != "RGBA" and "transparency" in image.info):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image


def to_srgb(image: Image.Image, profile: bytes, look: Look) -> Image.Image:
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


def on_ground(image: Image.Image, background: str) -> Image.Image:
    """-> RGB."""
    if image.mode == "RGBA":
        ground = Image.new("RGB", image.size, background)
        ground.paste(image, mask=image.getchannel("A"))
        return ground
    return image if image.mode == "RGB" else image.convert("RGB")


def _through(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    """One call of lcms: a fifth of a second for 12 megapixels."""
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        result = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode=mode)
    except _PROFILE_ERRORS:
        return image
    return result if result is not None else image


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
