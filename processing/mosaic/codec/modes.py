"""Pixel modes: the steps from a file's pixel format to RGB in sRGB; deep.py has those of 16 bits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from ..progress import run_interruptible
from .profiles.hdr import HighDynamicRange, tone_map
from .profiles.icc import Colour, colour_space, transform

_GREY_MODES = ("1", "L", "LA", "La")

PollCallback = Callable[[], None]
"""Called repeatedly during a long step; may raise to stop it."""


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
    return image.mode in _GREY_MODES


def normalise_mode(image: Image.Image) -> Image.Image:
    """Any mode of the formats -> L, RGB, CMYK, or RGBA."""
    if image.mode == "1":
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


def on_white(image: Image.Image, opacity: Image.Image) -> Image.Image:
    """RGB: the colours of an image in RGBA where anything shows, white elsewhere."""
    result = Image.new("RGB", image.size, "white")
    result.paste(image.convert("RGB"), mask=opacity.point([0, *[255] * 255]))
    return result


def flatten(image: Image.Image, background: str) -> Image.Image:
    """-> RGB, transparent parts blended with the background."""
    if image.mode == "RGBA":
        result = Image.new("RGB", image.size, background)
        result.paste(image, mask=image.getchannel("A"))
        return result
    return image if image.mode == "RGB" else image.convert("RGB")
