"""Lines of a width, drawn antialiased over rows of a picture that is painted in bands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from ..colour.palette import hex_to_rgb
from ..colour.pixels import pixels
from ..colour.srgb import Colours, Floats

_SAMPLES = 2  # a pixel, across and down
_PART_LINES = 4  # lines of a stroke that are drawn together


@dataclass(frozen=True, slots=True)
class Stroke:
    """points: (n, 2) x, y in pixels. width: in pixels."""

    points: Floats
    width: float


class Strokes:
    """Strokes of a picture, of which the parts near some rows are found quickly."""

    def __init__(self, strokes: Sequence[Stroke]) -> None:
        self._parts = [Stroke(points, stroke.width) for stroke in strokes for points in _parts(stroke.points)]
        self._tops = np.array([part.points[:, 1].min() - part.width for part in self._parts])
        self._bottoms = np.array([part.points[:, 1].max() + part.width for part in self._parts])
        self._lines = [(part.points * _SAMPLES).tolist() for part in self._parts]

    def mask(self, first: int, last: int, width: int) -> Image.Image:
        """Rows `first` to `last` - 1, mode L: 255 under strokes, which have round ends."""
        mask = Image.new("L", (width * _SAMPLES, (last - first) * _SAMPLES))
        pen, above = ImageDraw.Draw(mask), first * _SAMPLES
        for index in np.flatnonzero((self._bottoms > first) & (self._tops < last)).tolist():
            size = self._parts[index].width * _SAMPLES
            line = [(x, y - above) for x, y in self._lines[index]]
            pen.line(line, fill=255, width=max(1, round(size)))
            radius = size / 2 - 0.5
            if radius >= 1:
                for x, y in line:
                    if -size < y < mask.height + size:
                        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
        return mask.reduce(_SAMPLES)


def _parts(points: Floats) -> Iterator[Floats]:
    """Lines of a few points, each of which begins where the last one ends."""
    for start in range(0, max(1, len(points) - 1), _PART_LINES):
        yield points[start : start + _PART_LINES + 1]


class StrokePainter:
    """Draws strokes of one colour over the rows of a painted picture; see raster.fill_cells."""

    def __init__(self, strokes: Sequence[Stroke], colour: str) -> None:
        self._strokes = Strokes(strokes)
        self._colour: Floats = np.array(hex_to_rgb(colour), np.float32)

    def __call__(self, image: Image.Image, top: int) -> Image.Image:
        mask = self._strokes.mask(top, top + image.height, image.width)
        cover = pixels(mask).reshape(image.height, image.width, 1).astype(np.float32) / 255
        below = pixels(image)[..., :3].astype(np.float32)
        painted: Colours = np.rint(below + (self._colour - below) * cover).astype(np.uint8)
        return Image.fromarray(painted)
