"""The result of a style: a painted picture and its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from .codec.encode import encode
from .codec.modes import flatten
from .progress import Progress
from .scaled import Drawing
from .strip_canvas import StripCanvas


class Canvas(Protocol):
    """A picture that can be encoded. PixelCanvas is the general one; a style with a faster way has its own."""

    @property
    def size(self) -> tuple[int, int]: ...

    def encode(self, format: str, quality: int, progress: Progress) -> bytes:
        """The bytes of a jpeg, png or webp file. quality: 1 to 100."""
        ...

    def to_image(self) -> Image.Image:
        """All pixels, in RGB or RGBA; not to be changed."""
        ...

    def reduce(self, factor: int) -> Image.Image:
        """An RGB image `factor` times smaller (rounded up), for the quality report."""
        ...


class PixelCanvas:
    """Full-size pixels. image: mode RGB, or RGBA where transparency is kept."""

    def __init__(self, image: Image.Image) -> None:
        self.image = image

    @property
    def size(self) -> tuple[int, int]:
        return self.image.size

    def encode(self, format: str, quality: int, progress: Progress) -> bytes:
        progress(0.0)
        return encode(self.image, format, quality, progress)

    def to_image(self) -> Image.Image:
        return self.image

    def reduce(self, factor: int) -> Image.Image:
        small = self.image.reduce(factor)
        return small if small.mode == "RGB" else flatten(small, "#ffffff")


def finished(drawing: Drawing) -> Canvas:
    """The canvas of what a style has drawn."""
    if isinstance(drawing, StripCanvas):
        return drawing
    assert isinstance(drawing, Image.Image)
    return PixelCanvas(drawing)


@dataclass(frozen=True, slots=True)
class StyleResult:
    """What a style returns.

    canvas: the picture, of the source's size. cells: their number. pitch: the typical distance of neighbouring cells
    in pixels, used as blur radius of the quality report. coverage: the share of pixels that cells cover, 0 to 1.
    repeats: the number of cells whose tile is also shown by another cell. cell_map: JSON-like, of styles that have one.
    svg: writes the same cells as SVG. hidden_mask: called with a factor, gives an image of mode L of the result
    reduced by that factor, 255 where the quality report must not depend on the source.
    """

    canvas: Canvas
    cells: int
    pitch: float
    coverage: float = 1.0
    repeats: int = 0
    cell_map: Mapping[str, object] | None = None
    svg: Callable[[Progress], bytes] | None = None
    hidden_mask: Callable[[int], Image.Image] | None = None
