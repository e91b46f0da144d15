"""A part of a result: what lies around it is neither painted nor encoded."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image

from .progress import Progress

PixelBox = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Region:
    """shares: left, top, right, bottom in fractions of the width and height. reduction: how many times smaller the
    pixels are wanted."""

    shares: tuple[float, float, float, float]
    reduction: int = 1

    def box(self, size: tuple[int, int]) -> PixelBox:
        """Left, top, right, bottom in pixels of a result of `size`: at least these shares, in whole reduced pixels."""
        left, right = _covering(self.shares[0], self.shares[2], size[0], self.reduction)
        top, bottom = _covering(self.shares[1], self.shares[3], size[1], self.reduction)
        return left, top, right, bottom


class RegionCanvas:
    """Implements canvas.Canvas and scaled.Drawing. size: of the whole result. box: of the region in it."""

    def __init__(self, size: tuple[int, int], box: PixelBox, image: Image.Image) -> None:
        self.size, self.box, self.image = size, box, image
        self.width, self.height = size

    def paste(
        self,
        content: Image.Image | str,
        box: tuple[int, int] | tuple[int, int, int, int],
        mask: Image.Image | None = None,
    ) -> None:
        """As of Pillow's images; what lies outside of the region is dropped."""
        left, top = self.box[:2]
        place: tuple[int, int] | tuple[int, int, int, int] = (box[0] - left, box[1] - top)
        if len(box) == 4:
            place = (*place[:2], box[2] - left, box[3] - top)
        self.image.paste(content, place, mask)

    def crop(self, box: PixelBox) -> Image.Image:
        """box: that of the constructor."""
        return self.image

    def encode(self, format: str, quality: int, progress: Progress) -> bytes:
        """Not possible: there is only a part of the picture."""
        raise NotImplementedError

    def to_image(self) -> Image.Image:
        """Not possible either."""
        raise NotImplementedError

    def reduce(self, factor: int) -> Image.Image:
        """Not possible either: there is no quality report of a region."""
        raise NotImplementedError


def reduced(image: Image.Image, factor: int) -> Image.Image:
    """Means of squares; transparent pixels do not count."""
    if factor == 1:
        return image
    if image.mode != "RGBA":
        return image.reduce(factor)
    return image.convert("RGBa").reduce(factor).convert("RGBA")


def _covering(low: float, high: float, length: int, step: int) -> tuple[int, int]:
    """First and last pixel + 1 of what covers low to high, in whole steps; never empty."""
    first = min(math.floor(low * length / step + 1e-6) * step, (length - 1) // step * step)
    last = max(math.ceil(high * length / step - 1e-6) * step, first + step)
    return first, min(last, length)
