"""What a style hands back: a painted picture, and what is known about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from .codec.encode import encode
from .progress import Stage


class Canvas(Protocol):
    """A picture that can be written. `Picture` is the plain one; a style with a shorter way brings its own."""

    @property
    def size(self) -> tuple[int, int]: ...

    def encode(self, format: str, quality: int, stage: Stage) -> bytes:
        """The bytes as jpeg, png or webp."""
        ...

    def reduced(self, factor: int) -> Image.Image:
        """An RGB picture `factor` times smaller (rounded up), for the quality card."""
        ...


class Picture:
    """Full-size pixels."""

    def __init__(self, image: Image.Image) -> None:
        self.image = image

    @property
    def size(self) -> tuple[int, int]:
        return self.image.size

    def encode(self, format: str, quality: int, stage: Stage) -> bytes:
        stage(0.0)
        return encode(self.image, format, quality, stage)

    def reduced(self, factor: int) -> Image.Image:
        return self.image.reduce(factor)


@dataclass(frozen=True, slots=True)
class Painting:
    """A style's answer.

    canvas: the picture, of the source's size. cells: how many pieces. pitch: their typical distance in pixels, the
    radius of the quality card's blur. coverage: the share of pixels that pieces cover, 0 to 1. repeats: pieces that
    show a tile which another piece shows too. cell_map: a photomosaic's, JSON-like. svg: writes the same cells as SVG.
    hidden: mode L, 255 where the picture made so many times smaller shows what the source must not be asked about.
    """

    canvas: Canvas
    cells: int
    pitch: float
    coverage: float = 1.0
    repeats: int = 0
    cell_map: Mapping[str, object] | None = None
    svg: Callable[[Stage], bytes] | None = None
    hidden: Callable[[int], Image.Image] | None = None
