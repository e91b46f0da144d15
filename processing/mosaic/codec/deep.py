"""Pictures of 16 bits a channel: converted to sRGB before they are rounded to 8 bits, as their darkest values need."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..progress import pieces
from .formats.png import PngFile
from .profiles.hdr import HighDynamicRange, tone_mapper
from .profiles.icc import Colour, colour_space, shaper_of, transform

Deep = NDArray[np.uint16]
"""(rows, width, channels)."""

_BAND_PX = 1 << 18  # a conversion takes up to 50 bytes a pixel
_LOW = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L"}


@dataclass(frozen=True, slots=True)
class DeepPicture:
    """channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. rows: the samples from one row to another. key: the colour
    that is transparent. target: an RGB or RGBA image of that size that may be overwritten, row after row, by those that
    were read."""

    size: tuple[int, int]
    channels: int
    rows: Callable[[int, int], Deep]
    key: tuple[int, ...] | None = None
    target: Image.Image | None = None

    def to_srgb(self, colour: Colour, poll: Callable[[], None]) -> Image.Image:
        """L, RGB or RGBA."""
        coloured, has_alpha = self.channels > 2, self.channels in (2, 4)
        convert = _converter(colour, grey=not coloured)
        bands = 3 if coloured else convert(np.zeros((1, 1, 1), np.uint16)).shape[-1]
        mode = "RGBA" if has_alpha or self.key is not None else "RGB" if bands == 3 else "L"
        image = self.target if self.target is not None and self.target.mode == mode else Image.new(mode, self.size)
        for piece in pieces(self.size[1], max(1, _BAND_PX // self.size[0])):
            samples = self.rows(piece.start, piece.stop)
            values = samples[..., :-1] if has_alpha else samples
            band = Image.fromarray(_squeezed(convert(values)))
            if has_alpha:
                band.putalpha(Image.fromarray(_rounded(samples[..., -1])))
            elif self.key is not None:
                same = (values == np.array(self.key, np.uint16)).all(axis=-1)
                band.putalpha(Image.fromarray(np.where(same, 0, 255).astype(np.uint8)))
            image.paste(band.convert(mode) if band.mode != mode else band, (0, piece.start))
            poll()
        return image


def deep_png(image: Image.Image, png: PngFile, file: io.BytesIO) -> DeepPicture:
    """image: as Pillow has loaded `PngFile.readable`; it is overwritten. file: the same once more."""
    key = image.info.pop("transparency", None)
    if png.colour_type == 4:
        return DeepPicture(image.size, 2, lambda top, bottom: _pairs(image, top, bottom), target=image)
    if png.colour_type == 0:
        key = (key,) if isinstance(key, int) else None
        return DeepPicture(image.size, 1, lambda top, bottom: _deep(image, top, bottom)[..., None], key)
    low = _low_bytes(file)

    def rows(top: int, bottom: int) -> Deep:
        samples: Deep = _bytes(image, top, bottom).astype(np.uint16)
        samples <<= 8
        samples |= _bytes(low, top, bottom)
        return samples

    return DeepPicture(image.size, len(low.getbands()), rows, key, image)


def _low_bytes(file: io.BytesIO) -> Image.Image:
    """Those of RGB or RGBA, of which Pillow reads the high bytes by default."""
    file.seek(0)
    low = Image.open(file, formats=("PNG",))
    low.tile = [tile._replace(args=_LOW[str(tile.args)]) for tile in low.tile]
    low.load()
    return low


def _bytes(image: Image.Image, top: int, bottom: int) -> NDArray[np.uint8]:
    return np.asarray(image.crop((0, top, image.width, bottom)))


def _pairs(image: Image.Image, top: int, bottom: int) -> Deep:
    """A high and a low byte each."""
    return _bytes(image, top, bottom).view(">u2").astype(np.uint16)


def _deep(image: Image.Image, top: int, bottom: int) -> Deep:
    return np.asarray(image.crop((0, top, image.width, bottom)), np.uint16)


def _converter(colour: Colour, *, grey: bool) -> Callable[[Deep], NDArray[np.uint8]]:
    """From grey or RGB of 16 bits to grey or RGB in sRGB. A damaged profile, or one of another colour model, is
    ignored."""
    if isinstance(colour, HighDynamicRange):
        tone_map = tone_mapper(colour, 1 << 16)
        return lambda values: tone_map(np.broadcast_to(values, (*values.shape[:2], 3)))
    space = colour_space(colour) if colour else ""
    if not colour or space not in (("GRAY", "RGB") if grey else ("RGB",)):
        return _rounded
    if grey:
        table = _grey_table(colour, space)
        return lambda values: table[values[..., 0]]
    shaper = shaper_of(colour)
    if shaper is not None:
        return shaper.to_srgb
    return lambda values: np.asarray(transform(Image.fromarray(_rounded(values)), colour))


def _grey_table(profile: bytes, space: str) -> NDArray[np.uint8]:
    """(65536, 1 or 3)."""
    greys = np.arange(1 << 16, dtype=np.uint16)
    if space == "GRAY":
        table = np.asarray(transform(Image.fromarray(greys.reshape(256, 256)), profile)).reshape(-1, 3)
    else:
        table = _converter(profile, grey=False)(np.repeat(greys[:, None, None], 3, axis=-1)).reshape(-1, 3)
    return table[:, :1] if (table == table[:, :1]).all() else table


def _rounded(values: Deep) -> NDArray[np.uint8]:
    """The nearest of 8 bits."""
    return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


def _squeezed(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return values[..., 0] if values.shape[-1] == 1 else values
