"""Textures: tiles of noise that continue at their edges, and the colour of joints."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from ..colour.oklab import oklab_to_srgb, srgb_to_oklab
from ..colour.palette import hex_to_rgb
from ..colour.srgb import Floats
from ..scipy_lazy import ndimage

_TILE_SPOTS, _SPOT, _MAX_TILE_PX = 96, 1.2, 1024
_MOTTLE = 0.12  # the size of spots, in cells
_FIELD_CELLS = 1.5  # a pixel of the field of joint colours
_JOINT_LIGHT = 0.83  # of joints in the shadow of pieces


class Texture:
    """A tile of noise with mean 0 and standard deviation 1, repeated over the picture.

    spot_px: the size of spots (a standard deviation); streaks: how many times wider they are. A picture four times as
    large has the same texture four times as large: the tile's length is no whole number of pixels, and a pixel shows
    what is at its middle. Of spots smaller than a pixel it shows the mean, which has less contrast.
    """

    def __init__(self, spot_px: float, streaks: float, seed: int) -> None:
        noise = np.random.default_rng([seed, 3]).random((_TILE_SPOTS, _TILE_SPOTS), np.float32)
        noise = ndimage().gaussian_filter(noise, _SPOT, mode="wrap")
        noise = np.clip((noise - noise.mean()) / noise.std(), -2.5, 2.5)
        self._high, self._wide = (_TILE_SPOTS * spot / _SPOT for spot in (spot_px, spot_px * streaks))
        size = [max(1, min(_MAX_TILE_PX, round(length))) for length in (self._wide, self._high)]
        border = 4  # repeated, so that the enlarged tile continues at its edges
        wide = Image.fromarray(np.pad(noise, border, mode="wrap"))
        box = (border, border, _TILE_SPOTS + border, _TILE_SPOTS + border)
        self._tile = np.asarray(wide.resize(size, Image.Resampling.BICUBIC, box=box))

    def rows(self, top: int, bottom: int, width: int) -> Floats:
        """((bottom - top) * width,): the texture of some rows of the picture."""
        rows, columns = self._places(np.arange(top, bottom), np.arange(width))
        return self._tile[rows].take(columns, axis=1).ravel()

    def pixels(self, y: NDArray[np.int64], x: NDArray[np.int64]) -> Floats:
        """(n,): the texture of single pixels of the picture."""
        return np.asarray(self._tile[self._places(y, x)])

    def _places(self, y: NDArray[np.int64], x: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where the middles of pixels are in the tile."""
        high, wide = self._tile.shape
        down, across = ((y + 0.5) * (high / self._high)) % high, ((x + 0.5) * (wide / self._wide)) % wide
        return down.astype(np.int64), across.astype(np.int64)


def mottling(pitch: float, streaks: float, seed: int) -> Texture:
    """Spots of an eighth of a cell."""
    return Texture(_MOTTLE * pitch / 2, streaks, seed)


def sand(pitch: float, seed: int) -> Texture:
    """Grains of a sixtieth of a cell."""
    return Texture(pitch / 60, 1.0, seed + 1)


class JointColours:
    """The colours of joints. size, pitch: of the result. colour: #rrggbb; None follows the picture: darker than the
    stones around, and less colourful, like sand in their shadow."""

    def __init__(self, image: Image.Image, size: tuple[int, int], pitch: float, colour: str | None) -> None:
        self._step = pitch * _FIELD_CELLS
        if colour is not None:
            self._field = np.array(hex_to_rgb(colour), np.float32).reshape(1, 1, 3) * np.float32(_JOINT_LIGHT)
            return
        columns, rows = (max(1, min(1024, round(side / self._step))) for side in size)
        small = image.resize((columns, rows), Image.Resampling.BOX, reducing_gap=2.0).filter(
            ImageFilter.GaussianBlur(1.0)
        )
        lab = srgb_to_oklab(np.asarray(small))
        lab = lab * (0.60, 0.45, 0.45) + (0.07, 0.002, 0.012)
        self._field = oklab_to_srgb(lab).astype(np.float32) * np.float32(_JOINT_LIGHT)

    @property
    def mean(self) -> str:
        """#rrggbb, for an SVG."""
        return "#" + bytes(np.rint(self._field.mean(axis=(0, 1))).astype(np.uint8).tolist()).hex()

    def at(self, x: Floats, y: Floats, size: tuple[int, int]) -> Floats:
        """(n, 3): the colour of joints at some points of a picture of that size."""
        rows, columns = self._field.shape[:2]
        across = np.clip(x / size[0] * columns, 0, columns - 1).astype(np.int64)
        down = np.clip(y / size[1] * rows, 0, rows - 1).astype(np.int64)
        return np.asarray(self._field[down, across])
