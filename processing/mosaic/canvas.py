"""The result of a style: a painted picture and its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .cells.cells import Cells
from .codec.encoders.encode import encode
from .codec.encoders.vector_image import VectorImage
from .codec.modes import flatten
from .progress import Progress
from .region_canvas import PixelBox, RegionCanvas
from .scaled import Drawing
from .strip_canvas import StripCanvas


class Canvas(Protocol):
    """A picture that can be encoded. PixelCanvas is the general one; a style with a faster way has its own."""

    def encode(self, format: str, quality: int, progress: Progress) -> bytes:
        """The bytes of a jpeg, png or webp file. quality: 1 to 100."""
        ...

    def to_image(self) -> Image.Image:
        """All pixels, in RGB or RGBA; not to be changed."""
        ...

    def crop(self, box: PixelBox) -> Image.Image:
        """The pixels of a region: left, top, right, bottom."""
        ...

    def reduce(self, factor: int) -> Image.Image:
        """An RGB image `factor` times smaller (rounded up), for the quality report."""
        ...


class PixelCanvas:
    """Full-size pixels. image: mode RGB, or RGBA where transparency is kept."""

    def __init__(self, image: Image.Image) -> None:
        self.image, self.size = image, image.size

    def encode(self, format: str, quality: int, progress: Progress) -> bytes:
        progress(0.0)
        return encode(self.image, format, quality, progress)

    def to_image(self) -> Image.Image:
        return self.image

    def crop(self, box: PixelBox) -> Image.Image:
        return self.image.crop(box)

    def reduce(self, factor: int) -> Image.Image:
        small = self.image.reduce(factor)
        return small if small.mode == "RGB" else flatten(small, "#ffffff")


def finished(drawing: Drawing) -> Canvas:
    """The canvas of what a style has drawn."""
    if isinstance(drawing, StripCanvas | RegionCanvas):
        return drawing
    assert isinstance(drawing, Image.Image)
    return PixelCanvas(drawing)


EMPTY_GROUND = "#ece7dd"
"""Of an animation, where a style has no ground of its own: plaster."""


@dataclass(frozen=True, slots=True)
class Laid:
    """What an animation lays one after another, on ground of a colour #rrggbb. keys: (count,) cells with a lower one
    come earlier, those with the same together; None: the order is the style's."""

    cells: Cells
    ground: str = EMPTY_GROUND
    keys: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class StyleResult:
    """What a style returns.

    canvas: the picture, of the source's size. cells: their number. pitch: the typical distance of neighbouring cells
    in pixels, used as blur radius of the quality report. coverage: the share of pixels that cells cover, 0 to 1.
    repeats: the number of cells whose tile is also shown by another cell. cell_map: JSON-like, of styles that have one.
    vector: the same cells as shapes. hidden_mask: called with a factor, gives an image of mode L of the result
    reduced by that factor, 255 where the quality report must not depend on the source. laid: for an animation.
    """

    canvas: Canvas
    cells: int
    pitch: float
    coverage: float = 1.0
    repeats: int = 0
    cell_map: Mapping[str, object] | None = None
    vector: Callable[[], VectorImage] | None = None
    hidden_mask: Callable[[int], Image.Image] | None = None
    laid: Laid | None = None
